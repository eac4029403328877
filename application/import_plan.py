"""Importing rows of yearly plans: of the region's plan for the period's year and the lead department."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Final, NamedTuple

from application.importing import Cells, Desk, Import, differences, texts
from application.items import catalogue_of
from application.ports import VaultWrite
from application.tables import Row
from application.terms import SEATS, Terms
from domain.aggregate import Aggregate
from domain.catalogue import Catalogue
from domain.errors import NotFound
from domain.plan import Plan, PlanRow, StratumRule
from domain.values import STRATA, Seat

_PERIOD: Final = re.compile(r"(20[0-9]{2})年?(?:q|第?)([1-4一二三四])(?:季度?)?")
_QUARTERS: Final = {"一": "1", "二": "2", "三": "3", "四": "4"}
_RATIO: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(%|/[0-9]{1,9})?")
_SEAT: Final = re.compile(r"[!-~]{1,64}")
_WEIGHT: Final = re.compile(r"[0-9]{1,3}")


class _Line(NamedTuple):
    number: int
    year: int
    department: str
    title: str
    row: PlanRow

    @property
    def plan(self) -> tuple[int, str]:
        """Which plan the row belongs to."""
        return self.year, self.department


class PlanImport(Import):
    """Rows are known again by their plan and number; only a draft's rows can change."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._lines: list[_Line] = []
        self._plans: dict[tuple[int, str], Plan | None] = {}
        self._same: set[int] = set()
        self._titles: dict[tuple[int, str], str] = {}
        self._catalogue = _catalogue(desk)

    def read(self, row: Row) -> None:
        """Check a row by itself and against the rows before it."""
        cells = Cells(row)
        year, period = _period(cells)
        department = cells.text("department")
        line = self._row(cells, period)
        if year and line.no:
            self.once(cells, "no", f"{year}/{department}/{line.no}")
        if not cells.errors:
            cells.check("team", lambda: line.check(year, self.desk.region))
        if year and department:
            self._note_title(cells, (year, department))
        if cells.errors:
            self.errors.add(*cells.errors)
        else:
            self._lines.append(_Line(row.number, year, department, cells.text("title"), line))

    def compare(self) -> None:
        """Count what is new, changed, unchanged in the plans as they are."""
        for line in self._lines:
            plan = self._plan(line)
            known = plan.rows.get(line.row.no) if plan else None
            if known == line.row:
                self.unchanged += 1
                self._same.add(line.number)
            elif plan is not None and plan.status != "draft":
                self.wrong(line.number, "no", "plan-status-wrong", line.row.no, status=plan.status)
            elif plan is not None and line.title and line.title != plan.title:
                self.wrong(line.number, "title", "plan-title-differs", line.title, first=plan.title)
            elif plan is None or known is None:
                self.created += 1
            else:
                self._differs(line, plan, known)

    def write(self, persons: list[VaultWrite]) -> Iterator[Aggregate | None]:
        """Draft the plans that are new and set all rows that are not as they should be."""
        for name, lines in self._by_plan().items():
            changing = [line for line in lines if line.number not in self._same]
            yield from [None] * (len(lines) - bool(changing))
            if changing:
                plan = self._plans[name] or self._draft(changing[0])
                for line in changing:
                    plan.set_row(self.desk.call.act, row=line.row, catalogue=self._require_catalogue())
                yield plan

    def _by_plan(self) -> dict[tuple[int, str], list[_Line]]:
        lines: dict[tuple[int, str], list[_Line]] = {}
        for line in self._lines:
            lines.setdefault(line.plan, []).append(line)
        return lines

    def _require_catalogue(self) -> Catalogue:
        if self._catalogue is None:
            raise NotFound(kind="catalogue", id=self.desk.region)
        return self._catalogue

    def _differs(self, line: _Line, plan: Plan, known: PlanRow) -> None:
        old, new = (plan_values(row, self.desk.terms) for row in (known, line.row))
        self.differ(line.number, line.row.no, plan.id, differences(texts(old), texts(new)))

    def _plan(self, line: _Line) -> Plan | None:
        if line.plan not in self._plans:
            office = self.desk.office
            name = f"{self.desk.region}/{line.year}/{line.department}"
            stream = office.claims.holder("plan", name)
            self._plans[line.plan] = office.workflow.load(Plan, stream) if stream else None
        return self._plans[line.plan]

    def _draft(self, line: _Line) -> Plan:
        region = self.desk.region
        title = self._titles.get(line.plan) or f"{line.department}{line.year}年度双随机抽查工作计划"
        return Plan.draft(
            self.desk.call.act,
            id=self.desk.office.chance.id("plan"),
            region=region,
            year=line.year,
            department=line.department,
            title=title,
        )

    def _note_title(self, cells: Cells, plan: tuple[int, str]) -> None:
        title = cells.text("title")
        if title and self._titles.setdefault(plan, title) != title:
            cells.wrong("title", "plan-title-differs", title, first=self._titles[plan])

    def _row(self, cells: Cells, period: str) -> PlanRow:
        no = cells.text("no")
        return PlanRow(
            no=no.zfill(2) if no else "",
            task=cells.text("task"),
            items=self._items(cells),
            period=period,
            departments=cells.list("departments"),
            areas=cells.regions("areas", self.desk.regions),
            strata=_strata(cells, self.desk.terms),
            team=tuple(_seat(cells, text, self.desk.terms) for text in cells.list("team")),
            weights=_weights(cells, self.desk.terms),
            seats_each=cells.integer("seats_each"),
            visits_a_year=cells.integer("visits_a_year"),
            redraw=cells.truth("redraw"),
        )

    def _items(self, cells: Cells) -> tuple[str, ...]:
        """The items, each of them published and in force today."""
        codes, day = cells.list("items"), self.desk.call.act.day
        for code in dict.fromkeys(codes):
            line = self._catalogue.lines.get(code) if self._catalogue else None
            if line is None:
                cells.wrong("items", "item-unpublished", code, item=code)
            elif not line.in_force(day):
                cells.wrong("items", "item-lapsed", code, item=code, day=day)
        return codes


