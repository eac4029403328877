"""What the application needs of the world, as protocols; `infrastructure/` implements them.

Everything a command writes beside its events travels in one `Append` and lands in the same transaction.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, BinaryIO, Protocol

import msgspec
from eventsourcing.persistence import ApplicationRecorder, StoredEvent

from application.recheck_ports import ClosingLog
from application.tables import Heading, Row, RowError, Template
from domain.aggregate import Claim, DomainEvent
from domain.inspector import Inspector
from domain.rulebook_data import Rulebook
from domain.site import Site


class Clock(Protocol):
    """The only source of the present."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        ...


class Chance(Protocol):
    """The only source of randomness."""

    def id(self, kind: str) -> str:
        """A fresh stream id: `kind-` and 32 hexadecimal digits."""
        ...

    def token(self, size: int) -> bytes:
        """`size` random bytes fit for secrets."""
        ...


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a command answered: the main aggregate, its version, the log position of its last event.

    `also` names other ids the caller needs, such as the assignments of a completed draw.
    """

    id: str
    version: int
    position: int
    also: dict[str, Any] = {}


class RetryKey(msgspec.Struct, frozen=True):
    """An Idempotency-Key of one account, with the SHA-256 of the request it belongs to."""

    account: str
    key: str
    request: str


class Remembered(msgspec.Struct, frozen=True):
    """The answer kept under a retry key."""

    request: str
    answer: Answer


class VaultWrite(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Personal data for the vault: `value` is a flat JSON object, `salt` 32 hex digits.

    `unique` (or "") is a key that must not occur twice among unerased rows, such as a certificate
    number; it is erased with the value. `retain_until` is a day.
    """

    person: str
    value: dict[str, str]
    salt: str
    unique: str = ""
    retain_until: date | None = None


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """A person whose value, salt and unique key the vault loses, for ever; the reference stays.

    `account` (or "") is one whose login name and password hash go with it.
    """

    person: str
    account: str = ""


class CredentialWrite(msgspec.Struct, frozen=True, kw_only=True):
    """Set an account's login name and password hash (argon2id); resets failed attempts and lock."""

    account: str
    login: str
    password_hash: str


class TokenWrite(msgspec.Struct, frozen=True, kw_only=True):
    """Keep a bearer token by its SHA-256; `revoked` ends it at once."""

    token: str
    account: str
    digest: str
    expires_at: datetime
    revoked: bool = False


class ClaimWrite(msgspec.Struct, frozen=True, gc=False):
    """A claim to take or release for a stream, in the order of the events that make it."""

    stream: str
    claim: Claim


class Quiet(msgspec.Struct, frozen=True):
    """A condition of an append: no event whose topic starts with one of `prefixes` after `since`.

    `since` is an `idx`; events up to and including it do not count.
    """

    since: int
    prefixes: tuple[str, ...]


class Append(msgspec.Struct, frozen=True, kw_only=True):
    """All that one transaction writes beside the events.

    Raised by the recorder, with nothing written: `ClaimTaken`, `RegistryMoved` (for `quiet`),
    `AnswerKept` (the retry key has an answer by now), `ClockBehind`, `StoreUnavailable`.
    """

    claims: Sequence[ClaimWrite] = ()
    retry: RetryKey | None = None
    answer: Answer | None = None
    vault: Sequence[VaultWrite] = ()
    erasures: Sequence[Erasure] = ()
    credentials: Sequence[CredentialWrite] = ()
    tokens: Sequence[TokenWrite] = ()
    quiet: Quiet | None = None


class AnswerKept(Exception):
    """The retry key was answered by another request in the meantime: read it with `Answers.find`."""


class Log(ApplicationRecorder):
    """The library's recorder of events, and the reading of many streams at once."""

    @abstractmethod
    def select_streams(self, streams: Sequence[str]) -> Sequence[StoredEvent]:
        """All events of some hundred streams, stream by stream, each by version."""

    @abstractmethod
    def locate(self, stream: str, ver: int) -> int | None:
        """The `idx` of a stream's version, or None."""


class Claims(Protocol):
    """Look-ups of claims that are held now."""

    def holder(self, kind: str, key: str) -> str | None:
        """The stream that holds the claim, or None."""
        ...

    def holders(self, kind: str, keys: Sequence[str]) -> Mapping[str, str]:
        """The streams that hold those of the keys that are held; any number of keys."""
        ...

    def keys(self, kind: str, prefix: str = "") -> Iterator[tuple[str, str]]:
        """All held (key, stream) of a kind whose key starts with `prefix`, in the order of keys."""
        ...

    def highest(self, kind: str) -> int:
        """The highest key of a kind whose keys are decimal integers; 0 where none is held."""
        ...


class Answers(Protocol):
    """Answers kept for safe retries."""

    def find(self, account: str, key: str) -> Remembered | None:
        """The answer kept under the key, or None."""
        ...


class Blobs(Protocol):
    """Content-addressed files. A blob is on disk, fsynced, before the event that names it."""

    def put(self, content: bytes | BinaryIO, *, limit: int | None = None) -> str:
        """Keep the content; its lower-case hex SHA-256. `BlobTooLarge` beyond the limit in bytes."""
        ...

    def read(self, digest: str) -> bytes:
        """The content, checked against the digest; `NotFound` or `BlobDamaged`."""
        ...

    def open(self, digest: str) -> BinaryIO:
        """The content as a stream (the caller closes it); `NotFound`."""
        ...

    def has(self, digest: str) -> bool:
        """Whether the content is kept."""
        ...

    def remove(self, digest: str) -> bool:
        """Let the content go for ever; whether it was there."""
        ...


