"""The real publisher before the real witness, over HTTP: a restored log and a second story are stopped."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.errors import LedgerDiverged
from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.note import Note
from domain.ledger.policy import TrustedLog, TrustedWitness, TrustPolicy
from domain.ledger.submission import Submission
from infrastructure.attestation import Attestation
from infrastructure.courier import Courier
from infrastructure.ledger_files import LedgerFolder
from infrastructure.ledger_publisher import LedgerPublisher
from infrastructure.trust import Trust
from infrastructure.witness_evidence import Kind
from infrastructure.witnesses import WitnessClient
from tests.infrastructure.ledger_samples import KEY, MemoryLatch, MemoryLog
from tests.infrastructure.witness_samples import WITNESS
from tests.witness_serving import Served, serving


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "state") as one:
        one.witness.logs = {KEY.name: (KEY.verifier,)}
        yield one


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog("n600")


def publisher(served: Served, log: MemoryLog, latch: MemoryLatch, folder: Path) -> LedgerPublisher:
    """A publisher that starts now, with our witness as its quorum."""
    trusted = TrustedWitness("jw", WITNESS.verifier, f"http://127.0.0.1:{served.port}")
    policy = TrustPolicy((TrustedLog(KEY.verifier),), (trusted,), quorum="jw")
    trust = Trust(KEY.verifier, policy)
    client = WitnessClient(trusted, Courier(f"{trusted.url}/add-checkpoint"), served.clock)
    attestation = Attestation(trust, LedgerFolder(folder), [client])
    return LedgerPublisher(log, latch, KEY, folder, trust=trust, attestation=attestation)


def held(served: Served) -> int:
    found = served.witness.state.held(KEY.name)
    return found.checkpoint.size if found else 0


def test_a_growing_log_is_witnessed(served: Served, log: MemoryLog, tmp_path: Path) -> None:
    latch, folder = MemoryLatch(), tmp_path / "ledger"
    for size in (1, 255, 256, 257, 600):
        log.size = size
        one = publisher(served, log, latch, folder)
        one.publish_witnessed(size - 1)
        one.close()
        assert held(served) == size
        note = LedgerFolder(folder).kept.note(size)
        assert note is not None
        assert [line.name for line in Note.parse(note).signatures] == [KEY.name, WITNESS.name]
        served.clock.advance(minutes=2)
    assert list(served.witness.evidence.all()) == []


def test_a_restored_log_and_ledger_are_stopped_by_the_witness_alone(
    served: Served, log: MemoryLog, tmp_path: Path
) -> None:
    log.size = 600
    whole = publisher(served, log, MemoryLatch(), tmp_path / "ledger")
    whole.publish_witnessed(599)
    whole.close()
    log.size = 300
    latch, folder = MemoryLatch(), tmp_path / "restored"
    before = LedgerPublisher(log, latch, KEY, folder)
    before.publish_once()
    one = publisher(served, log, latch, folder)
    log.size = 400
    with pytest.raises(LedgerDiverged) as refusal:
        one.publish_once()
    one.close()
    assert refusal.value.facts["reason"] == "witness-ahead"
    assert held(served) == 600
    assert [found.kind for _, found in served.witness.evidence.all()] == [Kind.ROLLBACK]


def test_another_story_of_the_same_size_is_stopped_and_convicts(
    served: Served, log: MemoryLog, tmp_path: Path
) -> None:
    log.size = 600
    one = publisher(served, log, MemoryLatch(), tmp_path / "ledger")
    one.publish_witnessed(599)
    one.close()
    log.kept[7] = log.kept[8]._replace(idx=7)
    forged = publisher(served, log, MemoryLatch(), tmp_path / "forged")
    with pytest.raises(LedgerDiverged):
        forged.publish_witnessed(599)
    forged.close()
    assert held(served) == 600


def test_what_is_signed_twice_is_kept(served: Served, log: MemoryLog, tmp_path: Path) -> None:
    log.size = 600
    one = publisher(served, log, MemoryLatch(), tmp_path / "ledger")
    one.publish_witnessed(599)
    one.close()
    lie = sign_checkpoint(Checkpoint(KEY.name, 600, bytes(32)), KEY)
    assert served.submit(Submission(600, (), lie).encode()).status == 409
    ((_, found),) = served.witness.evidence.all()
    assert found.kind is Kind.TWO_ROOTS
    assert found.submitted == lie.decode()
