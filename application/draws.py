"""Draws, step by step: the arithmetic is `domain/drawing`, the order of the steps is `domain/draw`."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from application.draw_rows import row_of
from application.earlier_draws import require_earlier_opened
from application.missing_seats import (
    OVER,
    SupplementRunning,
    open_inspection,
    supplements_of,
)
from application.missing_seats import assignments_of as assignments_of
from application.office import Office
from application.ports import Answer
from application.readings import DrawSealed
from application.recheck_tasks import make_rechecks, open_rechecks, require_rechecks_opened
from application.sealing import sealed_bytes
from application.workflow import Call
from domain.access import Access
from domain.aggregate import Aggregate
from domain.assignment import AssignedTask, Assignment
from domain.draw import LIVE, Draw
from domain.draw_refusals import DrawStatusWrong
from domain.draw_values import Contributor, Result
from domain.drawing.bundle import (
    CompletedFiles,
    complete_draw,
    read_bundle,
    stand,
)
from domain.drawing.canonical import digest
from domain.drawing.lines import Team, parse_change, write_changes
from domain.drawing.seed import Reveal
from domain.drawing.source import PublicSource, Quicknet
from domain.drawing.succession import Standing
from domain.errors import ClaimTaken, Conflict
from domain.inspection import Inspection
from domain.plan import Plan
from domain.values import Holding


class DrawStillOpen(Conflict):
    """A seat or site of the draw can still be replaced; facts: `assignments` that are not settled."""

    code = "draw-still-open"


class SupplementOpensLater(Conflict):
    """A supplementary draw is opened with the draw whose seats it filled; facts: `draw`."""

    code = "supplement-opens-later"


def announce_draw(
    office: Office,
    call: Call,
    *,
    plan: str,
    row: str,
    contributors: Sequence[Contributor],
    public_source: Mapping[str, Any],
) -> Answer:
    """Announce the draw of a plan row; numbers of draws and attempts follow without gaps."""

    def decide() -> Answer:
        planned = office.workflow.load(Plan, plan)
        call.require("draw.run", planned.region)
        attempts = attempts_of(office, f"{planned.id}/{row}")
        draw = Draw.announce(
            call.act,
            id=office.chance.id("draw"),
            log=office.ledger.origin,
            draw_no=office.claims.highest("draw-no") + 1,
            attempt=len(attempts) + 1,
            previous=attempts[-1] if attempts else "",
            plan=planned,
            row=row,
            contributors=contributors,
            public_source=public_source,
            rulebook=office.rules(call.act.day).version,
        )
        return office.workflow.commit(call, draw, also={"draw_no": draw.draw_no, "attempt": draw.attempt})

    return numbered(decide)


def numbered(decide: Callable[[], Answer]) -> Answer:
    """Take the next number again when another draw, of another row, took it first."""
    for _ in range(5):
        try:
            return decide()
        except ClaimTaken as taken:
            if taken.facts["kind"] != "draw-no":
                raise
    return decide()


def attempts_of(office: Office, plan_row: str) -> list[str]:
    """The draws of a plan row, first attempt first."""
    held = office.claims.keys("attempt", f"{plan_row}/")
    return [stream for _, stream in sorted(held, key=lambda pair: int(pair[0].rsplit("/", 1)[1]))]


def commit_secret(office: Office, call: Call, id: str, *, party: str, commitment: str) -> Answer:
    """File a party's commitment."""

    def decide(draw: Draw) -> None:
        call.require("draw.contribute", draw.region)
        draw.commit(call.act, party=party, commitment=commitment)

    return office.workflow.change(call, Draw, id, decide)


def reveal_secret(office: Office, call: Call, id: str, *, party: str, secret: str, receipt: bytes) -> Answer:
    """Reveal a party's secret, with the receipt of the seal that the party kept."""

    def decide(draw: Draw) -> None:
        call.require("draw.contribute", draw.region)
        if draw.status == "sealed":
            office.ledger.check_receipt(receipt, draw.id, seal_version(office, draw))
        draw.reveal(call.act, party=party, secret=secret, receipt=office.blobs.put(receipt))

    return office.workflow.change(call, Draw, id, decide)


def seal_version(office: Office, draw: Draw) -> int:
    """The version of the draw's seal in its stream."""
    for event in office.workflow.events.get(draw.id):
        if isinstance(event, Draw.Sealed):
            return event.originator_version
    raise DrawStatusWrong(status=draw.status, needed="sealed")


def type_value(office: Office, call: Call, id: str, *, party: str, value: str) -> Answer:
    """Type the public value as a party's custodian, independently of the others."""

    def decide(draw: Draw) -> None:
        call.require("draw.contribute", draw.region)
        draw.type_value(call.act, party=party, value=value)

    return office.workflow.change(call, Draw, id, decide)


