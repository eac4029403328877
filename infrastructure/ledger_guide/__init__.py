"""What an export says to whoever checks it with other people's tools: VERIFY.md with the log's real values,
and the program in Go that it names.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from domain.ledger.checkpoint import Checkpoint
from domain.ledger.errors import LedgerError
from domain.ledger.folder import states_path
from domain.ledger.note import Note
from domain.ledger.policy import TrustPolicy
from domain.ledger.tiles import ENTRIES, WIDTH, Tile, tile_width

GUIDE: Final = "VERIFY.md"
PROGRAM: Final = "verify.go"
_QUOTED: Final = ("LOGS", "WITNESSES")


@dataclass(frozen=True, kw_only=True)
class Guide:
    """What the page tells of one export: its checkpoint, verifier key and trust policy as they are published,
    and whether states are given.
    """

    note: bytes
    vkey: bytes
    policy: bytes
    states: bool


def guide_files(guide: Guide) -> Iterator[tuple[str, bytes]]:
    """The page and the program, by their names in the export."""
    page = _text(GUIDE)
    for name, value in _values(guide).items():
        page = page.replace("{{" + name + "}}", shlex.quote(value) if name in _QUOTED else value)
    yield GUIDE, page.encode()
    yield PROGRAM, _text(PROGRAM).encode()


def _values(guide: Guide) -> dict[str, str]:
    checkpoint = Checkpoint.parse(Note.parse(guide.note).text)
    logs, witnesses = _keys(guide)
    last = max(0, checkpoint.size - 1)
    return {
        "ORIGIN": checkpoint.origin,
        "SIZE": str(checkpoint.size),
        "ROOT": checkpoint.root.hex(),
        "LOGS": "\n".join(logs),
        "WITNESSES": "\n".join(witnesses),
        "IDX": str(last),
        "OFFSET": str(last % WIDTH),
        "BUNDLE": _path(ENTRIES, last, checkpoint.size),
        "TILE": _path(0, last, checkpoint.size),
        "STATES": states_path(last // WIDTH) if guide.states else "",
    }


def _keys(guide: Guide) -> tuple[list[str], list[str]]:
    """The verifier keys of log and witnesses, as the installation names them."""
    own = [line.strip() for line in guide.vkey.decode().splitlines() if line.strip()]
    try:
        policy = TrustPolicy.parse(guide.policy)
    except LedgerError:
        return own, []
    logs = [key.encode() for key in policy.keys]
    return list(dict.fromkeys([*logs, *own])), [key.encode() for key in policy.witness_keys]


def _path(level: int, idx: int, size: int) -> str:
    return Tile(level, idx // WIDTH, tile_width(level, idx // WIDTH, size)).path()


def _text(name: str) -> str:
    return files("infrastructure.ledger_guide").joinpath(name).read_text(encoding="utf-8")
