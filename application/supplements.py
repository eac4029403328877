"""Supplementary draws: announced for the seats that a draw left unfilled; when completed, they fill them."""

from collections.abc import Mapping, Sequence
from typing import Any

from application.draws import attempts_of, numbered
from application.missing_seats import require_missing, supplements_of
from application.office import Office
from application.ports import Answer
from application.workflow import Call
from domain.draw import Draw
from domain.draw_values import Contributor, Missing
from domain.identifiers import check_region
from domain.plan import Plan

DONE = ("completed", "opened")


def announce_supplement(
    office: Office,
    call: Call,
    id: str,
    *,
    seats: Sequence[str],
    areas: Sequence[str],
    reason: str,
    contributors: Sequence[Contributor],
    public_source: Mapping[str, Any],
) -> Answer:
    """Announce the draw for the sites of the draw `id` at which exactly `seats` are missing.

    `areas` are regions beyond the row's whose officers may come as well, for a `reason`.
    """

    def decide() -> Answer:
        earlier = office.workflow.load(Draw, id)
        call.require("draw.run", earlier.region)
        office.workflow.expect(call, earlier)
        missing = _missing(office, earlier, seats, areas, reason)
        attempts = attempts_of(office, missing.key(earlier.plan_row, earlier.draw_no))
        draw = Draw.announce_supplement(
            call.act,
            id=office.chance.id("draw"),
            draw_no=office.claims.highest("draw-no") + 1,
            attempt=len(attempts) + 1,
            previous=attempts[-1] if attempts else "",
            earlier=earlier,
            plan=office.workflow.load(Plan, earlier.plan),
            missing=missing,
            contributors=contributors,
            public_source=public_source,
            rulebook=office.rules(call.act.day).version,
        )
        require_missing(office, earlier, missing.seats)
        return office.workflow.commit(call, draw, also={"draw_no": draw.draw_no, "attempt": draw.attempt})

    return numbered(decide)


def _missing(
    office: Office, earlier: Draw, seats: Sequence[str], areas: Sequence[str], reason: str
) -> Missing:
    for area in areas:
        check_region(area)
    wanted = tuple(seats)
    done = sum(
        one.missing is not None and one.missing.seats == wanted and one.status in DONE
        for one in supplements_of(office, earlier)
    )
    return Missing(
        draw=earlier.id, seats=wanted, areas=tuple(sorted(set(areas))), reason=reason, round=done + 1
    )
