"""A draw (抽取): both lots of one plan row, step by step, sealed before chance exists.

announce → commit → seal → reveal → observe → complete → open, or void. The arithmetic is in
`domain/drawing`; this aggregate guards the order of the steps and who takes them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Self

from eventsourcing.domain import event

from domain.act import Act, persons_of
from domain.aggregate import Aggregate, Claim, CreatedEvent
from domain.draw_refusals import (
    AlreadyDone,
    BeaconForged,
    CommitmentWrong,
    ContributorsWrong,
    CustodyShared,
    DrawGroundMissing,
    DrawStatusWrong,
    NarrowReasonMissing,
    NarrowSeatsUnapproved,
    NotContributor,
    NothingNarrow,
    ReceiptMissing,
    SealerApproves,
    SecondPersonNeeded,
    SecretWrong,
    SourceEarly,
    SourceKnown,
    SourceTimePassed,
    SourceWrong,
    SupplementWrong,
    ValueExists,
    ValuesDiffer,
    WideningReasonMissing,
)
from domain.draw_values import NARROW_NOWHERE, Contributor, Missing, NarrowSeats, Result, Seal
from domain.drawing.errors import DrawingError
from domain.drawing.rules import NEEDED_PARTIES
from domain.drawing.seed import commit as commitment_of
from domain.drawing.source import (
    Dice,
    PublicSource,
    Quicknet,
    check_text,
    check_value,
    parse_source,
    source_key,
    source_time,
)
from domain.plan import Plan
from domain.recheck_terms import RecheckTerms

_PARTY: Final = re.compile(r"[!-.0-\[\]-~]{1,64}")
"""Without slashes: a party's receipt is a file of the bundle by its name."""
LIVE: Final = ("announced", "committed", "sealed", "revealed", "observed", "completed", "opened")


