"""`doctor`: looks at everything an installation needs, and says what to do about what is wrong."""

from collections.abc import Callable, Iterator
from typing import Any

import typer

from api.bootstrap import Tools
from api.cli.checks import (
    Check,
    check_blobs,
    check_calendar,
    check_claims,
    check_clock,
    check_erasures,
    check_founded,
    check_key,
    check_ledger_head,
    check_machine,
    check_projections,
    check_store,
    check_witnesses,
)
from api.cli.commands import operates
from api.cli.desk import Bench
from api.cli.refusals import FINDING
from api.cli.terminal import Terminal

_MARKS = {"fine": "✓", "mind": "!", "wrong": "✗"}


def add_doctor(app: typer.Typer) -> None:
    """Add the command."""
    operates(app, "doctor")(doctor)


def doctor(bench: Bench) -> None:
    """Look at everything this installation needs; exit 1 if something is wrong 体检."""
    checks = list(examine(bench))
    _show(bench.terminal, checks)
    if any(check.state == "wrong" for check in checks):
        raise typer.Exit(FINDING)


def examine(bench: Bench) -> Iterator[Check]:
    """All checks, as far as what they stand on is there."""
    tools = bench.tools
    yield from check_machine(bench.settings)
    yield from check_calendar(tools)
    key, store = check_key(tools), check_store(tools)
    yield key
    yield store
    if store.state == "fine":
        yield from _checks_of_store(tools)
    if key.state == store.state == "fine":
        with bench.open() as desk:
            yield from check_founded(desk.system)
            yield from check_projections(desk.system)
            yield from check_witnesses(desk.system)


def _checks_of_store(tools: Tools) -> Iterator[Check]:
    looks: tuple[Callable[[Tools], Check], ...] = (
        check_clock,
        check_ledger_head,
        check_claims,
        check_blobs,
        check_erasures,
    )
    for look in looks:
        yield look(tools)


def _show(terminal: Terminal, checks: list[Check]) -> None:
    rows = [_row(terminal, check) for check in checks]
    if terminal.json:
        terminal.give({"sound": all(check.state != "wrong" for check in checks), "checks": rows})
        return
    for check, row in zip(checks, rows, strict=True):
        told = terminal.shown(check.facts) if check.facts else ""
        terminal.line(f"{_MARKS[check.state]} {terminal.text(f'check-{check.name}')}  {told}")
        if row["advice"]:
            terminal.line(f"    → {row['advice']}")


def _row(terminal: Terminal, check: Check) -> dict[str, Any]:
    advice = terminal.text(check.advice, **check.facts) if check.advice else ""
    return {"name": check.name, "state": check.state, "facts": check.facts, "advice": advice}
