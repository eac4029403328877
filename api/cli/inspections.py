"""`inspection`: one visit, step by step, from its opening to its publication."""

from datetime import datetime
from typing import Annotated

import typer

from api.cli.commands import acts
from api.cli.desk import Desk
from api.cli.evidence import keep_file
from api.cli.files import read_facts
from api.cli.options import JsonFile, Reason, argument, option, read_time
from application.inspections import (
    add_evidence,
    approve_inspection,
    conclude_inspection,
    notify_site,
    open_inspection,
    publish_result,
    record_finding,
    return_record,
    review_inspection,
    show_identity,
    withdraw_finding,
    withhold_result,
)
from application.ports import Answer
from application.workflow import Call
from domain.inspection import Evidence, Record

inspection = typer.Typer(name="inspection", help="Inspections, step by step 检查.", no_args_is_help=True)

Id = Annotated[str, argument("The inspection's id 检查编号.")]


@acts(inspection, "open")
def open_it(
    desk: Desk,
    call: Call,
    assignment: Annotated[str, argument("The assignment's id 任务编号.")],
    mode: Annotated[str, option("--mode", help="on-site or off-site 方式.")] = "on-site",
) -> Answer:
    """Take a task up, as an officer of its team 启动检查."""
    return open_inspection(desk.office, call, assignment=assignment, mode=mode)


@acts(inspection, "approve")
def approve(
    desk: Desk,
    call: Call,
    id: Id,
    approval_no: Annotated[str, option("--approval-no", help="The approval's number 批准文号.")],
    expert: Annotated[list[str] | None, option("--expert", help="An expert who assists 专家.")] = None,
) -> Answer:
    """Approve a visit and name the experts who assist 批准检查."""
    return approve_inspection(desk.office, call, id, approval_no=approval_no, experts=expert or [])


@acts(inspection, "notify")
def notify(
    desk: Desk,
    call: Call,
    id: Id,
    urgent: Annotated[bool, option("--urgent", help="Without notice; needs --reason 紧急.")] = False,
    reason: Annotated[str, option("--reason", help="The urgent reason 紧急理由.")] = "",
) -> Answer:
    """Tell the site, or record why it is not told 通知检查对象."""
    return notify_site(desk.office, call, id, urgent=urgent, reason=reason)


@acts(inspection, "identity")
def identify(
    desk: Desk,
    call: Call,
    id: Id,
    rights_told: Annotated[
        bool, option("--rights-told", help="Recusal and hearing were told 告知权利.")
    ] = False,
    purpose_told: Annotated[bool, option("--purpose-told", help="The purpose was told 说明来意.")] = False,
) -> Answer:
    """Record that certificates were shown, purpose and rights told 出示证件."""
    return show_identity(desk.office, call, id, rights_told=rights_told, purpose_told=purpose_told)


@acts(inspection, "evidence")
def add(
    desk: Desk,
    call: Call,
    id: Id,
    file: Annotated[str, argument("A file, or the digest of one kept 证据文件.")],
    kind: Annotated[str, option("--kind", help="photo, video, document, sample, record 种类.")],
    taken_at: Annotated[
        datetime, option("--taken-at", parser=read_time, metavar="TIME", help="When it was taken 取证时间.")
    ],
    place: Annotated[str, option("--place", help="Where it was taken 取证地点.")],
) -> Answer:
    """Add a file as evidence 添加证据."""
    digest = keep_file(desk, call, file)
    evidence = Evidence(digest=digest, kind=kind, taken_at=taken_at, place=place)
    return add_evidence(desk.office, call, id, evidence=evidence)


@acts(inspection, "finding")
def find(
    desk: Desk,
    call: Call,
    id: Id,
    item: Annotated[str, option("--item", help="The item's code 事项代码.")],
    category: Annotated[str, option("--category", help="What kind of problem 类别.")],
    description: Annotated[str, option("--description", help="What was found 问题描述.")],
    disposal: Annotated[
        str, option("--disposal", help="corrected, rectifying, lenient, case, referred 处置.")
    ],
    evidence: Annotated[
        list[str] | None, option("--evidence", help="The digest of evidence added before 证据.")
    ] = None,
) -> Answer:
    """Record a problem on one of the visit's items 记录问题."""
    return record_finding(
        desk.office,
        call,
        id,
        item=item,
        category=category,
        description=description,
        disposal=disposal,
        evidence=evidence or [],
    )


@acts(inspection, "withdraw-finding")
def withdraw(
    desk: Desk, call: Call, id: Id, no: Annotated[int, argument("The finding's number 序号.")], reason: Reason
) -> Answer:
    """Take a wrong finding back; it stays in the history 撤回问题."""
    return withdraw_finding(desk.office, call, id, no=no, reason=reason)


@acts(inspection, "conclude")
def conclude(desk: Desk, call: Call, id: Id, facts: JsonFile) -> Answer:
    """Complete and sign the record, given as JSON 完成笔录."""
    return conclude_inspection(desk.office, call, id, record=read_facts(facts, Record))


@acts(inspection, "return")
def send_back(desk: Desk, call: Call, id: Id, reason: Reason) -> Answer:
    """Send a record back to its team, as a reviewer outside it 退回笔录."""
    return return_record(desk.office, call, id, reason=reason)


@acts(inspection, "review")
def review(
    desk: Desk,
    call: Call,
    id: Id,
    opinion: Annotated[str, option("--opinion", help="The opinion 意见.")] = "",
) -> Answer:
    """Find a record in order, as a reviewer outside the team 复核."""
    return review_inspection(desk.office, call, id, opinion=opinion)


@acts(inspection, "publish")
def publish(
    desk: Desk,
    call: Call,
    id: Id,
    channel: Annotated[list[str], option("--channel", help="Where it is made public 公示渠道.")],
) -> Answer:
    """Make a reviewed result public 公示结果."""
    return publish_result(desk.office, call, id, channels=channel)


@acts(inspection, "withhold")
def withhold(
    desk: Desk,
    call: Call,
    id: Id,
    ground: Annotated[
        str, option("--ground", help="state-secret, trade-secret, third-party, public-safety 依据.")
    ],
    reason: Reason,
) -> Answer:
    """Lawfully keep a reviewed result from the public 不予公开."""
    return withhold_result(desk.office, call, id, ground=ground, reason=reason)
