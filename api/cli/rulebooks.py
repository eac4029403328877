"""`rulebook`: the versions of the rules at hand, and which of them the log has adopted."""

from typing import Annotated, Any

import typer

from api.cli.commands import acts, operates
from api.cli.desk import Bench, Desk
from api.cli.options import argument
from application.accounts import adopt_rulebook
from application.ports import Answer
from application.workflow import Call
from domain.installation import Adopted, Installation

rulebook = typer.Typer(name="rulebook", help="Versions of the rules 规则手册.", no_args_is_help=True)
_COLUMNS = ("version", "title", "effective_from", "effective_to", "adopted", "digest")


@operates(rulebook, "list")
def show(bench: Bench) -> None:
    """List the rulebooks at hand and whether they are adopted 列出规则手册."""
    with bench.open() as desk:
        adopted = _adopted(desk)
        books = [(one.rulebook, one.digest) for one in desk.system.rulebooks.all]
    rows: list[dict[str, Any]] = [
        {
            "version": book.version,
            "title": book.title,
            "effective_from": book.effective_from.isoformat(),
            "effective_to": book.effective_to.isoformat() if book.effective_to else "",
            "adopted": adopted.get(book.version) == digest,
            "digest": digest,
        }
        for book, digest in books
    ]
    bench.terminal.rows(rows, _COLUMNS)


@acts(rulebook, "adopt")
def adopt(desk: Desk, call: Call, version: Annotated[str, argument("The version 版本.")]) -> Answer:
    """Bring a version of the rules into use 启用规则手册."""
    loaded = desk.system.rulebooks.version(version)
    book = loaded.rulebook
    chosen = Adopted(version=book.version, digest=loaded.digest, effective_from=book.effective_from)
    return adopt_rulebook(desk.office, call, rulebook=chosen)


def _adopted(desk: Desk) -> dict[str, str]:
    stream = desk.office.claims.holder("installation", "1")
    if stream is None:
        return {}
    held = desk.office.workflow.load(Installation, stream).rulebooks
    return {version: book.digest for version, book in held.items()}
