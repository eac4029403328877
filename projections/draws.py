"""Draws as a list: every attempt, voids and warnings included, for ever.

Secrets never enter it. Blobs' digests are told only after the draw was opened; until then only the
hashes that were published with the seal and the completion.
"""

from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, not_, select

from domain.draw import Draw
from domain.draw_values import Missing, RegistryChanges, StratumCount
from domain.drawing.source import parse_source, source_time
from projections.projection import Entry, Handlers, Projection, Recorded, Rows, begun, one_table, touch
from projections.query import Regions, empty, equal, lists, one, read, within
from projections.view import View

REROLL: Final = "re-roll"
MISSING_REVEAL: Final = "missing-reveal"
FRAME_CHANGED: Final = "frame-changed"
SEALED: Final = ("sealed", "revealed", "observed", "completed")
WARNINGS: Final = (REROLL, MISSING_REVEAL, FRAME_CHANGED)


class DrawEntry(Entry):
    """One attempt to draw a plan row. Times are when a step was recorded by the store; None before it.

    `contributors` are parties, `custodians` their accounts in the same order (not public). `committed`,
    `revealed` and `typed` name parties. `rules_hash` is public from the seal, `sums` (the hash of
    SHA256SUMS) from the completion, `public_value` from its observation. `rules`, `frame`, `pool`,
    `reports`, `seed`, `sample`, `teams` are blobs' digests, empty until the draw is opened, and so are the
    counts of `strata`. `narrow_seats` of `narrow_sites` have fewer than three who may sit; `registry_changes`
    are the counts of the seal's report, None before it and for seals older than the report.
    `changes` is the hash of changes.jsonl. A re-check of closed violations has neither `plan` nor `row`;
    its `plan_row` is `recheck/<region>/<period>`. `supplements` is the number of the draw whose `unfilled`
    seats a supplementary one fills.
    """

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
    narrow_sites: int
    narrow_seats: int
    narrow_approved: bool
    registry_changes: RegistryChanges | None
    supplements: int | None
    unfilled: Missing | None
    rulebook: str
    status: str
    contributors: tuple[str, ...]
    custodians: tuple[str, ...]
    committed: tuple[str, ...]
    revealed: tuple[str, ...]
    typed: tuple[str, ...]
    public_source: dict[str, Any]
    source_time: datetime | None
    public_value: str
    evidence: dict[str, Any]
    as_of: int | None
    rules_hash: str
    strata: tuple[StratumCount, ...]
    frame_reason: str
    sums: str
    rules: str
    frame: str
    pool: str
    reports: dict[str, str]
    seed: str
    sample: str
    teams: str
    changes: str
    void_asked_by: str
    void_ground: str
    missing: tuple[str, ...]
    warnings: tuple[str, ...]
    announced_at: datetime
    sealed_at: datetime | None
    revealed_at: datetime | None
    observed_at: datetime | None
    completed_at: datetime | None
    opened_at: datetime | None
    ended_at: datetime | None

    def disclosed(self) -> "DrawEntry":
        """The same without what is not public before the draw is opened."""
        if self.status == "opened":
            return self
        hidden = dict.fromkeys(("rules", "frame", "pool", "seed", "sample", "teams"), "")
        # How many are eligible tells, of a small area, which sites another sealed draw has taken out.
        return msgspec.structs.replace(self, **hidden, reports={}, strata=())


DRAWS: Final = View("draws_v2", DrawEntry, ("id",), ("idx",), ("plan_row",), ("region", "period"))


