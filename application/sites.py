"""The registry of sites: one at a time; files come through `imports`."""

from datetime import date

from application.office import Office
from application.ports import Answer
from application.workflow import Call
from domain.site import Site, SiteFacts
from domain.values import Provenance


def register_site(office: Office, call: Call, *, facts: SiteFacts, provenance: Provenance) -> Answer:
    """Enter a site."""
    call.require("site.change", facts.region)
    site = Site.register(call.act, id=office.chance.id("site"), facts=facts, provenance=provenance)
    return office.workflow.commit(call, site)


def change_site(office: Office, call: Call, id: str, *, facts: SiteFacts, provenance: Provenance) -> Answer:
    """Set a site's facts anew; who moves it to another region needs the right in both."""

    def decide(site: Site) -> None:
        call.require("site.change", site.facts.region)
        call.require("site.change", facts.region)
        site.change(call.act, facts=facts, provenance=provenance)

    return office.workflow.change(call, Site, id, decide)


def assess_site(
    office: Office, call: Call, id: str, *, risk_class: str, assessed_on: date, source: str
) -> Answer:
    """Set a site's risk class, which is never public."""

    def decide(site: Site) -> None:
        call.require("site.change", site.facts.region)
        site.assess(call.act, risk_class=risk_class, assessed_on=assessed_on, source=source)

    return office.workflow.change(call, Site, id, decide)


def remove_site(office: Office, call: Call, id: str, *, ground: str, provenance: Provenance) -> Answer:
    """Take a site off the registry."""

    def decide(site: Site) -> None:
        call.require("site.change", site.facts.region)
        site.remove(call.act, ground=ground, provenance=provenance)

    return office.workflow.change(call, Site, id, decide)
