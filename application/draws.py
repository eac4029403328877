"""Draws, step by step: the arithmetic is `domain/drawing`, the order of the steps is `domain/draw`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from application.frames import form_frame, form_pool
from application.office import Office
from application.ports import Answer, Quiet
from application.workflow import Beside, Call
from domain.access import Access
from domain.assignment import AssignedTask, Assignment
from domain.draw import Contributor, Draw, DrawStatusWrong, Result, Seal, StratumCount
from domain.drawing.bundle import (
    CompletedFiles,
    SealedFiles,
    complete_draw,
    read_bundle,
    seal_draw,
    stand,
)
from domain.drawing.canonical import digest
from domain.drawing.lines import Inspector, Site, Team, parse_change, read_frame, read_pool, write_changes
from domain.drawing.rules import Contributor as Committed
from domain.drawing.rules import SeatRule
from domain.drawing.seed import Reveal
from domain.drawing.succession import Standing
from domain.errors import ClaimTaken, Conflict, Forbidden, RegistryMoved
from domain.inspection import Inspection
from domain.plan import Plan, PlanRow
from domain.values import Holding

SEALED_FILES = ("frame.jsonl", "pool.jsonl", "rules.json")
REGISTRY_TOPICS = ("site.", "inspector.")


class DrawStillOpen(Conflict):
    """A seat or site of the draw can still be replaced; facts: `assignments` that are not settled."""

    code = "draw-still-open"


class DrawSealed(Forbidden):
    """The result is sealed until the draw is opened; facts: `draw`."""

    code = "draw-sealed"


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

    return _numbered(decide)


def _numbered(decide: Callable[[], Answer]) -> Answer:
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


def seal(office: Office, call: Call, id: str, *, frame_reason: str = "") -> Answer:
    """Freeze frame, pool and rules; a repeated attempt keeps its frame unless a reason is given.

    Starts again when a registry moved between the reading and the seal, at most three times; then
    `RegistryMoved`. The checkpoint that covers the seal is published before the answer.
    """
    for _ in range(2):
        try:
            return _seal_once(office, call, id, frame_reason)
        except RegistryMoved:
            continue
    return _seal_once(office, call, id, frame_reason)


def _seal_once(office: Office, call: Call, id: str, frame_reason: str) -> Answer:
    draw = office.workflow.load(Draw, id)
    call.require("draw.run", draw.region)
    office.workflow.expect(call, draw)
    if draw.status != "committed":
        raise DrawStatusWrong(status=draw.status, needed="committed")
    plan = office.workflow.load(Plan, draw.plan)
    row = plan.published_row(draw.row)
    earlier = _earlier_seal(office, draw)
    quiet = None
    if earlier is None or frame_reason:
        files, quiet = _fresh_files(office, call, draw, plan, row)
    else:
        files = _same_files(office, draw, row, earlier)
    sealed = Seal(
        as_of=files.rules.as_of,
        rules_hash=files.rules_hash.hex(),
        rules=office.blobs.put(files.rules_json),
        frame=office.blobs.put(files.frame_jsonl),
        pool=office.blobs.put(files.pool_jsonl),
        strata=tuple(
            StratumCount(code=one.code, size=one.size, eligible=one.eligible, sample=one.sample)
            for one in files.rules.strata
        ),
        reports={},
        frame_reason=frame_reason if earlier else "",
    )
    draw.seal(call.act, seal=sealed, frame_key="" if row.redraw else f"{plan.region}/{plan.year}")
    answer = office.workflow.commit(call, draw, beside=Beside(quiet=quiet))
    office.ledger.publish()
    return answer


def _earlier_seal(office: Office, draw: Draw) -> Seal | None:
    previous = draw.previous
    while previous:
        earlier = office.workflow.load(Draw, previous)
        if earlier.frozen is not None:
            return earlier.frozen
        previous = earlier.previous
    return None


def _fresh_files(
    office: Office, call: Call, draw: Draw, plan: Plan, row: PlanRow
) -> tuple[SealedFiles, Quiet]:
    snapshot = office.registries.snapshot(row.areas)
    frame = form_frame(office, plan, row, snapshot)
    pool = form_pool(office.chance, row, snapshot, frame, call.act.day)
    files = _write(draw, row, snapshot.as_of, frame, pool)
    return files, Quiet(since=snapshot.as_of, prefixes=REGISTRY_TOPICS)


def _same_files(office: Office, draw: Draw, row: PlanRow, earlier: Seal) -> SealedFiles:
    frame = read_frame(office.blobs.read(earlier.frame))
    pool = read_pool(office.blobs.read(earlier.pool))
    return _write(draw, row, earlier.as_of, frame, pool)


def _write(
    draw: Draw, row: PlanRow, as_of: int, frame: Sequence[Site], pool: Sequence[Inspector]
) -> SealedFiles:
    return seal_draw(
        log=draw.log,
        draw_no=draw.draw_no,
        attempt=draw.attempt,
        plan_row=draw.plan_row,
        as_of=as_of,
        contributors=[Committed(c.party, draw.commitments[c.party]) for c in draw.contributors],
        public_source=draw.source,
        rates={stratum.code: (stratum.num, stratum.den) for stratum in row.strata},
        team=[SeatRule(seat.seat, seat.lead, seat.skilled) for seat in row.team],
        frame=frame,
        pool=pool,
    )


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
    """Record the public value with its evidence."""

    def decide(draw: Draw) -> None:
        call.require("draw.run", draw.region)
        draw.observe(call.act, value=value, evidence=evidence)

    return office.workflow.change(call, Draw, id, decide)


def complete(office: Office, call: Call, id: str) -> Answer:
    """Compute sample and teams, and make one assignment for each drawn site, all in one append."""
    draw = office.workflow.load(Draw, id)
    call.require("draw.run", draw.region)
    office.workflow.expect(call, draw)
    if draw.status != "observed" or draw.frozen is None:
        raise DrawStatusWrong(status=draw.status, needed="observed")
    plan = office.workflow.load(Plan, draw.plan)
    files = complete_draw(
        _sealed_bytes(office, draw.frozen),
        [Reveal(c.party, bytes.fromhex(draw.secrets[c.party])) for c in draw.contributors],
        draw.public_value,
        draw.evidence,
    )
    draw.complete(call.act, result=_keep(office, files))
    assignments = _assign(office, call, draw, plan, files)
    also = {"assignments": len(assignments), "unfilled": _unfilled(files.outcome.teams)}
    return office.workflow.commit(call, draw, *assignments, also=also)


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
    return [
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


def holdings(team: Team) -> tuple[Holding, ...]:
    """A drawn team's seats as an assignment keeps them."""
    return tuple(Holding(seated.seat, seated.inspector) for seated in team.seats)


