"""What people outside say of our checkpoints: witnesses cosign them, an authority time-stamps them.

Before the first signature of a process every witness is asked what it holds. Later they are asked now and
then, and at once for a draw's seal, each in a thread of its own: a slow one holds up nobody.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, Queue
from threading import Lock, Thread
from typing import Final, NamedTuple

import structlog

from domain.errors import DomainError, LedgerDiverged, NotFound, NotWitnessed
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.errors import LedgerError
from domain.ledger.note import Note
from domain.ledger.policy import NONE
from infrastructure.courier import SECONDS
from infrastructure.kept_checkpoints import size_of
from infrastructure.ledger_files import LedgerFolder
from infrastructure.timestamps import TimestampAuthority, TimestampRefused, read_token
from infrastructure.trust import Trust
from infrastructure.witnesses import AHEAD, HOLDS, Verdict, WitnessClient

_log = structlog.get_logger(__name__)
_WITNESSES: Final = "witnesses-asked"
_AUTHORITY: Final = "authority-asked"


@dataclass(frozen=True)
class Pace:
    """How often is asked, and how long a draw's seal waits for the quorum; all in seconds."""

    witnesses: float = 60.0
    authority: float = 3600.0
    quorum: float = 10.0


class Attested(NamedTuple):
    """What outsiders said of a checkpoint with this root: who cosigned it when, when it was time-stamped
    (both in seconds since 1970), and whether that makes up the quorum.
    """

    root: bytes
    cosigned: Mapping[str, int]
    stamped: int | None
    quorum: bool


