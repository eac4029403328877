"""Every sealed draw formed again from the log up to its `as_of`: frame, pool and rules."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple, TypeVar, cast

from eventsourcing.persistence import Mapper

from application.draw_rows import row_of
from application.missing_seats import snapshot_areas
from application.ports import RegistrySnapshot
from application.sealing import FRAME_TOPICS, counts_of, sealed_files
from domain.aggregate import Aggregate
from domain.deadlines import day_of
from domain.draw import Draw
from domain.draw_values import Seal
from domain.drawing.errors import DrawingError
from domain.drawing.lines import read_frame, read_pool
from domain.errors import BlobDamaged, NotFound, StoreUnavailable
from domain.events import topics
from domain.ledger.finding import Finding, Findings, Params
from domain.plan import Plan
from domain.verifying.log import CLOSINGS
from infrastructure.blobs import FolderBlobs
from infrastructure.closings import LoggedClosings
from infrastructure.database import Store
from infrastructure.registries import MODELS, read_snapshot
from infrastructure.replay_check.claims import ClaimsFold
from infrastructure.replay_check.folding import ModelsFold
from infrastructure.replay_check.histories import Histories
from infrastructure.replay_check.recheck_lines import RecheckLines
from infrastructure.replay_check.replay import Replay, Step, decoded
from infrastructure.replay_check.scratch import Scratch
from infrastructure.replay_check.sealed_lines import HeldThen, LineCheck, Sealing
from infrastructure.replay_check.supplement_lines import SupplementLines

CONCERNED: Final = ("site.", "inspector.", "inspection.", "assignment.")
"""The topics of what a frame or pool is made of, by their beginnings."""

PAGE: Final = 500
A = TypeVar("A", bound=Aggregate)


class Place(NamedTuple):
    """Where a seal stands, and the position of the registries that it names."""

    as_of: int
    idx: int
    draw: str


def check_seals(store: Store, mapper: Mapper[str], blobs: FolderBlobs, size: int, step: Step) -> Findings:
    """Form each frame, pool and rules sealed in the first `size` events again, and compare.

    `frame.differs`, `pool.differs`: a line that is not what the log up to `as_of` gives, with the event of
    the registries at which they part (`parted`; the seal itself where there is none), the line's number in
    the file, and whether it is missing there, unknown to the registries, or differs. Salts are by chance
    and left out. A repeated attempt must have the earlier one's files. `rules.differs`: rules, counts or
    hash are not what frame, pool, plan and draw give. `frame.outdated`: the registries moved between
    `as_of` and the seal, which no seal passes. `frame.unformed`: nothing can be formed, and why.
    Files that are missing or damaged are found by `BlobsFold`.

    Time is that of folding the registries once, and of each draw's frame and pool. Memory grows with the
    largest registry that a draw was made from, as it does for sealing, not with the log.
    """
    check = _Check(store, mapper, blobs)
    with Scratch() as scratch:
        fold, claims = ModelsFold(scratch, MODELS), ClaimsFold(scratch)
        chosen = fold.topics | {topic for topic in topics() if topic.startswith(CONCERNED)}
        replay = Replay(store.recorder, mapper, scratch, (fold, claims), step=step, topics=chosen, shown=True)
        for place in sorted(_seals(store, mapper, size)):
            if place.as_of < place.idx:
                replay.to(place.as_of)
            check.check(place, scratch, fold)
    step(size)
    return check.findings


def _seals(store: Store, mapper: Mapper[str], size: int) -> Iterator[Place]:
    """All seals, found by their topic; what cannot be read is a finding of the check of streams."""
    start = 1
    while page := store.recorder.select_notifications(start, PAGE, size, (Draw.Sealed.TOPIC,)):
        for found in page:
            [row] = store.recorder.rows(found.id - 1, 1)
            event = decoded(mapper, row)
            if isinstance(event, Draw.Sealed):
                yield Place(event.seal.as_of, row.idx, row.stream)
        start = page[-1].id + 1


class _Check:
    def __init__(self, store: Store, mapper: Mapper[str], blobs: FolderBlobs) -> None:
        self._store, self._blobs, self._mapper = store, blobs, mapper
        self._histories = Histories(store.recorder, mapper)
        self.findings = Findings()

    def check(self, place: Place, scratch: Scratch, fold: ModelsFold) -> None:
        """One seal, with the log folded up to its `as_of`."""
        try:
            self.findings.add(self._check(place, scratch, fold))
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  whatever keeps it from being formed is what is to be told
            reason = f"{type(error).__name__}: {error}"
            self.findings.add([self._unformed(place, place.idx, reason)])

    def _check(self, place: Place, scratch: Scratch, fold: ModelsFold) -> Iterator[Finding]:
        sealing = self._sealing(place)
        earlier = self._earlier(sealing)
        if earlier is not None and not sealing.seal.frame_reason:
            yield from _kept(sealing, earlier)
        elif (moved := self._moved(place, CLOSINGS if sealing.draw.terms else FRAME_TOPICS)) is not None:
            yield self._outdated(place, moved)
        elif fold.failed:
            for failed in fold.failed.values():
                yield self._unformed(place, failed.idx, str(failed.params["reason"]))
        else:
            yield from self._lines(sealing, scratch)
        yield from self._rules(sealing)

    def _sealing(self, place: Place) -> Sealing:
        draw = self._histories.load(Draw, place.draw, place.idx)
        plan = None if draw.terms else self._histories.load(Plan, draw.plan, place.idx)
        [row] = self._store.recorder.rows(place.idx, 1)
        event = self._histories.event(row)
        seal = cast(Seal, draw.frozen)
        planned = row_of(partial(self._at, place.idx), draw)
        return Sealing(place.idx, draw, seal, plan, planned, day_of(event.occurred_at))

    def _at(self, until: int, kind: type[A], id: str) -> A:
        return self._histories.load(kind, id, until)

    def _earlier(self, sealing: Sealing) -> Seal | None:
        previous = sealing.draw.previous
        while previous:
            earlier = self._histories.load(Draw, previous, sealing.idx)
            if earlier.frozen is not None:
                return earlier.frozen
            previous = earlier.previous
        return None

    def _moved(self, place: Place, topics: tuple[str, ...]) -> int | None:
        """The first event between `as_of` and the seal that no seal passes, or the seal itself."""
        if place.as_of >= place.idx or place.as_of < 0:
            return place.idx
        between = self._store.recorder.rows(place.as_of + 1, place.idx - place.as_of - 1)
        return next((row.idx for row in between if row.topic.startswith(topics)), None)

    def _lines(self, sealing: Sealing, scratch: Scratch) -> Iterator[Finding]:
        frame, pool = self._kept_bytes(sealing.seal.frame), self._kept_bytes(sealing.seal.pool)
        as_of = sealing.seal.as_of
        missing = sealing.draw.missing
        areas = snapshot_areas(sealing.row, missing) if missing else sealing.row.areas
        snapshot = read_snapshot(scratch.connection, areas, as_of)
        lines = self._line_check(sealing, snapshot, scratch)
        try:
            if frame is not None:
                yield from lines.frame(read_frame(frame))
        except DrawingError as error:
            yield _unreadable("frame.differs", sealing, error)
            return
        try:
            if frame is not None and pool is not None:
                yield from lines.pool(read_pool(pool), read_frame(frame))
        except DrawingError as error:
            yield _unreadable("pool.differs", sealing, error)

    def _line_check(
        self, sealing: Sealing, snapshot: RegistrySnapshot, scratch: Scratch
    ) -> LineCheck | RecheckLines | SupplementLines:
        if (missing := sealing.draw.missing) is not None:
            earlier = self._histories.load(Draw, missing.draw, sealing.idx)
            frame = read_frame(self._blobs.read(earlier.frozen.frame)) if earlier.frozen else []
            held = HeldThen(scratch)
            return SupplementLines(sealing, missing, snapshot, held, self._histories, frame)
        if sealing.draw.terms is None:
            return LineCheck(sealing, snapshot, HeldThen(scratch), self._histories)
        log = LoggedClosings(self._store.recorder, self._mapper)
        closings = list(log.closings(snapshot.as_of))
        return RecheckLines(sealing, sealing.draw.terms, snapshot, closings, self._histories)

    def _rules(self, sealing: Sealing) -> Iterator[Finding]:
        """Rules, counts and hash, made again from the very files that were sealed."""
        seal = sealing.seal
        kept = [self._kept_bytes(digest) for digest in (seal.frame, seal.pool, seal.rules)]
        frame, pool, rules = kept
        if frame is None or pool is None or rules is None:
            return
        try:
            files = sealed_files(sealing.draw, sealing.row, seal.as_of, read_frame(frame), read_pool(pool))
        except DrawingError as error:
            yield _unreadable("rules.differs", sealing, error)
            return
        formed = {
            "rules": files.rules_json == rules,
            "strata": counts_of(files) == seal.strata,
            "rules_hash": files.rules_hash.hex() == seal.rules_hash,
        }
        wrong = [name for name, right in formed.items() if not right]
        if wrong:
            params: Params = {"draw": sealing.draw.id, "columns": ", ".join(wrong), "seal": sealing.idx}
            yield Finding("rules.differs", sealing.idx, params)

    def _kept_bytes(self, digest: str) -> bytes | None:
        try:
            return self._blobs.read(digest)
        except (NotFound, BlobDamaged):
            return None

    def _outdated(self, place: Place, moved: int) -> Finding:
        params: Params = {"draw": place.draw, "as_of": place.as_of, "seal": place.idx}
        return Finding("frame.outdated", moved, params)

    def _unformed(self, place: Place, idx: int | None, reason: str) -> Finding:
        return Finding("frame.unformed", idx, {"draw": place.draw, "seal": place.idx, "reason": reason})


def _kept(sealing: Sealing, earlier: Seal) -> Iterator[Finding]:
    """What a repeated attempt must have kept of the earlier one."""
    pairs: Sequence[tuple[str, str, str]] = (
        ("frame.differs", sealing.seal.frame, earlier.frame),
        ("pool.differs", sealing.seal.pool, earlier.pool),
    )
    for code, ours, theirs in pairs:
        if ours != theirs or sealing.seal.as_of != earlier.as_of:
            params: Params = {"draw": sealing.draw.id, "earlier": sealing.draw.previous, "seal": sealing.idx}
            yield Finding(code, sealing.idx, params)


def _unreadable(code: str, sealing: Sealing, error: DrawingError) -> Finding:
    params: Params = {"draw": sealing.draw.id, "line": error.line, "reason": error.rule, "seal": sealing.idx}
    return Finding(code, sealing.idx, params)
