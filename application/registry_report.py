"""The registry-change report that is sealed with a frame: who changed what a draw is made of, and why.

It is read from the log, never from a read model. Whoever was taken off in time is on it, and at its top: late
removals of sites that would have been special, then what else was late, then the rest, each in the order of
the log. The late part is read twice for that order; memory does not grow with the report.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BufferedReader, RawIOBase
from itertools import chain
from typing import Any, Final, cast

import msgspec
from msgspec.structs import replace

from application.ports import RegistryChange, RegistryLog
from application.registry_check import works_in
from domain.draw_values import RegistryChanges
from domain.identifiers import covers
from domain.inspector import Inspector, InspectorFacts, Relation
from domain.ledger.entry import format_at
from domain.rulebook_data import Rulebook
from domain.site import Site, SiteFacts

LATE: Final = timedelta(days=7)
"""What was recorded this long before the seal, or later, is late."""

MONTH: Final = timedelta(days=30)
SPECIAL: Final = "special"
IS_LATE: Final = "late"
SPECIAL_REMOVED: Final = "special-removed"
LAST_30_DAYS: Final = "last-30-days"
SINCE_LAST_DRAW: Final = "since-last-draw"

_COUNTED: Final = ("changes", "late", "special_removed", "late_special_removed")
_encode = msgspec.json.Encoder(order="sorted").encode
_CHUNK: Final = 1 << 20


class RegistryLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One change. `at` is when it was recorded at position `idx`, `occurred_at` when it happened (UTC).

    `kind` is site-added, site-changed, site-assessed, site-removed, inspector-added, inspector-changed,
    inspector-recused or inspector-removed; `what` names the fields that changed. `before` and `after` hold
    what matters for a draw, null where there was or is nothing. `flags`: late, special-removed, last-30-days,
    since-last-draw.
    """

    after: dict[str, Any] | None
    at: str
    before: dict[str, Any] | None
    by: str
    flags: tuple[str, ...]
    id: str
    idx: int
    kind: str
    occurred_at: str
    on_behalf_of: str | None
    reason: str
    source: str
    what: tuple[str, ...]


@dataclass(frozen=True)
class Window:
    """What a report covers: events after `since` up to `as_of`; positions after which its flags hold."""

    since: int
    as_of: int
    late: int
    month: int
    drawn: int

    def flags(self, idx: int) -> Iterator[str]:
        """The flags of time of an event, sorted."""
        flags = ((LAST_30_DAYS, self.month), (IS_LATE, self.late), (SINCE_LAST_DRAW, self.drawn))
        return (flag for flag, after in flags if idx > after)


def window_of(log: RegistryLog, *, at: datetime, as_of: int, drawn: int) -> Window:
    """The window of a frame sealed at `at`; `drawn` is the position of the last draw's registries, or -1."""
    late, month = log.position_before(at - LATE), log.position_before(at - MONTH)
    return Window(min(month, drawn), as_of, late, month, drawn)


