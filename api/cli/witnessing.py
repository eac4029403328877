"""`ledger witness`: a small witness for another office; it needs neither the store nor the ledger's key."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from api.bootstrap import Evidence, Witness, open_witness, witness_keygen
from api.cli.commands import operates
from api.cli.desk import Bench
from api.cli.files import read_text
from api.cli.options import Reason, argument, option
from api.cli.refusals import FINDING, Cannot
from domain.ledger.note import VerifierKey
from domain.ledger.policy import TrustPolicy


class ServingGroup(TyperGroup):
    """A group that alone, or with options only, does what its command `serve` does."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Let `serve` stand where no command is named."""
        named = args and (not args[0].startswith("-") or args[0] in ("-h", "--help"))
        return super().parse_args(ctx, args if named else ["serve", *args])


witness = typer.Typer(
    name="witness", cls=ServingGroup, help="A witness of other offices' logs; alone it serves 见证服务."
)
KeyFile = Annotated[
    Path | None,
    option(
        "--key",
        help="File with the witness's key; else witness.key in the data folder 见证密钥文件.",
        dir_okay=False,
    ),
]
State = Annotated[
    Path | None,
    option("--state", help="Its folder; else witness in the data folder 见证记录目录.", file_okay=False),
]
Logs = Annotated[
    list[str] | None,
    option("--log", help="A verifier key of a log to watch, or a file with one a line 日志的验证公钥."),
]
Policy = Annotated[
    Path | None,
    option(
        "--policy", help="A trust policy whose logs are watched 信任策略文件.", exists=True, dir_okay=False
    ),
]

Acknowledged = Annotated[
    list[str] | None,
    option("--acknowledge", metavar="FILE", help="Evidence that you looked at, as it is shown 已查明的证据."),
]


@operates(witness, "keygen")
def keygen(
    bench: Bench,
    name: Annotated[str, option("--name", help="The witness's name, such as jw.example/1 见证方名称.")],
    out: Annotated[
        Path | None,
        option("--out", help="The new file; else witness.key in the data folder 写入文件.", dir_okay=False),
    ] = None,
) -> None:
    """Make the witness's key; one that exists is never replaced 生成见证密钥."""
    file = _key_file(bench, out)
    vkey = witness_keygen(file, name)
    bench.terminal.facts({"file": str(file), "vkey": vkey})
    bench.terminal.warn("witness-key-keep", file=str(file))


@operates(witness, "serve")
def serve(
    bench: Bench,
    key: KeyFile = None,
    state: State = None,
    log: Logs = None,
    policy: Policy = None,
    host: Annotated[str, option("--host", help="Address to serve on 监听地址.")] = "127.0.0.1",
    port: Annotated[int, option("--port", min=0, max=65535, help="Port; 0 takes a free one 端口.")] = 8100,
) -> None:
    """Cosign what goes on from the last checkpoint, and keep evidence of what does not 提供见证."""
    from api.witness import create_witness_app
    from api.witness_server import serve_witness

    keys = _keys(log or [], policy)
    if not keys:
        raise Cannot("witness-logs-missing")
    clock = bench.machine.clock
    found = open_witness(_key_file(bench, key), _folder(bench, state), keys, clock)
    serve_witness(
        create_witness_app(found),
        host=host,
        port=port,
        ready=lambda address: bench.terminal.say("witnessing", address=address, vkey=found.vkey),
    )


@operates(witness, "show")
def show(bench: Bench, key: KeyFile = None, state: State = None, acknowledge: Acknowledged = None) -> None:
    """Show what was cosigned last of each log, and the evidence; exit 1 if any is new 查看见证记录."""
    found = open_witness(_key_file(bench, key), _folder(bench, state), [], bench.machine.clock)
    logs = [_shown_log(found, origin) for origin in found.state.origins()]
    evidence = [_shown_evidence(name, one) for name, one in found.evidence.all()]
    if bench.terminal.json:
        bench.terminal.give({"vkey": found.vkey, "logs": logs, "evidence": evidence})
    else:
        bench.terminal.facts({"vkey": found.vkey})
        bench.terminal.rows(logs, ("origin", "size", "root", "at", "cosigned"))
        if evidence:
            title = bench.terminal.text("witness-evidence")
            bench.terminal.rows(evidence, ("at", "kind", "origin", "file"), title=title)
    known = set(acknowledge or ())
    if any(one["kind"] != "forgotten" and one["file"] not in known for one in evidence):
        raise typer.Exit(FINDING)


@operates(witness, "forget")
def forget(
    bench: Bench,
    origin: Annotated[str, argument("The log's name 日志名称.")],
    reason: Reason,
    key: KeyFile = None,
    state: State = None,
) -> None:
    """Let a log begin anew, after two of its people gave up what was published 清除某日志的记录."""
    found = open_witness(_key_file(bench, key), _folder(bench, state), [], bench.machine.clock)
    held = found.forget(origin, reason=reason)
    bench.terminal.facts({"origin": origin, "size": held.checkpoint.size, "root": held.checkpoint.root.hex()})
    bench.terminal.warn("witness-forgot", origin=origin)


def _key_file(bench: Bench, given: Path | None) -> Path:
    return given or bench.settings.data_dir / "witness.key"


def _folder(bench: Bench, given: Path | None) -> Path:
    return given or bench.settings.data_dir / "witness"


def _keys(given: list[str], policy: Path | None) -> list[VerifierKey]:
    """The keys of the logs to watch, from the command line and from a policy's `log` lines."""
    found = [VerifierKey.parse(line) for one in given for line in _lines(one)]
    return found if policy is None else [*found, *TrustPolicy.parse(policy.read_bytes()).keys]


def _lines(given: str) -> list[str]:
    file = Path(given)
    text = read_text(file) if "+" not in given or file.is_file() else given
    return [line.strip() for line in text.splitlines() if line.strip()]


def _shown_log(found: Witness, origin: str) -> dict[str, Any]:
    held = found.state.held(origin)
    told: dict[str, Any] = {"origin": origin}
    if held is not None:
        told |= {"size": held.checkpoint.size, "root": held.checkpoint.root.hex(), "at": _moment(held.at)}
    return {**told, "cosigned": sum(1 for line in found.state.lines(origin) if not line.reason)}


def _shown_evidence(name: str, one: Evidence) -> dict[str, Any]:
    file = f"evidence/{name}.json"
    return {"at": _moment(one.at), "kind": one.kind.value, "origin": one.origin, "file": file}


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
