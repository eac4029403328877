"""`site` and `inspector`: the two registries, one entry at a time; files come through `import`."""

from datetime import date
from typing import Annotated

import typer

from api.cli.commands import acts, asks
from api.cli.desk import Desk
from api.cli.files import read_facts
from api.cli.options import After, JsonFile, Limit, Region, argument, option, read_day
from api.cli.provenance import EffectiveFrom, Source, Why, provenance
from api.cli.terminal import row_of
from application.inspectors import change_inspector, register_inspector, remove_inspector
from application.ports import Answer
from application.sites import assess_site, change_site, register_site, remove_site
from application.workflow import Call
from domain.inspector import InspectorFacts
from domain.site import SiteFacts
from projections.inspectors import list_inspectors
from projections.sites import list_sites

site = typer.Typer(name="site", help="The registry of sites 检查对象名录.", no_args_is_help=True)
inspector = typer.Typer(
    name="inspector", help="The registry of inspectors 执法检查人员名录.", no_args_is_help=True
)

SiteId = Annotated[str, argument("The site's id 检查对象编号.")]
InspectorId = Annotated[str, argument("The inspector's id 执法人员编号.")]
Within = Annotated[str | None, option("--region", help="Only in this region 地区.")]
Name = Annotated[str, option("--name", help="The person's name, kept in the vault 姓名.")]
Phone = Annotated[str, option("--phone", help="Phone, kept in the vault 电话.")]
CertificateNo = Annotated[
    str, option("--certificate-no", help="Certificate number, kept in the vault 执法证号.")
]


@acts(site, "register")
def register(
    desk: Desk, call: Call, facts: JsonFile, source: Source, reason: Why, effective_from: EffectiveFrom
) -> Answer:
    """Enter a site 检查对象入库."""
    origin = provenance(source, reason, effective_from)
    return register_site(desk.office, call, facts=read_facts(facts, SiteFacts), provenance=origin)


@acts(site, "change")
def change(
    desk: Desk,
    call: Call,
    id: SiteId,
    facts: JsonFile,
    source: Source,
    reason: Why,
    effective_from: EffectiveFrom,
) -> Answer:
    """Set all facts of a site anew 变更检查对象."""
    origin = provenance(source, reason, effective_from)
    return change_site(desk.office, call, id, facts=read_facts(facts, SiteFacts), provenance=origin)


@acts(site, "assess")
def assess(
    desk: Desk,
    call: Call,
    id: SiteId,
    risk_class: Annotated[str, option("--class", help="A, B, C or D; never public 风险等级.")],
    assessed_on: Annotated[
        date, option("--on", parser=read_day, metavar="YYYY-MM-DD", help="The day 评定日.")
    ],
    source: Source,
) -> Answer:
    """Set a site's risk class 评定风险等级."""
    return assess_site(desk.office, call, id, risk_class=risk_class, assessed_on=assessed_on, source=source)


@acts(site, "remove")
def remove(
    desk: Desk,
    call: Call,
    id: SiteId,
    ground: Annotated[str, option("--ground", help="closed, deregistered, moved, merged 事由.")],
    source: Source,
    reason: Why,
    effective_from: EffectiveFrom,
) -> Answer:
    """Take a site off the registry 检查对象出库."""
    origin = provenance(source, reason, effective_from)
    return remove_site(desk.office, call, id, ground=ground, provenance=origin)


@asks(site, "list")
def sites(
    desk: Desk,
    call: Call,
    region: Within = None,
    stratum: Annotated[str, option("--stratum", help="Only of this stratum 分类.")] = "",
    text: Annotated[str, option("--text", help="Part of the name, or a code's beginning 名称或代码.")] = "",
    limit: Limit = 50,
    after: After = None,
) -> None:
    """List sites in the order of registration 列出检查对象."""
    regions = desk.regions(call, "site.read", region)
    with desk.reading() as connection:
        found = list_sites(connection, regions, stratum=stratum, text=text, after=after, limit=limit)
    rows = [row_of(one) for one in found]
    for row in rows:
        row.pop("risk_class")
    desk.terminal.rows(rows, ("idx", "id", "version", "name", "uscc", "code", "region", "stratum"))


@acts(inspector, "register")
def enlist(
    desk: Desk,
    call: Call,
    region: Region,
    facts: JsonFile,
    name: Name,
    source: Source,
    reason: Why,
    effective_from: EffectiveFrom,
    phone: Phone = "",
    certificate_no: CertificateNo = "",
) -> Answer:
    """Enter an inspector or expert 人员入库."""
    return register_inspector(
        desk.office,
        call,
        region=region,
        person={"name": name, "phone": phone, "certificate_no": certificate_no},
        facts=read_facts(facts, InspectorFacts),
        provenance=provenance(source, reason, effective_from),
    )


@acts(inspector, "change")
def alter(
    desk: Desk,
    call: Call,
    id: InspectorId,
    facts: JsonFile,
    source: Source,
    reason: Why,
    effective_from: EffectiveFrom,
) -> Answer:
    """Set all facts of an inspector anew 变更人员."""
    origin = provenance(source, reason, effective_from)
    return change_inspector(desk.office, call, id, facts=read_facts(facts, InspectorFacts), provenance=origin)


@acts(inspector, "remove")
def delist(
    desk: Desk, call: Call, id: InspectorId, source: Source, reason: Why, effective_from: EffectiveFrom
) -> Answer:
    """Take an inspector off the registry 人员出库."""
    origin = provenance(source, reason, effective_from)
    return remove_inspector(desk.office, call, id, provenance=origin)


@asks(inspector, "list")
def inspectors(
    desk: Desk,
    call: Call,
    region: Within = None,
    kind: Annotated[str, option("--kind", help="officer or expert 类别.")] = "",
    limit: Limit = 50,
    after: After = None,
) -> None:
    """List inspectors and experts; names stay in the vault 列出人员."""
    regions = desk.regions(call, "inspector.read", region)
    with desk.reading() as connection:
        found = list_inspectors(connection, regions, kind=kind, after=after, limit=limit)
    rows = [row_of(one) for one in found]
    desk.terminal.rows(rows, ("idx", "id", "version", "kind", "role_class", "unit", "areas", "skills"))
