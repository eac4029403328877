"""What an auditor does with a ledger: check it, take it out, look something up. Needs no secret key.

Works from the store and the published files; whom to trust is named by whoever asks.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cryptography.x509 import Certificate

from application.ports import Clock
from application.workflow import Workflow
from domain.ledger.finding import Findings
from domain.ledger.held import TokenReader
from domain.ledger.note import VerifierKey
from domain.ledger.policy import TrustPolicy
from domain.ledger.verify import Report
from infrastructure.blobs import FolderBlobs
from infrastructure.chance import SystemChance
from infrastructure.database import Store, open_store
from infrastructure.event_store.mapper import EventMapper
from infrastructure.held_checkpoints import brought_checkpoints
from infrastructure.ledger_check import Trust, read_charter, verify_store
from infrastructure.ledger_export import LedgerExport, States
from infrastructure.ledger_files import Published
from infrastructure.ledger_lookup import Lookup
from infrastructure.ledger_progress import Nowhere, ProgressFile
from infrastructure.replay_check.beside import check_claims
from infrastructure.replay_check.check import check_replay
from infrastructure.sealed_streams import SealedStreams, sealed_streams
from infrastructure.settings import Settings
from infrastructure.timestamps import load_certificates, read_token
from infrastructure.trust import Trust as LogTrust
from infrastructure.trust import load_policy

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Audit:
    """The auditor's tools of one installation."""

    settings: Settings
    clock: Clock

    def own_policy(self, key: str) -> TrustPolicy:
        """The installation's own: this verifier key, the earlier ones that the log names, its witnesses.

        Raises `TrustPolicyWrong`.
        """
        written = load_policy(self.settings.policy_file, needed=self.settings.trust_policy_file is not None)
        with self._store() as store:
            head = store.recorder.head()
            terms = read_charter(store, 0 if head is None else head + 1).terms
        former = [VerifierKey.parse(term.key) for term in terms if term.key != key]
        return LogTrust(VerifierKey.parse(key), written, former=former).policy()

    def token_reader(self, certificates: Path | None) -> TokenReader | None:
        """Reads time-stamps that lead to the certificates in a PEM file; without one, None.

        Raises `CertificateUnusable`.
        """
        if certificates is None:
            return None
        roots = load_certificates(certificates)
        return partial(_read_token, roots)

    def check(
        self,
        policy: TrustPolicy,
        progress: Progress | None = None,
        *,
        brought: Sequence[Path] = (),
        certificates: Path | None = None,
        acknowledged: Collection[int] = (),
        resume: Path | None = None,
    ) -> Report:
        """Check the live store and what was published of it. `brought` are checkpoints held elsewhere.

        With `resume` the progress is kept in that file, and a check that was interrupted goes on from it.
        """
        trust = Trust(
            policy=policy,
            held=tuple(brought_checkpoints(brought)),
            read_token=self.token_reader(certificates or self.settings.tsa_certificate),
            acknowledged=frozenset(acknowledged),
            now=self.clock.now(),
        )
        keeper = ProgressFile(resume, service=self.settings.data_dir) if resume else Nowhere()
        with self._store() as store:
            return verify_store(store, self.settings.ledger_dir, trust, progress, keeper=keeper)

    def export(self) -> LedgerExport:
        """The files of an export of what is published now; `NotFound` before the first checkpoint."""
        file = self.settings.tsa_certificate
        certificates = file.read_bytes() if file is not None and file.is_file() else b""
        return LedgerExport(self.published(), certificates=certificates)

    def lookup(
        self, policy: TrustPolicy, certificates: Path | None = None, folder: Path | None = None
    ) -> Lookup:
        """Looks up receipts, positions and hashes in what is published, or in an exported folder."""
        reader = self.token_reader(certificates or self.settings.tsa_certificate)
        return Lookup(self.published() if folder is None else Published(folder), policy, reader)

    def published(self) -> Published:
        """The ledger as it is published."""
        return Published(self.settings.ledger_dir)

    def check_replay(self, progress: Progress | None = None) -> Findings:
        """Whether replaying the log gives all that the live store holds; `check_replay` lists the findings.

        Raises `StoreUnavailable`.
        """
        blobs = FolderBlobs(self.settings.blobs_dir)
        with self._store() as store:
            mapper = EventMapper(SystemChance())
            return check_replay(store, mapper, blobs, log=self.settings.origin, progress=progress)

    def check_claims(self) -> Findings:
        """Whether the claims are those that the events give; the quick part of `check_replay`."""
        with self._store() as store:
            return check_claims(store, EventMapper(SystemChance()), lambda done: None)

    @contextmanager
    def _store(self) -> Iterator[Store]:
        with closing(open_store(self.settings.store_url, clock=self.clock)) as store:
            yield store


def sealed_now(store: Store) -> SealedStreams:
    """The draws of a store that are not opened, and the streams that tell their results."""
    mapper = EventMapper(SystemChance())
    workflow = Workflow(recorder=store.recorder, mapper=mapper, answers=store.answers)
    try:
        return sealed_streams(workflow, store.recorder)
    finally:
        workflow.close()


def states_of(store: Store, told: SealedStreams, *, with_sealed: bool) -> States:
    """The states of a store for an export whose end is fixed; call it only then.

    What tells sealed results is left out unless asked for. What was sealed since `told`, by which the export
    was allowed and recorded, is left out in any case.
    """
    now = sealed_now(store)
    withheld = now.streams - told.streams if with_sealed else now.streams | told.streams
    return States(recorder=store.recorder, withheld=withheld)


def _read_token(roots: Sequence[Certificate], token: bytes, text: bytes) -> int:
    return read_token(token, text, roots)
