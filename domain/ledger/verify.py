"""The whole log, checked as if a stranger had written the server: state ↔ entry ↔ tree ↔ signed checkpoints,
cosignatures and time-stamps ↔ published files.

Two passes, memory flat in the size of the log: the rows by position (`rows`), and their entries by stream
and version (`links`). Nothing is repaired and nothing is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from domain.ledger.entry import is_time, parse_at
from domain.ledger.finding import LIMIT, Finding, Findings, Params, Saved
from domain.ledger.held import Expected, Held, open_held
from domain.ledger.links import Link, LinksReport, verify_links
from domain.ledger.note import VerifierKey
from domain.ledger.policy import NONE, TrustPolicy
from domain.ledger.published_tiles import TileCheck
from domain.ledger.rows import Row, RowCheck

__all__ = [
    "Finding",
    "Link",
    "Report",
    "Row",
    "RowsPass",
    "RowsReport",
    "conclude",
    "verify_log",
    "verify_rows",
]

WITNESS_GRACE = timedelta(minutes=10)
"""How long entries may wait for the witnesses' quorum before that is a finding."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found and how far the checks reach.

    `findings` are the first ones, `found` counts all. `size` and `root` are of the rows as read.
    `covered` is the largest size at which the rows hash to the root of a validly signed checkpoint:
    events from there on are checked against themselves only. `witnessed` is the same for checkpoints that
    the policy's quorum has cosigned (or, where it asks for none, any of its witnesses), `stamped` for those
    with a time-stamp. `unchecked` names what was not looked at, `unread` some of the files of a folder that
    nothing was compared with.
    """

    findings: tuple[Finding, ...]
    found: int
    size: int
    root: bytes
    streams: int
    checkpoints: int
    covered: int
    witnessed: int = 0
    stamped: int = 0
    unchecked: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing at all was found."""
        return self.found == 0

    @property
    def first(self) -> Finding | None:
        """The finding at the smallest position; where none has a position, the first of all."""
        placed = [finding for finding in self.findings if finding.idx is not None]
        return min(placed, key=lambda finding: finding.idx or 0, default=next(iter(self.findings), None))


@dataclass(frozen=True, slots=True)
class RowsReport:
    """What the first pass found; `unwitnessed` is whether entries still wait for the quorum, not long enough
    to be a finding; the other fields are `Report`'s.
    """

    findings: Findings
    size: int
    root: bytes
    checkpoints: int
    covered: int
    witnessed: int = 0
    stamped: int = 0
    unwitnessed: bool = False


class RowsPass:
    """The first pass with its findings: it may be saved on the way and go on elsewhere.

    `now` (as entries write times) is given where the log is alive: what is stored must be witnessed by then.
    `check` goes through the rows; another than RowCheck knows another kind of rows.
    """

    def __init__(self, expected: Expected, check: RowCheck, *, now: str = "", limit: int = LIMIT) -> None:
        self.check = check
        self._expected, self._now = expected, now
        self._findings = Findings(limit)
        self._findings.add(expected.findings)

    def run(self, rows: Iterable[Row], pause: Callable[[], None] = lambda: None) -> RowsReport:
        """Look at the rows from `check.next_idx` on; `pause` is called where `save` may be."""
        check = self.check
        self._findings.add(check.run(rows, pause))
        waiting = list(self._unwitnessed())
        self._findings.add(waiting)
        return RowsReport(
            findings=self._findings,
            size=check.tree.size,
            root=check.tree.root(),
            checkpoints=len(self._expected.commitments),
            covered=check.covered,
            witnessed=check.witnessed,
            stamped=check.stamped,
            unwitnessed=not waiting and self._expected.quorum != NONE and check.witnessed < check.tree.size,
        )

    def save(self) -> Saved:
        """All that `restore` needs, as plain values; only from within `pause`."""
        return {"check": self.check.save(), "findings": self._findings.save()}

    def restore(self, saved: Saved) -> None:
        """Go on where `save` was called. Raises TileMalformed."""
        self.check.restore(saved["check"])
        self._findings.restore(saved["findings"])

    def _unwitnessed(self) -> Iterator[Finding]:
        """Entries that have waited too long for the quorum. That one checkpoint lacks a witness who was away
        is no finding: the next that has all of them vouches for the same entries.
        """
        check, since = self.check, self.check.unwitnessed_at
        last = max(self._now, check.last_at)
        if self._expected.quorum == NONE or check.witnessed == check.tree.size or not is_time(since):
            return
        if parse_at(last) - parse_at(since) > WITNESS_GRACE:
            params: Params = {
                "quorum": self._expected.quorum,
                "witnessed": check.witnessed,
                "size": check.tree.size,
                "at": since,
            }
            yield Finding("quorum.missing", check.witnessed, params)


def verify_log(
    rows: Iterable[Row],
    links: Iterable[Link],
    notes: Iterable[tuple[str, bytes]],
    keys: Sequence[VerifierKey],
    *,
    limit: int = LIMIT,
) -> Report:
    """Check a whole log at once, under its own keys alone.

    `rows` ordered by idx; `links` the same rows ordered by stream and version; `notes` are the signed
    checkpoints held, each with a name to report it by; `keys` the log's verifier keys, current and former.
    At most `limit` findings are kept. Never raises for what the log contains.
    """
    expected = open_held((Held(name, note) for name, note in notes), TrustPolicy.of_keys(keys))
    return conclude(verify_rows(rows, expected, limit=limit), verify_links(links, limit=limit))


def verify_rows(
    rows: Iterable[Row],
    expected: Expected,
    *,
    tiles: TileCheck | None = None,
    limit: int = LIMIT,
) -> RowsReport:
    """The first pass alone; with `tiles` the published files are compared on the way."""
    return RowsPass(expected, RowCheck(expected, tiles), limit=limit).run(rows)


def conclude(
    rows: RowsReport, links: LinksReport, *others: Findings, unchecked: Sequence[str] = ()
) -> Report:
    """One report of both passes, and of what else was found."""
    findings = Findings(rows.findings.limit)
    counted = Findings()
    counted.add(_counts(rows, links))
    for part in (rows.findings, links.findings, counted, *others):
        findings.join(part)
    return Report(
        findings=tuple(findings.kept),
        found=findings.count,
        size=rows.size,
        root=rows.root,
        streams=links.streams,
        checkpoints=rows.checkpoints,
        covered=rows.covered,
        witnessed=rows.witnessed,
        stamped=rows.stamped,
        unchecked=tuple(unchecked),
    )


def _counts(rows: RowsReport, links: LinksReport) -> Iterator[Finding]:
    """Both passes must have read the same rows, or a chain has gone unchecked."""
    if rows.size != links.size:
        yield Finding("rows.differ", None, {"by_idx": rows.size, "by_stream": links.size})
