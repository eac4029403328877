"""A publisher with witnesses and a charter, all in one place for a test to meddle with."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from domain.ledger.checkpoint import Checkpoint, open_checkpoint
from domain.ledger.note import SigningKey, VerifierKey
from domain.ledger.policy import TrustPolicy
from infrastructure.attestation import Attestation, Pace
from infrastructure.charter import Charter, Resumed
from infrastructure.courier import Courier
from infrastructure.ledger_files import LedgerFolder
from infrastructure.ledger_publisher import LedgerPublisher, Published
from infrastructure.timestamps import TimestampAuthority
from infrastructure.trust import Trust
from infrastructure.witnesses import WitnessClient
from tests.fakes import FakeClock
from tests.infrastructure.ledger_samples import KEY, MemoryLatch, MemoryLog
from tests.infrastructure.outsiders import KeptWitness, Outsider, policy_text

QUICK = Pace(witnesses=0.05, authority=0.05, quorum=1.0)


class WrittenCharter:
    """A charter that a test writes."""

    def __init__(self) -> None:
        self.charter = Charter(KEY.verifier.encode(), (), ())

    def read(self) -> Charter | None:
        """What the test wrote."""
        return self.charter

    def give_up(self, size: int, root: bytes) -> None:
        """Two people gave up what was published."""
        resumed = (*self.charter.resumed, Resumed(size, root.hex(), 0))
        self.charter = self.charter._replace(resumed=resumed)

    def change_key(self, key: SigningKey) -> None:
        """Another key signs from now on."""
        line = key.verifier.encode()
        self.charter = Charter(line, (*self.charter.former, self.charter.key), self.charter.resumed)


class Office:
    """A log, its latch and folder, and the witnesses of its policy; each `open` is another process."""

    def __init__(
        self, folder: Path, witnesses: Sequence[KeptWitness], servers: Sequence[Outsider], quorum: str
    ) -> None:
        self.folder, self.files = folder, Published(folder)
        self.log, self.latch, self.charter = MemoryLog("n600"), MemoryLatch(), WrittenCharter()
        self.witnesses, self.servers = witnesses, servers
        urls = dict(zip(witnesses, (server.url for server in servers), strict=True))
        self.policy = TrustPolicy.parse(policy_text(urls, quorum).encode())

    def open(
        self,
        key: SigningKey = KEY,
        *,
        beside: Sequence[SigningKey] = (),
        authority: TimestampAuthority | None = None,
        pace: Pace = QUICK,
        patience: float = 1.0,
    ) -> LedgerPublisher:
        """A publisher as a new process would have it."""
        trust = Trust(key.verifier, self.policy, self.charter)
        clients = [
            WitnessClient(one, Courier(f"{one.url}/add-checkpoint", seconds=patience), witness.clock)
            for one, witness in zip(self.policy.witnesses, self.witnesses, strict=True)
        ]
        attestation = Attestation(trust, LedgerFolder(self.folder), clients, authority, pace)
        folder, log, latch = self.folder, self.log, self.latch
        return LedgerPublisher(log, latch, key, folder, trust=trust, beside=beside, attestation=attestation)

    def trusted(self) -> TrustPolicy:
        """The trust policy as it stands now."""
        return Trust(KEY.verifier, self.policy, self.charter).policy()

    def published(self) -> Checkpoint:
        """The checkpoint that is shown."""
        note = self.files.checkpoint()
        assert note is not None
        charter = self.charter.charter
        keys = [VerifierKey.parse(line) for line in (charter.key, *charter.former)]
        return open_checkpoint(note, keys)

    def require_one_root_of_each_size(self) -> None:
        """No witness was ever shown two roots of one size."""
        for one in self.witnesses:
            assert {size: len(roots) for size, roots in one.seen.items() if len(roots) > 1} == {}


@contextmanager
def office(folder: Path, clock: FakeClock, *, count: int = 1, quorum: str = "") -> Iterator[Office]:
    """An office with so many witnesses behind HTTP."""
    witnesses = [KeptWitness(f"witness.example/{number}", clock) for number in range(1, count + 1)]
    with ExitStack() as stack:
        servers = [Outsider(one.answer) for one in witnesses]
        for server in servers:
            stack.callback(server.close)
        yield Office(folder, witnesses, servers, quorum)
