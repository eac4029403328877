"""The second pass of the verifier: each stream's versions follow each other, each linked to the one before.

It needs nothing of the first pass, so that the two may run beside each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from domain.ledger.finding import LIMIT, Finding, Findings, Params

Link = tuple[int, bytes | None, str, int]
"""(idx, entry bytes, stream, version) of a row; None where the store holds no entry."""

_AFTER_IDX = 42
_PREV = b'"prev":"'


@dataclass(slots=True)
class LinksReport:
    """What the second pass found, how many rows it read and how many streams they are of."""

    findings: Findings
    size: int = 0
    streams: int = 0


def verify_links(links: Iterable[Link], *, limit: int = LIMIT) -> LinksReport:
    """Check that the versions of each stream have no gap or repeat, and that `prev` of each is the leaf
    hash of the one before.

    `links` ordered by stream and version (any order of streams in which one stream's rows stand together).
    """
    report = LinksReport(Findings(limit))
    report.findings.add(_findings(links, report))
    return report


def _findings(links: Iterable[Link], report: LinksReport) -> Iterator[Finding]:
    stream, version, before, size = "", 0, b"", 0
    for idx, entry, row_stream, row_version in links:
        data = entry or b""
        size += 1
        if row_stream != stream:
            stream, version, prev = row_stream, 0, b'"'
            report.streams += 1
        else:
            prev = sha256(b"\x00" + before).hexdigest().encode()
        if row_version != version + 1:
            code = "version.gap" if row_version > version + 1 else "version.repeated"
            yield Finding(code, idx, {"stream": stream, "expected": version + 1, "found": row_version})
        elif not data.startswith(prev, data.find(_PREV, _AFTER_IDX) + len(_PREV)):
            expected = prev.decode().strip('"')
            link: Params = {"stream": stream, "version": row_version, "expected": expected}
            yield Finding("prev.differs", idx, link)
        version, before = row_version, data
    report.size = size
