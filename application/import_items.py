"""Importing items of a region's catalogue; publishing them is another step."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

from application.importing import Cells, Desk, Import, differences, texts
from application.ports import VaultWrite
from application.tables import Row
from application.terms import Terms
from domain.aggregate import Aggregate
from domain.item import Item, ItemFacts
from domain.values import LegalBasis


class _Line(NamedTuple):
    number: int
    code: str
    facts: ItemFacts
    reason: str


class ItemImport(Import):
    """Items are known again by their code."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._lines: list[_Line] = []
        self._held: Mapping[str, str] = {}
        self._differing: dict[int, Item] = {}

    def read(self, row: Row) -> None:
        """Check a row by itself and against the rows before it."""
        cells = Cells(row)
        code = cells.text("code")
        facts = self._facts(cells)
        if code:
            self.once(cells, "code", code)
        if not cells.errors:
            cells.check("name", facts.check)
        if cells.errors:
            self.errors.add(*cells.errors)
        else:
            self._lines.append(_Line(row.number, code, facts, cells.text("reason")))

    def compare(self) -> None:
        """Count what is new, changed, unchanged; a change says why."""
        names = [self._name(line) for line in self._lines]
        self._held = self.desk.office.claims.holders("item-code", names)
        for line, name in zip(self._lines, names, strict=True):
            if name not in self._held:
                self.created += 1
            else:
                self._compare(line, self.desk.office.workflow.load(Item, self._held[name]))

    def _compare(self, line: _Line, item: Item) -> None:
        if item.facts == line.facts:
            self.unchanged += 1
        elif item.repealed_from is not None:
            self.wrong(line.number, "code", "item-repealed", line.code, item=line.code)
        elif not line.reason:
            self.wrong(line.number, "reason", "reason-missing")
        else:
            old, new = (item_values(facts, self.desk.terms) for facts in (item.facts, line.facts))
            self.differ(line.number, line.code, item.id, differences(texts(old), texts(new)))
            self._differing[line.number] = item

    def write(self, persons: list[VaultWrite]) -> Iterator[Aggregate | None]:
        """Draft what is new, revise what differs."""
        for line in self._lines:
            if self._name(line) not in self._held:
                yield self._draft(line)
            elif item := self._differing.get(line.number):
                item.revise(self.desk.call.act, facts=line.facts, reason=line.reason)
                yield item
            else:
                yield None

    def _draft(self, line: _Line) -> Item:
        id = self.desk.office.chance.id("item")
        return Item.draft(
            self.desk.call.act, id=id, region=self.desk.region, code=line.code, facts=line.facts
        )

    def _name(self, line: _Line) -> str:
        return f"{self.desk.region}/{line.code}"

    def _facts(self, cells: Cells) -> ItemFacts:
        terms = self.desk.terms
        return ItemFacts(
            name=cells.text("name"),
            category=cells.term("category", terms.categories),
            subject=cells.text("subject"),
            content=cells.text("content"),
            methods=cells.terms("methods", terms.methods),
            department=cells.text("department"),
            bases=_bases(cells),
        )


def _bases(cells: Cells) -> tuple[LegalBasis, ...]:
    lines = [line.strip() for line in cells.text("bases").splitlines()]
    found = [_basis(cells, line) for line in lines if line]
    bases = tuple(basis for basis in found if basis is not None)
    if len(set(bases)) != len(bases):
        cells.wrong("bases", "basis-wrong", found="repeated")
    return bases


def _basis(cells: Cells, line: str) -> LegalBasis | None:
    law, article, start, end = [*(part.strip() for part in line.replace("｜", "|").split("|")), "", "", ""][
        :4
    ]
    try:
        first = date.fromisoformat(start)
        last = date.fromisoformat(end) if end else None
    except ValueError:
        cells.wrong("bases", "basis-wrong", line, found="dates")
        return None
    basis = LegalBasis(law=law, article=article, effective_from=first, effective_to=last)
    if line.replace("｜", "|").count("|") > 3 or not basis.sound():
        cells.wrong("bases", "basis-wrong", line, found="parts")
    return basis


def item_values(facts: ItemFacts, terms: Terms) -> dict[str, object]:
    """An item's facts as the template's row, in words."""
    return {
        "name": facts.name,
        "category": terms.categories.word(facts.category),
        "subject": facts.subject,
        "content": facts.content,
        "methods": tuple(terms.methods.word(method) for method in facts.methods),
        "department": facts.department,
        "bases": "\n".join(basis_text(basis) for basis in facts.bases),
    }


def basis_text(basis: LegalBasis) -> str:
    """A legal basis as a line of its cell."""
    end = basis.effective_to.isoformat() if basis.effective_to else ""
    return f"{basis.law}|{basis.article}|{basis.effective_from.isoformat()}|{end}"
