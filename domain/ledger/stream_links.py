"""The chains of streams, followed in the order of the log: for who has the entries by position only.

What is remembered of each stream is its last version and leaf hash. In a long log the entries are first put
into buckets by their stream, outside of memory, and each bucket is followed by itself: with b buckets memory
holds the streams of one b-th of the log, some 300 bytes each. There are 256 buckets at most: up to 64 million
entries a quarter of a million streams are remembered at a time, beyond that a 256th of the log.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from hashlib import sha256
from typing import Protocol

from domain.ledger.entry import Entry
from domain.ledger.finding import LIMIT, Finding, Findings, Params
from domain.ledger.links import LinksReport
from domain.ledger.merkle import HASH_SIZE

PER_BUCKET = 250_000
BUCKETS = 256
_RECORD = struct.Struct(f">QQ{HASH_SIZE}s{HASH_SIZE}sBH")


class Bytes(Protocol):
    """What can be read to its end."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; fewer only at the end."""
        ...


class Spill(Protocol):
    """Room outside of memory, such as temporary files, one for each bucket."""

    def write(self, bucket: int, data: bytes) -> None:
        """Put this behind what is in the bucket."""
        ...

    def open(self, bucket: int) -> Bytes:
        """The bucket from its beginning; an empty one if nothing was put into it."""
        ...


class StreamLinks:
    """Checks that the versions of each stream have no gap or repeat, and that `prev` of each is the leaf hash
    of the one before. Give each entry in order, then ask for the report, once.
    """

    def __init__(self, size: int, spill: Spill | None = None, *, limit: int = LIMIT) -> None:
        """`size` is how many entries there may be; without a `spill` all streams are kept in memory."""
        self._report = LinksReport(Findings(limit))
        self._spill = spill
        self._buckets = 1 if spill is None else max(1, min(BUCKETS, size // PER_BUCKET))
        self._last: dict[str, tuple[int, bytes]] = {}

    def skip(self, entries: int) -> None:
        """So many entries could not be read."""
        self._report.size += entries

    def add(self, entry: Entry, leaf: bytes) -> None:
        """The next entry, with its leaf hash."""
        self._report.size += 1
        prev = bytes.fromhex(entry.prev)
        if self._spill is None or self._buckets == 1:
            self._report.findings.add(self._follow(entry.stream, entry.idx, entry.ver, leaf, prev))
            return
        name = entry.stream.encode()
        bucket = int.from_bytes(sha256(name).digest()[:8], "big") % self._buckets
        head = _RECORD.pack(entry.idx, entry.ver, leaf, prev, len(prev) > 0, len(name))
        self._spill.write(bucket, head + name)

    def report(self) -> LinksReport:
        """What was found in all entries."""
        if self._spill is not None and self._buckets > 1:
            for bucket in range(self._buckets):
                self._report.findings.add(self._follow_all(self._spill.open(bucket)))
                self._forget()
        self._forget()
        return self._report

    def _forget(self) -> None:
        self._report.streams += len(self._last)
        self._last = {}

    def _follow_all(self, records: Bytes) -> Iterator[Finding]:
        while head := records.read(_RECORD.size):
            idx, ver, leaf, prev, linked, length = _RECORD.unpack(head)
            stream = records.read(length).decode()
            yield from self._follow(stream, idx, ver, leaf, prev if linked else b"")

    def _follow(self, stream: str, idx: int, ver: int, leaf: bytes, prev: bytes) -> Iterator[Finding]:
        version, expected = self._last.get(stream, (0, b""))
        if ver != version + 1:
            code = "version.gap" if ver > version + 1 else "version.repeated"
            yield Finding(code, idx, {"stream": stream, "expected": version + 1, "found": ver})
        elif prev != expected:
            link: Params = {"stream": stream, "version": ver, "expected": expected.hex()}
            yield Finding("prev.differs", idx, link)
        self._last[stream] = ver, leaf
