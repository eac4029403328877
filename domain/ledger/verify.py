"""The whole log, checked as if a stranger had written the server: state ↔ entry ↔ tree ↔ signed checkpoints
↔ published files.

Two passes, memory flat in the size of the log: the rows by position (`rows`), and their entries by stream
and version (`links`). Nothing is repaired and nothing is believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from domain.ledger.checkpoint import Checkpoint, open_checkpoint
from domain.ledger.errors import LedgerError
from domain.ledger.finding import LIMIT, Finding, Findings, Params
from domain.ledger.links import Link, LinksReport, verify_links
from domain.ledger.note import VerifierKey
from domain.ledger.published_tiles import TileCheck
from domain.ledger.rows import Row, RowCheck

__all__ = ["Finding", "Link", "Report", "Row", "RowsReport", "conclude", "verify_log", "verify_rows"]


@dataclass(frozen=True, slots=True)
class Report:
    """What was found and how far the checks reach.

    `findings` are the first ones, `found` counts all. `size` and `root` are of the rows as read.
    `covered` is the largest size at which the rows hash to the root of a validly signed checkpoint:
    events from there on are checked against themselves only.
    """

    findings: tuple[Finding, ...]
    found: int
    size: int
    root: bytes
    streams: int
    checkpoints: int
    covered: int

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
    """What the first pass found; the other fields are `Report`'s."""

    findings: Findings
    size: int
    root: bytes
    checkpoints: int
    covered: int


def verify_log(
    rows: Iterable[Row],
    links: Iterable[Link],
    notes: Iterable[tuple[str, bytes]],
    keys: Sequence[VerifierKey],
    *,
    limit: int = LIMIT,
) -> Report:
    """Check a whole log.

    `rows` ordered by idx; `links` the same rows ordered by stream and version; `notes` are the signed
    checkpoints held, each with a name to report it by; `keys` the log's verifier keys, current and former.
    At most `limit` findings are kept. Never raises for what the log contains.
    """
    return conclude(verify_rows(rows, notes, keys, limit=limit), verify_links(links, limit=limit))


def verify_rows(
    rows: Iterable[Row],
    notes: Iterable[tuple[str, bytes]],
    keys: Sequence[VerifierKey],
    *,
    tiles: TileCheck | None = None,
    limit: int = LIMIT,
) -> RowsReport:
    """The first pass alone; with `tiles` the published files are compared on the way."""
    checkpoints, refused = open_checkpoints(notes, keys)
    check, findings = RowCheck(checkpoints, tiles), Findings(limit)
    findings.add(refused)
    findings.add(check.run(rows))
    return RowsReport(findings, check.tree.size, check.tree.root(), len(checkpoints), check.covered)


def conclude(rows: RowsReport, links: LinksReport, *others: Findings) -> Report:
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
    )


def open_checkpoints(
    notes: Iterable[tuple[str, bytes]], keys: Sequence[VerifierKey]
) -> tuple[list[Checkpoint], list[Finding]]:
    """The checkpoints that are validly signed, one for each size, smallest first; and what is wrong with
    the others.
    """
    opened: dict[int, tuple[str, Checkpoint]] = {}
    findings: list[Finding] = []
    for name, note in notes:
        try:
            checkpoint = open_checkpoint(note, keys)
        except LedgerError as error:
            findings.append(Finding(error.code, None, {"checkpoint": name, **error.params}))
            continue
        first_name, first = opened.setdefault(checkpoint.size, (name, checkpoint))
        if (first.origin, first.root) != (checkpoint.origin, checkpoint.root):
            params: Params = {"size": checkpoint.size, "checkpoint": name, "other": first_name}
            findings.append(Finding("checkpoint.conflict", None, params))
    return [opened[size][1] for size in sorted(opened)], findings


def _counts(rows: RowsReport, links: LinksReport) -> Iterator[Finding]:
    """Both passes must have read the same rows, or a chain has gone unchecked."""
    if rows.size != links.size:
        yield Finding("rows.differ", None, {"by_idx": rows.size, "by_stream": links.size})
