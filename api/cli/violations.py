"""`violation` and `referral`: findings carried to their closing, or to whose matter they are."""

from datetime import date
from typing import Annotated

import typer

from api.cli.commands import acts, asks
from api.cli.desk import Desk
from api.cli.evidence import keep_file, keep_files
from api.cli.options import After, Limit, Reason, argument, option, read_day
from api.cli.terminal import row_of
from application.ports import Answer
from application.referrals import receive_referral, record_reply, refer_violation
from application.violations import (
    close_violation,
    dispose_violation,
    order_rectification,
    return_rectification,
    submit_rectification,
    verify_rectification,
)
from application.workflow import Call
from domain.referral import Letter
from projections.violation_ledger import list_violations

violation = typer.Typer(name="violation", help="The violation ledger 违法违规台账.", no_args_is_help=True)
referral = typer.Typer(name="referral", help="Referrals to other departments 移送.", no_args_is_help=True)

Id = Annotated[str, argument("The violation's id 台账编号.")]
ReferralId = Annotated[str, argument("The referral's id 移送编号.")]
Files = Annotated[list[str] | None, option("--evidence", help="A file, or the digest of one kept 证据.")]
Note = Annotated[str, option("--note", help="What was done or seen 说明.")]
Due = Annotated[
    date | None, option("--due", parser=read_day, metavar="YYYY-MM-DD", help="By which day 期限.")
]
_COLUMNS = ("idx", "id", "version", "state", "overdue", "due", "disposal", "period", "uscc", "item")


@acts(violation, "order")
def order(
    desk: Desk,
    call: Call,
    id: Id,
    number: Annotated[str, option("--number", help="The order's number 文号.")],
    requirements: Annotated[str, option("--requirements", help="What is to be done 整改要求.")],
    due: Due = None,
) -> Answer:
    """Order the enterprise to rectify; without a day by the rulebook's period 责令改正."""
    return order_rectification(desk.office, call, id, number=number, requirements=requirements, due_on=due)


@acts(violation, "submit")
def submit(
    desk: Desk,
    call: Call,
    id: Id,
    note: Note,
    evidence: Files = None,
    for_enterprise: Annotated[bool, option("--for-enterprise", help="On its behalf 代企业提交.")] = False,
) -> Answer:
    """Say that the rectification is done 提交整改."""
    kept = keep_files(desk, call, evidence or [])
    return submit_rectification(
        desk.office, call, id, note=note, evidence=kept, for_enterprise=for_enterprise
    )


@acts(violation, "return")
def send_back(
    desk: Desk,
    call: Call,
    id: Id,
    reason: Reason,
    due: Annotated[date, option("--due", parser=read_day, metavar="YYYY-MM-DD", help="By which day 期限.")],
) -> Answer:
    """Send a rectification back 退回整改."""
    return return_rectification(desk.office, call, id, reason=reason, due_on=due)


@acts(violation, "verify")
def verify(desk: Desk, call: Call, id: Id, note: Note, evidence: Files = None) -> Answer:
    """See that a rectification is done, as somebody who did not submit it 核实整改."""
    kept = keep_files(desk, call, evidence or [])
    return verify_rectification(desk.office, call, id, note=note, evidence=kept)


@acts(violation, "dispose")
def dispose(
    desk: Desk,
    call: Call,
    id: Id,
    disposal: Annotated[str, option("--disposal", help="corrected, rectifying, lenient, case 处置.")],
    reason: Reason,
) -> Answer:
    """Send a violation another way 变更处置."""
    return dispose_violation(desk.office, call, id, disposal=disposal, reason=reason)


@acts(violation, "close")
def close(desk: Desk, call: Call, id: Id, note: Note, evidence: Files = None) -> Answer:
    """Close a violation on evidence, as somebody who did not submit it 销号."""
    kept = keep_files(desk, call, evidence or [])
    return close_violation(desk.office, call, id, evidence=kept, note=note)


@asks(violation, "list")
def show(
    desk: Desk,
    call: Call,
    region: Annotated[str | None, option("--region", help="Only in this region 地区.")] = None,
    state: Annotated[str, option("--state", help="open, ordered, submitted, verified, closed 状态.")] = "",
    overdue: Annotated[bool, option("--overdue", help="Only those overdue 逾期.")] = False,
    limit: Limit = 50,
    after: After = None,
) -> None:
    """List violations in the order in which they were opened 列出台账."""
    regions, now = desk.regions(call, "violation.read", region), desk.system.clock.now()
    with desk.reading() as connection:
        found = list_violations(
            connection,
            regions,
            state=state,
            overdue_at=now if overdue else None,
            after=after,
            limit=limit,
        )
    rows = [{**row_of(one), "overdue": one.overdue(now)} for one in found]
    desk.terminal.rows(rows, _COLUMNS)


@acts(referral, "send")
def send(
    desk: Desk,
    call: Call,
    violation: Id,
    number: Annotated[str, option("--number", help="The letter's number 文号.")],
    document: Annotated[str, option("--document", help="The letter: a file, or a digest 移送函.")],
    addressee: Annotated[str, option("--addressee", help="To which department 受移送单位.")],
    reason: Reason,
) -> Answer:
    """Refer a violation to another department 移送."""
    kept = keep_file(desk, call, document)
    letter = Letter(number=number, document=kept, addressee=addressee, reason=reason)
    return refer_violation(desk.office, call, violation=violation, letter=letter)


@acts(referral, "receive")
def receive(
    desk: Desk,
    call: Call,
    id: ReferralId,
    receipt: Annotated[str, option("--receipt", help="The signed receipt: a file, or a digest 送达回证.")],
) -> Answer:
    """Record the other department's signed receipt 记录签收."""
    return receive_referral(desk.office, call, id, receipt=keep_file(desk, call, receipt))


@acts(referral, "reply")
def reply(
    desk: Desk,
    call: Call,
    id: ReferralId,
    accepted: Annotated[bool, option("--accepted/--refused", help="Whether it takes the matter 是否受理.")],
    note: Note,
) -> Answer:
    """Record the other department's reply 记录答复."""
    return record_reply(desk.office, call, id, accepted=accepted, note=note)
