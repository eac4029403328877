"""Sealing a draw: frame, pool and rules frozen from the registries, before chance exists."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from application.draw_rows import drawn_closings, row_of, scope_of
from application.frames import drawn_sites, form_frame, form_pool
from application.missing_seats import moved_sites, quiet_seats, snapshot_areas, supplement_lines
from application.office import Office
from application.ports import Answer, Quiet, RegistrySnapshot
from application.recheck_frames import form_recheck_frame, form_recheck_pool
from application.registry_check import FrameDiffersFromRegistry, check_registries, check_snapshot
from application.seal_reports import make_reports
from application.workflow import Beside, Call
from domain.draw import Draw
from domain.draw_refusals import DrawStatusWrong
from domain.draw_values import Missing, Seal, StratumCount
from domain.drawing.bundle import SealedFiles, seal_draw
from domain.drawing.lines import Inspector, Site, read_frame, read_pool
from domain.drawing.rules import Contributor as Committed
from domain.drawing.rules import SeatRule
from domain.errors import ClaimTaken, Conflict, RegistryMoved
from domain.identifiers import covers
from domain.plan import Plan, PlanRow
from domain.recheck_terms import RecheckTerms
from domain.verifying.log import CLOSINGS, REGISTRY

SEALED_FILES = ("frame.jsonl", "pool.jsonl", "rules.json")
DRAWN_TOPICS = ("draw.sealed.", "assignment.made.", "recheck.drawn.")
FRAME_TOPICS = REGISTRY
"""What a frame is made of: the registries, and who was drawn and visited this year."""


class FrameOutdated(Conflict):
    """Sites of the frame that a repeated attempt would keep were drawn meanwhile; facts: `sites`."""

    code = "frame-outdated"


def seal(office: Office, call: Call, id: str, *, frame_reason: str = "") -> Answer:
    """Freeze frame, pool and rules; a repeated attempt keeps its frame unless a reason is given.

    Before any event the registries and claims that it was made from are held against the log's own events:
    `FrameDiffersFromRegistry`. With it goes what `seal_reports` says of changes and of narrow seats.
    Starts again when what a frame is made of moved between the reading and the seal, at most three times;
    then `RegistryMoved`. The seal proves nothing before `publish_seal`.
    """
    for _ in range(2):
        try:
            return _seal_once(office, call, id, frame_reason)
        except RegistryMoved:
            continue
    return _seal_once(office, call, id, frame_reason)


def publish_seal(office: Office, sealed: Answer) -> None:
    """Publish the checkpoint that covers a seal, before anybody is told that it is done.

    To be called for a kept answer as well: whoever repeats the command asks the witnesses again.
    `NotWitnessed` while the quorum of the trust policy has not cosigned it, and no secret is revealed then.
    """
    office.ledger.publish(sealed.position)


def approve_narrow_seats(office: Office, call: Call, id: str, *, reason: str) -> Answer:
    """Let a draw go on although seats have fewer who may sit than three, as somebody else than who sealed it.

    What the seats are is read before, and recorded as read: `read_report`.
    """

    def decide(draw: Draw) -> None:
        call.require("draw.approve-narrow", draw.region)
        draw.approve_narrow_seats(call.act, reason=reason)

    return office.workflow.change(call, Draw, id, decide)


def _seal_once(office: Office, call: Call, id: str, frame_reason: str) -> Answer:
    draw = office.workflow.load(Draw, id)
    call.require("draw.run", draw.region)
    office.workflow.expect(call, draw)
    if draw.status != "committed":
        raise DrawStatusWrong(status=draw.status, needed="committed")
    row, scope = row_of(office.workflow.load, draw), scope_of(office.workflow.load, draw)
    earlier = _earlier_seal(office, draw)
    kept = None if frame_reason else earlier
    if kept is None:
        files, quiet = _fresh_files(office, call, draw, row)
    else:
        files, quiet = _same_files(office, draw, row, kept)
    if not row.redraw:
        _require_apart(office, draw.region, scope)
    reports = make_reports(office, call, draw, row, files, kept)
    sealed = Seal(
        as_of=files.rules.as_of,
        rules_hash=files.rules_hash.hex(),
        rules=office.blobs.put(files.rules_json),
        frame=office.blobs.put(files.frame_jsonl),
        pool=office.blobs.put(files.pool_jsonl),
        strata=counts_of(files),
        reports=reports.digests,
        frame_reason=frame_reason if earlier else "",
        registry_changes=reports.changes,
    )
    key = "" if row.redraw else f"{draw.region}/{scope}"
    draw.seal(call.act, seal=sealed, frame_key=key, narrow=reports.narrow)
    return office.workflow.commit(call, draw, beside=Beside(quiet=quiet), also=reports.counts)


def _earlier_seal(office: Office, draw: Draw) -> Seal | None:
    previous = draw.previous
    while previous:
        earlier = office.workflow.load(Draw, previous)
        if earlier.frozen is not None:
            return earlier.frozen
        previous = earlier.previous
    return None


def _fresh_files(office: Office, call: Call, draw: Draw, row: PlanRow) -> tuple[SealedFiles, Quiet]:
    snapshot = office.registries.snapshot(row.areas)
    if draw.terms is not None:
        return _recheck_files(office, call, draw, draw.terms, row, snapshot)
    if draw.missing is not None:
        return _supplement_files(office, call, draw, draw.missing, row)
    plan = office.workflow.load(Plan, draw.plan)
    _check_against_log(office, row, plan.year, snapshot)
    frame = form_frame(office.claims, office.chance, plan, row, snapshot)
    pool = form_pool(office.chance, row, snapshot, frame, call.act.day)
    files = sealed_files(draw, row, snapshot.as_of, frame, pool)
    return files, Quiet(since=snapshot.as_of, prefixes=FRAME_TOPICS)


def _recheck_files(
    office: Office, call: Call, draw: Draw, terms: RecheckTerms, row: PlanRow, snapshot: RegistrySnapshot
) -> tuple[SealedFiles, Quiet]:
    """As for sites, but of closed violations, which are read from the log's own events."""
    try:
        check_registries(office, row.areas, snapshot)
    except FrameDiffersFromRegistry:
        if office.registry_log.moved(snapshot.as_of, CLOSINGS):
            raise RegistryMoved(since=snapshot.as_of, idx=snapshot.as_of + 1) from None
        raise
    closings = list(office.registry_log.closings(snapshot.as_of))
    frame = form_recheck_frame(office.chance, terms, row, closings, snapshot)
    pool = form_recheck_pool(office.chance, terms, row, closings, snapshot, frame, call.act.day)
    files = sealed_files(draw, row, snapshot.as_of, frame, pool)
    return files, Quiet(since=snapshot.as_of, prefixes=CLOSINGS)


