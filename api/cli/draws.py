"""`draw`: every step of a draw, from its announcement to its public bundle."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.commands import acts, asks
from api.cli.desk import Desk
from api.cli.draw_bundles import add_draw_bundles
from api.cli.draw_files import add_draw_files, read_contributor, read_secret, read_source, source_option
from api.cli.draw_reports import add_draw_reports
from api.cli.draw_verify import add_draw_verify
from api.cli.options import After, Limit, argument, option
from api.cli.refusals import Cannot
from api.cli.terminal import row_of
from application.draws import (
    announce_draw,
    ask_void_draw,
    commit_secret,
    complete,
    end_attempt,
    observe_value,
    open_draw,
    reveal_secret,
    type_value,
    void_draw,
)
from application.ports import Answer
from application.sealing import publish_seal, seal
from application.supplements import announce_supplement
from application.workflow import Call
from projections.draws import list_draws

draw = typer.Typer(name="draw", help="Draws, step by step 抽取.", no_args_is_help=True)

Id = Annotated[str, argument("The draw's id 抽取编号.")]
Party = Annotated[str, option("--party", help="agency, discipline … 参与方.")]
SecretFile = Annotated[
    Path,
    option("--secret-file", help="What `sunlot draw secret` made 密值文件.", exists=True, dir_okay=False),
]
Value = Annotated[str, option("--value", help="The public value 公共随机值.")]
_COLUMNS = ("idx", "id", "version", "draw_no", "attempt", "plan_row", "period", "status", "warnings")


@acts(draw, "announce")
def announce(
    desk: Desk,
    call: Call,
    plan: Annotated[str, argument("The plan's id 计划编号.")],
    row: Annotated[str, argument("The row's number 任务号.")],
    contributor: Annotated[
        list[str], option("--contributor", help="PARTY=ACCOUNT, once for each 参与方=账号.")
    ],
    source: Annotated[str, source_option()],
) -> Answer:
    """Announce the draw of a published plan's row 公告抽取."""
    return announce_draw(
        desk.office,
        call,
        plan=plan,
        row=row,
        contributors=[read_contributor(one) for one in contributor],
        public_source=read_source(source),
    )


@acts(draw, "supplement")
def supplement(
    desk: Desk,
    call: Call,
    id: Id,
    seat: Annotated[list[str], option("--seat", help="A missing seat, once for each 空缺席位.")],
    contributor: Annotated[
        list[str], option("--contributor", help="PARTY=ACCOUNT, once for each 参与方=账号.")
    ],
    source: Annotated[str, source_option()],
    area: Annotated[
        list[str] | None, option("--area", help="A further region whose officers may come 抽调地区.")
    ] = None,
    reason: Annotated[str, option("--reason", help="Why from there; public 抽调理由.")] = "",
) -> Answer:
    """Announce the draw that fills seats which nobody has 公告补充抽取."""
    return announce_supplement(
        desk.office,
        call,
        id,
        seats=seat,
        areas=area or [],
        reason=reason,
        contributors=[read_contributor(one) for one in contributor],
        public_source=read_source(source),
    )


@acts(draw, "commit")
def commit(
    desk: Desk,
    call: Call,
    id: Id,
    party: Party,
    commitment: Annotated[str, option("--commitment", help="64 hexadecimal digits 承诺值.")] = "",
    secret_file: Annotated[
        Path | None,
        option("--secret-file", help="Or the file that holds it 密值文件.", exists=True, dir_okay=False),
    ] = None,
) -> Answer:
    """File a party's commitment 提交承诺."""
    if secret_file is not None:
        commitment = read_secret(secret_file).commitment
    return commit_secret(desk.office, call, id, party=party, commitment=commitment)


def _publish_seal(desk: Desk, sealed: Answer) -> None:
    publish_seal(desk.office, sealed)


