"""Who may do what, where: the one table of permissions."""

from datetime import date
from typing import Final

import msgspec

from domain.errors import Forbidden
from domain.identifiers import covers

ADMINISTRATOR: Final = "administrator"
CITY_OFFICER: Final = "city-officer"
LEADER: Final = "leader"
INSPECTOR: Final = "inspector"
CASE_HANDLER: Final = "case-handler"
PROVINCE: Final = "province"
AUDITOR: Final = "auditor"
DISCIPLINE: Final = "discipline"
REPORTING: Final = "reporting"
ENTERPRISE: Final = "enterprise"

ROLES: Final = (
    ADMINISTRATOR,
    CITY_OFFICER,
    LEADER,
    INSPECTOR,
    CASE_HANDLER,
    PROVINCE,
    AUDITOR,
    DISCIPLINE,
    REPORTING,
    ENTERPRISE,
)

_READERS = (CITY_OFFICER, LEADER, CASE_HANDLER, PROVINCE, AUDITOR, DISCIPLINE, REPORTING)

PERMISSIONS: Final[dict[str, tuple[str, ...]]] = {
    "account.manage": (ADMINISTRATOR,),
    "account.read": (ADMINISTRATOR, AUDITOR),
    "rulebook.adopt": (ADMINISTRATOR,),
    "projection.rebuild": (ADMINISTRATOR,),
    "blob.write": (CITY_OFFICER, LEADER, INSPECTOR, CASE_HANDLER, DISCIPLINE, ENTERPRISE),
    "import.run": (CITY_OFFICER,),
    "item.draft": (CITY_OFFICER,),
    "catalogue.publish": (LEADER,),
    "site.change": (CITY_OFFICER,),
    "site.read": (*_READERS, INSPECTOR),
    "inspector.change": (CITY_OFFICER,),
    "inspector.read": (CITY_OFFICER, LEADER, PROVINCE, AUDITOR, DISCIPLINE),
    "person.read": (CITY_OFFICER, LEADER, AUDITOR),
    "erasure.ask": (CITY_OFFICER, ADMINISTRATOR),
    "erasure.decide": (LEADER, DISCIPLINE),
    "erasure.read": (CITY_OFFICER, ADMINISTRATOR, LEADER, AUDITOR, DISCIPLINE),
    "plan.draft": (CITY_OFFICER,),
    "plan.approve": (LEADER,),
    "plan.publish": (CITY_OFFICER,),
    "plan.read": (*_READERS, INSPECTOR),
    "draw.run": (CITY_OFFICER,),
    "draw.approve-narrow": (LEADER, DISCIPLINE),
    "draw.contribute": (CITY_OFFICER, LEADER, DISCIPLINE),
    "draw.void": (LEADER, DISCIPLINE),
    "draw.read": (*_READERS, INSPECTOR),
    "draw.read-sealed": (LEADER, AUDITOR, DISCIPLINE),
    "assignment.read": (CITY_OFFICER, LEADER, INSPECTOR, AUDITOR),
    "recusal.declare": (INSPECTOR, CITY_OFFICER, ENTERPRISE),
    "recusal.find": (CITY_OFFICER,),
    "recusal.decide": (LEADER,),
    "recusal.read": (CITY_OFFICER, LEADER, AUDITOR, DISCIPLINE, INSPECTOR, ENTERPRISE),
    "assignment.void": (CITY_OFFICER,),
    "assignment.decide-void": (LEADER, CITY_OFFICER),
    "inspection.approve": (LEADER,),
    "inspection.conduct": (INSPECTOR,),
    "inspection.review": (CITY_OFFICER, LEADER, INSPECTOR),
    "inspection.publish": (CITY_OFFICER, INSPECTOR),
    "inspection.read": (*_READERS, INSPECTOR),
    "violation.manage": (CITY_OFFICER, INSPECTOR),
    "violation.submit": (ENTERPRISE, INSPECTOR, CITY_OFFICER),
    "violation.verify": (INSPECTOR, CITY_OFFICER),
    "violation.close": (CITY_OFFICER, LEADER),
    "violation.read": (*_READERS, INSPECTOR),
    "recheck.record": (INSPECTOR, CITY_OFFICER),
    "referral.send": (LEADER, CASE_HANDLER),
    "referral.record": (CITY_OFFICER, CASE_HANDLER),
    "referral.read": _READERS,
    "statistics.read": (*_READERS, INSPECTOR),
    "ledger.export": (AUDITOR, DISCIPLINE),
    "ledger.rotate": (ADMINISTRATOR, DISCIPLINE),
    "ledger.resume": (ADMINISTRATOR, LEADER, DISCIPLINE),
    "stream.replay": (AUDITOR, DISCIPLINE),
    "event.feed": (REPORTING, AUDITOR),
}


class Grant(msgspec.Struct, frozen=True):
    """A role in a region (GB/T 2260), until a day inclusive or without end."""

    role: str
    region: str
    until: date | None = None


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: the account, its grants, and the inspector or the enterprise it stands for ("" if none)."""

    account: str
    grants: tuple[Grant, ...] = ()
    inspector: str = ""
    enterprise: str = ""


class PermissionMissing(Forbidden):
    """No grant of the account allows this; facts: `permission`, `region`, `roles` that would."""

    code = "permission-missing"


def may(actor: Actor, permission: str, region: str | None, *, on: date) -> bool:
    """Whether a grant in force on the day allows it there; region None asks for any region."""
    roles = PERMISSIONS[permission]
    return any(
        grant.role in roles
        and (grant.until is None or on <= grant.until)
        and (region is None or covers(grant.region, region))
        for grant in actor.grants
    )


def authorise(actor: Actor, permission: str, region: str | None, *, on: date) -> None:
    """Refuse with `PermissionMissing` unless a grant in force on the day allows it there."""
    if not may(actor, permission, region, on=on):
        raise PermissionMissing(permission=permission, region=region or "", roles=PERMISSIONS[permission])


def regions(actor: Actor, permission: str, *, on: date) -> tuple[str, ...]:
    """The regions in which the actor has the permission on the day; for filtering lists."""
    roles = PERMISSIONS[permission]
    return tuple(
        sorted({g.region for g in actor.grants if g.role in roles and (g.until is None or on <= g.until)})
    )
