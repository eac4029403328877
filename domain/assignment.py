"""An assignment: one drawn site with its team, from the draw until the site's outcome.

Recusals (回避) are declared and decided here. Who follows on a freed seat is fixed by the draw's
succession; the caller computes it with `domain/drawing` and hands it in.
"""

from collections.abc import Iterable
from typing import Self

import msgspec
from eventsourcing.domain import event

from domain.act import Act, persons_of
from domain.aggregate import Aggregate, Claim, CreatedEvent
from domain.errors import Conflict
from domain.recusal import (
    RecusalPending,
    check_decider,
    check_decision,
    check_ground,
    check_withdrawal,
    pending_of,
)
from domain.values import Holding
from domain.voiding import VoidGroundWrong, VoidNeedsTwo, VoidNotAsked, VoidPending, VoidReasonMissing

VOID_GROUNDS = ("closed", "deregistered", "moved", "merged")


class NotOnTeam(Conflict):
    """The inspector does not hold a seat of this assignment; facts: `inspector`."""

    code = "not-on-team"


class AssignmentEnded(Conflict):
    """The assignment's site is void; facts: `assignment`."""

    code = "assignment-ended"


class SeatHeld(Conflict):
    """Somebody has the seat, or the one who is to get it has another here; facts: `seat`."""

    code = "seat-held"


class AssignedTask(msgspec.Struct, frozen=True, kw_only=True):
    """What the draw and the plan row say of this site."""

    draw: str
    draw_no: int
    plan: str
    row: str
    period: str
    year: int
    region: str
    site: str
    uscc: str
    stratum: str
    rank: int
    replaces: str = ""


class Recusal(msgspec.Struct, frozen=True, kw_only=True):
    """A recusal and where it stands: `pending`, `granted`, `refused` or `withdrawn`."""

    id: str
    inspector: str
    seat: str
    ground: str
    origin: str
    declared_by: frozenset[str]
    status: str = "pending"


class VoidRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Why somebody asks to void the site: ground, and evidence as blobs' hashes."""

    ground: str
    evidence: tuple[str, ...]
    asked_by: frozenset[str]


