"""A store that was set back behind what was published, with the published checkpoint removed."""

from pathlib import Path

import pytest

from domain.errors import LedgerDiverged
from domain.ledger.checkpoint import open_checkpoint
from infrastructure.ledger_publisher import LedgerPublisher, Published
from tests.infrastructure.ledger_samples import KEY, MemoryLatch, MemoryLog


@pytest.mark.parametrize(("then", "now", "told"), [(600, 599, 600), (600, 513, 600), (600, 250, 256)])
def test_a_store_set_back_signs_nothing_though_the_checkpoint_was_removed(
    tmp_path: Path, then: int, now: int, told: int
) -> None:
    log, latch, folder = MemoryLog("n600"), MemoryLatch(), tmp_path / "ledger"
    log.size = 200
    LedgerPublisher(log, latch, KEY, folder).publish_once()
    backup = latch.read()
    assert backup is not None
    log.size = then
    LedgerPublisher(log, latch, KEY, folder).publish_once()
    (folder / "checkpoint").unlink()
    log.size, old = now, MemoryLatch()
    old.swap(None, *backup)
    with pytest.raises(LedgerDiverged) as refusal:
        LedgerPublisher(log, old, KEY, folder).publish_once()
    assert (refusal.value.facts["reason"], refusal.value.facts["published"]) == ("store-behind", told)
    assert Published(folder).checkpoint() is None
    log.size = then
    checkpoint = LedgerPublisher(log, latch, KEY, folder).publish_once()
    note = Published(folder).checkpoint()
    assert note is not None
    assert (checkpoint, open_checkpoint(note, [KEY.verifier]).size) == (None, then)
