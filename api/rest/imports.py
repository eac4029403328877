"""Imports of whole tables: a dry run says what would happen, an import takes in all rows or none."""

from hashlib import sha256
from io import BytesIO
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, File, Form, Query, Request, Response, UploadFile
from fastapi.exceptions import RequestValidationError

from api.access import Asked, ask
from api.bootstrap import write_template
from api.i18n import tell_row
from api.rest.commands import Command, create
from api.rest.description import does, gives, lists, shows
from api.rest.presenting import Page, found, show
from application.imports import Preview, preview_import, run_import
from application.intake_templates import template_of
from application.tables import RowError
from domain.errors import SpreadsheetRefused
from projections.intakes import IntakeEntry, get_intake, list_intakes

router = APIRouter(tags=["imports"])
PLACE = "/api/v1/imports/{id}"
QUERY: Final = ("dry_run",)
FORM: Final = ("region", "file", "sheet", "dry_run")
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/templates/{kind}", summary="下载模板 Download a template")
@gives(XLSX)
def read_template(kind: str, asked: Asked = ask("import.run")) -> Response:
    """An empty workbook to fill in: `sites`, `inspectors`, `items` or `plan`."""
    workbook = BytesIO()
    write_template(template_of(kind), workbook)
    disposition = f'attachment; filename="{kind}.xlsx"'
    return Response(workbook.getvalue(), media_type=XLSX, headers={"Content-Disposition": disposition})


async def no_other_fields(request: Request) -> None:
    """Refuse what nobody would read: a mistyped `dry_run` must not take the table in."""
    form = await request.form()
    unread = [("query", name) for name in request.query_params if name not in QUERY]
    unread += [("body", name) for name in form if name not in FORM]
    if unread:
        raise RequestValidationError(
            [{"type": "extra_forbidden", "loc": place, "msg": "", "input": None} for place in unread]
        )


@router.post("/imports/{kind}", status_code=201, summary="导入表格 Import a table")
@does(kind="sites", region="140100", digest="9f86d0…", rows=1200, created=1180, changed=15, unchanged=5)
def import_table(
    kind: str,
    request: Request,
    region: Annotated[str, Form(description="行政区划代码 The region that the file is for.", max_length=6)],
    file: Annotated[UploadFile, File(description="XLSX 或 CSV The table.")],
    sheet: Annotated[
        str, Form(description="工作表 Name of the sheet, if it is neither the template's nor the first.")
    ] = "",
    dry_run: Annotated[
        bool, Query(description="只预览 Only say what would happen; 200 with a preview.")
    ] = False,
    dry_run_field: Annotated[
        bool, Form(alias="dry_run", description="只预览 The same, as a field of the form.")
    ] = False,
    command: Command = create("import.run"),
    fields: Annotated[None, Depends(no_other_fields)] = None,
) -> Response:
    """Takes in all rows, or none: 422 with every wrong cell named by sheet, row, column and reason."""
    content = _read(file, command.system.settings.upload_limit)
    if dry_run or dry_run_field:
        preview = preview_import(
            command.office, command.call(), kind, region=region, content=content, sheet=sheet or None
        )
        return show(_told(preview, command))
    return command.run(
        None,
        lambda call: run_import(
            command.office, call, kind, region=region, content=content, sheet=sheet or None
        ),
        place=PLACE,
        content=f"{sha256(content).hexdigest()}\n{region}\n{sheet}",
    )


@router.get("/imports", summary="导入记录 List imports")
@lists(IntakeEntry)
def read_imports(
    page: Annotated[Page, Depends()],
    region: str = "",
    kind: str = "",
    asked: Asked = ask("import.run"),
) -> Response:
    """Imports of the caller's regions, the latest first."""
    with asked.views() as views:
        rows = list_intakes(
            views, asked.regions("import.run", region), kind=kind, after=page.after, limit=page.one_more
        )
    return page.show(rows)


@router.get("/imports/{id}", summary="一次导入 One import")
@shows(IntakeEntry)
def read_import(id: str, asked: Asked = ask("import.run")) -> Response:
    """The counts of an import; its original is GET /blobs/{digest}?of={id}."""
    with asked.views() as views:
        intake = found(get_intake(views, id), "import", id)
    asked.require("import.run", intake.region)
    return show(intake)


def _read(file: UploadFile, limit: int) -> bytes:
    content = file.file.read(limit + 1)
    if len(content) > limit:
        raise SpreadsheetRefused("/file", reason="file-too-large", limit=limit)
    return content


def _told(preview: Preview, asked: Asked) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(preview, enc_hook=str)
    shown["errors"] = [_told_row(error, asked) for error in preview.errors]
    return {**shown, "sound": preview.sound}


def _told_row(error: RowError, asked: Asked) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(error, enc_hook=str)
    return {**row, "detail": tell_row(error.code, {**row, **error.facts}, asked.language)}