class Draw(Aggregate):
    """One attempt to draw one plan row."""

    TOPIC = "draw"

    class Announced(CreatedEvent, Aggregate.Event, frozen=True, kw_only=True):
        """The draw, its contributors and its public source were named; nobody can know the value yet."""

        TOPIC = "draw.announced.v1"
        log: str
        draw_no: int
        attempt: int
        previous: str
        plan: str
        row: str
        plan_row: str
        period: str
        region: str
        redraw: bool
        contributors: tuple[Contributor, ...]
        public_source: dict[str, Any]
        rulebook: str

        def claims(self) -> Iterable[Claim]:
            return announced(self.draw_no, self.attempt, self.plan_row, self.public_source)

    class RecheckAnnounced(CreatedEvent, Aggregate.Event, frozen=True, kw_only=True):
        """A draw among the closed violations of a region and quarter was named, for a re-check."""

        TOPIC = "draw.recheck-announced.v1"
        log: str
        draw_no: int
        attempt: int
        previous: str
        plan_row: str
        period: str
        region: str
        terms: RecheckTerms
        contributors: tuple[Contributor, ...]
        public_source: dict[str, Any]
        rulebook: str

        def claims(self) -> Iterable[Claim]:
            return announced(self.draw_no, self.attempt, self.plan_row, self.public_source)

    class SupplementAnnounced(CreatedEvent, Aggregate.Event, frozen=True, kw_only=True):
        """A draw for the seats that an earlier one of the same row left unfilled was named."""

        TOPIC = "draw.supplement-announced.v1"
        log: str
        draw_no: int
        attempt: int
        previous: str
        plan: str
        row: str
        plan_row: str
        period: str
        region: str
        redraw: bool
        contributors: tuple[Contributor, ...]
        public_source: dict[str, Any]
        rulebook: str
        supplements: int
        missing: Missing

        def claims(self) -> Iterable[Claim]:
            key = self.missing.key(self.plan_row, self.supplements)
            return announced(self.draw_no, self.attempt, key, self.public_source)

    class Committed(Aggregate.Event, frozen=True, kw_only=True):
        """A party filed its commitment."""

        TOPIC = "draw.committed.v1"
        party: str
        commitment: str

        def claims(self) -> Iterable[Claim]:
            return (Claim("commitment", self.commitment),)

    class Sealed(Aggregate.Event, frozen=True, kw_only=True):
        """Frame, pool and rules were frozen. `frame_key` keeps overlapping frames of a year apart."""

        TOPIC = "draw.sealed.v1"
        seal: Seal
        frame_key: str

        def claims(self) -> Iterable[Claim]:
            return (Claim("open-frame", self.frame_key),) if self.frame_key else ()

    class NarrowSeatsFound(Aggregate.Event, frozen=True, kw_only=True):
        """The sealed pool has seats for which too few may sit; the seal's report names them."""

        TOPIC = "draw.narrow-seats-found.v1"
        sites: int
        seats: int

    class NarrowSeatsApproved(Aggregate.Event, frozen=True, kw_only=True):
        """A second person let the draw go on with its narrow seats."""

        TOPIC = "draw.narrow-seats-approved.v1"
        reason: str

    class Revealed(Aggregate.Event, frozen=True, kw_only=True):
        """A party revealed its secret, and handed in the receipt it kept (a blob)."""

        TOPIC = "draw.revealed.v1"
        party: str
        secret: str
        receipt: str

    class ValueTyped(Aggregate.Event, frozen=True, kw_only=True):
        """A person of one contributor typed the public value, independently of the others."""

        TOPIC = "draw.value-typed.v1"
        party: str
        value: str

    class PublicValueObserved(Aggregate.Event, frozen=True, kw_only=True):
        """The public source's value is known, with its evidence."""

        TOPIC = "draw.public-value-observed.v1"
        value: str
        evidence: dict[str, Any]

        def claims(self) -> Iterable[Claim]:
            return (Claim("dice", self.value),) if "witnesses" in self.evidence else ()

    class Completed(Aggregate.Event, frozen=True, kw_only=True):
        """Sample and teams were computed."""

        TOPIC = "draw.completed.v1"
        result: Result
        frame_key: str

        def claims(self) -> Iterable[Claim]:
            return (Claim("open-frame", self.frame_key, released=True),) if self.frame_key else ()

    class Changed(Aggregate.Event, frozen=True, kw_only=True):
        """A recusal or a void site: one line of `changes.jsonl`. Neutral, because topics are public."""

        TOPIC = "draw.changed.v1"
        change: dict[str, Any]

    class Opened(Aggregate.Event, frozen=True, kw_only=True):
        """No seat or site can be replaced any more: the bundle is public."""

        TOPIC = "draw.opened.v1"
        changes: str

    class VoidAsked(Aggregate.Event, frozen=True, kw_only=True):
        """The first of two people asks to void the draw."""

        TOPIC = "draw.void-asked.v1"
        ground: str

    class Voided(Aggregate.Event, frozen=True, kw_only=True):
        """The draw was voided, publicly and for ever; it keeps its number."""

        TOPIC = "draw.voided.v1"
        ground: str
        plan_row: str
        frame_key: str
        reroll_warning: bool

        def claims(self) -> Iterable[Claim]:
            return released(self.plan_row, self.frame_key)

    class AttemptEnded(Aggregate.Event, frozen=True, kw_only=True):
        """A party did not reveal in time; the attempt ended before chance, with a warning shown for ever."""

        TOPIC = "draw.attempt-ended.v1"
        missing: tuple[str, ...]
        plan_row: str
        frame_key: str

        def claims(self) -> Iterable[Claim]:
            return released(self.plan_row, self.frame_key)

    @classmethod
    def announce(
        cls,
        act: Act,
        *,
        id: str,
        log: str,
        draw_no: int,
        attempt: int,
        previous: str,
        plan: Plan,
        row: str,
        contributors: Sequence[Contributor],
        public_source: Mapping[str, Any],
        rulebook: str,
    ) -> Self:
        """Name the draw of a published plan's row. Times of the source are compared with `act.at`."""
        planned = plan.published_row(row)
        check_contributors(contributors)
        check_unknown(act, public_source)
        return cls.begin(
            cls.Announced,
            id,
            act,
            log=log,
            draw_no=draw_no,
            attempt=attempt,
            previous=previous,
            plan=plan.id,
            row=row,
            plan_row=f"{plan.id}/{row}",
            period=planned.period,
            region=plan.region,
            redraw=planned.redraw,
            contributors=tuple(contributors),
            public_source=dict(public_source),
            rulebook=rulebook,
        )

    @event(Announced)
    def __init__(
        self,
        log: str,
        draw_no: int,
        attempt: int,
        previous: str,
        plan_row: str,
        period: str,
        region: str,
        contributors: tuple[Contributor, ...],
        public_source: dict[str, Any],
        rulebook: str,
        plan: str = "",
        row: str = "",
        redraw: bool = False,
        terms: RecheckTerms | None = None,
        supplements: int | None = None,
        missing: Missing | None = None,
    ) -> None:
        self.log, self.draw_no, self.attempt, self.previous = log, draw_no, attempt, previous
        self.plan, self.row, self.plan_row = plan, row, plan_row
        self.period, self.region = period, region
        self.redraw, self.rulebook = redraw, rulebook
        self.contributors, self.public_source = contributors, public_source
        self.terms, self.supplements, self.missing = terms, supplements, missing
        self.status = "announced"
        self.commitments: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.receipts: dict[str, str] = {}
        self.typed: dict[str, str] = {}
        self.changes: list[dict[str, Any]] = []
        self.frozen: Seal | None = None
        self.result: Result | None = None
        self.public_value = ""
        self.evidence: dict[str, Any] = {}
        self.frame_key = ""
        self.all_revealed_at: datetime | None = None
        self.sealed_by: frozenset[str] = frozenset()
        self.narrow_seats = 0
        self.narrow_approved = False
        self.void_asked_by: frozenset[str] = frozenset()
        self.void_ground = ""

    @classmethod
    def announce_supplement(
        cls,
        act: Act,
        *,
        id: str,
        draw_no: int,
        attempt: int,
        previous: str,
        earlier: "Draw",
        plan: Plan,
        missing: Missing,
        contributors: Sequence[Contributor],
        public_source: Mapping[str, Any],
        rulebook: str,
    ) -> Self:
        """Name the draw that fills seats which `earlier` left unfilled; of times as in `announce`."""
        planned = plan.published_row(earlier.row)
        if earlier.status != "completed":
            raise DrawStatusWrong(status=earlier.status, needed="completed")
        known = [seat.seat for seat in planned.team if seat.seat in missing.seats]
        if earlier.missing is not None or not known or tuple(known) != missing.seats:
            raise SupplementWrong("/seats", draw_no=earlier.draw_no, seats=list(missing.seats))
        if missing.areas and not missing.reason.strip():
            raise WideningReasonMissing("/reason")
        check_contributors(contributors)
        check_unknown(act, public_source)
        return cls.begin(
            cls.SupplementAnnounced,
            id,
            act,
            log=earlier.log,
            draw_no=draw_no,
            attempt=attempt,
            previous=previous,
            plan=earlier.plan,
            row=earlier.row,
            plan_row=earlier.plan_row,
            period=earlier.period,
            region=earlier.region,
            redraw=earlier.redraw,
            contributors=tuple(contributors),
            public_source=dict(public_source),
            rulebook=rulebook,
            supplements=earlier.draw_no,
            missing=missing,
        )

    @property
    def key(self) -> str:
        """What its attempts and its one live draw are counted by: the plan row, or what keeps it apart."""
        if self.missing is None or self.supplements is None:
            return self.plan_row
        return self.missing.key(self.plan_row, self.supplements)

    @property
    def source(self) -> PublicSource:
        """The public source, typed."""
        return parse_source(self.public_source)

    @property
    def source_instant(self) -> datetime | None:
        """The source's own time; for dice, when the last secret was revealed; None before that."""
        return self.all_revealed_at if isinstance(self.source, Dice) else source_time(self.source)

    def commit(self, act: Act, *, party: str, commitment: str) -> None:
        """File a party's commitment (64 lower-case hexadecimal digits)."""
        self._require("announced")
        self._require_custodian(act, party)
        if party in self.commitments:
            raise AlreadyDone(party=party, step="commit")
        if len(commitment) != 64 or set(commitment) - set("0123456789abcdef"):
            raise CommitmentWrong("/commitment", party=party)
        self.record(self.Committed, act, party=party, commitment=commitment)

    @event(Committed)
    def _committed(self, party: str, commitment: str) -> None:
        self.commitments[party] = commitment
        if len(self.commitments) == len(self.contributors):
            self.status = "committed"

    def seal(self, act: Act, *, seal: Seal, frame_key: str, narrow: NarrowSeats = NARROW_NOWHERE) -> None:
        """Freeze frame, pool and rules, before the source's own time; `narrow` are seats for too few."""
        self._require("committed")
        self._require_before_source(act)
        self.record(self.Sealed, act, seal=seal, frame_key=frame_key)
        if narrow.seats:
            self.record(self.NarrowSeatsFound, act, sites=narrow.sites, seats=narrow.seats)

    @event(Sealed)
    def _sealed(self, seal: Seal, frame_key: str, by: str, on_behalf_of: str | None) -> None:
        self.frozen, self.frame_key = seal, frame_key
        self.sealed_by = persons_of(by, on_behalf_of)
        self.status = "sealed"

    @event(NarrowSeatsFound)
    def _narrow_seats_found(self, seats: int) -> None:
        self.narrow_seats = seats

    def approve_narrow_seats(self, act: Act, *, reason: str) -> None:
        """Let the draw go on although the pool is narrow; by somebody else than who sealed it."""
        self._require("sealed")
        if not self.narrow_seats:
            raise NothingNarrow()
        if self.narrow_approved:
            raise AlreadyDone(party="", step="approve-narrow-seats")
        if act.persons & self.sealed_by:
            raise SealerApproves()
        if not reason.strip():
            raise NarrowReasonMissing("/reason")
        self.record(self.NarrowSeatsApproved, act, reason=reason)

    @event(NarrowSeatsApproved)
    def _narrow_seats_approved(self) -> None:
        self.narrow_approved = True

    def reveal(self, act: Act, *, party: str, secret: str, receipt: str) -> None:
        """Reveal a party's secret (64 hex digits) and its receipt (a blob), before the source's time."""
        self._require("sealed")
        self._require_custodian(act, party)
        if self.narrow_seats and not self.narrow_approved:
            raise NarrowSeatsUnapproved(seats=self.narrow_seats)
        if party in self.secrets:
            raise AlreadyDone(party=party, step="reveal")
        self._require_before_source(act)
        if not self._opens(party, secret):
            raise SecretWrong("/secret", party=party)
        if not receipt:
            raise ReceiptMissing("/receipt", party=party)
        self.record(self.Revealed, act, party=party, secret=secret, receipt=receipt)

    @event(Revealed)
    def _revealed(self, party: str, secret: str, receipt: str, timestamp: datetime) -> None:
        self.secrets[party], self.receipts[party] = secret, receipt
        if len(self.secrets) == len(self.contributors):
            self.status, self.all_revealed_at = "revealed", timestamp

    def type_value(self, act: Act, *, party: str, value: str) -> None:
        """A custodian types dice or a lottery; with the last agreeing one dice count as observed."""
        self._require("revealed")
        if isinstance(self.source, Quicknet):
            raise SourceWrong(
                "/value", reason="a beacon's value is not typed but handed in with its signature"
            )
        self._require_custodian(act, party)
        self._require_after_source(act)
        self._check(check_text, value)
        self.record(self.ValueTyped, act, party=party, value=value)
        if isinstance(self.source, Dice) and self.agreed_value == value:
            evidence = {"witnesses": len(self.contributors)}
            self.record(self.PublicValueObserved, act, value=value, evidence=evidence)

    @event(ValueTyped)
    def _value_typed(self, party: str, value: str) -> None:
        self.typed[party] = value

    def observe(self, act: Act, *, value: str, evidence: Mapping[str, Any], genuine: bool = False) -> None:
        """Record the value with its evidence.

        A lottery's every party must have typed. A beacon's anybody may hand in: `genuine` says that the
        caller has verified its signature, so that there is only one that fits.
        """
        self._require("revealed")
        self._require_after_source(act)
        self._check(check_value, value, evidence)
        if isinstance(self.source, Quicknet):
            if not genuine:
                raise BeaconForged("/evidence/signature", round=self.source.round)
        elif self.agreed_value != value:
            raise ValuesDiffer("/value", parties=sorted(self.typed))
        self.record(self.PublicValueObserved, act, value=value, evidence=dict(evidence))

    @event(PublicValueObserved)
    def _observed(self, value: str, evidence: dict[str, Any]) -> None:
        self.public_value, self.evidence = value, evidence
        self.status = "observed"

    @property
    def agreed_value(self) -> str:
        """The value that every party has typed alike; "" while there is none."""
        values = {self.typed.get(contributor.party, "") for contributor in self.contributors}
        return values.pop() if len(values) == 1 else ""

    def complete(self, act: Act, *, result: Result) -> None:
        """Record the computed result."""
        self._require("observed")
        self.record(self.Completed, act, result=result, frame_key=self.frame_key)

    @event(Completed)
    def _completed(self, result: Result) -> None:
        self.result = result
        self.status = "completed"

    def change(self, act: Act, *, change: Mapping[str, Any]) -> None:
        """Record the next line of `changes.jsonl`."""
        self._require("completed")
        self.record(self.Changed, act, change=dict(change))

    @event(Changed)
    def _changed(self, change: dict[str, Any]) -> None:
        self.changes.append(change)

    def open(self, act: Act, *, changes: str) -> None:
        """Make the bundle public; `changes` is `H(changes.jsonl)`."""
        self._require("completed")
        self.record(self.Opened, act, changes=changes)

    @event(Opened)
    def _opened(self) -> None:
        self.status = "opened"

    def ask_void(self, act: Act, *, ground: str) -> None:
        """Ask to void the draw; a second person does it."""
        self._require_voidable()
        if not ground:
            raise DrawGroundMissing("/ground")
        self.record(self.VoidAsked, act, ground=ground)

    @event(VoidAsked)
    def _void_asked(self, ground: str, by: str, on_behalf_of: str | None) -> None:
        self.void_asked_by, self.void_ground = persons_of(by, on_behalf_of), ground

    def void(self, act: Act) -> None:
        """Void the draw as the second person; at or after the source's time it is a re-roll warning."""
        self._require_voidable()
        if not self.void_asked_by or act.persons & self.void_asked_by:
            raise SecondPersonNeeded()
        time = self.source_instant
        self.record(
            self.Voided,
            act,
            ground=self.void_ground,
            plan_row=self.key,
            frame_key=self.frame_key,
            reroll_warning=time is not None and act.at >= time,
        )

    @event(Voided)
    def _voided(self) -> None:
        self.status = "voided"

    def end_attempt(self, act: Act) -> None:
        """End the attempt after the source's time, because somebody did not reveal."""
        self._require("sealed")
        time = source_time(self.source)
        if time is None or act.at < time:
            raise SourceEarly(time=time)
        missing = tuple(c.party for c in self.contributors if c.party not in self.secrets)
        self.record(self.AttemptEnded, act, missing=missing, plan_row=self.key, frame_key=self.frame_key)

    @event(AttemptEnded)
    def _attempt_ended(self) -> None:
        self.status = "ended"

    def _require(self, status: str) -> None:
        if self.status != status:
            raise DrawStatusWrong(status=self.status, needed=status)

    def _require_voidable(self) -> None:
        if self.status in ("observed", "completed", "opened") or self.agreed_value:
            raise ValueExists()
        if self.status not in LIVE:
            raise DrawStatusWrong(status=self.status, needed="announced")

    def _require_custodian(self, act: Act, party: str) -> None:
        if Contributor(party, act.by) not in self.contributors:
            raise NotContributor("/party", party=party)

    def _require_before_source(self, act: Act) -> None:
        time = source_time(self.source)
        if time is not None and act.at >= time:
            raise SourceTimePassed(time=time)

    def _require_after_source(self, act: Act) -> None:
        time = self.source_instant
        if time is None or act.at < time:
            raise SourceEarly(time=time)

    def _check(self, check: Callable[..., None], value: str, *evidence: Mapping[str, Any]) -> None:
        try:
            check(self.source, value, *evidence)
        except DrawingError as error:
            raise SourceWrong("/value", reason=str(error)) from error

    def _opens(self, party: str, secret: str) -> bool:
        try:
            raw = bytes.fromhex(secret)
        except ValueError:
            return False
        if len(raw) != 32 or raw.hex() != secret:
            return False
        made = commitment_of(self.log, self.draw_no, self.attempt, party, raw)
        return made.hex() == self.commitments[party]