def observe_value(office: Office, call: Call, id: str, *, value: str, evidence: Mapping[str, Any]) -> Answer:
    """Record the public value with its evidence; a beacon's signature is verified here, offline."""

    def decide(draw: Draw) -> None:
        call.require("draw.run", draw.region)
        genuine = _is_genuine(office, draw.source, evidence)
        draw.observe(call.act, value=value, evidence=evidence, genuine=genuine)

    return office.workflow.change(call, Draw, id, decide)


def _is_genuine(office: Office, source: PublicSource, evidence: Mapping[str, Any]) -> bool:
    signature = evidence.get("signature")
    if not isinstance(source, Quicknet) or not isinstance(signature, str):
        return False
    try:
        return office.beacon(source.round, bytes.fromhex(signature))
    except ValueError:
        return False


def complete(office: Office, call: Call, id: str) -> Answer:
    """Compute sample and teams, and make one assignment for each drawn site, all in one append."""
    draw = office.workflow.load(Draw, id)
    call.require("draw.run", draw.region)
    office.workflow.expect(call, draw)
    if draw.status != "observed" or draw.frozen is None:
        raise DrawStatusWrong(status=draw.status, needed="observed")
    files = complete_draw(
        sealed_bytes(office, draw.frozen),
        [Reveal(c.party, bytes.fromhex(draw.secrets[c.party])) for c in draw.contributors],
        draw.public_value,
        draw.evidence,
    )
    draw.complete(call.act, result=_keep(office, files))
    if draw.terms is not None:
        made = make_rechecks(office, call, draw, files)
        told = {"rechecks": len(made), "unfilled": _unfilled(files.outcome.teams)}
        return office.workflow.commit(call, draw, *made, also=told)
    if draw.missing is not None:
        return _fill(office, call, draw, files)
    plan = office.workflow.load(Plan, draw.plan)
    assignments = _assign(office, call, draw, plan, files)
    also = {"assignments": len(assignments), "unfilled": _unfilled(files.outcome.teams)}
    return office.workflow.commit(call, draw, *assignments, also=also)


def _fill(office: Office, call: Call, draw: Draw, files: CompletedFiles) -> Answer:
    """Give the seats of a supplementary draw to whom the lot chose; the assignments are there already."""
    earlier = office.workflow.load(Draw, draw.missing.draw if draw.missing else "")
    loaded = (office.workflow.load(Assignment, id) for id in assignments_of(office, earlier))
    assignments = {one.task.site: one for one in loaded if one.status == "assigned"}
    changed: list[Aggregate] = []
    for team in files.outcome.teams:
        if (assignment := assignments.get(team.id)) is not None:
            changed += _fill_seats(office, call, draw, assignment, team)
    also = {"assignments": 0, "unfilled": _unfilled(files.outcome.teams)}
    # As with new assignments: positions must not tell the order in which the lot filled them.
    return office.workflow.commit(call, draw, *sorted(changed, key=lambda one: one.id), also=also)


def _fill_seats(
    office: Office, call: Call, draw: Draw, assignment: Assignment, team: Team
) -> Iterator[Aggregate]:
    inspection = open_inspection(office, assignment.id)
    for seated in team.seats:
        if seated.inspector is not None:
            assignment.fill_seat(call.act, seat=seated.seat, inspector=seated.inspector, draw=draw.id)
            if inspection is not None and inspection.status not in OVER:
                inspection.change_seat(call.act, seat=seated.seat, inspector=seated.inspector)
    yield assignment
    if inspection is not None:
        yield inspection


def _keep(office: Office, files: CompletedFiles) -> Result:
    put = office.blobs.put
    return Result(
        seed=put(files.seed_json),
        sample=put(files.sample_jsonl),
        teams=put(files.teams_jsonl),
        sums=put(files.sums),
    )


def _assign(office: Office, call: Call, draw: Draw, plan: Plan, files: CompletedFiles) -> list[Assignment]:
    teams = {team.id: team for team in files.outcome.teams}
    enterprises = office.registries.enterprises([site.id for site in files.outcome.sample])
    made = [
        Assignment.make(
            call.act,
            id=office.chance.id("assignment"),
            task=AssignedTask(
                draw=draw.id,
                draw_no=draw.draw_no,
                plan=plan.id,
                row=draw.row,
                period=plan.row(draw.row).period,
                year=plan.year,
                region=enterprises[site.id].region,
                site=site.id,
                uscc=enterprises[site.id].uscc,
                stratum=site.stratum,
                rank=site.rank,
            ),
            team=holdings(teams[site.id]),
        )
        for site in files.outcome.sample
    ]
    # Positions are public before the opening: in the order of the sample they would tell stratum and rank.
    return sorted(made, key=lambda assignment: assignment.id)


def holdings(team: Team) -> tuple[Holding, ...]:
    """A drawn team's seats as an assignment keeps them."""
    return tuple(Holding(seated.seat, seated.inspector) for seated in team.seats)


def _unfilled(teams: Iterable[Team]) -> int:
    return sum(seated.inspector is None for team in teams for seated in team.seats)


