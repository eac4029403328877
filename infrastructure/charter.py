"""The charter of a log: which key signs it, which keys did before, and what was given up of the published.

Read from the events of the installation alone, so that whoever has the log can read it too.
"""

from threading import Lock
from typing import Final, NamedTuple, cast

from application.ports import Claims, Log
from application.workflow import Workflow
from domain.aggregate import DomainEvent
from domain.errors import StoreUnavailable
from domain.installation import Installation


class Resumed(NamedTuple):
    """A published checkpoint (root in hex) that two people gave up, and the position of their event."""

    size: int
    root: str
    idx: int


class Charter(NamedTuple):
    """The verifier key that signs now, the earlier ones from the first on, and all that was given up."""

    key: str
    former: tuple[str, ...]
    resumed: tuple[Resumed, ...]


_CLAIM: Final = ("installation", "1")


class CharterReader:
    """Reads the charter again and again, each time only the events that are new. Threads may share it."""

    def __init__(self, workflow: Workflow, claims: Claims) -> None:
        self._log, self._mapper, self._claims = cast(Log, workflow.recorder), workflow.mapper, claims
        self._lock = Lock()
        self._stream: str | None = None
        self._version = 0
        self._charter = Charter("", (), ())

    def read(self) -> Charter | None:
        """The charter as the store has it now; None before the log is founded. `StoreUnavailable`."""
        with self._lock:
            self._stream = self._stream or self._claims.holder(*_CLAIM)
            if self._stream is None:
                return None
            for stored in self._log.select_events(self._stream, gt=self._version):
                self._take(cast(DomainEvent, self._mapper.to_domain_event(stored)))
            return self._charter

    def _take(self, event: DomainEvent) -> None:
        match event:
            case Installation.Founded(verifier_key=key):
                self._charter = Charter(key, (), ())
            case Installation.KeyChanged(verifier_key=key, former=former):
                self._charter = self._charter._replace(key=key, former=(*self._charter.former, former))
            case Installation.Resumed(size=size, root=root):
                given_up = Resumed(size, root, self._position(event))
                self._charter = self._charter._replace(resumed=(*self._charter.resumed, given_up))
        self._version = event.originator_version

    def _position(self, event: DomainEvent) -> int:
        idx = self._log.locate(event.originator_id, event.originator_version)
        if idx is None:
            raise StoreUnavailable(reason="io-error", detail="an event without its position")
        return idx
