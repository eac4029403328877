"""The second pass of the verifier: each stream's versions follow each other, each linked to the one before.

It needs nothing of the first pass, so that the two may run beside each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from domain.ledger.finding import LIMIT, Finding, Findings, Params, Saved

Link = tuple[int, bytes | None, str, int]
"""(idx, entry bytes, stream, version) of a row; None where the store holds no entry."""

_AFTER_IDX = 42
_PREV = b'"prev":"'
_NONE = b'"'


@dataclass(slots=True)
class LinksReport:
    """What the second pass found, how many rows it read and how many streams they are of."""

    findings: Findings
    size: int = 0
    streams: int = 0


class LinkCheck:
    """The second pass: the versions of each stream have no gap or repeat and rise with the position, and
    `prev` of each is the leaf hash of the one before.

    `save` and `restore` go on elsewhere, behind the row (stream, version) that `last` names.
    """

    def __init__(self, *, limit: int = LIMIT) -> None:
        self.report = LinksReport(Findings(limit))
        self.last = ("", 0)
        self._prev, self._idx = _NONE, -1

    def run(self, links: Iterable[Link]) -> LinksReport:
        """Look at more rows; `links` ordered by stream and version (any order of streams in which one
        stream's rows stand together). What all rows so far have come to.
        """
        self.report.findings.add(self._findings(links))
        return self.report

    def save(self) -> Saved:
        """All that `restore` needs, as plain values; between two runs."""
        report = self.report
        counts = [report.size, report.streams]
        return {
            "last": self.last,
            "prev": self._prev.decode(),
            "idx": self._idx,
            "counts": counts,
            "findings": report.findings.save(),
        }

    def restore(self, saved: Saved) -> None:
        """Go on where `save` was called."""
        stream, version = saved["last"]
        self.last, self._prev = (stream, version), saved["prev"].encode()
        self._idx = saved["idx"]
        self.report.size, self.report.streams = saved["counts"]
        self.report.findings.restore(saved["findings"])

    def _findings(self, links: Iterable[Link]) -> Iterator[Finding]:
        report = self.report
        (stream, version), prev, before, size = self.last, self._prev, None, report.size
        latest = self._idx
        for idx, entry, row_stream, row_version in links:
            data = entry or b""
            size += 1
            if row_stream != stream:
                stream, version, prev, latest = row_stream, 0, _NONE, -1
                report.streams += 1
            elif before is not None:
                prev = sha256(b"\x00" + before).hexdigest().encode()
            if row_version != version + 1:
                code = "version.gap" if row_version > version + 1 else "version.repeated"
                yield Finding(code, idx, {"stream": stream, "expected": version + 1, "found": row_version})
            elif not data.startswith(prev, data.find(_PREV, _AFTER_IDX) + len(_PREV)):
                expected = prev.decode().strip('"')
                link: Params = {"stream": stream, "version": row_version, "expected": expected}
                yield Finding("prev.differs", idx, link)
            if idx < latest:
                order: Params = {"stream": stream, "version": row_version, "before": latest}
                yield Finding("version.unordered", idx, order)
            version, before, latest = row_version, data, idx
        report.size, self.last, self._idx = size, (stream, version), latest
        self._prev = prev if before is None else sha256(b"\x00" + before).hexdigest().encode()


def verify_links(links: Iterable[Link], *, limit: int = LIMIT) -> LinksReport:
    """The whole second pass over all rows at once."""
    return LinkCheck(limit=limit).run(links)
