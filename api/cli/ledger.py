"""`ledger`: the signing key, publishing, checking and proofs of the audit ledger."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from api.cli.commands import operates
from api.cli.desk import Bench
from api.cli.files import read_text
from api.cli.options import Out, argument, option
from api.cli.refusals import FINDING, Cannot
from domain.errors import KeyUnusable
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.note import Note
from domain.ledger.verify import Report

ledger = typer.Typer(name="ledger", help="The audit ledger 审计账本.", no_args_is_help=True)
Keys = Annotated[
    list[str] | None,
    option(
        "--vkey",
        help="A trusted verifier key, or a file with one a line; not taken from the ledger 信任的验证公钥.",
    ),
]


@operates(ledger, "keygen")
def keygen(bench: Bench) -> None:
    """Make the ledger's signing key; one that exists is never replaced 生成签名密钥."""
    vkey = bench.tools.new_key()
    bench.terminal.facts({"file": str(bench.settings.key_file), "vkey": vkey})
    bench.terminal.warn("key-keep", file=str(bench.settings.key_file))


@operates(ledger, "publish")
def publish(bench: Bench) -> None:
    """Sign and publish a checkpoint of all that is stored now 发布检查点."""
    with bench.open() as desk:
        desk.system.publisher.publish_once()
    show(bench)


@operates(ledger, "show")
def show(bench: Bench) -> None:
    """Show the published checkpoint, and how far the store is ahead of it 查看检查点."""
    note = bench.tools.published().checkpoint()
    store = bench.tools.store()
    try:
        head, latch = store.recorder.head(), store.ledger_latch.read()
    finally:
        store.close()
    found = Checkpoint.parse(Note.parse(note).text) if note else None
    stored = 0 if head is None else head + 1
    size = found.size if found else 0
    bench.terminal.facts(
        {
            "origin": found.origin if found else bench.settings.origin,
            "size": size,
            "root": found.root.hex() if found else "",
            "stored": stored,
            "latched": latch[0] if latch else 0,
            "ahead": stored - size,
            "folder": str(bench.settings.ledger_dir),
        }
    )


@operates(ledger, "receipt")
def receipt(
    bench: Bench, idx: Annotated[int, argument("The event's position 位置.", min=0)], out: Out = None
) -> None:
    """Give the proof that an event is in the log, a .tlog-proof file 取回执."""
    proof = bench.tools.published().receipt(idx)
    if out is not None:
        out.write_bytes(proof)
        bench.terminal.facts({"idx": idx, "file": str(out)})
    elif bench.terminal.json:
        bench.terminal.give({"idx": idx, "receipt": proof.decode()})
    else:
        bench.terminal.out.file.write(proof.decode())


@operates(ledger, "verify")
def verify(bench: Bench, vkey: Keys = None) -> None:
    """Check every state, entry, tile and checkpoint of the whole log 核验账本."""
    keys = trusted(bench, vkey or [])
    with bench.terminal.progress("verifying") as step:
        report = bench.tools.check_ledger(keys, step)
    _show(bench, report)
    if not report.sound:
        raise typer.Exit(FINDING)


def trusted(bench: Bench, given: list[str]) -> list[str]:
    """The verifier keys that were named, or that of our own signing key; never one that the ledger shows."""
    if given:
        return [line for one in given for line in _lines(one)]
    try:
        return [bench.tools.verifier_key()]
    except KeyUnusable as error:
        raise Cannot("vkey-missing", reason=error.facts["reason"]) from error


def _lines(given: str) -> list[str]:
    file = Path(given)
    text = read_text(file) if "+" not in given or file.is_file() else given
    return [line.strip() for line in text.splitlines() if line.strip()]


def _show(bench: Bench, report: Report) -> None:
    findings: list[dict[str, Any]] = [msgspec.to_builtins(one) for one in report.findings]
    counts = {
        "sound": report.sound,
        "size": report.size,
        "streams": report.streams,
        "checkpoints": report.checkpoints,
        "covered": report.covered,
        "root": report.root.hex(),
        "found": report.found,
    }
    if bench.terminal.json:
        bench.terminal.give({**counts, "findings": findings})
        return
    bench.terminal.facts(counts)
    if findings:
        bench.terminal.rows(findings, ("idx", "code", "params"), title=bench.terminal.text("findings"))
    if report.covered < report.size:
        bench.terminal.say("not-covered", first=report.covered, last=report.size - 1)
    bench.terminal.say("ledger-sound" if report.sound else "ledger-wrong", found=report.found)
