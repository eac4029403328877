"""A person (个人) of the vault: who asked to erase the personal data, on which ground, and whether it was.

The stream is named by the person's reference. It begins with the first request; until then the vault's row
and the events that refer to it are all there is. No personal data is here.
"""

from datetime import date
from typing import Final, Self

import msgspec
from eventsourcing.domain import event

from domain.act import Act, persons_of
from domain.aggregate import Aggregate, CreatedEvent
from domain.errors import Conflict, Forbidden, Invalid

KINDS: Final = ("inspector", "account", "site")
"""Where a person's data stands: the registry of inspectors, the accounts, the contacts of sites."""

GROUNDS: Final = (
    "purpose-achieved",
    "retention-over",
    "consent-withdrawn",
    "unlawful-processing",
    "other-law",
)
"""The cases of 个人信息保护法 第四十七条, one by one; the rulebook has their words and sources."""

RETENTION_OVER: Final = "retention-over"
OVERRIDING: Final = ("unlawful-processing", "other-law")
"""Grounds on which data goes before it was kept as long as the law asks: it should not have been here."""

LAW: Final = "个人信息保护法 第四十七条"


class ErasureGroundWrong(Invalid):
    """The ground is none of the law's; facts: `ground`, `known`."""

    code = "erasure-ground-wrong"
    source = LAW


class ErasureReasonMissing(Invalid):
    """Whoever asks for an erasure, or refuses one, says why."""

    code = "erasure-reason-missing"


class PersonStillListed(Conflict):
    """The person still acts here: leave first, then the data can go; facts: `kind`, `holder`."""

    code = "person-still-listed"
    source = LAW


class PersonRetained(Conflict):
    """The data must be kept longer on this ground; facts: `retain_until`, `ground`."""

    code = "person-retained"
    rule = "retention"
    source = LAW


class PersonNeeded(Conflict):
    """Open matters in which the person must be known, to be closed first; facts: `matters` (ids)."""

    code = "person-needed"
    source = LAW


class PersonErased(Conflict):
    """The person's data was erased already; facts: `person`, `erased_on`."""

    code = "person-erased"


class ErasureNotAsked(Conflict):
    """Nobody has asked for the erasure, or it was refused; facts: `person`."""

    code = "erasure-not-asked"


class ErasureAskedAlready(Conflict):
    """The erasure was asked for and waits for its decision; facts: `person`."""

    code = "erasure-asked-already"


class ErasureSecondPersonNeeded(Forbidden):
    """Whoever asked does not decide."""

    code = "erasure-second-person-needed"