def _announced(
    draws: Rows[DrawEntry],
    event: Draw.Announced | Draw.SupplementAnnounced | Draw.RecheckAnnounced,
    recorded: Recorded,
) -> None:
    planned = None if isinstance(event, Draw.RecheckAnnounced) else event
    supplement = event if isinstance(event, Draw.SupplementAnnounced) else None
    draws.add(
        DrawEntry(
            *begun(recorded),
            log=event.log,
            draw_no=event.draw_no,
            attempt=event.attempt,
            previous=event.previous,
            plan=planned.plan if planned else "",
            row=planned.row if planned else "",
            plan_row=event.plan_row,
            period=event.period,
            region=event.region,
            redraw=planned.redraw if planned else False,
            narrow_sites=0,
            narrow_seats=0,
            narrow_approved=False,
            registry_changes=None,
            supplements=supplement.supplements if supplement else None,
            unfilled=supplement.missing if supplement else None,
            rulebook=event.rulebook,
            status="announced",
            contributors=tuple(one.party for one in event.contributors),
            custodians=tuple(one.account for one in event.contributors),
            committed=(),
            revealed=(),
            typed=(),
            public_source=event.public_source,
            source_time=source_time(parse_source(event.public_source)),
            public_value="",
            evidence={},
            as_of=None,
            rules_hash="",
            strata=(),
            frame_reason="",
            sums="",
            rules="",
            frame="",
            pool="",
            reports={},
            seed="",
            sample="",
            teams="",
            changes="",
            void_asked_by="",
            void_ground="",
            missing=(),
            warnings=(),
            announced_at=recorded.recorded_at,
            sealed_at=None,
            revealed_at=None,
            observed_at=None,
            completed_at=None,
            opened_at=None,
            ended_at=None,
        )
    )


def _committed(draws: Rows[DrawEntry], event: Draw.Committed, recorded: Recorded) -> None:
    row = touch(draws, recorded)
    row.committed = (*row.committed, event.party)
    if len(row.committed) == len(row.contributors):
        row.status = "committed"


def _sealed(draws: Rows[DrawEntry], event: Draw.Sealed, recorded: Recorded) -> None:
    row, seal = touch(draws, recorded), event.seal
    row.status, row.sealed_at = "sealed", recorded.recorded_at
    row.as_of, row.rules_hash, row.strata = seal.as_of, seal.rules_hash, seal.strata
    row.rules, row.frame, row.pool, row.reports = seal.rules, seal.frame, seal.pool, seal.reports
    row.frame_reason = seal.frame_reason
    row.registry_changes = None if seal.registry_changes is msgspec.UNSET else seal.registry_changes
    if seal.frame_reason:
        row.warnings = (*row.warnings, FRAME_CHANGED)


def _narrow_found(draws: Rows[DrawEntry], event: Draw.NarrowSeatsFound, recorded: Recorded) -> None:
    row = touch(draws, recorded)
    row.narrow_sites, row.narrow_seats = event.sites, event.seats


def _narrow_approved(draws: Rows[DrawEntry], event: Draw.NarrowSeatsApproved, recorded: Recorded) -> None:
    touch(draws, recorded).narrow_approved = True


def _revealed(draws: Rows[DrawEntry], event: Draw.Revealed, recorded: Recorded) -> None:
    row = touch(draws, recorded)
    row.revealed = (*row.revealed, event.party)
    if len(row.revealed) == len(row.contributors):
        row.status, row.revealed_at = "revealed", recorded.recorded_at


def _value_typed(draws: Rows[DrawEntry], event: Draw.ValueTyped, recorded: Recorded) -> None:
    row = touch(draws, recorded)
    row.typed = tuple(dict.fromkeys((*row.typed, event.party)))


def _observed(draws: Rows[DrawEntry], event: Draw.PublicValueObserved, recorded: Recorded) -> None:
    row = touch(draws, recorded)
    row.status, row.observed_at = "observed", recorded.recorded_at
    row.public_value, row.evidence = event.value, event.evidence


def _completed(draws: Rows[DrawEntry], event: Draw.Completed, recorded: Recorded) -> None:
    row, result = touch(draws, recorded), event.result
    row.status, row.completed_at = "completed", recorded.recorded_at
    row.sums, row.seed, row.sample, row.teams = result.sums, result.seed, result.sample, result.teams


def _changed(draws: Rows[DrawEntry], event: Draw.Changed, recorded: Recorded) -> None:
    touch(draws, recorded)