def _supplement_files(
    office: Office, call: Call, draw: Draw, missing: Missing, row: PlanRow
) -> tuple[SealedFiles, Quiet]:
    """The sites that miss these seats, and a pool that may be wider than the row's areas."""
    wider = replace(row, areas=snapshot_areas(row, missing))
    snapshot = office.registries.snapshot(wider.areas)
    _check_against_log(office, wider, int(scope_of(office.workflow.load, draw)), snapshot)
    earlier = office.workflow.load(Draw, missing.draw)
    frame, pool = supplement_lines(office, earlier, missing, row, snapshot, call.act.day)
    return sealed_files(draw, row, snapshot.as_of, frame, pool), quiet_seats(snapshot.as_of, FRAME_TOPICS)


def _check_against_log(office: Office, row: PlanRow, year: int, snapshot: RegistrySnapshot) -> None:
    try:
        check_snapshot(office, row.areas, year, snapshot)
    except FrameDiffersFromRegistry:
        # Claims are those of now: what moved since the reading is no difference, but a reason to read again.
        if office.registry_log.moved(snapshot.as_of, FRAME_TOPICS):
            raise RegistryMoved(since=snapshot.as_of, idx=snapshot.as_of + 1) from None
        raise


def _same_files(office: Office, draw: Draw, row: PlanRow, earlier: Seal) -> tuple[SealedFiles, Quiet]:
    since = (office.workflow.recorder.max_notification_id() or 0) - 1
    frame = read_frame(office.blobs.read(earlier.frame))
    pool = read_pool(office.blobs.read(earlier.pool))
    if draw.missing is not None:
        _require_still_missing(office, draw.missing, frame)
    if not row.redraw:
        _require_undrawn(office, draw, frame)
    files = sealed_files(draw, row, earlier.as_of, frame, pool)
    return files, quiet_seats(since, DRAWN_TOPICS)


def _require_still_missing(office: Office, missing: Missing, frame: Sequence[Site]) -> None:
    if moved := moved_sites(office, office.workflow.load(Draw, missing.draw), missing, frame):
        raise FrameOutdated("/frame_reason", sites=moved)


def _require_undrawn(office: Office, draw: Draw, frame: Sequence[Site]) -> None:
    if draw.terms is None:
        drawn = drawn_sites(office.claims, int(scope_of(office.workflow.load, draw)))
    else:
        drawn = drawn_closings(office, [site.id for site in frame if site.eligible])
    if again := sum(site.eligible and site.id in drawn for site in frame):
        raise FrameOutdated("/frame_reason", sites=again)


def _require_apart(office: Office, region: str, scope: str) -> None:
    """Refuse while a frame of a region around or inside this one is open.

    The claim itself keeps apart only frames of the very same region. Nobody seals in between: a seal is
    among what the append wants quiet.
    """
    for key, stream in office.claims.keys("open-frame"):
        other, its_scope = key.split("/")
        if its_scope == scope and (covers(other, region) or covers(region, other)):
            raise ClaimTaken(kind="open-frame", key=key, holder=stream)


def sealed_files(
    draw: Draw, row: PlanRow, as_of: int, frame: Sequence[Site], pool: Sequence[Inspector]
) -> SealedFiles:
    """Frame, pool and rules of a draw as they are sealed; nothing else is needed to make them again."""
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
        supplements=draw.supplements,
    )


def counts_of(files: SealedFiles) -> tuple[StratumCount, ...]:
    """The counts of rules.json, as the seal repeats them."""
    return tuple(
        StratumCount(code=one.code, size=one.size, eligible=one.eligible, sample=one.sample)
        for one in files.rules.strata
    )


def sealed_bytes(office: Office, frozen: Seal) -> Mapping[str, bytes]:
    """The three files that were frozen, by name."""
    digests = (frozen.frame, frozen.pool, frozen.rules)
    return {name: office.blobs.read(one) for name, one in zip(SEALED_FILES, digests, strict=True)}
