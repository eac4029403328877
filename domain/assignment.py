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
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.values import Holding

RECUSAL_GROUNDS = ("party", "near-relative", "direct-interest", "other-relation")
RECUSAL_ORIGINS = ("self", "site", "agency")
VOID_GROUNDS = ("closed", "deregistered", "moved", "merged")


class RecusalGroundWrong(Invalid):
    """Not a ground or origin of recusal; facts: `ground`."""

    code = "recusal-ground-wrong"
    source = "行政处罚法 §43"


class NotOnTeam(Conflict):
    """The inspector does not hold a seat of this assignment; facts: `inspector`."""

    code = "not-on-team"


class RecusalPending(Conflict):
    """A recusal of this inspector waits for a decision; facts: `recusal`."""

    code = "recusal-pending"


class RecusalUnknown(NotFound):
    """The assignment has no recusal of this id; facts: `recusal`."""

    code = "recusal-unknown"


class RecusalDecided(Conflict):
    """The recusal is decided already; facts: `recusal`, `status`."""

    code = "recusal-decided"


class DeciderInvolved(Forbidden):
    """Who declared a recusal does not decide it, nor does the one whom it is about."""

    code = "decider-involved"
    source = "行政处罚法 §43"


class RecusalReasonMissing(Invalid):
    """A recusal is granted or refused with reasons."""

    code = "recusal-reason-missing"
    source = "行政处罚法 §43"


class AssignmentEnded(Conflict):
    """The assignment's site is void; facts: `assignment`."""

    code = "assignment-ended"


class VoidGroundWrong(Invalid):
    """Not a ground for a void site, or no evidence of it; facts: `ground`."""

    code = "void-ground-wrong"


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
    """A recusal and where it stands: `pending`, `granted` or `refused`."""

    id: str
    inspector: str
    seat: str
    ground: str
    origin: str
    declared_by: frozenset[str]
    status: str = "pending"


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

    class RecusalRefused(Aggregate.Event, frozen=True, kw_only=True):
        """The inspector stays."""

        TOPIC = "assignment.recusal-refused.v1"
        recusal: str
        reason: str
        decided_as: str

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
        self.status = "assigned"

    def declare_recusal(
        self, act: Act, *, recusal: str, inspector: str, ground: str, origin: str, detail: str
    ) -> None:
        """Declare that an inspector of the team must not go; the check goes on until it is decided."""
        self._require_assigned()
        if ground not in RECUSAL_GROUNDS or origin not in RECUSAL_ORIGINS:
            raise RecusalGroundWrong("/ground", ground=ground)
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
    ) -> None:
        """Free the seat; `substitute` is the next in its succession."""
        found = self.pending_recusal(act, recusal, decider=decider)
        if not reason:
            raise RecusalReasonMissing("/reason")
        self.record(
            self.RecusalGranted,
            act,
            recusal=recusal,
            seat=found.seat,
            substitute=substitute,
            reason=reason,
            decided_as=decided_as,
        )

    @event(RecusalGranted)
    def _recusal_granted(self, recusal: str, seat: str, substitute: str | None) -> None:
        self._decide(recusal, "granted")
        self.team[seat] = substitute

    def refuse_recusal(self, act: Act, *, recusal: str, decider: str, reason: str, decided_as: str) -> None:
        """Leave the inspector on the team, with reasons."""
        self.pending_recusal(act, recusal, decider=decider)
        if not reason:
            raise RecusalReasonMissing("/reason")
        self.record(self.RecusalRefused, act, recusal=recusal, reason=reason, decided_as=decided_as)

    @event(RecusalRefused)
    def _recusal_refused(self, recusal: str) -> None:
        self._decide(recusal, "refused")

    def void_site(self, act: Act, *, ground: str, evidence: tuple[str, ...], replacement: str) -> None:
        """End the assignment, because the site is no longer there; evidence is blobs' hashes."""
        self._require_assigned()
        if ground not in VOID_GROUNDS or not evidence:
            raise VoidGroundWrong("/ground", ground=ground)
        self.record(self.SiteVoided, act, ground=ground, evidence=evidence, replacement=replacement)

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
    def recused(self) -> frozenset[str]:
        """The inspectors who had to give a seat of this site up."""
        return frozenset(one.inspector for one in self.recusals.values() if one.status == "granted")

    def pending_recusal(self, act: Act, recusal: str, *, decider: str) -> Recusal:
        """The recusal, if it waits for a decision that this person may take.

        `decider` is the inspector for whom the deciding account stands, or empty.
        """
        self._require_assigned()
        found = self.recusals.get(recusal)
        if found is None:
            raise RecusalUnknown(recusal=recusal)
        if found.status != "pending":
            raise RecusalDecided(recusal=recusal, status=found.status)
        if act.persons & found.declared_by or decider == found.inspector:
            raise DeciderInvolved()
        return found

    def _decide(self, recusal: str, status: str) -> None:
        # A replay as of a moment leaves out a declaration that is said to have happened later.
        if recusal in self.recusals:
            self.recusals[recusal] = msgspec.structs.replace(self.recusals[recusal], status=status)

    def _require_assigned(self) -> None:
        if self.status != "assigned":
            raise AssignmentEnded(assignment=self.id)