@dataclass
class _Told:
    """What is known of the witnesses since the start, by name."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    asked: bool = False


class Attestation:
    """Asks about the checkpoints in one ledger's folder and keeps what is answered.

    Threads may share it; `told` is what each witness said last, `stamping` why the last time-stamp was
    refused, or "".
    """

    def __init__(
        self,
        trust: Trust,
        files: LedgerFolder,
        witnesses: Sequence[WitnessClient] = (),
        authority: TimestampAuthority | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._trust, self._files, self._witnesses = trust, files, tuple(witnesses)
        self._authority, self._pace = authority, pace or Pace()
        self._known, self._lock = _Told(), Lock()
        self._asking: set[Thread] = set()
        self._round: Thread | None = None
        self.stamping = ""

    @property
    def told(self) -> Mapping[str, Verdict]:
        """What each witness that was asked said last, by its name in the policy."""
        with self._lock:
            return dict(self._known.verdicts)

    def is_settled(self, given_up: int) -> bool:
        """Whether all were asked since the start, the quorum has told what it holds, and none contradicts.

        What a witness holds up to the size `given_up` contradicts nothing.
        """
        with self._lock:
            contradicted = any(one.contradicts(given_up) for one in self._known.verdicts.values())
            return (self._known.asked and not contradicted and self._is_known()) or not self._witnesses

    def settle(self, note: bytes, given_up: int) -> None:
        """Ask about the last signed checkpoint, and wait for all, ten seconds at the most.

        The first time every witness, later those that contradict or have not told what they hold.
        """
        with self._lock:
            asked, said = self._known.asked, dict(self._known.verdicts)
        open_ones = [
            one
            for one in self._witnesses
            if not asked
            or (found := said.get(one.name)) is None
            or not found.answered
            or found.contradicts(given_up)
        ]
        # What is cosigned now may be old: kept, it would seem to prove that nothing more was stored by now.
        self._ask(note, open_ones, SECONDS, lambda: False, keep=False)
        with self._lock:
            self._known.asked = True

    def check(self, size: int, given_up: int) -> None:
        """Refuse while a witness holds more than what was signed (`size`), or another history.

        What it holds up to the size `given_up` belongs to what two people gave up: it says nothing more of
        us, and whether that witness goes on is for its keeper to decide. `LedgerDiverged` (witness-ahead,
        witness-differs), `NotWitnessed` while the quorum has not told what it holds since the start.
        """
        for one in self.told.values():
            outrun = one.state == AHEAD and one.held <= size
            if one.contradicts(given_up) and not outrun:
                reason = "witness-ahead" if one.state == AHEAD else "witness-differs"
                raise LedgerDiverged(
                    reason=reason, size=size, published=one.held, root="", witness=one.witness
                )
        with self._lock:
            known, answered = self._is_known() or not self._witnesses, set(self._known.answered)
        if not known:
            raise self._missing(size, answered)

    def attest(self, idx: int) -> None:
        """Have a checkpoint that covers the event cosigned by the quorum, now; `NotWitnessed`.

        Returns at once where there is such a checkpoint already, or no quorum is asked for: then whoever
        answers is kept all the same.
        """
        policy, note = self._trust.policy(), self._files.checkpoint()
        if note is None or size_of(note) <= idx:
            raise NotWitnessed(size=idx + 1, quorum=policy.quorum, cosigned=[], missing=[])
        if self._is_witnessed(self._files.kept.witnessed(), idx):
            return
        kept = self._files.kept.keep(note)
        self._stamp_beside(kept)
        size = size_of(note)
        self._ask(kept, self._witnesses, self._pace.quorum, lambda: self._is_met(size))
        if not self._is_met(size):
            raise self._missing(size, set(policy.cosigners(self._files.kept.note(size) or kept)))

    def tell(self, size: int) -> Attested:
        """What outsiders said of a kept checkpoint, by the present trust policy. `NotFound`.

        What is damaged or does not verify counts as nothing: it is the verifier who names it.
        """
        note = self._files.kept.note(size)
        if note is None:
            raise NotFound(kind="checkpoint", id=str(size))
        try:
            root = Checkpoint.parse(Note.parse(note).text).root
            cosigned = self._trust.written.cosigners(note)
        except LedgerError:
            return Attested(b"", {}, None, quorum=False)
        return Attested(root, cosigned, self._stamped(note), self._is_witnessed(note, size - 1))

    def tick(self) -> None:
        """Begin a round of asking in a thread of its own, if it is time and none is under way."""
        if (self._witnesses or self._authority) and not (self._round and self._round.is_alive()):
            self._round = self._begin(self.ask_all)

    def ask_all(self) -> None:
        """Ask about the newest published checkpoint whoever has not cosigned it, if the pace allows it."""
        note = self._files.checkpoint()
        if note is None:
            return
        size = size_of(note)
        standing = self._files.kept.note(size) or note
        missing = self._not_cosigned(standing)
        if missing and self._files.kept.take_turn(_WITNESSES, self._pace.witnesses):
            self._ask(standing, missing, SECONDS, lambda: False)
            if any(one.contradicts(0) for one in self.told.values()):
                # Others who share the folder must learn it soon, and from the witness itself.
                self._files.kept.give_back(_WITNESSES)
        if (
            self._authority
            and self._files.kept.token(size) is None
            and self._files.kept.take_turn(_AUTHORITY, self._authority_pace)
        ):
            self._stamp(standing)

    def close(self) -> None:
        """Wait for what is under way, which is bounded, and close the connections."""
        with self._lock:
            asking = list(self._asking)
        for thread in asking:
            thread.join(2 * SECONDS)
        for one in self._witnesses:
            one.close()
        if self._authority:
            self._authority.close()

    @property
    def _authority_pace(self) -> float:
        """A refused time-stamp is tried again as often as witnesses are asked."""
        return min(self._pace.witnesses, self._pace.authority) if self.stamping else self._pace.authority

    def _is_known(self) -> bool:
        policy = self._trust.written
        return policy.quorum == NONE or policy.is_met(self._known.answered)

    def _is_witnessed(self, note: bytes | None, idx: int) -> bool:
        """Whether a checkpoint covers the event and the present policy accepts it."""
        try:
            return note is not None and self._trust.policy().open(note).checkpoint.size > idx
        except LedgerError:
            return False

    def _is_met(self, size: int) -> bool:
        note = self._files.kept.note(size)
        return self._is_witnessed(note, size - 1)

    def _not_cosigned(self, note: bytes) -> list[WitnessClient]:
        cosigned = self._trust.written.cosigners(note)
        return [one for one in self._witnesses if one.name not in cosigned]

    def _missing(self, size: int, cosigned: set[str]) -> NotWitnessed:
        names = [one.name for one in self._trust.written.witnesses]
        return NotWitnessed(
            size=size,
            quorum=self._trust.written.quorum,
            cosigned=[name for name in names if name in cosigned],
            missing=[name for name in names if name not in cosigned],
        )

    def _ask(
        self,
        note: bytes,
        asked: Sequence[WitnessClient],
        seconds: float,
        enough: Callable[[], bool],
        *,
        keep: bool = True,
    ) -> None:
        """Ask them side by side until it is enough; who answers later is kept all the same."""
        done: Queue[None] = Queue()
        for one in asked:
            self._begin(partial(self._ask_one, one, note, keep), done)
        end = time.monotonic() + seconds
        for _ in asked:
            if enough():
                return
            try:
                done.get(timeout=max(0.0, end - time.monotonic()))
            except Empty:
                return

    def _ask_one(self, witness: WitnessClient, note: bytes, keep: bool) -> None:
        verdict = witness.submit(note, self._files.read)
        if verdict.signature is None or not verdict.size or not keep:
            self._take(verdict)
            return
        kept = self._files.kept.keep(note, [verdict.signature])
        if self._trust.policy().is_met(self._trust.written.cosigners(kept)):
            self._files.kept.show_witnessed(kept)
        self._take(verdict)
        self._files.show_signatures(kept)

    def _take(self, verdict: Verdict) -> None:
        with self._lock:
            before = self._known.verdicts.get(verdict.witness)
            self._known.verdicts[verdict.witness] = verdict
            if verdict.answered:
                self._known.answered.add(verdict.witness)
        if before is None or before.state != verdict.state:
            tell = _log.info if verdict.signature or verdict.state == HOLDS else _log.warning
            said = {"witness": verdict.witness, "state": verdict.state, "reason": verdict.reason}
            tell("ledger.witness", **said, size=verdict.size, held=verdict.held)

    def _stamped(self, note: bytes) -> int | None:
        token = self._files.kept.token(size_of(note))
        if token is None or self._authority is None:
            return None
        try:
            return read_token(token, Note.parse(note).text.encode(), self._authority.certificates)
        except LedgerError:
            return None

    def _stamp_beside(self, note: bytes) -> None:
        if self._authority and self._files.kept.token(size_of(note)) is None:
            self._begin(partial(self._stamp, note))

    def _stamp(self, note: bytes) -> None:
        """Have a checkpoint time-stamped; what stands in the way is told, and tried again another time."""
        if self._authority is None:
            return
        try:
            token = self._authority.stamp(Note.parse(note).text)
        except TimestampRefused as error:
            self.stamping = error.reason
            said = {"reason": error.reason, "detail": error.detail}
            _log.warning("ledger.not-time-stamped", size=size_of(note), **said)
            return
        self.stamping = ""
        self._files.kept.keep_token(note, token)

    def _begin(self, work: Callable[[], None], done: "Queue[None] | None" = None) -> Thread:
        def run() -> None:
            try:
                work()
            except DomainError as error:
                _log.error("ledger.not-kept", code=error.code, **error.facts)
            except Exception as error:  # noqa: BLE001 (a thread of its own: nobody else would say it)
                _log.error("ledger.not-kept", exc_info=error)
            finally:
                with self._lock:
                    self._asking.discard(thread)
                if done is not None:
                    done.put(None)

        thread = Thread(target=run, name="attestation", daemon=True)
        with self._lock:
            self._asking.add(thread)
        thread.start()
        return thread