@acts(draw, "seal", finish=_publish_seal)
def freeze(
    desk: Desk,
    call: Call,
    id: Id,
    frame_reason: Annotated[
        str, option("--frame-reason", help="Why a repeated attempt has another frame 名录变更理由.")
    ] = "",
) -> Answer:
    """Freeze frame, pool and rules; done once the witnesses of the quorum have cosigned it 封存."""
    return seal(desk.office, call, id, frame_reason=frame_reason)


@acts(draw, "reveal")
def reveal(
    desk: Desk,
    call: Call,
    id: Id,
    party: Party,
    secret_file: SecretFile,
    receipt: Annotated[
        Path,
        option("--receipt", help="The seal's receipt that you kept 自存回执.", exists=True, dir_okay=False),
    ],
) -> Answer:
    """Reveal a party's secret, with the receipt of the seal that it kept 公开密值."""
    secret = read_secret(secret_file).secret
    return reveal_secret(desk.office, call, id, party=party, secret=secret, receipt=receipt.read_bytes())


@acts(draw, "type-value")
def type_in(desk: Desk, call: Call, id: Id, party: Party, value: Value) -> Answer:
    """Type the public value as a party's custodian, independently of the others 录入公共随机值."""
    return type_value(desk.office, call, id, party=party, value=value)


@acts(draw, "observe")
def observe(
    desk: Desk,
    call: Call,
    id: Id,
    value: Value,
    reference: Annotated[str, option("--reference", help="Where a lottery published it 出处.")] = "",
    signature: Annotated[str, option("--signature", help="A beacon's signature, hex 信标签名.")] = "",
    witnesses: Annotated[int, option("--witnesses", min=0, help="How many saw the dice 见证人数.")] = 0,
) -> Answer:
    """Record the public value with its evidence 记录公共随机值."""
    given = {"reference": reference, "signature": signature, "witnesses": witnesses}
    evidence = {name: one for name, one in given.items() if one}
    return observe_value(desk.office, call, id, value=value, evidence=evidence)


@acts(draw, "complete")
def finish(desk: Desk, call: Call, id: Id) -> Answer:
    """Compute sample and teams; one assignment for each drawn site 完成抽取."""
    return complete(desk.office, call, id)


@acts(draw, "open")
def disclose(desk: Desk, call: Call, id: Id) -> Answer:
    """Make the bundle public, once every assignment is settled 公开."""
    return open_draw(desk.office, call, id)


@acts(draw, "void")
def void(
    desk: Desk,
    call: Call,
    id: Id,
    ground: Annotated[str, option("--ground", help="Ask for it on this public ground 事由.")] = "",
    confirm: Annotated[bool, option("--confirm", help="Do it, as the second person 第二人确认.")] = False,
) -> Answer:
    """Void a draw whose value does not exist yet: one person asks, a second does it 作废."""
    if confirm == bool(ground):
        raise Cannot("void-how")
    return (
        void_draw(desk.office, call, id) if confirm else ask_void_draw(desk.office, call, id, ground=ground)
    )


@acts(draw, "end")
def end(desk: Desk, call: Call, id: Id) -> Answer:
    """End an attempt in which a party did not reveal in time 终止本次."""
    return end_attempt(desk.office, call, id)


@asks(draw, "list")
def show(
    desk: Desk,
    call: Call,
    region: Annotated[str | None, option("--region", help="Only in this region 地区.")] = None,
    period: Annotated[str, option("--period", help="Only of this quarter, 2024Q2 季度.")] = "",
    limit: Limit = 50,
    after: After = None,
) -> None:
    """List draws, every attempt and void included, the latest first 列出抽取."""
    regions = desk.regions(call, "draw.read", region)
    with desk.reading() as connection:
        found = list_draws(connection, regions, period=period, after=after, limit=limit)
    rows = [row_of(one) for one in found]
    desk.terminal.rows(rows, _COLUMNS)


add_draw_files(draw)
add_draw_reports(draw)
add_draw_bundles(draw)
add_draw_verify(draw)