@dataclass
class RegistryReport:
    """The report over the plan row's areas. `counts` are complete once all its lines were taken.

    `raised` are the credit classes that make a site special whatever its stratum: see `raised_by`.
    """

    log: RegistryLog
    window: Window
    areas: Sequence[str]
    raised: frozenset[str]
    _counted: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTED, 0))

    @property
    def counts(self) -> RegistryChanges:
        """How many lines there were, of which kinds."""
        return RegistryChanges(**self._counted)

    def stream(self) -> BufferedReader:
        """The report's bytes, registry-changes.jsonl, made as they are read."""
        return BufferedReader(_Pieces(_encode(line) + b"\n" for line in self.lines()), _CHUNK)

    def lines(self) -> Iterator[RegistryLine]:
        """The lines in their order."""
        late = max(self.window.since, self.window.late)
        ordered = chain(
            self._among(late, self.window.as_of, lambda line: SPECIAL_REMOVED in line.flags),
            self._among(late, self.window.as_of, lambda line: SPECIAL_REMOVED not in line.flags),
            self._among(self.window.since, min(late, self.window.as_of), lambda line: True),
        )
        for line in ordered:
            self._count(line)
            yield line

    def _count(self, line: RegistryLine) -> None:
        late, special = IS_LATE in line.flags, SPECIAL_REMOVED in line.flags
        for name, counts in zip(_COUNTED, (True, late, special, late and special), strict=True):
            self._counted[name] += counts

    def _among(
        self, since: int, until: int, wanted: Callable[[RegistryLine], bool]
    ) -> Iterator[RegistryLine]:
        if since >= until:
            return
        for change in self.log.changes(since, until):
            line = self._line(change)
            if line is not None and wanted(line):
                yield line

    def _line(self, change: RegistryChange) -> RegistryLine | None:
        """The line of an event; None for one outside the areas, or of no account for a draw."""
        told = _SAID.get(type(change.event))
        if told is None:
            return None
        kind, after = told(change)
        before = _facts(change.before)
        what = _changed(before, after)
        if not what or not self._concerned(before, after):
            return None
        event = change.event
        provenance = getattr(event, "provenance", None)
        special = kind.startswith("site-") and self._special_removed(before, after)
        return RegistryLine(
            after=after,
            at=format_at(change.at),
            before=before,
            by=event.by,
            flags=tuple(sorted((*self.window.flags(change.idx), *((SPECIAL_REMOVED,) if special else ())))),
            id=event.originator_id,
            idx=change.idx,
            kind=kind,
            occurred_at=format_at(event.occurred_at),
            on_behalf_of=event.on_behalf_of,
            reason=provenance.reason if provenance else str(getattr(event, "reason", "")),
            source=provenance.source if provenance else str(getattr(event, "source", "")),
            what=what,
        )

    def _concerned(self, *sides: Mapping[str, Any] | None) -> bool:
        return any(self._here(side) for side in sides if side is not None)

    def _here(self, side: Mapping[str, Any]) -> bool:
        if "region" in side:
            return any(covers(area, side["region"]) for area in self.areas)
        return works_in(side["areas"], self.areas)

    def _special_removed(self, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> bool:
        """Whether a site left that was special or would have been, or is one no longer."""
        if before is None or not self._here(before):
            return False
        gone = after is None or not self._here(after)
        return any(was(before) and (gone or not was(after)) for was in (_is_special, self._is_raised))

    def _is_raised(self, side: Mapping[str, Any] | None) -> bool:
        return side is not None and side["credit"] in self.raised


def raised_by(rules: Rulebook) -> frozenset[str]:
    """The credit classes by which a site would be special: those that raise its sampling in the rulebook."""
    return frozenset(one.code for one in rules.credit_colours if one.sampling in ("more", "key"))


def _is_special(side: Mapping[str, Any] | None) -> bool:
    return side is not None and side["stratum"] == SPECIAL


class _Pieces(RawIOBase):
    """Bytes that are made as they are read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces, self._rest = iter(pieces), b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the next pieces go; 0 at the end."""
        size, parts, length = len(buffer), [self._rest], len(self._rest)
        while length < size and (piece := next(self._pieces, b"")):
            parts.append(piece)
            length += len(piece)
        found = b"".join(parts)
        self._rest = found[size:]
        buffer[: min(size, length)] = found[:size]
        return min(size, length)


def _facts(found: Site | Inspector | None) -> dict[str, Any] | None:
    if found is None:
        return None
    if isinstance(found, Site):
        return _site(found.facts, found.risk_class)
    return _inspector(found.facts)


def _site(facts: SiteFacts, risk_class: str) -> dict[str, Any]:
    """What of a site matters for a draw."""
    return {
        "credit": facts.credit,
        "needs": facts.needs,
        "region": facts.region,
        "risk_class": risk_class,
        "stratum": facts.stratum,
        "uscc": facts.uscc,
    }


def _inspector(facts: InspectorFacts) -> dict[str, Any]:
    """What of an inspector matters for a draw."""
    held = facts.certificate
    certificate = held and {
        "areas": held.areas,
        "from": held.valid_from.isoformat(),
        "to": held.valid_to.isoformat(),
    }
    relations = [{"ground": one.ground, "uscc": one.uscc} for one in facts.relations]
    return {
        "areas": facts.areas,
        "certificate": certificate,
        "kind": facts.kind,
        "lead": facts.lead,
        "relations": relations,
        "skills": facts.skills,
    }


def _changed(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> tuple[str, ...]:
    if before is None or after is None:
        return tuple(sorted(before or after or ()))
    return tuple(name for name in before if before[name] != after[name])


_Said = Callable[[RegistryChange], tuple[str, dict[str, Any] | None]]


def _site_registered(change: RegistryChange) -> tuple[str, dict[str, Any] | None]:
    return "site-added", _site(cast(Site.Registered, change.event).facts, "")


def _site_changed(change: RegistryChange) -> tuple[str, dict[str, Any] | None]:
    known = change.before.risk_class if isinstance(change.before, Site) else ""
    return "site-changed", _site(cast(Site.Changed, change.event).facts, known)


def _site_assessed(change: RegistryChange) -> tuple[str, dict[str, Any] | None]:
    assessed = cast(Site.Assessed, change.event)
    return "site-assessed", _site(cast(Site, change.before).facts, assessed.risk_class)


def _inspector_recused(change: RegistryChange) -> tuple[str, dict[str, Any] | None]:
    """A recusal before any draw is a relation more."""
    granted, facts = cast(Inspector.RecusalGranted, change.event), cast(Inspector, change.before).facts
    relation = Relation(granted.uscc, granted.ground)
    more = () if relation in facts.relations else (relation,)
    return "inspector-recused", _inspector(replace(facts, relations=(*facts.relations, *more)))


_SAID: Final[Mapping[type, _Said]] = {
    Site.Registered: _site_registered,
    Site.Changed: _site_changed,
    Site.Assessed: _site_assessed,
    Site.Removed: lambda change: ("site-removed", None),
    Inspector.Registered: lambda change: (
        "inspector-added",
        _inspector(cast(Inspector.Registered, change.event).facts),
    ),
    Inspector.Changed: lambda change: (
        "inspector-changed",
        _inspector(cast(Inspector.Changed, change.event).facts),
    ),
    Inspector.RecusalGranted: _inspector_recused,
    Inspector.Removed: lambda change: ("inspector-removed", None),
}
