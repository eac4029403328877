"""What every kind of import shares: reading a row's cells, noting what is wrong and what would change."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, cast

import msgspec

from application.authorisation import may
from application.office import Office
from application.ports import VaultWrite
from application.tables import Heading, Row, RowError, Value, cell_error
from application.terms import Terms, Vocabulary, region_names, terms_of
from application.workflow import Call
from domain.act import CHINA
from domain.aggregate import Aggregate
from domain.errors import DomainError
from domain.identifiers import covers
from domain.rulebook_data import Rulebook
from domain.values import Provenance

LISTED: Final = 1000
PERMISSION: Final = "import.run"
_TAKEN: Final = frozenset({"key", "code", "value", "number", "heading", "title"})


class FieldChange(msgspec.Struct, frozen=True):
    """What a row would change in a field: the column's key, what is there, what would be."""

    field: str
    old: str
    new: str


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A row about something that is there already and would change: its natural key and its stream."""

    row: int
    key: str
    id: str
    fields: tuple[FieldChange, ...]


@dataclass
class Errors:
    """All that is wrong in a file: the first thousand as they are, the others counted."""

    listed: list[RowError] = field(default_factory=list)
    count: int = 0

    def add(self, *errors: RowError) -> None:
        """Note errors."""
        self.listed += errors[: max(LISTED - len(self.listed), 0)]
        self.count += len(errors)


class Regions:
    """The regions a file may speak of: those of the rulebook in the import's area and the caller's grants."""

    def __init__(self, call: Call, rules: Rulebook, area: str) -> None:
        self._call, self._area = call, area
        self._inside = region_names(rules, area)
        self._anywhere = region_names(rules, f"{area[:2]}0000")
        self._rules = rules
        self._found: dict[str, tuple[str, str]] = {}

    def find(self, word: str) -> tuple[str, str]:
        """The code of a region that rows may be about, and what is wrong with it ("" if nothing)."""
        if word not in self._found:
            self._found[word] = self._judge(word)
        return self._found[word]

    def known(self, word: str) -> str | None:
        """The code of any region of the rulebook; a name is one of the area's, else of its province's."""
        if self._rules.has_region(word):
            return word
        return self._inside.code(word) or self._anywhere.code(word)

    def name(self, code: str) -> str:
        """The word shown for a region."""
        return self._inside.word(code)

    def covered(self, code: str) -> bool:
        """Whether the caller may import what is of that region."""
        on = self._call.act.at.astimezone(CHINA).date()
        return may(self._call.actor, PERMISSION, code, on=on)

    def _judge(self, word: str) -> tuple[str, str]:
        code = self.known(word)
        if code is None:
            return "", "region-unknown"
        if not self.covered(code):
            return code, "region-not-yours"
        return code, "" if covers(self._area, code) else "region-outside"


class Cells:
    """One row being read. A getter gives the value, or an empty one after noting why it cannot be used."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.errors = list(row.errors)
        self._values: Mapping[str, Any] = row.values

    def text(self, key: str) -> str:
        """A text."""
        text: str = self._values[key]
        return text

    def list(self, key: str) -> tuple[str, ...]:
        """The entries of a list."""
        entries: tuple[str, ...] = self._values[key]
        return entries

    def date(self, key: str) -> date | None:
        """A day, None if empty."""
        day: date | None = self._values[key]
        return day

    def integer(self, key: str) -> int:
        """A whole number, 0 if empty."""
        number: int | None = self._values[key]
        return number or 0

    def truth(self, key: str) -> bool:
        """是 or 否, the latter if empty."""
        return bool(self._values[key])

    def term(self, key: str, words: Vocabulary) -> str:
        """The code of a word, "" if the cell is empty."""
        text = self.text(key)
        return self.code(key, text, words) if text else ""

    def terms(self, key: str, words: Vocabulary) -> tuple[str, ...]:
        """The codes of a list's words, sorted, each once."""
        found = self.list(key)
        codes = words.codes(found)
        return (
            tuple(sorted({self.code(key, text, words) for text in found} - {""})) if codes is None else codes
        )

    def code(self, key: str, text: str, words: Vocabulary) -> str:
        """The code of one word of a cell."""
        code = words.code(text)
        if code is None:
            self.wrong(key, "term-unknown", text, allowed=words.allowed)
        return code or ""

    def region(self, key: str, regions: Regions) -> str:
        """The region a row is about."""
        text = self.text(key)
        return self._region(key, text, regions) if text else ""

    def regions(self, key: str, regions: Regions) -> tuple[str, ...]:
        """Regions that rows may be about, sorted, each once."""
        return tuple(sorted({self._region(key, text, regions) for text in self.list(key)} - {""}))

    def known_regions(self, key: str, regions: Regions) -> tuple[str, ...]:
        """Any regions of the rulebook, sorted, each once."""
        found = {text: regions.known(text) for text in self.list(key)}
        for text in (text for text, code in found.items() if code is None):
            self.wrong(key, "region-unknown", text)
        return tuple(sorted({code for code in found.values() if code is not None}))

    def provenance(self) -> Provenance:
        """Source, reason and effective day; only of use in a row without errors."""
        day = self.date("effective_from") or date.min
        return Provenance(source=self.text("source"), reason=self.text("reason"), effective_from=day)

    def check(self, key: str, check: Callable[[], object]) -> None:
        """Note at a column what the domain refuses."""
        refusal = refusal_of(check)
        if refusal is not None:
            self.refused(key, refusal)

    def refused(self, key: str, error: DomainError) -> None:
        """Note a refusal of the domain, at the column it points to if there is one, else at `key`."""
        pointed = error.pointer.removeprefix("/")
        key = pointed if pointed in self.row.values else key
        facts = {name: fact for name, fact in error.facts.items() if name not in _TAKEN}
        self.wrong(key, error.code, shown(self.row.values.get(key)), **facts)

    def wrong(self, key: str, code: str, value: object = "", **facts: object) -> None:
        """Note an error at a column."""
        self.errors.append(self.row.error(key, code, value, **facts))

    def _region(self, key: str, text: str, regions: Regions) -> str:
        code, wrong = regions.find(text)
        if wrong:
            self.wrong(key, wrong, text)
            return ""
        return code


