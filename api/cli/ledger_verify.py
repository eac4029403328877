"""`ledger verify`: the whole log checked, with its published files and every checkpoint that is held."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from api.cli.commands import operates
from api.cli.desk import Bench
from api.cli.files import read_text
from api.cli.options import option
from api.cli.refusals import FINDING, Cannot
from domain.errors import KeyUnusable
from domain.ledger.verify import Report

Keys = Annotated[
    list[str] | None,
    option(
        "--vkey",
        help="A trusted verifier key, or a file with one a line; not taken from the ledger 信任的验证公钥.",
    ),
]


def add_verify(ledger: typer.Typer) -> None:
    """Add the command."""
    operates(ledger, "verify")(verify)


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