class ErasureOfOneself(Forbidden):
    """Nobody decides on the erasure of his own data."""

    code = "erasure-of-oneself"


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Where the data stands: its kind, the stream that holds it, and its region ("" where it has none)."""

    kind: str
    holder: str
    region: str


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """What the law still wants of the data.

    `listed`: the person is still in the registry, the account open, the site under supervision.
    `retain_until` is the first day on which the data need not be kept any more, None while `listed`.
    `matters` are open matters in which the person must be known.
    """

    listed: bool
    retain_until: date | None
    matters: tuple[str, ...] = ()


class Person(Aggregate):
    """One person's personal data."""

    TOPIC = "person"

    class ErasureAsked(CreatedEvent, Aggregate.Event, frozen=True, kw_only=True):
        """The erasure was asked for on a ground of the law. `retain_until` was the day known then."""

        TOPIC = "person.erasure-asked.v1"
        case: Case
        ground: str
        reason: str
        retain_until: date | None
        rulebook: str

    class ErasureAskedAgain(Aggregate.Event, frozen=True, kw_only=True):
        """The erasure was asked for once more, after a refusal."""

        TOPIC = "person.erasure-asked-again.v1"
        case: Case
        ground: str
        reason: str
        retain_until: date | None
        rulebook: str

    class ErasureRefused(Aggregate.Event, frozen=True, kw_only=True):
        """The erasure was refused; the data stays."""

        TOPIC = "person.erasure-refused.v1"
        case: Case
        reason: str

    class Erased(Aggregate.Event, frozen=True, kw_only=True):
        """A second person approved: the vault's row lost value, salt and unique key in this append.

        `asked_by` are those on whose side the request was. `originals` names the imports whose original
        files went with it.
        """

        TOPIC = "person.erased.v1"
        case: Case
        ground: str
        asked_by: tuple[str, ...]
        retain_until: date | None
        rulebook: str
        originals: tuple[str, ...]
        erased_on: date

    @classmethod
    def begin_erasure(
        cls, act: Act, *, id: str, case: Case, ground: str, reason: str, need: Need, rulebook: str
    ) -> Self:
        """Ask for the erasure, the first time for this person."""
        _check(case, ground, reason, need, act.taken_on)
        return cls.begin(
            cls.ErasureAsked,
            id,
            act,
            case=case,
            ground=ground,
            reason=reason,
            retain_until=need.retain_until,
            rulebook=rulebook,
        )

    @event(ErasureAsked)
    def __init__(self, case: Case, ground: str, reason: str, by: str, on_behalf_of: str | None) -> None:
        self.case, self.ground, self.reason = case, ground, reason
        self.asked_by = persons_of(by, on_behalf_of)
        self.status = "asked"
        self.erased_on: date | None = None

    def ask_again(self, act: Act, *, case: Case, ground: str, reason: str, need: Need, rulebook: str) -> None:
        """Ask for the erasure after it was refused."""
        self._require_kept()
        if self.status == "asked":
            raise ErasureAskedAlready(person=self.id)
        _check(case, ground, reason, need, act.taken_on)
        self.record(
            self.ErasureAskedAgain,
            act,
            case=case,
            ground=ground,
            reason=reason,
            retain_until=need.retain_until,
            rulebook=rulebook,
        )

    @event(ErasureAskedAgain)
    def _asked_again(self, case: Case, ground: str, reason: str, by: str, on_behalf_of: str | None) -> None:
        self.case, self.ground, self.reason = case, ground, reason
        self.asked_by = persons_of(by, on_behalf_of)
        self.status = "asked"

    def refuse(self, act: Act, *, reason: str, own: frozenset[str]) -> None:
        """Refuse the erasure; `own` are the accounts of the person concerned."""
        self._require_decider(act, own)
        if not reason.strip():
            raise ErasureReasonMissing("/reason")
        self.record(self.ErasureRefused, act, case=self.case, reason=reason)

    @event(ErasureRefused)
    def _refused(self) -> None:
        self.status = "refused"

    def erase(
        self,
        act: Act,
        *,
        case: Case,
        need: Need,
        rulebook: str,
        own: frozenset[str],
        originals: tuple[str, ...],
    ) -> None:
        """Approve the erasure as the second person; what was asked may no longer hold and is checked anew."""
        self._require_decider(act, own)
        _check(case, self.ground, self.reason, need, act.taken_on)
        self.record(
            self.Erased,
            act,
            case=case,
            ground=self.ground,
            asked_by=tuple(sorted(self.asked_by)),
            retain_until=need.retain_until,
            rulebook=rulebook,
            originals=originals,
            erased_on=act.taken_on,
        )

    @event(Erased)
    def _erased(self, case: Case, erased_on: date) -> None:
        self.case, self.status, self.erased_on = case, "erased", erased_on

    def _require_decider(self, act: Act, own: frozenset[str]) -> None:
        self._require_kept()
        if self.status != "asked":
            raise ErasureNotAsked(person=self.id)
        if act.persons & self.asked_by:
            raise ErasureSecondPersonNeeded()
        if act.persons & own:
            raise ErasureOfOneself()

    def _require_kept(self) -> None:
        if self.status == "erased":
            raise PersonErased(person=self.id, erased_on=self.erased_on)


def _check(case: Case, ground: str, reason: str, need: Need, day: date) -> None:
    if ground not in GROUNDS:
        raise ErasureGroundWrong("/ground", ground=ground, known=GROUNDS)
    if not reason.strip():
        raise ErasureReasonMissing("/reason")
    # A site's contact may change while the site stays; officers and account holders leave first.
    if need.listed and (case.kind != "site" or ground == RETENTION_OVER):
        raise PersonStillListed(kind=case.kind, holder=case.holder)
    if need.matters:
        raise PersonNeeded(matters=need.matters)
    kept = need.retain_until is not None and day < need.retain_until
    if kept and ground not in OVERRIDING:
        raise PersonRetained(retain_until=need.retain_until, ground=ground)


def retain_until(left_on: date, years: int) -> date:
    """The first day on which data need not be kept any more: whole years after somebody left.

    After 29 February it is 1 March where there is none.
    """
    try:
        return left_on.replace(year=left_on.year + years)
    except ValueError:
        return date(left_on.year + years, 3, 1)


def left_by(day: date, years: int) -> date:
    """The last day of leaving whose data need not be kept on `day`: `retain_until`, seen from its end."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return date(day.year - years, 2, 28)
