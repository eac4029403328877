"""The entry: the public line that stands in the ledger for one stored event.

{"at":"2026-11-23T01:02:03.123456Z","idx":0,"prev":"","state":"<hex>","stream":"…","topic":"…","v":1,"ver":1}

Canonical JSON with exactly these keys. Entries are public and states are not: an entry carries the hash
of the state's bytes, which hold a random salt.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256

from domain.ledger.errors import ClockBehind, EntryMalformed, EntryTooLarge, PrevUnknown
from domain.ledger.merkle import leaf_hash

SIZE_LIMIT = 65_535
NUMBER_LIMIT = 2**53 - 1
CLOCK_TOLERANCE = timedelta(seconds=60)

_SECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[!-~]+")
_TEXT = r'(?:[!#-\[\]-~]|\\["\\])+'
_ENTRY = re.compile(
    rf'\{{"at":"([^"]{{27}})","idx":(0|[1-9]\d{{0,15}}),"prev":"([0-9a-f]{{64}}|)","state":"([0-9a-f]{{64}})",'
    rf'"stream":"({_TEXT})","topic":"({_TEXT})","v":1,"ver":([1-9]\d{{0,15}})\}}',
    re.ASCII,
)

Recorded = tuple[bytes, str, str, int]
"""What an entry is made for: (state bytes, stream, topic, version)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry's facts.

    `at`: when the store recorded the event, in UTC with six digits (`format_at`). `idx`: the position in
    the log, from 0 without gaps. `prev`: leaf hash (hex) of the stream's previous version, "" for its
    first. `state`: SHA-256 (hex) of the stored state's bytes. `stream`, `topic`: printable ASCII without
    spaces. `ver`: counts from 1.
    """

    at: str
    idx: int
    prev: str
    state: str
    stream: str
    topic: str
    ver: int

    def encode(self) -> bytes:
        """The canonical bytes. Raises EntryMalformed naming the field that cannot stand, or EntryTooLarge."""
        self._check()
        text = format_entry(self.at, self.idx, self.prev, self.state, self.stream, self.topic, self.ver)
        return _sized(text.encode("ascii"))

    def _check(self) -> None:
        sound = {
            "at": is_time(self.at),
            "idx": 0 <= self.idx <= NUMBER_LIMIT,
            "prev": self.prev == "" or bool(_HASH.fullmatch(self.prev)),
            "state": bool(_HASH.fullmatch(self.state)),
            "stream": bool(_NAME.fullmatch(self.stream)),
            "topic": bool(_NAME.fullmatch(self.topic)),
            "ver": 1 <= self.ver <= NUMBER_LIMIT,
        }
        for field, is_sound in sound.items():
            if not is_sound:
                raise EntryMalformed(field=field, value=str(getattr(self, field)))


def parse_entry(data: bytes) -> Entry:
    """Read an entry from its canonical bytes and from nothing else.

    Raises EntryTooLarge above 65,535 bytes, EntryMalformed for any other byte out of place.
    """
    match = _ENTRY.fullmatch(_ascii(_sized(data)))
    if not match:
        raise EntryMalformed(field="bytes", value="not canonical")
    at, idx, prev, state, stream, topic, ver = match.groups()
    entry = Entry(at, int(idx), prev, state, _unquote(stream), _unquote(topic), int(ver))
    entry._check()
    return entry


def format_entry(at: str, idx: int, prev: str, state: str, stream: str, topic: str, ver: int) -> str:
    """The canonical text of an entry, made fast: only stream and topic are checked.

    For callers whose other fields are sound already. Raises EntryMalformed for a stream or topic that is not
    printable ASCII without spaces.
    """
    return (
        f'{{"at":"{at}","idx":{idx},"prev":"{prev}","state":"{state}",'
        f'"stream":"{quote(stream)}","topic":"{_quote_topic(topic)}","v":1,"ver":{ver}}}'
    )


def chain(
    events: Iterable[Recorded], *, at: str, idx: int, prevs: MutableMapping[str, str]
) -> Iterator[tuple[bytes, bytes]]:
    """Make the entries of one append: (entry bytes, leaf hash) for each event, in order.

    `at` is `recorded_at`'s answer, `idx` the first free position. `prevs` holds the leaf hash (hex) of
    the last entry of each stream that goes on; it is brought forward as the entries are made. Raises
    PrevUnknown, EntryMalformed, EntryTooLarge.
    """
    for position, (state, stream, topic, ver) in enumerate(events, idx):
        prev = "" if ver == 1 else prevs.get(stream)
        if prev is None:
            raise PrevUnknown(stream=stream, ver=ver)
        text = format_entry(at, position, prev, sha256(state).hexdigest(), stream, topic, ver)
        entry = _sized(text.encode("ascii"))
        leaf = leaf_hash(entry)
        prevs[stream] = leaf.hex()
        yield entry, leaf


def format_at(moment: datetime) -> str:
    """A time as entries write it: UTC, six digits, `Z`. Raises EntryMalformed for a time without a zone."""
    if moment.utcoffset() is None:
        raise EntryMalformed(field="at", value=moment.isoformat())
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_at(at: str) -> datetime:
    """The UTC time that an entry's `at` says. Raises EntryMalformed for any other way of writing it."""
    if not is_time(at):
        raise EntryMalformed(field="at", value=at)
    return datetime.fromisoformat(at)


def recorded_at(now: datetime, last: str) -> str:
    """The `at` of what is recorded now, `last` being the log's last `at` ("" in an empty log): it never
    goes back.

    Raises ClockBehind if the clock lies more than 60 s before `last`: one leap of a clock into a far year
    must not stamp that year on all that follows.
    """
    at = format_at(now)
    if at >= last:
        return at
    behind = parse_at(last) - now
    if behind > CLOCK_TOLERANCE:
        raise ClockBehind(now=at, last=last, seconds=int(behind.total_seconds()))
    return last


def is_time(at: str) -> bool:
    """Whether the text is a time as entries write it, at a second that exists."""
    return at[26:] == "Z" and at[20:26].isdigit() and at.isascii() and _is_second(at[:20])


@lru_cache(maxsize=64)
def _is_second(text: str) -> bool:
    if not _SECOND.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text[:19])
    except ValueError:
        return False
    return True


def quote(name: str) -> str:
    """A stream's or topic's name as it stands between quotation marks. Raises EntryMalformed."""
    if not name or not name.isascii() or not name.isprintable() or " " in name:
        raise EntryMalformed(field="name", value=ascii(name))
    if "\\" in name or '"' in name:
        return name.replace("\\", "\\\\").replace('"', '\\"')
    return name


def are_plain(names: Collection[str]) -> bool:
    """Whether all names may stand in an entry, and stand there as they are; looked at together, for speed."""
    text = "".join(names)
    return all(names) and text.isascii() and text.isprintable() and not any(map(text.__contains__, ' "\\'))


_quote_topic = lru_cache(maxsize=1024)(quote)


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _ascii(data: bytes) -> str:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError as error:
        raise EntryMalformed(field="bytes", value="not ASCII") from error


def _sized(entry: bytes) -> bytes:
    if len(entry) > SIZE_LIMIT:
        raise EntryTooLarge(size=len(entry), limit=SIZE_LIMIT)
    return entry