class Assignment(Aggregate):
    """One drawn site and its team."""

    TOPIC = "assignment"

    class Made(CreatedEvent, Aggregate.Event, frozen=True, kw_only=True):
        """The lot fell on the site and gave it a team."""

        TOPIC = "assignment.made.v1"
        task: AssignedTask
        team: tuple[Holding, ...]

        def claims(self) -> Iterable[Claim]:
            task = self.task
            return (Claim("drawn", f"{task.year}/{task.site}/{task.draw_no}"),)

    class RecusalDeclared(Aggregate.Event, frozen=True, kw_only=True):
        """Somebody says that an inspector must not go."""

        TOPIC = "assignment.recusal-declared.v1"
        recusal: str
        inspector: str
        seat: str
        ground: str
        origin: str
        detail: str

    class RecusalGranted(Aggregate.Event, frozen=True, kw_only=True):
        """The seat was freed and given to the next in its succession, or to nobody."""

        TOPIC = "assignment.recusal-granted.v1"
        recusal: str
        seat: str
        substitute: str | None
        reason: str
        decided_as: str
        minutes: str

    class RecusalRefused(Aggregate.Event, frozen=True, kw_only=True):
        """The inspector stays."""

        TOPIC = "assignment.recusal-refused.v1"
        recusal: str
        reason: str
        decided_as: str
        minutes: str

    class RecusalWithdrawn(Aggregate.Event, frozen=True, kw_only=True):
        """Who declared it took it back before it was decided; it stays in the history."""

        TOPIC = "assignment.recusal-withdrawn.v1"
        recusal: str
        reason: str

    class SeatFilled(Aggregate.Event, frozen=True, kw_only=True):
        """A supplementary draw gave a seat that nobody had; its own succession says who follows there."""

        TOPIC = "assignment.seat-filled.v1"
        seat: str
        inspector: str
        draw: str

    class VoidAsked(Aggregate.Event, frozen=True, kw_only=True):
        """The first of two people says that the site is no longer there."""

        TOPIC = "assignment.void-asked.v1"
        ground: str
        evidence: tuple[str, ...]

    class VoidRefused(Aggregate.Event, frozen=True, kw_only=True):
        """The second person did not find it so: the site stays."""

        TOPIC = "assignment.void-refused.v1"
        reason: str

    class SiteVoided(Aggregate.Event, frozen=True, kw_only=True):
        """The site cannot be inspected; `replacement` is the assignment that took its place, or empty."""

        TOPIC = "assignment.site-voided.v1"
        ground: str
        evidence: tuple[str, ...]
        replacement: str

    @classmethod
    def make(cls, act: Act, *, id: str, task: AssignedTask, team: tuple[Holding, ...]) -> Self:
        """Assign a team to a drawn site."""
        return cls.begin(cls.Made, id, act, task=task, team=team)

    @event(Made)
    def __init__(self, task: AssignedTask, team: tuple[Holding, ...]) -> None:
        self.task = task
        self.team = {holding.seat: holding.inspector for holding in team}
        self.recusals: dict[str, Recusal] = {}
        self.void_request: VoidRequest | None = None
        self.filled: dict[str, str] = {}
        self.status = "assigned"

    def declare_recusal(
        self, act: Act, *, recusal: str, inspector: str, ground: str, origin: str, detail: str
    ) -> None:
        """Declare that an inspector of the team must not go; the check goes on until it is decided."""
        self._require_assigned()
        check_ground(ground, origin)
        seat = self.seat_of(inspector)
        for earlier in self.recusals.values():
            if earlier.inspector == inspector and earlier.status == "pending":
                raise RecusalPending(recusal=earlier.id)
        self.record(
            self.RecusalDeclared,
            act,
            recusal=recusal,
            inspector=inspector,
            seat=seat,
            ground=ground,
            origin=origin,
            detail=detail,
        )

    @event(RecusalDeclared)
    def _recusal_declared(
        self,
        recusal: str,
        inspector: str,
        seat: str,
        ground: str,
        origin: str,
        by: str,
        on_behalf_of: str | None,
    ) -> None:
        self.recusals[recusal] = Recusal(
            id=recusal,
            inspector=inspector,
            seat=seat,
            ground=ground,
            origin=origin,
            declared_by=persons_of(by, on_behalf_of),
        )

    def grant_recusal(
        self,
        act: Act,
        *,
        recusal: str,
        decider: str,
        substitute: str | None,
        reason: str,
        decided_as: str,
        minutes: str = "",
    ) -> None:
        """Free the seat; `substitute` is the next in its succession, `minutes` a collective's (a blob)."""
        found = self.pending_recusal(act, recusal, decider=decider)
        check_decision(reason, decided_as, minutes)
        self.record(
            self.RecusalGranted,
            act,
            recusal=recusal,
            seat=found.seat,
            substitute=substitute,
            reason=reason,
            decided_as=decided_as,
            minutes=minutes,
        )

    @event(RecusalGranted)
    def _recusal_granted(self, recusal: str, seat: str, substitute: str | None) -> None:
        self._decide(recusal, "granted")
        self.team[seat] = substitute

    def refuse_recusal(
        self, act: Act, *, recusal: str, decider: str, reason: str, decided_as: str, minutes: str = ""
    ) -> None:
        """Leave the inspector on the team, with reasons."""
        self.pending_recusal(act, recusal, decider=decider)
        check_decision(reason, decided_as, minutes)
        self.record(
            self.RecusalRefused, act, recusal=recusal, reason=reason, decided_as=decided_as, minutes=minutes
        )

    @event(RecusalRefused)
    def _recusal_refused(self, recusal: str) -> None:
        self._decide(recusal, "refused")

    def withdraw_recusal(self, act: Act, *, recusal: str, reason: str) -> None:
        """Take a recusal back that is not decided yet, as who declared it."""
        self._require_assigned()
        check_withdrawal(act, pending_of(self.recusals, recusal), reason)
        self.record(self.RecusalWithdrawn, act, recusal=recusal, reason=reason)

    @event(RecusalWithdrawn)
    def _recusal_withdrawn(self, recusal: str) -> None:
        self._decide(recusal, "withdrawn")

    def fill_seat(self, act: Act, *, seat: str, inspector: str, draw: str) -> None:
        """Give a seat that nobody has to whom a supplementary draw chose."""
        self._require_assigned()
        if self.team.get(seat, "") is not None or inspector in self.team.values():
            raise SeatHeld("/seat", seat=seat)
        self.record(self.SeatFilled, act, seat=seat, inspector=inspector, draw=draw)

    @event(SeatFilled)
    def _seat_filled(self, seat: str, inspector: str, draw: str) -> None:
        self.team[seat] = inspector
        self.filled[seat] = draw

    def ask_void(self, act: Act, *, ground: str, evidence: tuple[str, ...]) -> None:
        """Say that the site is no longer there; evidence is blobs' hashes. Another person decides."""
        self._require_assigned()
        if ground not in VOID_GROUNDS or not evidence:
            raise VoidGroundWrong("/ground", ground=ground)
        if self.void_request is not None:
            raise VoidPending()
        self.record(self.VoidAsked, act, ground=ground, evidence=evidence)

    @event(VoidAsked)
    def _void_asked(self, ground: str, evidence: tuple[str, ...], by: str, on_behalf_of: str | None) -> None:
        self.void_request = VoidRequest(
            ground=ground, evidence=evidence, asked_by=persons_of(by, on_behalf_of)
        )

    def refuse_void(self, act: Act, *, reason: str) -> None:
        """Leave the site in the draw, as the second person, with reasons."""
        self.asked_void(act)
        if not reason.strip():
            raise VoidReasonMissing("/reason")
        self.record(self.VoidRefused, act, reason=reason)

    @event(VoidRefused)
    def _void_refused(self) -> None:
        self.void_request = None

    def void_site(self, act: Act, *, replacement: str) -> None:
        """End the assignment as the second person; `replacement` is the assignment that follows, or ""."""
        asked = self.asked_void(act)
        self.record(
            self.SiteVoided, act, ground=asked.ground, evidence=asked.evidence, replacement=replacement
        )

    def asked_void(self, act: Act) -> VoidRequest:
        """What was asked, if this person may decide on it: `VoidNotAsked`, `VoidNeedsTwo`."""
        self._require_assigned()
        if self.void_request is None:
            raise VoidNotAsked()
        if act.persons & self.void_request.asked_by:
            raise VoidNeedsTwo()
        return self.void_request

    @event(SiteVoided)
    def _site_voided(self) -> None:
        self.status = "void"

    def seat_of(self, inspector: str) -> str:
        """The seat that the inspector holds; `NotOnTeam`."""
        for seat, holder in self.team.items():
            if holder == inspector:
                return seat
        raise NotOnTeam(inspector=inspector)

    @property
    def missing(self) -> tuple[str, ...]:
        """The seats that nobody has, in the order of the team."""
        return tuple(seat for seat, holder in self.team.items() if holder is None)

    def drawn_by(self, seat: str) -> str:
        """The draw whose succession says who follows on the seat."""
        return self.filled.get(seat, self.task.draw)

    @property
    def recused(self) -> frozenset[str]:
        """The inspectors who had to give a seat of this site up."""
        return frozenset(one.inspector for one in self.recusals.values() if one.status == "granted")

    def pending_recusal(self, act: Act, recusal: str, *, decider: str) -> Recusal:
        """The recusal, if it waits for a decision that this person may take.

        `decider` is the inspector for whom the deciding account stands, or empty.
        """
        self._require_assigned()
        found = pending_of(self.recusals, recusal)
        check_decider(act, found, involved=decider == found.inspector)
        return found

    def _decide(self, recusal: str, status: str) -> None:
        # A replay as of a moment leaves out a declaration that is said to have happened later.
        if recusal in self.recusals:
            self.recusals[recusal] = msgspec.structs.replace(self.recusals[recusal], status=status)

    def _require_assigned(self) -> None:
        if self.status != "assigned":
            raise AssignmentEnded(assignment=self.id)
