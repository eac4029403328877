"""The published vectors: events, and the exact files that the log of these events consists of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.ledger.entry import chain
from domain.ledger.note import SigningKey
from domain.ledger.verify import Link, Row

NAMES = ("n7", "n600")
ORIGIN = "sunlot.example/140100"
_ROOT = Path(__file__).parents[2] / "vectors" / "ledger"


@dataclass(frozen=True)
class Vector:
    """One folder of vectors."""

    folder: Path

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def key(self) -> SigningKey:
        return SigningKey(ORIGIN, bytes.fromhex(self.read("test-only-signing-seed.hex").decode()))

    def vkey(self) -> str:
        return self.read("log.vkey").decode().removesuffix("\n")

    def files(self) -> dict[str, bytes]:
        """Every tile and bundle by its path."""
        tiles = self.folder / "tiles"
        paths = [path for path in (tiles / "tile").rglob("*") if path.is_file()]
        return {path.relative_to(tiles).as_posix(): path.read_bytes() for path in paths}

    def consistency(self) -> dict[str, Any]:
        consistency: dict[str, Any] = json.loads(self.read("consistency.json"))
        return consistency

    def rows(self) -> list[Row]:
        """The rows that a store would hold, entries made by `chain`."""
        rows: list[Row] = []
        prevs: dict[str, str] = {}
        for idx, line in enumerate(self.read("events.jsonl").splitlines()):
            event = json.loads(line)
            state, stream, topic, ver = event["state"].encode(), event["stream"], event["topic"], event["ver"]
            ((entry, _),) = chain([(state, stream, topic, ver)], at=event["at"], idx=idx, prevs=prevs)
            rows.append((idx, entry, state, stream, topic, ver))
        return rows

    def entries(self) -> list[bytes]:
        return [entry for _, entry, *_ in self.rows() if entry is not None]


def load(name: str) -> Vector:
    return Vector(_ROOT / name)


def links(rows: list[Row]) -> list[Link]:
    """The same rows as the second pass reads them."""
    return sorted(((row[0], row[1], row[3], row[5]) for row in rows), key=lambda link: (link[2], link[3]))