class WorkingDays(Protocol):
    """The State Council's calendar of working days with make-up days."""

    @property
    def version(self) -> str:
        """Which notices the calendar holds; kept with every deadline."""
        ...

    def is_working_day(self, day: date) -> bool:
        """Whether `day` is worked in mainland China; `CalendarMissing` for a year without notice."""
        ...


class SiteRow(msgspec.Struct, frozen=True, kw_only=True):
    """A site as the registries' projection has it, for a frame."""

    id: str
    uscc: str
    region: str
    stratum: str
    needs: tuple[str, ...]
    credit: str
    status: str


class InspectorRow(msgspec.Struct, frozen=True, kw_only=True):
    """An inspector as the registries' projection has it, for a pool."""

    id: str
    kind: str
    areas: tuple[str, ...]
    skills: tuple[str, ...]
    lead: bool
    certificate_from: str
    certificate_to: str
    certificate_areas: tuple[str, ...]
    relations: tuple[tuple[str, str], ...]
    status: str


class RegistrySnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The registries of some regions as they stood at log position `as_of` (an `idx`)."""

    as_of: int
    sites: Sequence[SiteRow]
    inspectors: Sequence[InspectorRow]


class Enterprise(msgspec.Struct, frozen=True):
    """Whose a site is, and where."""

    uscc: str
    region: str


class Registries(Protocol):
    """The registries as one consistent reading."""

    def snapshot(self, areas: Sequence[str]) -> RegistrySnapshot:
        """Sites and inspectors of the areas, read in one transaction with their position.

        Waits until the projection has reached the head of the log; `ProjectionBehind` if it does not.
        """
        ...

    def enterprises(self, sites: Sequence[str]) -> Mapping[str, Enterprise]:
        """Whose the sites are, listed or removed; any number of sites."""
        ...


class RegistryChange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event of a site's or an inspector's stream, `event`, recorded at `at` (UTC) at position `idx`.

    `before` is the site or inspector as its earlier events made it; None for the first.
    """

    idx: int
    at: datetime
    event: DomainEvent
    before: Site | Inspector | None


class RegistryLog(ClosingLog, Protocol):
    """The registries' events themselves, read from the log: what no read model can hide or invent."""

    def position_before(self, moment: datetime) -> int:
        """The last position recorded before the moment, -1 if there is none."""
        ...

    def changes(self, since: int, until: int) -> Iterator[RegistryChange]:
        """The events of sites and inspectors after `since`, up to and including `until`, in their order.

        Page by page: memory does not grow with their number.
        """
        ...

    def sites(self, as_of: int) -> Iterator[SiteRow]:
        """Every site as its events up to `as_of` make it, removed ones with their status, by id.

        Page by page; takes the time of reading all events of all sites.
        """
        ...

    def inspectors(self, as_of: int) -> Iterator[InspectorRow]:
        """Every inspector as its events up to `as_of` make it, by id."""
        ...

    def claims(self, as_of: int, prefixes: Sequence[str]) -> Iterator[Claim]:
        """What events up to `as_of` whose topics start with one of the prefixes claim, in their order."""
        ...

    def moved(self, since: int, prefixes: Sequence[str]) -> bool:
        """Whether an event whose topic starts with one of the prefixes came after the position."""
        ...


class Rulebooks(Protocol):
    """The rulebooks adopted in the log."""

    def in_force(self, day: date) -> Rulebook:
        """The rulebook of the day; `RulebookMissing` if none is adopted for it."""
        ...


class Ledger(Protocol):
    """The published ledger."""

    @property
    def origin(self) -> str:
        """The log's name."""
        ...

    def publish(self, idx: int) -> None:
        """Publish a checkpoint that covers the event, and wait for the quorum of witnesses where one is set.

        `NotWitnessed` if it has not cosigned in time: the event stands, and the next call asks again.
        """
        ...

    def receipt(self, idx: int) -> bytes:
        """The proof of one event (`.tlog-proof`), under a checkpoint of the quorum if there is one.

        `ReceiptAhead` while no checkpoint covers the event, `NotFound` without it.
        """
        ...

    def witnessed_receipt(self, idx: int) -> bytes:
        """The proof of one event under a checkpoint that the trust policy accepts: what is worth keeping.

        `NotWitnessed` while the quorum has not cosigned one that covers the event, and what `receipt` raises.
        """
        ...

    def check_receipt(self, receipt: bytes, stream: str, version: int) -> None:
        """`ReceiptWrong` unless it proves this event under a checkpoint that the trust policy accepts."""
        ...


class Table(Protocol):
    """A file's table under its heading; iterate it once for the rows, blank ones are left out."""

    @property
    def heading(self) -> Heading:
        """Where the template's columns stand."""
        ...

    @property
    def errors(self) -> Sequence[RowError]:
        """What is wrong with the heading."""
        ...

    @property
    def unknown(self) -> Sequence[str]:
        """Titles that are not the template's; their columns are not read."""
        ...

    @property
    def total(self) -> int:
        """How many rows there are at most."""
        ...

    def __iter__(self) -> Iterator[Row]:
        """The rows; `SpreadsheetRefused` where the file breaks off or is too long."""
        ...


class ReadTable(Protocol):
    """Reading of a filled-in template from the bytes of a file (XLSX, CSV)."""

    def __call__(self, source: bytes, template: Template, *, sheet: str | None = None) -> Table:
        """Open the file; `sheet` names one if it is not the template's. `SpreadsheetRefused`."""
        ...
