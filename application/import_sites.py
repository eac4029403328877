"""Importing the registry of sites."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

from application.importing import Cells, Desk, Import, differences, refusal_of, texts
from application.persons import entrust
from application.ports import VaultWrite
from application.tables import Row
from application.terms import Terms
from domain.aggregate import Aggregate
from domain.identifiers import check_industry, check_licence_code, check_uscc
from domain.site import Site, SiteFacts
from domain.values import Provenance


class _Line(NamedTuple):
    number: int
    facts: SiteFacts
    provenance: Provenance
    contact: str
    phone: str


class SiteImport(Import):
    """Sites are known again by their licence code, else by their enterprise's USCC."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._lines: list[_Line] = []
        self._held: Mapping[str, str] = {}
        self._differing: dict[int, Site] = {}
        self._provenances: dict[tuple[str, str, date | None], Provenance] = {}

    def read(self, row: Row) -> None:
        """Check a row by itself and against the rows before it."""
        cells = Cells(row)
        facts = self._facts(cells)
        if facts.uscc:
            self.once(cells, "code" if facts.code else "uscc", facts.key())
        _check(cells, facts)
        if cells.errors:
            self.errors.add(*cells.errors)
            return
        line = _Line(row.number, facts, self._provenance(cells), cells.text("contact"), cells.text("phone"))
        self._lines.append(line)

    def _provenance(self, cells: Cells) -> Provenance:
        """One for all rows that say the same: a file has few, a hundred thousand times."""
        said = cells.text("source"), cells.text("reason"), cells.date("effective_from")
        found = self._provenances.get(said)
        if found is None:
            found = self._provenances[said] = cells.provenance()
        return found

    def compare(self) -> None:
        """Count what is new, changed, unchanged; who changes a site needs the right where it is now."""
        office = self.desk.office
        self._held = office.claims.holders("site", [line.facts.key() for line in self._lines])
        known = [line for line in self._lines if line.facts.key() in self._held]
        self.created = len(self._lines) - len(known)
        sites = office.workflow.load_many(Site, [self._held[line.facts.key()] for line in known])
        for line, site in zip(known, sites, strict=True):
            self._compare(line, site)

    def _compare(self, line: _Line, site: Site) -> None:
        if not self.desk.regions.covered(site.facts.region):
            self.wrong(line.number, "region", "region-not-yours", site.facts.region)
        elif site.facts == line.facts:
            self.unchanged += 1
        else:
            old, new = (site_values(facts, self.desk.terms) for facts in (site.facts, line.facts))
            self.differ(line.number, line.facts.key(), site.id, differences(texts(old), texts(new)))
            self._differing[line.number] = site

    def write(self, persons: list[VaultWrite]) -> Iterator[Aggregate | None]:
        """Register what is new, change what differs."""
        for line in self._lines:
            if line.facts.key() not in self._held:
                yield self._register(line, persons)
            elif site := self._differing.get(line.number):
                site.change(self.desk.call.act, facts=line.facts, provenance=line.provenance)
                yield site
            else:
                yield None

    def _register(self, line: _Line, persons: list[VaultWrite]) -> Site:
        person = commitment = ""
        chance = self.desk.office.chance
        if line.contact or line.phone:
            write, commitment = entrust(chance, {"name": line.contact, "phone": line.phone})
            person = write.person
            persons.append(write)
        return Site.register(
            self.desk.call.act,
            id=chance.id("site"),
            facts=line.facts,
            provenance=line.provenance,
            person=person,
            commitment=commitment,
        )

    def _facts(self, cells: Cells) -> SiteFacts:
        terms = self.desk.terms
        return SiteFacts(
            uscc=cells.text("uscc"),
            code=cells.text("code"),
            name=cells.text("name"),
            region=cells.region("region", self.desk.regions),
            address=cells.text("address"),
            industry=cells.text("industry"),
            stratum=cells.term("stratum", terms.strata),
            needs=cells.terms("needs", terms.specialties),
            credit=cells.term("credit", terms.credits),
        )


def _check(cells: Cells, facts: SiteFacts) -> None:
    """Check the row as a whole; only where something is wrong, each cell by itself, to name them all."""
    refusal = None if cells.errors else refusal_of(facts.check)
    if not cells.errors and refusal is None:
        return
    if facts.uscc:
        cells.check("uscc", lambda: check_uscc(facts.uscc))
    if facts.uscc and facts.code:
        cells.check("code", lambda: check_licence_code(facts.code, enterprise=facts.uscc))
    if facts.industry:
        cells.check("industry", lambda: check_industry(facts.industry))
    if refusal is not None and not cells.errors:
        cells.refused("uscc", refusal)


def site_values(facts: SiteFacts, terms: Terms) -> dict[str, object]:
    """A site's facts as the template's row, in words; regions stay codes."""
    return {
        "code": facts.code,
        "uscc": facts.uscc,
        "name": facts.name,
        "region": facts.region,
        "address": facts.address,
        "industry": facts.industry,
        "stratum": terms.strata.word(facts.stratum),
        "needs": tuple(terms.specialties.word(need) for need in facts.needs),
        "credit": terms.credits.word(facts.credit),
    }
