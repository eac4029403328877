"""What a command says: sentences and tables in one of two languages for people, JSON for machines.

Results go to standard output, progress and refusals to standard error.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from api.i18n import DEFAULT, EMPTY, Language, fill, show
from domain.act import CHINA

Step = Callable[[int, int], None]
"""Told how many of how many are done."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_PIPE_WIDTH: Final = 200


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every text of the command line as (Chinese, English)."""

    texts: dict[str, tuple[str, str]]
    columns: dict[str, tuple[str, str]]


@cache
def texts() -> Texts:
    """All texts, from `api/locale/cli.toml`."""
    return msgspec.toml.decode(files("api").joinpath("locale", "cli.toml").read_bytes(), type=Texts)


class Terminal:
    """Where one command speaks. With `json` standard output has nothing but the one JSON value."""

    def __init__(self, *, language: Language = DEFAULT, json: bool = False) -> None:
        self.language: Language = language
        self.json = json
        self.out = _console(stderr=False)
        self.err = _console(stderr=True)

    def text(self, key: str, **facts: Any) -> str:
        """A text in the command's language, with its places filled."""
        return self._filled(texts().texts[key], facts)

    def column(self, name: str) -> str:
        """The title of a column; a name without one stands for itself."""
        return self._filled(texts().columns.get(name, (name, name)), {})

    def say(self, key: str, **facts: Any) -> None:
        """A line for people; machines are not told."""
        if not self.json:
            self.line(self.text(key, **facts))

    def line(self, text: str) -> None:
        """A line on standard output as it is."""
        self.out.print(clean(text), soft_wrap=True)

    def warn(self, key: str, **facts: Any) -> None:
        """A line on standard error, for people and machines alike."""
        self.err.print(clean(self.text(key, **facts)), style="yellow", soft_wrap=True)

    def give(self, value: Any) -> None:
        """A value as JSON on standard output."""
        text = msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode()
        self.out.file.write(f"{text}\n")

    def rows(
        self,
        rows: Sequence[Mapping[str, Any]],
        columns: Sequence[str],
        *,
        title: str = "",
        told: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
    ) -> None:
        """A table for people, the same rows with all that they hold for machines.

        `told` puts a row's values into words for people.
        """
        if self.json:
            self.give(rows)
            return
        table = Table(title=title or None, title_justify="left")
        for name in columns:
            table.add_column(self.column(name), overflow="fold")
        for row in map(told, rows):
            table.add_row(*(clean(self.shown(row.get(name))) for name in columns))
        self.out.print(table)

    def facts(self, facts: Mapping[str, Any]) -> None:
        """Names and values below each other for people, an object for machines."""
        if self.json:
            self.give(facts)
            return
        for name, value in facts.items():
            self.line(f"{self.column(name)}: {self.shown(value)}")

    def shown(self, value: Any) -> str:
        """A value as people read it: times in China's, truth as a mark, lists and objects in one line."""
        if isinstance(value, bool):
            return "✓" if value else "✗"
        if isinstance(value, Mapping):
            told = (f"{self.column(name)} {self.shown(one)}" for name, one in value.items())
            return "; ".join(told) or EMPTY
        if isinstance(value, list | tuple):
            return ", ".join(self.shown(one) for one in value) or EMPTY
        if isinstance(value, datetime):
            return value.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
        return show(value, self.language)

    @contextmanager
    def progress(self, key: str) -> Iterator[Step]:
        """A bar on standard error while something long is done; nothing where nobody looks."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        quiet = not self.err.is_terminal
        with Progress(*columns, console=self.err, transient=True, disable=quiet) as bar:
            task = bar.add_task(self.text(key), total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)

    def _filled(self, pair: tuple[str, str], facts: Mapping[str, Any]) -> str:
        return fill(pair[0 if self.language == "zh" else 1], facts, self.language)


def row_of(value: msgspec.Struct) -> dict[str, Any]:
    """A struct as a row: plain values, but times and days as they are, to be shown in China's time."""
    plain: dict[str, Any] = msgspec.to_builtins(value, builtin_types=(datetime, date))
    return plain


def clean(text: str) -> str:
    """The text without control characters, so that no stored text can steer a terminal."""
    return _CONTROL.sub("\ufffd", text)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPE_WIDTH
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)