def bundle_opener(office: Office, draw: Draw) -> Mapping[str, bytes]:
    """The bundle's files by name, as far as the draw has come."""
    if draw.frozen is None:
        return {}
    files = dict(sealed_bytes(office, draw.frozen))
    if draw.result is not None:
        read = office.blobs.read
        files["seed.json"] = read(draw.result.seed)
        files["sample.jsonl"] = read(draw.result.sample)
        files["teams.jsonl"] = read(draw.result.teams)
        files["SHA256SUMS"] = read(draw.result.sums)
        files["changes.jsonl"] = write_changes([parse_change(change) for change in draw.changes])
    return files


def standing_of(office: Office, draw: Draw) -> Standing:
    """Who sits where now, and who follows: the draw's result after its changes."""
    if draw.status != "completed":
        raise DrawStatusWrong(status=draw.status, needed="completed")
    return stand(read_bundle(bundle_opener(office, draw).__getitem__))


def open_draw(office: Office, call: Call, id: str) -> Answer:
    """Make the bundle public, once every assignment is inspected or void.

    With it go the bundles of its supplementary draws, whose frames tell sites that it drew; one that is on
    its way is completed or voided first.
    """
    draw = office.workflow.load(Draw, id)
    call.require("draw.run", draw.region)
    office.workflow.expect(call, draw)
    if draw.missing is not None:
        raise SupplementOpensLater(draw=draw.missing.draw)
    if draw.terms is not None:
        return _open_recheck(office, call, draw)
    unsettled = [one for one in assignments_of(office, draw) if not _settled(office, one)]
    if unsettled and draw.status == "completed":
        raise DrawStillOpen(assignments=len(unsettled))
    supplements = [one for one in supplements_of(office, draw) if one.status in LIVE]
    for one in supplements:
        if one.status != "completed" and draw.status == "completed":
            raise SupplementRunning(draw=one.id)
    require_earlier_opened(office, draw)
    for one in (draw, *supplements):
        one.open(call.act, changes=digest(bundle_opener(office, one).get("changes.jsonl", b"")).hex())
    return office.workflow.commit(call, draw, *supplements)


def _open_recheck(office: Office, call: Call, draw: Draw) -> Answer:
    if draw.status == "completed" and (left := open_rechecks(office, draw)):
        raise DrawStillOpen(assignments=len(left))
    require_rechecks_opened(office, draw)
    draw.open(call.act, changes=digest(bundle_opener(office, draw).get("changes.jsonl", b"")).hex())
    return office.workflow.commit(call, draw)


def _settled(office: Office, assignment: str) -> bool:
    if office.workflow.load(Assignment, assignment).status == "void":
        return True
    inspection = office.claims.holder("inspection", assignment)
    if inspection is None:
        return False
    return office.workflow.load(Inspection, inspection).status in ("reviewed", "published", "withheld")


def read_sealed(office: Office, call: Call, id: str, *, reason: str) -> Mapping[str, bytes]:
    """The files of a draw before it is opened, for those entitled; the reading is recorded first."""
    draw = office.workflow.load(Draw, id)
    call.require("draw.read-sealed", draw.region)
    access = Access.note(
        call.act, id=office.chance.id("access"), kind="sealed-draw", subjects=(draw.id,), reason=reason
    )
    office.workflow.commit(call, access)
    return bundle_opener(office, draw)


def read_opened(office: Office, id: str) -> Mapping[str, bytes]:
    """The public bundle's files of an opened draw: frame, rules, seed, sample and sums; `DrawSealed`.

    Where the plan row marks a stratum confidential, the frame stays with the auditor.
    """
    draw = office.workflow.load(Draw, id)
    if draw.status != "opened":
        raise DrawSealed(draw=id)
    row = row_of(office.workflow.load, draw)
    public = {"rules.json", "seed.json", "sample.jsonl", "SHA256SUMS"}
    if not any(stratum.confidential for stratum in row.strata):
        public.add("frame.jsonl")
    return {name: content for name, content in bundle_opener(office, draw).items() if name in public}


def ask_void_draw(office: Office, call: Call, id: str, *, ground: str) -> Answer:
    """Ask to void a draw whose value does not exist yet."""

    def decide(draw: Draw) -> None:
        call.require("draw.void", draw.region)
        draw.ask_void(call.act, ground=ground)

    return office.workflow.change(call, Draw, id, decide)


def void_draw(office: Office, call: Call, id: str) -> Answer:
    """Void the draw as the second person."""

    def decide(draw: Draw) -> None:
        call.require("draw.void", draw.region)
        draw.void(call.act)

    return office.workflow.change(call, Draw, id, decide)


def end_attempt(office: Office, call: Call, id: str) -> Answer:
    """End an attempt in which somebody did not reveal in time."""

    def decide(draw: Draw) -> None:
        call.require("draw.run", draw.region)
        draw.end_attempt(call.act)

    return office.workflow.change(call, Draw, id, decide)
