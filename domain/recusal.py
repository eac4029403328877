"""Recusal (回避): the grounds of the law, who declares, who decides, and what is refused on the way.

An assignment's recusal frees a seat after the draw; an inspector's, declared before, bars him from an
enterprise in every later draw. What both ask of people is here.
"""

from collections.abc import Mapping
from typing import Final, Protocol, TypeVar

from domain.act import Act
from domain.errors import Conflict, Forbidden, Invalid, NotFound

RECUSAL_GROUNDS: Final = ("party", "near-relative", "direct-interest", "other-relation")
RECUSAL_ORIGINS: Final = ("self", "site", "agency")
HEAD: Final = "head"
COLLECTIVE: Final = "collective"
DECIDERS: Final = (HEAD, COLLECTIVE)


class RecusalGroundWrong(Invalid):
    """Not a ground or origin of recusal; facts: `ground`."""

    code = "recusal-ground-wrong"
    source = "行政处罚法 §43"


class RecusalPending(Conflict):
    """A recusal of this inspector waits for a decision; facts: `recusal`."""

    code = "recusal-pending"


class RecusalUnknown(NotFound):
    """There is no recusal of this id here; facts: `recusal`."""

    code = "recusal-unknown"


class RecusalDecided(Conflict):
    """The recusal is decided or withdrawn already; facts: `recusal`, `status`."""

    code = "recusal-decided"


class DeciderInvolved(Forbidden):
    """Who declared a recusal does not decide it, nor does the one whom it is about."""

    code = "decider-involved"
    source = "行政处罚法 §43"


class NotDeclarer(Forbidden):
    """Only who declared a recusal withdraws it; facts: `recusal`."""

    code = "not-declarer"


class RecusalReasonMissing(Invalid):
    """A recusal is granted, refused or withdrawn with reasons."""

    code = "recusal-reason-missing"
    source = "行政处罚法 §43"


class MinutesMissing(Invalid):
    """What the leaders' collective decided is in its minutes, which are kept with the decision."""

    code = "minutes-missing"
    source = "行政处罚法 §43"


class Declared(Protocol):
    """What every recusal knows: its id, who declared it, and where it stands."""

    @property
    def id(self) -> str: ...
    @property
    def declared_by(self) -> frozenset[str]: ...
    @property
    def status(self) -> str: ...


R = TypeVar("R", bound=Declared)


def check_ground(ground: str, origin: str) -> None:
    """Refuse with `RecusalGroundWrong` what the law does not know."""
    if ground not in RECUSAL_GROUNDS or origin not in RECUSAL_ORIGINS:
        raise RecusalGroundWrong("/ground", ground=ground)


def pending_of(recusals: Mapping[str, R], recusal: str) -> R:
    """The recusal, if it waits for a decision."""
    found = recusals.get(recusal)
    if found is None:
        raise RecusalUnknown(recusal=recusal)
    if found.status != "pending":
        raise RecusalDecided(recusal=recusal, status=found.status)
    return found


def check_decider(act: Act, declared: Declared, *, involved: bool) -> None:
    """Refuse with `DeciderInvolved` who declared it, and whom it is about (`involved`)."""
    if involved or act.persons & declared.declared_by:
        raise DeciderInvolved()


def check_withdrawal(act: Act, declared: Declared, reason: str) -> None:
    """Refuse unless who declared it withdraws it, with reasons."""
    if not act.persons & declared.declared_by:
        raise NotDeclarer(recusal=declared.id)
    check_reason(reason)


def check_decision(reason: str, decided_as: str, minutes: str) -> None:
    """Refuse a decision without reasons, and one of the collective without its minutes (a blob)."""
    check_reason(reason)
    if decided_as == COLLECTIVE and not minutes:
        raise MinutesMissing("/minutes")


def check_reason(reason: str) -> None:
    """Refuse with `RecusalReasonMissing` where no reason is given."""
    if not reason.strip():
        raise RecusalReasonMissing("/reason")
