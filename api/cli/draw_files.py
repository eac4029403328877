"""What a draw needs as files: a contributor's secret, and the seal's receipt."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from api.cli.commands import asks, operates
from api.cli.desk import Bench, Desk
from api.cli.files import write_private
from api.cli.options import Out, argument, option
from api.cli.refusals import Cannot
from application.draws import seal_version
from application.workflow import Call
from domain.draw import Draw
from domain.draw_values import Contributor
from domain.drawing.seed import SECRET_BYTES
from domain.drawing.seed import commit as commitment_of
from domain.errors import NotFound

Id = Annotated[str, argument("The draw's id 抽取编号.")]
_KINDS: Final = ("dice:ROLLS", "beacon:ROUND", "lottery:NAME:ISSUE:TIME")


class Secret(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A contributor's secret for one attempt of one draw; `secret` and `commitment` are hex."""

    log: str
    draw_no: int
    attempt: int
    party: str
    secret: str
    commitment: str


def add_draw_files(draw: typer.Typer) -> None:
    """Add the commands to the group `draw`."""
    operates(draw, "secret")(make_secret)
    asks(draw, "receipt")(receipt)


def make_secret(
    bench: Bench,
    file: Annotated[Path, argument("The file to keep it in, only for you 密值文件.", dir_okay=False)],
    party: Annotated[str, option("--party", help="agency, discipline … 参与方.")],
    draw_no: Annotated[int, option("--draw-no", min=1, help="The draw's number 抽取序号.")],
    attempt: Annotated[int, option("--attempt", min=1, help="The attempt 第几次.")] = 1,
    log: Annotated[str, option("--log", help="The log's name, if not this one's 日志名.")] = "",
) -> None:
    """Make a contributor's 32 random bytes and their commitment; needs no store 生成密值."""
    random, origin = secrets.token_bytes(SECRET_BYTES), log or bench.settings.origin
    made = Secret(
        log=origin,
        draw_no=draw_no,
        attempt=attempt,
        party=party,
        secret=random.hex(),
        commitment=commitment_of(origin, draw_no, attempt, party, random).hex(),
    )
    try:
        write_private(file, msgspec.json.encode(made, order="sorted") + b"\n")
    except FileExistsError as error:
        raise Cannot("file-exists", file=str(file)) from error
    bench.terminal.facts({"commitment": made.commitment, "file": str(file)})
    bench.terminal.warn("secret-keep", file=str(file))


def receipt(desk: Desk, call: Call, id: Id, out: Out = None) -> None:
    """Give the receipt of the seal, which every party keeps before it reveals 取封存回执."""
    found = desk.office.workflow.load(Draw, id)
    call.require("draw.read", found.region)
    idx = desk.system.store.recorder.locate(id, seal_version(desk.office, found))
    if idx is None:
        raise NotFound(kind="event", id=id)
    proof = desk.office.ledger.witnessed_receipt(idx)
    if out is None:
        desk.terminal.facts({"idx": idx, "receipt": proof.decode()})
        return
    out.write_bytes(proof)
    desk.terminal.facts({"idx": idx, "file": str(out)})


def read_secret(file: Path) -> Secret:
    """The secret in a file that `make_secret` wrote; its content is never repeated in a message."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Secret)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Cannot("secret-file-wrong", file=str(file)) from error


def read_source(given: str) -> Mapping[str, Any]:
    """The public source that `--source` names, as the announcement holds it."""
    kind, _, rest = given.partition(":")
    match kind:
        case "dice" if rest.isdecimal():
            return {"kind": "dice", "rolls": int(rest)}
        case "beacon" if rest.isdecimal():
            return {"kind": "drand-quicknet", "round": int(rest)}
        case "lottery" if rest.count(":") >= 2:
            name, issue, at = rest.split(":", 2)
            return {"kind": "lottery", "name": name, "issue": issue, "at": _time(at)}
    raise typer.BadParameter(f"{given!r} is none of {', '.join(_KINDS)}", param_hint="--source")


def read_contributor(given: str) -> Contributor:
    """A party and its custodian's account, PARTY=ACCOUNT."""
    party, mark, account = given.partition("=")
    if not mark:
        raise typer.BadParameter(f"{given!r} is not PARTY=ACCOUNT", param_hint="--contributor")
    return Contributor(party, account)


def source_option() -> Any:
    """The option that names the public source."""
    return option("--source", help=f"Where the public value comes from: {', '.join(_KINDS)} 公共随机源.")


def _time(at: str) -> str:
    try:
        datetime.fromisoformat(at)
    except ValueError as error:
        raise typer.BadParameter(f"{at!r} is no time", param_hint="--source") from error
    return at
