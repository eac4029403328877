"""How a command says no: a sentence with its code and facts, and the exit status that machines read."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import typer
from pydantic import ValidationError

from api.cli.terminal import Terminal, clean
from api.i18n import EMPTY, tell_error, tell_row
from domain.drawing.errors import DrawingError
from domain.errors import (
    BlobDamaged,
    CalendarWrong,
    DomainError,
    EventUnreadable,
    RulebookWrong,
    SpreadsheetRefused,
    Unavailable,
)
from domain.ledger.errors import KeyMalformed, LedgerError, ResumeRefused

FINDING: Final = 1
CANNOT: Final = 2
_UNREADABLE: Final = (
    Unavailable,
    EventUnreadable,
    BlobDamaged,
    RulebookWrong,
    CalendarWrong,
    SpreadsheetRefused,
)
_MISTAKEN: Final = {KeyMalformed.code: "key-malformed", ResumeRefused.code: "progress-refused"}
_ROW: Final = ("sheet", "row", "column", "code", "value", "detail")


class Cannot(Exception):
    """The command cannot do what it is for: a text of `cli.toml` by its key, and the text's facts."""

    def __init__(self, key: str, **facts: Any) -> None:
        super().__init__(key, facts)
        self.key = key
        self.facts = facts


@contextmanager
def reporting(terminal: Terminal) -> Iterator[None]:
    """Turn every refusal within into words and an exit status; what nobody foresaw goes through."""
    try:
        yield
    except DomainError as error:
        _refuse(terminal, error)
        raise typer.Exit(exit_status(error)) from error
    except Cannot as error:
        _tell(terminal, error.key, terminal.text(error.key, **error.facts), error.facts)
        raise typer.Exit(CANNOT) from error
    except LedgerError as error:
        _tell(terminal, error.code, _in_words(terminal, error), error.params)
        raise typer.Exit(CANNOT) from error
    except DrawingError as error:
        _tell(terminal, error.rule, str(error), {"file": error.file, "line": error.line})
        raise typer.Exit(CANNOT) from error
    except ValidationError as error:
        _tell(terminal, "settings-wrong", _settings_wrong(terminal, error), {})
        raise typer.Exit(CANNOT) from error
    except BrokenPipeError:
        raise
    except OSError as error:
        facts = {"file": error.filename or "", "reason": error.strerror or type(error).__name__}
        _tell(terminal, "file-unusable", terminal.text("file-unusable", **facts), facts)
        raise typer.Exit(CANNOT) from error


def exit_status(error: DomainError) -> int:
    """2 for what cannot be done or read now, 1 for what is refused."""
    return CANNOT if isinstance(error, _UNREADABLE) else FINDING


def _refuse(terminal: Terminal, error: DomainError) -> None:
    said = tell_error(error.code, error.facts, terminal.language)
    rows = told_rows(error.facts.get("errors", ()), terminal)
    facts = {name: value for name, value in error.facts.items() if name != "errors"}
    if terminal.json:
        problem = {"code": error.code, "title": said.title, "detail": said.detail, "facts": facts}
        law = {name: getattr(error, name) for name in ("rule", "source", "pointer") if getattr(error, name)}
        terminal.give({"refused": {**problem, **law, **({"errors": rows} if rows else {})}})
        return
    terminal.err.print(clean(f"{said.title} [{error.code}]"), style="bold red", soft_wrap=True)
    terminal.err.print(clean(said.detail), soft_wrap=True)
    _print_facts(terminal, facts)
    if error.source:
        terminal.err.print(clean(f"  {terminal.column('source')}: {error.source}"), soft_wrap=True)
    if rows:
        terminal.rows(rows, _ROW)


def told_rows(rows: Any, terminal: Terminal) -> list[dict[str, Any]]:
    """The wrong cells of a table, each with its sentence."""
    plain: list[dict[str, Any]] = [msgspec.to_builtins(row) for row in rows]
    return [
        {**row, "detail": tell_row(row["code"], {**row, **row["facts"]}, terminal.language)} for row in plain
    ]


def _in_words(terminal: Terminal, error: LedgerError) -> str:
    """The sentence for what people mistake most; a fault of the format as it names itself."""
    key = _MISTAKEN.get(error.code)
    return terminal.text(key, **{"file": EMPTY, **error.params}) if key else str(error)


def _tell(terminal: Terminal, code: str, detail: str, facts: Mapping[str, Any]) -> None:
    if terminal.json:
        terminal.give({"refused": {"code": code, "detail": detail, "facts": dict(facts)}})
        return
    terminal.err.print(clean(f"{detail} [{code}]"), style="bold red", soft_wrap=True)


def _print_facts(terminal: Terminal, facts: Mapping[str, Any]) -> None:
    for name, value in facts.items():
        terminal.err.print(clean(f"  {terminal.column(name)}: {terminal.shown(value)}"), soft_wrap=True)


def _settings_wrong(terminal: Terminal, error: ValidationError) -> str:
    """Which setting is wrong; its value is not repeated, it may be a secret."""
    wrong = [f"SUNLOT_{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in error.errors()]
    return terminal.text("settings-wrong", wrong=wrong)
