"""`make bench`: every figure of `tests/benchmarks/bench_*.py` in one table, measured in one run.

Each module runs in a process of its own, one after the other, so that its memory peak is its own and nothing
else is measured with it. Exit code: 0 every target holds, 1 one does not, 2 a module failed.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from time import perf_counter

import msgspec
from rich.console import Console
from rich.table import Table

from tests.benchmarks.figure import Figure
from tests.engines import PostgresMissing, running_postgres

PREFIX = "bench_"
WIDTH = 180
PATIENCE = 600.0
MARKS = {True: "✓", False: "✗", None: "–"}


@dataclass(frozen=True)
class Run:
    """What one module measured: its figures, its peak of memory in MiB, its seconds and its exit code."""

    module: str
    figures: Sequence[Figure]
    peak: float
    seconds: float
    code: int


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for and print the table."""
    asked = parse(arguments)
    if asked.module:
        sys.stdout.buffer.write(measure(asked.module, asked.scale))
        return 0
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    modules = [name for name in find_modules() if asked.only in name]
    if not modules:
        console.print(f"no benchmark is called {asked.only!r}; there are: {', '.join(find_modules())}")
        return 2
    console.print(describe_machine())
    runs = []
    for name in modules:
        console.print(f"measuring {name} …")
        runs.append(run(name, asked.scale))
    console.print(tabulate(runs, asked.scale))
    return exit_code(runs)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", default="", help="a part of a module's name, such as drawing")
    parser.add_argument("--scale", type=float, default=1.0, help="shrinks the work, to show that it runs")
    parser.add_argument("--module", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def find_modules() -> list[str]:
    """The benchmarks' names, without their prefix."""
    return sorted(path.stem.removeprefix(PREFIX) for path in Path(__file__).parent.glob(f"{PREFIX}*.py"))


def measure(name: str, scale: float) -> bytes:
    """In the module's own process: its figures as JSON."""
    module = importlib.import_module(f"tests.benchmarks.{PREFIX}{name}")
    return msgspec.json.encode(list(module.figures(scale)))


def run(name: str, scale: float, patience: float = PATIENCE) -> Run:
    """Run a module in a process of its own, killed after `patience` seconds."""
    command = [sys.executable, "-m", "tests.benchmarks", "--module", name, "--scale", str(scale)]
    started = perf_counter()
    with TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output)
        # What we are compared with may hang (the library's pipelines do): the table comes all the same.
        guard = Timer(patience, process.kill)
        guard.start()
        _, status, usage = os.wait4(process.pid, 0)
        guard.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = perf_counter() - started
        output.seek(0)
        written = output.read()
    figures = msgspec.json.decode(written, type=list[Figure]) if process.returncode == 0 else []
    per_mib = 2**20 if sys.platform == "darwin" else 2**10
    return Run(name, figures, usage.ru_maxrss / per_mib, seconds, process.returncode)


def describe_machine() -> str:
    """What the figures were measured on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{cores} cores, {platform.machine()}, {platform.system()}; Python {platform.python_version()}; "
        f"SQLite {sqlite3.sqlite_version}; PostgreSQL {postgres_version()}"
    )


def postgres_version() -> str:
    """The version of the PostgreSQL that the benchmarks would start."""
    try:
        with running_postgres() as server:
            return f"{int(server.version) // 10_000}.{int(server.version) % 10_000}"
    except PostgresMissing as missing:
        return f"– ({missing})"


def tabulate(runs: Sequence[Run], scale: float) -> Table:
    """The table, with a line for each module's memory."""
    title = "Sunlot's figures" if scale == 1 else f"Sunlot's figures at scale {scale:g}: shows that they run"
    table = Table(title=title, show_lines=True)
    for heading in ("figure", "value", "beside", "ratio", "target", "holds", "note"):
        table.add_column(heading, overflow="fold")
    for one in runs:
        for figure in one.figures:
            table.add_row(*row(figure))
        table.add_row(*summary(one), style="dim" if one.code == 0 else "red")
    return table


def row(figure: Figure) -> tuple[str, ...]:
    """One figure in words."""
    beside = "–" if figure.beside is None else f"{amount(figure.beside)} {figure.unit}, {figure.beside_name}"
    ratio = f"{figure.value / figure.beside:.2f}×" if figure.beside else "–"
    value = f"{amount(figure.value)} {figure.unit}"
    return figure.name, value, beside, ratio, figure.target, MARKS[figure.holds], figure.note


def summary(one: Run) -> tuple[str, ...]:
    """A module's memory and time, or that it failed."""
    failed = f"failed with exit code {one.code} after {one.seconds:.0f} s"
    note = failed if one.code else f"took {one.seconds:.0f} s"
    return f"{one.module}: peak of memory", f"{one.peak:,.0f} MiB", "–", "–", "–", MARKS[None], note


def amount(value: float) -> str:
    """A number with the digits that mean something."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def exit_code(runs: Sequence[Run]) -> int:
    """The worst that happened."""
    if any(one.code for one in runs):
        return 2
    return int(any(figure.holds is False for one in runs for figure in one.figures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