def _catalogue(desk: Desk) -> Catalogue | None:
    try:
        return catalogue_of(desk.office, desk.region)
    except NotFound:
        return None


def _period(cells: Cells) -> tuple[int, str]:
    """The year and the quarter as `2024Q2`; (0, "") where the cell says neither."""
    text = "".join(unicodedata.normalize("NFKC", cells.text("period")).casefold().split())
    match = _PERIOD.fullmatch(text)
    if match is None:
        if text:
            cells.wrong("period", "period-wrong", cells.text("period"))
        return 0, ""
    quarter = _QUARTERS.get(match[2], match[2])
    return int(match[1]), f"{match[1]}Q{quarter}"


def _strata(cells: Cells, terms: Terms) -> tuple[StratumRule, ...]:
    """The strata that have a ratio, in the order of their codes."""
    confidential = cells.terms("confidential", terms.strata)
    ratios = {code: _ratio(cells, f"{code}_ratio") for code in sorted(STRATA)}
    for code in confidential:
        if ratios[code] is None:
            cells.wrong("confidential", "stratum-without-ratio", terms.strata.word(code))
    if not any(cells.text(f"{code}_ratio") for code in STRATA):
        cells.wrong("key_ratio", "ratio-missing")
    return tuple(
        StratumRule(code=code, num=ratio.numerator, den=ratio.denominator, confidential=code in confidential)
        for code, ratio in ratios.items()
        if ratio is not None
    )


def _ratio(cells: Cells, key: str) -> Fraction | None:
    """A share from 0 to 1, exactly as written: 25%, 1/4, 0.25."""
    text = "".join(unicodedata.normalize("NFKC", cells.text(key)).split())
    if not text:
        return None
    match = _RATIO.fullmatch(text)
    if match is not None:
        below = 100 if match[2] == "%" else int((match[2] or "/1")[1:])
        if below and 0 <= (ratio := Fraction(match[1]) / below) <= 1:
            return ratio
    cells.wrong(key, "ratio-wrong", text)
    return None


def _seat(cells: Cells, text: str, terms: Terms) -> Seat:
    """A seat such as 主办+带队+专业."""
    name, *marks = (part.strip() for part in text.replace("＋", "+").split("+"))
    seat = terms.seats.code(name) or name
    if not _SEAT.fullmatch(seat):
        cells.wrong("team", "term-unknown", name, allowed=terms.seats.allowed)
    codes = {cells.code("team", mark, terms.seat_marks) for mark in marks}
    return Seat(seat=seat, lead="lead" in codes, skilled="skilled" in codes)


def _weights(cells: Cells, terms: Terms) -> dict[str, int]:
    weights = dict[str, int]()
    for text in cells.list("weights"):
        word, _, number = text.replace("：", ":").partition(":")
        code = cells.code("weights", word.strip(), terms.credits)
        if not _WEIGHT.fullmatch(number.strip()) or not 1 <= int(number) <= 100 or code in weights:
            cells.wrong("weights", "weight-wrong", text)
        elif code:
            weights[code] = int(number)
    return weights


def plan_values(row: PlanRow, terms: Terms) -> dict[str, object]:
    """A plan's row as the template's, in words; regions and items stay codes."""
    ratios = {f"{code}_ratio": "" for code in STRATA}
    ratios |= {f"{rule.code}_ratio": f"{rule.num}/{rule.den}" for rule in row.strata}
    hidden = tuple(terms.strata.word(rule.code) for rule in row.strata if rule.confidential)
    return {
        "no": row.no,
        "task": row.task,
        "departments": row.departments,
        "period": row.period,
        "items": row.items,
        "areas": row.areas,
        **ratios,
        "confidential": hidden,
        "team": tuple(_seat_text(seat, terms) for seat in row.team),
        "weights": tuple(
            f"{terms.credits.word(code)}:{weight}" for code, weight in sorted(row.weights.items())
        ),
        "seats_each": row.seats_each,
        "visits_a_year": row.visits_a_year,
        "redraw": row.redraw,
    }


def _seat_text(seat: Seat, terms: Terms) -> str:
    marks: Mapping[str, bool] = {"lead": seat.lead, "skilled": seat.skilled}
    words = [terms.seat_marks.word(mark) for mark, held in marks.items() if held]
    return "+".join([terms.seats.word(seat.seat) if seat.seat in SEATS else seat.seat, *words])
