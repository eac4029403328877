"""`draw verify`: a bundle judged by the very code that lies in it as verify.py. Needs no store and no key."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from api.cli.commands import operates
from api.cli.desk import Bench
from api.cli.ledger_verify import Keys, trusted
from api.cli.options import argument, option
from api.cli.refusals import FINDING, Cannot
from api.draw_offline import UNREADABLE, LedgerWrong, Telling, judge, plain, read_texts
from domain.drawing.verify import Verdict
from domain.errors import CalendarMissing
from domain.ledger.policy import TrustPolicy

Place = Annotated[Path, argument("The bundle: a folder or .tar.gz 材料包.", exists=True)]
Policy = Annotated[
    Path | None,
    option(
        "--trust-policy",
        "--policy",
        help="Whom to trust: keys, witnesses, quorum; not taken from the bundle 信任策略.",
        exists=True,
        dir_okay=False,
    ),
]
Ledger = Annotated[
    Path | None,
    option("--ledger", help="An exported ledger with states 账本导出.", exists=True, file_okay=False),
]
Line = Annotated[
    Path | None,
    option(
        "--line", help="What was told of one site's line of the frame 名录行.", exists=True, dir_okay=False
    ),
]


def add_draw_verify(draw: typer.Typer) -> None:
    """Add the command to the group `draw`."""
    operates(draw, "verify")(verify)


def verify(
    bench: Bench,
    bundle: Place,
    trust_policy: Policy = None,
    vkey: Keys = None,
    ledger: Ledger = None,
    line: Line = None,
) -> None:
    """Check a draw's bundle: all recomputed, each step proved; with a ledger the whole log 核验抽取."""
    policy = trusted(bench, vkey, trust_policy) if trust_policy or vkey else None
    if ledger is not None and policy is None:
        raise Cannot("ledger-untrusted")
    told = Telling(read_texts(), bench.terminal.language)
    try:
        verdict = _judge(bench, bundle, policy, ledger, line)
    except LedgerWrong as wrong:
        _show_wrong_ledger(bench, told, wrong)
        raise typer.Exit(FINDING) from wrong
    except UNREADABLE as error:
        raise Cannot("bundle-unreadable", reason=told.unreadable(error)) from error
    _show(bench, told, verdict)


def _judge(
    bench: Bench, bundle: Path, policy: TrustPolicy | None, ledger: Path | None, line: Path | None
) -> Verdict:
    tools = bench.tools
    with bench.terminal.progress("verifying") as step:
        return judge(
            bundle,
            policy=policy,
            ledger=ledger,
            line=line,
            beacon=tools.is_beacons,
            is_working_day=_known(tools.calendar().is_working_day),
            now=tools.clock.now(),
            progress=step,
        )


def _known(is_working_day: Callable[[date], bool]) -> Callable[[date], bool | None]:
    """None for a year without notice, instead of an error: a ledger may be older than our calendar."""

    def worked(day: date) -> bool | None:
        try:
            return is_working_day(day)
        except CalendarMissing:
            return None

    return worked


def _show_wrong_ledger(bench: Bench, told: Telling, wrong: LedgerWrong) -> None:
    if bench.terminal.json:
        bench.terminal.give({"sound": False, "ledger": {"code": wrong.code, "idx": wrong.idx}})
    else:
        bench.terminal.line(told.wrong_ledger(wrong))


def _show(bench: Bench, told: Telling, verdict: Verdict) -> None:
    if bench.terminal.json:
        bench.terminal.give(plain(verdict))
    else:
        for line in told.verdict(verdict).split("\n"):
            bench.terminal.line(line)
    if not verdict.sound:
        raise typer.Exit(FINDING)
