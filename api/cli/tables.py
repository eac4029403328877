"""`template` and `import`: tables that people fill in, going out and coming in."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from api.bootstrap import write_template
from api.cli.commands import acts, operates
from api.cli.desk import Bench, Desk
from api.cli.options import InputFile, Region, argument, option
from api.cli.refusals import FINDING, Cannot, told_rows
from application.imports import Preview, preview_import, run_import
from application.intake_templates import template_of
from application.ports import Answer
from application.workflow import Call


class Kind(StrEnum):
    """What a table is of."""

    sites = "sites"
    inspectors = "inspectors"
    items = "items"
    plan = "plan"


TableKind = Annotated[Kind, argument("What the table is of 表格种类.")]
Target = Annotated[Path, argument("The XLSX file to write 输出文件.", dir_okay=False)]
Sheet = Annotated[str | None, option("--sheet", help="The sheet, if not the template's 工作表.")]
_COUNTS = ("rows", "created", "changed", "unchanged", "error_count")
_ERRORS = ("sheet", "row", "column", "value", "code", "detail")
_CHANGES = ("row", "key", "fields")


def add_tables(app: typer.Typer) -> None:
    """Add the commands."""
    operates(app, "template")(template)
    acts(app, "import")(import_file)


def template(
    bench: Bench,
    kind: TableKind,
    file: Target,
    force: Annotated[bool, option("--force", help="Replace a file that is there 覆盖已有文件.")] = False,
) -> None:
    """Write an empty table to fill in, with its columns explained 生成模板."""
    if file.exists() and not force:
        raise Cannot("file-exists", file=str(file))
    write_template(template_of(kind), file)
    bench.terminal.facts({"file": str(file)})


def import_file(
    desk: Desk,
    call: Call,
    kind: TableKind,
    file: InputFile,
    region: Region,
    sheet: Sheet = None,
    dry_run: Annotated[bool, option("--dry-run", help="Only check and show, write nothing 只检查.")] = False,
) -> Answer:
    """Take a filled-in table in: all of its rows, or none and every wrong one named 导入."""
    if dry_run:
        preview(desk, call, kind, file, region, sheet)
        raise typer.Exit
    with desk.terminal.progress("importing") as step:
        return run_import(
            desk.office, call, kind, region=region, content=file.read_bytes(), sheet=sheet, progress=step
        )


def preview(
    desk: Desk, call: Call, kind: TableKind, file: InputFile, region: Region, sheet: Sheet = None
) -> None:
    """Check a table and show what importing it would do; nothing is written 预览导入."""
    with desk.terminal.progress("checking") as step:
        found = preview_import(
            desk.office, call, kind, region=region, content=file.read_bytes(), sheet=sheet, progress=step
        )
    _show(desk, found)
    if not found.sound:
        raise typer.Exit(FINDING)


def _show(desk: Desk, found: Preview) -> None:
    errors = told_rows(found.errors, desk.terminal)
    plain: dict[str, Any] = msgspec.to_builtins(found)
    if desk.terminal.json:
        desk.terminal.give({**plain, "errors": errors, "sound": found.sound})
        return
    desk.terminal.facts({name: plain[name] for name in ("kind", "region", "sheet", *_COUNTS, "digest")})
    if found.unknown:
        desk.terminal.say("columns-unknown", columns=found.unknown)
    _show_rows(desk, "rows-changed", [_change(row) for row in plain["changes"]], _CHANGES)
    _show_rows(desk, "rows-wrong", errors, _ERRORS)
    desk.terminal.say("preview-sound" if found.sound else "preview-wrong", count=found.error_count)


def _show_rows(desk: Desk, title: str, rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> None:
    if rows:
        desk.terminal.rows(rows, columns, title=desk.terminal.text(title))


def _change(row: dict[str, Any]) -> dict[str, Any]:
    fields = [f"{one['field']}: {one['old'] or '—'} → {one['new'] or '—'}" for one in row["fields"]]
    return {**row, "fields": fields}
