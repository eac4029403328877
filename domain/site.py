"""A site (检查对象): a place under supervision. One enterprise (USCC) may have several."""

from collections.abc import Iterable
from datetime import date
from typing import Self

import msgspec
from eventsourcing.domain import event

from domain.act import Act
from domain.aggregate import Aggregate, Claim, CreatedEvent
from domain.errors import Conflict, Invalid
from domain.identifiers import check_industry, check_licence_code, check_region, check_uscc
from domain.values import SPECIALTIES, STRATA, Provenance

REMOVAL_GROUNDS = ("closed", "deregistered", "moved", "merged")
CREDITS = ("green", "blue", "yellow", "red", "black", "")


class SiteFactWrong(Invalid):
    """A fact of a site is missing or not one of those allowed; facts: `field`, `value`."""

    code = "site-fact-wrong"


class SiteRemoved(Conflict):
    """The site has left the registry; facts: `site`."""

    code = "site-removed"


class SiteUnchanged(Conflict):
    """The change says nothing new; facts: `site`."""

    code = "site-unchanged"


class EnterpriseFixed(Conflict):
    """A site never passes to another enterprise: remove it and register the new one; facts: `site`."""

    code = "enterprise-fixed"


class SiteFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the registry says of a site. `code` (licence or source code) may be empty; `credit` too."""

    uscc: str
    code: str
    name: str
    region: str
    address: str
    industry: str
    stratum: str
    needs: tuple[str, ...]
    credit: str

    def check(self) -> None:
        """Refuse what is no site: codes by their standards, the rest by our lists."""
        check_uscc(self.uscc)
        if self.code:
            check_licence_code(self.code, enterprise=self.uscc)
        check_region(self.region)
        if self.industry:
            check_industry(self.industry)
        if not self.name:
            raise SiteFactWrong("/name", field="name", value="")
        if self.stratum not in STRATA:
            raise SiteFactWrong("/stratum", field="stratum", value=self.stratum)
        if list(self.needs) != sorted(set(self.needs)) or not set(self.needs) <= set(SPECIALTIES):
            raise SiteFactWrong("/needs", field="needs", value=",".join(self.needs))
        if self.credit not in CREDITS:
            raise SiteFactWrong("/credit", field="credit", value=self.credit)

    def key(self) -> str:
        """What tells it from every other site: the licence code, else the enterprise's USCC."""
        return self.code or self.uscc


class Site(Aggregate):
    """One place in the registry of sites."""

    TOPIC = "site"

    class Registered(CreatedEvent, Aggregate.Event, frozen=True, kw_only=True):
        """The site entered the registry. `person` refers to its contact in the vault, or is empty."""

        TOPIC = "site.registered.v1"
        facts: SiteFacts
        provenance: Provenance
        person: str
        commitment: str

        def claims(self) -> Iterable[Claim]:
            return (Claim("site", self.facts.key()),)

    class Changed(Aggregate.Event, frozen=True, kw_only=True):
        """The registry says something else from a day on. `old_key` is released if the key changed."""

        TOPIC = "site.changed.v1"
        facts: SiteFacts
        provenance: Provenance
        old_key: str

        def claims(self) -> Iterable[Claim]:
            if self.old_key == self.facts.key():
                return ()
            return (Claim("site", self.old_key, released=True), Claim("site", self.facts.key()))

    class Assessed(Aggregate.Event, frozen=True, kw_only=True):
        """A class was set. Neutral on purpose: the topic is public, the class is not."""

        TOPIC = "site.assessed.v1"
        risk_class: str
        assessed_on: date
        source: str

    class Removed(Aggregate.Event, frozen=True, kw_only=True):
        """The site left the registry. `key` is free for another."""

        TOPIC = "site.removed.v1"
        ground: str
        provenance: Provenance
        key: str

        def claims(self) -> Iterable[Claim]:
            return (Claim("site", self.key, released=True),)

    @classmethod
    def register(
        cls,
        act: Act,
        *,
        id: str,
        facts: SiteFacts,
        provenance: Provenance,
        person: str = "",
        commitment: str = "",
    ) -> Self:
        """Enter a site."""
        facts.check()
        provenance.check()
        return cls.begin(
            cls.Registered,
            id,
            act,
            facts=facts,
            provenance=provenance,
            person=person,
            commitment=commitment,
        )

    @event(Registered)
    def __init__(self, facts: SiteFacts, person: str) -> None:
        self.facts, self.person = facts, person
        self.risk_class = ""
        self.status = "listed"

    def change(self, act: Act, *, facts: SiteFacts, provenance: Provenance) -> None:
        """Set all facts anew, with source, reason and effective day."""
        self._require_listed()
        facts.check()
        provenance.check()
        if facts.uscc != self.facts.uscc:
            raise EnterpriseFixed("/uscc", site=self.id)
        if facts == self.facts:
            raise SiteUnchanged(site=self.id)
        self.record(self.Changed, act, facts=facts, provenance=provenance, old_key=self.facts.key())

    @event(Changed)
    def _changed(self, facts: SiteFacts) -> None:
        self.facts = facts

    def assess(self, act: Act, *, risk_class: str, assessed_on: date, source: str) -> None:
        """Set the risk class A–D."""
        self._require_listed()
        if risk_class not in ("A", "B", "C", "D"):
            raise SiteFactWrong("/risk_class", field="risk_class", value=risk_class)
        self.record(self.Assessed, act, risk_class=risk_class, assessed_on=assessed_on, source=source)

    @event(Assessed)
    def _assessed(self, risk_class: str) -> None:
        self.risk_class = risk_class

    def remove(self, act: Act, *, ground: str, provenance: Provenance) -> None:
        """Take the site off the registry; its history stays."""
        self._require_listed()
        if ground not in REMOVAL_GROUNDS:
            raise SiteFactWrong("/ground", field="ground", value=ground)
        provenance.check()
        self.record(self.Removed, act, ground=ground, provenance=provenance, key=self.facts.key())

    @event(Removed)
    def _removed(self) -> None:
        self.status = "removed"

    def _require_listed(self) -> None:
        if self.status != "listed":
            raise SiteRemoved(site=self.id)
