"""The stored bytes of every event, kept for ever.

    python -m tests.vectors_of_events

writes the vector files that are missing and adds their lines to SHA256SUMS; it never changes one that
is there. Before an event is released its file may be deleted, with its line, and written anew; after
that a changed event is a new class `…v2` with a file of its own.
"""

import json
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from eventsourcing.persistence import StoredEvent

from infrastructure.event_store.mapper import EventMapper
from tests.examples_of_events import examples

FOLDER: Final = Path(__file__).parent / "vectors" / "events"
SUMS: Final = FOLDER / "SHA256SUMS"
SALT: Final = bytes(range(16))


class FixedSalt:
    """Chance that always comes up with the same salt."""

    def id(self, kind: str) -> str:
        """Not needed to store an event."""
        raise NotImplementedError(kind)

    def token(self, size: int) -> bytes:
        """The salt."""
        assert size == len(SALT)
        return SALT


def mapper() -> EventMapper:
    """The real mapper, with the salt of the vectors."""
    return EventMapper(FixedSalt())


def write_vector(stored: StoredEvent) -> bytes:
    """A stored event as a file: sorted keys, the state as the exact text that is hashed."""
    fields = {
        "originator_id": stored.originator_id,
        "originator_version": stored.originator_version,
        "state": stored.state.decode(),
        "topic": stored.topic,
    }
    return (json.dumps(fields, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def read_vector(path: Path) -> StoredEvent:
    """The stored event of a file."""
    fields: Mapping[str, Any] = json.loads(path.read_bytes())
    return StoredEvent(
        originator_id=fields["originator_id"],
        originator_version=fields["originator_version"],
        topic=fields["topic"],
        state=fields["state"].encode(),
    )


def vector_path(topic: str) -> Path:
    """Where the vector of a topic is kept."""
    return FOLDER / f"{topic}.json"


def read_sums() -> dict[str, str]:
    """The SHA-256 of each vector file by name."""
    lines = SUMS.read_text().splitlines() if SUMS.exists() else []
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def write_missing() -> list[str]:
    """Write the vectors that are missing; the names of their files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    sums, written = read_sums(), []
    for topic, event in examples().items():
        path = vector_path(topic)
        if path.exists() or path.name in sums:
            continue
        content = write_vector(mapper().to_stored_event(event))
        path.write_bytes(content)
        sums[path.name] = sha256(content).hexdigest()
        written.append(path.name)
    SUMS.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))
    return written


if __name__ == "__main__":
    sys.stdout.writelines(f"{name}\n" for name in write_missing())