def announced(
    draw_no: int, attempt: int, plan_row: str, public_source: Mapping[str, Any]
) -> tuple[Claim, ...]:
    """The claims of an attempt: its numbers, the one live draw of its row, and the value of its source."""
    key = source_key(parse_source(dict(public_source)))
    used = (Claim("public-source", key),) if key else ()
    return (
        Claim("draw-no", str(draw_no)),
        Claim("attempt", f"{plan_row}/{attempt}"),
        Claim("live-draw", plan_row),
        *used,
    )


def released(plan_row: str, frame_key: str) -> tuple[Claim, ...]:
    """The claims that an ended attempt gives back."""
    frame = (Claim("open-frame", frame_key, released=True),) if frame_key else ()
    return (Claim("live-draw", plan_row, released=True), *frame)


def check_contributors(contributors: Sequence[Contributor]) -> None:
    """Refuse unless the needed parties are there, each once, each with a custodian of its own."""
    parties = [contributor.party for contributor in contributors]
    named = all(_PARTY.fullmatch(party) for party in parties)
    if not named or len(set(parties)) != len(parties) or not set(NEEDED_PARTIES) <= set(parties):
        raise ContributorsWrong("/contributors", parties=parties)
    accounts = [contributor.account for contributor in contributors]
    for account in accounts:
        if accounts.count(account) > 1:
            raise CustodyShared("/contributors", account=account)


def check_unknown(act: Act, public_source: Mapping[str, Any]) -> None:
    """Refuse a source that is none (`SourceWrong`), or whose value could be known by now (`SourceKnown`)."""
    time = source_time(parsed(public_source))
    if time is not None and time <= act.at:
        raise SourceKnown("/public_source", time=time)


def parsed(source: Mapping[str, Any]) -> PublicSource:
    """The public source, or `SourceWrong`."""
    try:
        return parse_source(dict(source))
    except DrawingError as error:
        raise SourceWrong("/public_source", reason=str(error)) from error