def _unfilled(teams: Iterable[Team]) -> int:
    return sum(seated.inspector is None for team in teams for seated in team.seats)


def bundle_opener(office: Office, draw: Draw) -> Mapping[str, bytes]:
    """The bundle's files by name, as far as the draw has come."""
    if draw.frozen is None:
        return {}
    files = dict(_sealed_bytes(office, draw.frozen))
    if draw.result is not None:
        read = office.blobs.read
        files["seed.json"] = read(draw.result.seed)
        files["sample.jsonl"] = read(draw.result.sample)
        files["teams.jsonl"] = read(draw.result.teams)
        files["SHA256SUMS"] = read(draw.result.sums)
        files["changes.jsonl"] = write_changes([parse_change(change) for change in draw.changes])
    return files


def _sealed_bytes(office: Office, frozen: Seal) -> Mapping[str, bytes]:
    digests = (frozen.frame, frozen.pool, frozen.rules)
    return {name: office.blobs.read(one) for name, one in zip(SEALED_FILES, digests, strict=True)}


def standing_of(office: Office, draw: Draw) -> Standing:
    """Who sits where now, and who follows: the draw's result after its changes."""
    if draw.status != "completed":
        raise DrawStatusWrong(status=draw.status, needed="completed")
    return stand(read_bundle(bundle_opener(office, draw).__getitem__))


def open_draw(office: Office, call: Call, id: str) -> Answer:
    """Make the bundle public, once every assignment is inspected or void."""

    def decide(draw: Draw) -> None:
        call.require("draw.run", draw.region)
        unsettled = [one for one in assignments_of(office, draw) if not _settled(office, one)]
        if unsettled and draw.status == "completed":
            raise DrawStillOpen(assignments=len(unsettled))
        draw.open(call.act, changes=digest(bundle_opener(office, draw).get("changes.jsonl", b"")).hex())

    return office.workflow.change(call, Draw, id, decide)


def assignments_of(office: Office, draw: Draw) -> list[str]:
    """The assignments that the draw made, replacements included."""
    year = office.workflow.load(Plan, draw.plan).year
    ending = f"/{draw.draw_no}"
    return [stream for key, stream in office.claims.keys("drawn", f"{year}/") if key.endswith(ending)]


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
    row = office.workflow.load(Plan, draw.plan).row(draw.row)
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
