"""Looking things up: what anybody may ask costs the same however many checkpoints are kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from domain.errors import NotFound
from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.cosignature import WitnessSigningKey, add_signatures
from domain.ledger.held import Expected, Held, open_held
from domain.ledger.merkle import root_at
from domain.ledger.policy import TrustPolicy
from domain.ledger.tiles import TileReader
from infrastructure import ledger_lookup
from infrastructure.ledger_lookup import Lookup
from infrastructure.ledger_publisher import LedgerPublisher, Published
from tests.infrastructure.ledger_samples import KEY, TRUST, MemoryLatch, MemoryLog

WITNESS = WitnessSigningKey("jw.example/1", b"w" * 32)
WITNESSED = TrustPolicy.parse(
    f"log {KEY.verifier.encode()}\nwitness jw {WITNESS.verifier.encode()}\nquorum jw\n".encode()
)
SIZES = range(400, 601, 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A published log of 600 entries, every second checkpoint from 400 on kept."""
    folder = tmp_path / "ledger"
    LedgerPublisher(MemoryLog("n600"), MemoryLatch(), KEY, folder).publish_once()
    published = Published(folder)
    node = TileReader(published.read, 600)
    for size in SIZES:
        note = sign_checkpoint(Checkpoint(KEY.name, size, root_at(size, node)), KEY)
        published.kept.keep(note)
    return folder


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the checkpoints whose signatures were looked at."""
    names: list[str] = []

    def noted(held: Sequence[Held], policy: TrustPolicy, **options: Any) -> Expected:
        names.extend(one.name for one in held)
        return open_held(held, policy, **options)

    monkeypatch.setattr(ledger_lookup, "open_held", noted)
    return names


def root(folder: Path, size: int) -> bytes:
    return root_at(size, TileReader(Published(folder).read, 600))


def test_only_a_checkpoint_with_the_root_is_opened(folder: Path, opened: list[str]) -> None:
    found = Lookup(Published(folder), TRUST, None).hash(root(folder, 450))
    assert found.checkpoint is not None
    assert (found.kind, found.proved, found.checkpoint.size) == ("root", True, 450)
    assert opened == ["checkpoints/450"]
    with pytest.raises(NotFound):
        Lookup(Published(folder), TRUST, None).hash(b"\1" * 32)
    assert opened == ["checkpoints/450"]


def test_old_roots_are_found_by_who_asks_for_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_lookup, "ROOTS", 3)
    lookup = Lookup(Published(folder), TRUST, None)
    assert lookup.hash(root(folder, 596)).kind == "root"
    with pytest.raises(NotFound):
        lookup.hash(root(folder, 450))
    assert lookup.hash(root(folder, 450), whole=True).kind == "root"


def test_a_root_that_nobody_trusted_signed_is_none(folder: Path) -> None:
    stranger = TrustPolicy.of_keys([type(KEY)(KEY.name, b"o" * 32).verifier])
    with pytest.raises(NotFound):
        Lookup(Published(folder), stranger, None).hash(root(folder, 450))


def test_without_witnesses_none_of_the_kept_is_tried_for_theirs(folder: Path, opened: list[str]) -> None:
    assert Lookup(Published(folder), TRUST, None).entry(3).proved
    assert opened == ["receipt"]


def test_an_entry_is_told_under_the_smallest_checkpoint_of_the_quorum(
    folder: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Published(folder).kept
    for size in (420, 440):
        note = kept.note(size) or b""
        text = Checkpoint(KEY.name, size, root(folder, size)).text()
        (folder / "checkpoints" / str(size)).write_bytes(
            add_signatures(note, [WITNESS.cosign(text, 1_700_000_000)])
        )
    lookup = Lookup(Published(folder), WITNESSED, None)
    found = lookup.entry(410).checkpoint
    assert found is not None
    assert (found.size, found.quorum) == (420, True)
    monkeypatch.setattr(ledger_lookup, "TRIED", 3)
    opened.clear()
    assert lookup.entry(3).proved
    assert opened == ["receipt", "400", "402", "404"]
