"""A frame and a pool formed again from the raw events of the registries, as an exported log tells them.

Written from the formats of the events alone: it shares nothing with the service, whose tables may lie.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, Final, TypeVar

from domain.drawing.lines import Inspector, Site
from domain.ledger.entry import Entry
from domain.verifying.errors import WrongHistory
from domain.verifying.log import CHINA, Logged

READ: Final = (
    "site.",
    "inspector.",
    "plan.row-set.",
    "plan.row-dropped.",
    "inspection.notified.",
    "assignment.made.",
    "draw.announced.",
    "draw.sealed.",
)
"""The topics of what a frame and a pool are made of, by their beginnings."""

State = Mapping[str, Any]
Line = TypeVar("Line", Site, Inspector)


@dataclass(slots=True)
class _Found:
    """A site or an inspector as its events made it."""

    facts: State
    listed: bool = True


@dataclass(slots=True)
class RegistryFold:
    """Takes a log's events in order and keeps what the frame and pool of a draw were made of at `as_of`.

    Memory is that of the registries. `untold` says that the content of an event it needs was not at hand.
    """

    draw_no: int
    as_of: int
    untold: bool = False
    _sites: dict[str, _Found] = field(default_factory=dict)
    _inspectors: dict[str, _Found] = field(default_factory=dict)
    _drawn: set[tuple[int, str]] = field(default_factory=set)
    _visits: Counter[tuple[str, str]] = field(default_factory=Counter)
    _rows: dict[tuple[str, str], State] = field(default_factory=dict)
    _announced: State = field(default_factory=dict)
    _pooled: dict[str, date] = field(default_factory=dict)

    def follow(self, events: Iterable[Logged]) -> Iterator[Logged]:
        """The events as they come, each taken on the way."""
        for event in events:
            if event.entry.topic.startswith(READ):
                self.take(event)
            yield event

    def take(self, event: Logged) -> None:
        """Fold one event; of the registries only those up to `as_of`."""
        entry, state = event
        handler = _HANDLERS.get(entry.topic.rpartition(".")[0])
        later = entry.idx > self.as_of and not entry.topic.startswith("draw.")
        if handler is None or later:
            return
        if state is None:
            self.untold = True
        else:
            handler(self, entry, state)

    @property
    def applies(self) -> bool:
        """Whether the draw is one of a plan row's sites, which the registries give."""
        return bool(self._announced)

    def check_frame(self, frame: Sequence[Site]) -> None:
        """Raises WrongHistory frame-not-of-registry for the first line that differs, salts aside."""
        row = self._row()
        formed = sorted(self._frame(row), key=lambda one: one.id)
        compare_lines("frame-not-of-registry", "frame.jsonl", frame, formed)

    def check_pool(self, frame: Sequence[Site], pool: Sequence[Inspector], pool_jsonl: bytes) -> None:
        """Raises WrongHistory pool-not-of-registry for the first line that differs, salts aside.

        A repeated attempt keeps the earlier pool: certificates were looked at on the day of the first seal
        that names it.
        """
        day = self._pooled.get(sha256(pool_jsonl).hexdigest())
        if day is None:
            raise WrongHistory("pool-not-of-registry", "no seal names this pool", file="pool.jsonl")
        formed = sorted(self._pool(self._row(), frame, day), key=lambda one: one.ref)
        compare_lines("pool-not-of-registry", "pool.jsonl", pool, formed)

    def _row(self) -> State:
        key = (self._announced.get("plan", ""), self._announced.get("row", ""))
        if key not in self._rows:
            raise WrongHistory("frame-not-of-registry", f"no plan row {'/'.join(key)}", file="rules.json")
        return self._rows[key]

    def _frame(self, row: State) -> Iterator[Site]:
        strata, year = {one["code"] for one in row["strata"]}, int(row["period"][:4])
        for id, site in self._sites.items():
            facts = site.facts
            if site.listed and facts["stratum"] in strata and lies_within(row["areas"], facts["region"]):
                yield self._site(id, facts, row, year)

    def _site(self, id: str, facts: State, row: State, year: int) -> Site:
        drawn = not row["redraw"] and (year, id) in self._drawn
        capped = self._visits[str(year), facts["uscc"]] >= row["visits_a_year"]
        reason = "drawn" if drawn else "capped" if capped else ""
        return Site(
            id=id,
            stratum=facts["stratum"],
            area=facts["region"],
            salt="",
            weight=row["weights"].get(facts["credit"], 1),
            eligible=not reason,
            reason=reason,
            needs=tuple(sorted(facts["needs"])),
        )

    def _pool(self, row: State, frame: Sequence[Site], day: date) -> Iterator[Inspector]:
        areas = sorted({site.area for site in frame})
        until = max(day, _last_day(row["period"])).isoformat()
        sites = self._sites_of(row["areas"])
        for ref, found in self._inspectors.items():
            facts, held = found.facts, found.facts["certificate"]
            if not found.listed or facts["kind"] != "officer" or held is None:
                continue
            certified = held["valid_from"] <= day.isoformat() and until <= held["valid_to"]
            own = (a for a in areas if lies_within(facts["areas"], a) and lies_within(held["areas"], a))
            if certified and (may := tuple(own)):
                conflicts = {site for one in facts["relations"] for site in sites[one["uscc"]]}
                skills, barred = tuple(sorted(facts["skills"])), tuple(sorted(conflicts))
                yield Inspector(ref, may, row["seats_each"], "", facts["lead"], skills, barred)

    def _sites_of(self, areas: Sequence[str]) -> defaultdict[str, list[str]]:
        """The sites of each enterprise in the areas, removed ones too."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for id, site in self._sites.items():
            if lies_within(areas, site.facts["region"]):
                found[site.facts["uscc"]].append(id)
        return found

    def _site_said(self, entry: Entry, state: State) -> None:
        self._sites[entry.stream] = _Found(state["facts"])

    def _site_removed(self, entry: Entry, state: State) -> None:
        self._sites[entry.stream].listed = False

    def _inspector_said(self, entry: Entry, state: State) -> None:
        self._inspectors[entry.stream] = _Found(state["facts"])

    def _recused(self, entry: Entry, state: State) -> None:
        """A relation more, which every later change repeats."""
        found = self._inspectors[entry.stream]
        relations = [*found.facts["relations"], {"ground": state["ground"], "uscc": state["uscc"]}]
        found.facts = {**found.facts, "relations": relations}

    def _inspector_removed(self, entry: Entry, state: State) -> None:
        self._inspectors[entry.stream].listed = False

    def _row_set(self, entry: Entry, state: State) -> None:
        self._rows[entry.stream, state["row"]["no"]] = state["row"]

    def _row_dropped(self, entry: Entry, state: State) -> None:
        self._rows.pop((entry.stream, state["no"]), None)

    def _made(self, entry: Entry, state: State) -> None:
        self._drawn.add((state["task"]["year"], state["task"]["site"]))

    def _notified(self, entry: Entry, state: State) -> None:
        if state["visit_slot"]:
            year, uscc, _ = state["visit_slot"].split("/")
            self._visits[year, uscc] += 1

    def _drawn_for(self, entry: Entry, state: State) -> None:
        if state["draw_no"] == self.draw_no:
            self._announced = state

    def _sealed(self, entry: Entry, state: State) -> None:
        day = datetime.fromisoformat(state["occurred_at"]).astimezone(CHINA).date()
        self._pooled.setdefault(state["seal"]["pool"], day)


def compare_lines(rule: str, file: str, sealed: Sequence[Line], formed: Sequence[Line]) -> None:
    """Raises WrongHistory for the first line that differs, the salts of those that were sealed aside."""
    for number, (one, other) in enumerate(zip(sealed, formed, strict=False), start=1):
        if one._replace(salt="") != other:
            raise WrongHistory(rule, f"{one} instead of {other}", file=file, line=number)
    if len(sealed) != len(formed):
        detail = f"{len(sealed)} lines instead of {len(formed)}"
        raise WrongHistory(rule, detail, file=file, line=min(len(sealed), len(formed)) + 1)


def lies_within(areas: Sequence[str], region: str) -> bool:
    """Whether the region lies in one of the areas (GB/T 2260: 140000 is a province, 140100 a city in it)."""
    return any(region.startswith(_stem(one)) for one in areas)


def _stem(area: str) -> str:
    return area[: 2 if area[2:] == "0000" else 4 if area[4:] == "00" else 6]


def _last_day(period: str) -> date:
    """The last day of a quarter such as 2024Q2."""
    year, quarter = int(period[:4]), int(period[5])
    return date(year + quarter // 4, quarter % 4 * 3 + 1, 1) - timedelta(days=1)


_HANDLERS: Final[dict[str, Callable[[RegistryFold, Entry, State], None]]] = {
    "site.registered": RegistryFold._site_said,
    "site.changed": RegistryFold._site_said,
    "site.removed": RegistryFold._site_removed,
    "inspector.registered": RegistryFold._inspector_said,
    "inspector.changed": RegistryFold._inspector_said,
    "inspector.recusal-granted": RegistryFold._recused,
    "inspector.removed": RegistryFold._inspector_removed,
    "plan.row-set": RegistryFold._row_set,
    "plan.row-dropped": RegistryFold._row_dropped,
    "assignment.made": RegistryFold._made,
    "inspection.notified": RegistryFold._notified,
    "draw.announced": RegistryFold._drawn_for,
    "draw.sealed": RegistryFold._sealed,
}