@dataclass
class Desk:
    """What an import works with: the office, the request, and the words of the rules in force."""

    office: Office
    call: Call
    region: str
    heading: Heading

    def __post_init__(self) -> None:
        self.rules = self.office.rules(self.call.act.day)
        self.terms: Terms = terms_of(self.rules)
        self.regions = Regions(self.call, self.rules, self.region)


class Import(ABC):
    """One import on its way: rows are read one by one, then compared with what is there, then written.

    Whatever is wrong goes to `errors`; `write` is only called without any.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.errors = Errors()
        self.created = self.changed = self.unchanged = 0
        self.changes: list[Change] = []
        self._seen: dict[str, int] = {}

    @abstractmethod
    def read(self, row: Row) -> None:
        """Check a row by itself and against the rows before it."""

    @abstractmethod
    def compare(self) -> None:
        """Check all rows against the store and count what is new, changed, unchanged."""

    @abstractmethod
    def write(self, persons: list[VaultWrite]) -> Iterator[Aggregate | None]:
        """Decide row by row: what it makes or changes, None if nothing; `persons` collects for the vault."""

    def once(self, cells: Cells, key: str, name: str) -> None:
        """Note a duplicate if an earlier row has the same natural key."""
        first = self._seen.setdefault(name, cells.row.number)
        if first != cells.row.number:
            cells.wrong(key, "duplicate-in-file", shown(cells.row.values.get(key)), first=first)

    def wrong(self, number: int, key: str, code: str, value: object = "", **facts: object) -> None:
        """Note an error of a row that was read before."""
        self.errors.add(cell_error(self.desk.heading, number, key, code, value, **facts))

    def differ(self, number: int, key: str, id: str, fields: Collection[FieldChange]) -> None:
        """Count a row that would change something, and keep the first thousand."""
        self.changed += 1
        if len(self.changes) < LISTED:
            self.changes.append(Change(row=number, key=key, id=id, fields=tuple(fields)))


def refusal_of(check: Callable[[], object]) -> DomainError | None:
    """What the domain refuses, None if it accepts."""
    try:
        check()
    except DomainError as error:
        return error
    return None


def differences(old: dict[str, str], new: dict[str, str]) -> list[FieldChange]:
    """The fields that differ."""
    return [FieldChange(name, old[name], text) for name, text in new.items() if old[name] != text]


def texts(values: Mapping[str, object]) -> dict[str, str]:
    """A row's values as a person would write them."""
    return {key: shown(cast(Value, value)) for key, value in values.items()}


def shown(value: Value) -> str:
    """A value as a person would write it."""
    if isinstance(value, tuple):
        return "、".join(value)
    return "" if value is None else str(value)