def _opened(draws: Rows[DrawEntry], event: Draw.Opened, recorded: Recorded) -> None:
    row = touch(draws, recorded)
    row.status, row.opened_at, row.changes = "opened", recorded.recorded_at, event.changes


def _void_asked(draws: Rows[DrawEntry], event: Draw.VoidAsked, recorded: Recorded) -> None:
    row = touch(draws, recorded)
    row.void_asked_by, row.void_ground = event.by, event.ground


def _voided(draws: Rows[DrawEntry], event: Draw.Voided, recorded: Recorded) -> None:
    row = touch(draws, recorded)
    row.status, row.ended_at, row.void_ground = "voided", recorded.recorded_at, event.ground
    if event.reroll_warning:
        row.warnings = (*row.warnings, REROLL)


def _attempt_ended(draws: Rows[DrawEntry], event: Draw.AttemptEnded, recorded: Recorded) -> None:
    row = touch(draws, recorded)
    row.status, row.ended_at, row.missing = "ended", recorded.recorded_at, event.missing
    row.warnings = (*row.warnings, MISSING_REVEAL)


_HANDLERS: Final[Handlers] = {
    Draw.Announced: _announced,
    Draw.RecheckAnnounced: _announced,
    Draw.SupplementAnnounced: _announced,
    Draw.Committed: _committed,
    Draw.Sealed: _sealed,
    Draw.NarrowSeatsFound: _narrow_found,
    Draw.NarrowSeatsApproved: _narrow_approved,
    Draw.Revealed: _revealed,
    Draw.ValueTyped: _value_typed,
    Draw.PublicValueObserved: _observed,
    Draw.Completed: _completed,
    Draw.Changed: _changed,
    Draw.Opened: _opened,
    Draw.VoidAsked: _void_asked,
    Draw.Voided: _voided,
    Draw.AttemptEnded: _attempt_ended,
}

PROJECTION: Final = Projection("draws", (DRAWS,), _HANDLERS, one_table(DRAWS), version=2)


def list_draws(
    connection: Connection,
    regions: Regions = None,
    *,
    status: str = "",
    period: str = "",
    plan_row: str = "",
    warning: str = "",
    sealed: bool = False,
    after: int | None = None,
    limit: int = 50,
) -> list[DrawEntry]:
    """Draws, the latest first, without digests of what is not open yet unless `sealed` asks for them."""
    c = DRAWS.table.c
    conditions = [
        within(c.region, regions),
        equal(c.status, status),
        equal(c.period, period),
        equal(c.plan_row, plan_row),
    ]
    if warning:
        conditions.append(lists(c.warnings, warning))
    found = read(connection, DRAWS, *conditions, after=after, newest_first=True, limit=limit)
    return found if sealed else [row.disclosed() for row in found]


def list_sealed(connection: Connection) -> list[tuple[str, str]]:
    """(draw, region) of all draws whose result may be known to somebody and is not public, by id.

    From the first secret that was revealed to the opening; how many sites and teams they have plays no part.
    """
    c = DRAWS.table.c
    statement = select(c.id, c.region).where(c.status.in_(SEALED), not_(empty(c.revealed))).order_by(c.id)
    return [(id, region) for id, region in connection.execute(statement)]


def narrow_draws(
    connection: Connection, regions: Regions = None, *, after: int | None = None, limit: int = 50
) -> list[DrawEntry]:
    """Sealed draws whose narrow seats wait for a second person, the oldest first."""
    c = DRAWS.table.c
    waiting = (c.status == "sealed", c.narrow_seats > 0, not_(c.narrow_approved))
    found = read(connection, DRAWS, within(c.region, regions), *waiting, after=after, limit=limit)
    return [row.disclosed() for row in found]


def get_draw(connection: Connection, id: str, *, sealed: bool = False) -> DrawEntry | None:
    """The draw, or None."""
    found = one(connection, DRAWS, id)
    return found if sealed or found is None else found.disclosed()
