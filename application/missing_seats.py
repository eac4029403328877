"""Seats of a draw that nobody has: the frame and the pool of the supplementary draw that fills them.

The frame is the sites at which exactly the announced seats are missing, as the earlier draw's frame has them.
The pool may be widened by officers of further areas; who has a seat at a site, or had to give one up there,
has a conflict with it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from application.frames import form_pool
from application.office import Office
from application.ports import Quiet, RegistrySnapshot
from domain.assignment import Assignment
from domain.draw import Draw
from domain.draw_values import Missing
from domain.drawing.lines import Inspector, Site, read_frame
from domain.errors import Conflict
from domain.inspection import Inspection
from domain.plan import Plan, PlanRow

SEAT_TOPICS = ("assignment.recusal-granted.", "assignment.site-voided.", "assignment.seat-filled.")
"""What changes who has a seat, or which sites are to be inspected."""

OVER = ("concluded", "reviewed", "published", "withheld")


class NothingMissing(Conflict):
    """At no site of the draw are exactly these seats missing; facts: `seats`."""

    code = "nothing-missing"


class SupplementRunning(Conflict):
    """A supplementary draw is about the site: it waits until that is completed; facts: `draw`."""

    code = "supplement-running"


def assignments_of(office: Office, draw: Draw) -> list[str]:
    """The assignments that the draw made, replacements included."""
    year = office.workflow.load(Plan, draw.plan).year
    ending = f"/{draw.draw_no}"
    return [stream for key, stream in office.claims.keys("drawn", f"{year}/") if key.endswith(ending)]


def missing_at(office: Office, draw: Draw) -> Mapping[tuple[str, ...], list[Assignment]]:
    """The draw's assignments whose visit is not over, by the seats that are missing there."""
    found: defaultdict[tuple[str, ...], list[Assignment]] = defaultdict(list)
    for id in assignments_of(office, draw):
        assignment = office.workflow.load(Assignment, id)
        if assignment.status == "assigned" and assignment.missing and not _is_over(office, id):
            found[assignment.missing].append(assignment)
    return found


def require_missing(office: Office, earlier: Draw, seats: tuple[str, ...]) -> list[Assignment]:
    """The assignments where exactly these seats are missing; `NothingMissing`."""
    found = missing_at(office, earlier).get(seats, [])
    if not found:
        raise NothingMissing("/seats", seats=list(seats))
    return found


def snapshot_areas(row: PlanRow, missing: Missing) -> tuple[str, ...]:
    """The areas whose registries a supplementary draw is made from."""
    return tuple(dict.fromkeys((*row.areas, *missing.areas)))


def supplement_lines(
    office: Office, earlier: Draw, missing: Missing, row: PlanRow, snapshot: RegistrySnapshot, day: date
) -> tuple[list[Site], list[Inspector]]:
    """Frame and pool, with fresh salts."""
    assignments = {one.task.site: one for one in require_missing(office, earlier, missing.seats)}
    frame = [
        site._replace(salt=office.chance.token(16).hex(), eligible=True, reason="")
        for site in _frame_of(office, earlier)
        if site.id in assignments
    ]
    pool = form_pool(office.chance, row, snapshot, frame, day, lent=missing.areas)
    return frame, [stand_apart(one, assignments.values()) for one in pool]


def quiet_seats(since: int, prefixes: Sequence[str]) -> Quiet:
    """Nothing of what a frame is made of moved, and nobody's seat either."""
    return Quiet(since=since, prefixes=(*prefixes, *SEAT_TOPICS))


def moved_sites(office: Office, earlier: Draw, missing: Missing, frame: Sequence[Site]) -> int:
    """How many sites of a kept frame are not, or not alone, those where the seats are missing now."""
    now = {one.task.site for one in missing_at(office, earlier).get(missing.seats, [])}
    return len(now ^ {site.id for site in frame})


def supplements_of(office: Office, draw: Draw) -> Iterator[Draw]:
    """The supplementary draws of a draw, every attempt."""
    for _, stream in office.claims.keys("attempt", f"{draw.plan_row}+{draw.draw_no}."):
        yield office.workflow.load(Draw, stream)


def require_no_supplement(office: Office, draw: Draw, site: str) -> None:
    """Refuse with `SupplementRunning` while a sealed supplementary draw has the site in its frame.

    Its pool knows who had a seat when it was sealed: a change meanwhile could seat somebody twice.
    """
    for one in supplements_of(office, draw):
        if one.status in ("sealed", "revealed", "observed") and any(
            line.id == site for line in _frame_of(office, one)
        ):
            raise SupplementRunning(draw=one.id)


def _frame_of(office: Office, draw: Draw) -> list[Site]:
    return read_frame(office.blobs.read(draw.frozen.frame)) if draw.frozen else []


def stand_apart(inspector: Inspector, assignments: Iterable[Assignment]) -> Inspector:
    """The inspector with conflicts where he has a seat, or had to give one up."""
    here = (
        one.task.site
        for one in assignments
        if inspector.ref in one.team.values() or inspector.ref in one.recused
    )
    return inspector._replace(conflicts=tuple(sorted({*inspector.conflicts, *here})))


def open_inspection(office: Office, assignment: str) -> Inspection | None:
    """The inspection of an assignment, if it was opened."""
    stream = office.claims.holder("inspection", assignment)
    return None if stream is None else office.workflow.load(Inspection, stream)


def _is_over(office: Office, assignment: str) -> bool:
    inspection = open_inspection(office, assignment)
    return inspection is not None and inspection.status in OVER
