"""What goes with a seal: the two reports, and the second person's word on narrow seats."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response

from api.access import Asked, ask
from api.readings import MEDIA, MOST
from api.rest.commands import Command, change, create
from api.rest.description import does, gives, lists
from api.rest.fields import Reasoned
from api.rest.presenting import Page
from api.seal_reports import write_report
from application import sealing
from application.seal_reports import ReportLine, open_report, read_lines
from projections.draws import DrawEntry, narrow_draws

router = APIRouter(prefix="/draws", tags=["draws"])
XLSX: Final = MEDIA["xlsx"]


@router.get("/narrow", summary="待同意的窄席位 Draws with narrow seats")
@lists(DrawEntry)
def read_narrow(
    page: Annotated[Page, Depends()], region: str = "", asked: Asked = ask("draw.approve-narrow")
) -> Response:
    """Sealed draws with seats for which fewer than three may sit, which nobody has approved of yet."""
    regions = asked.regions("draw.approve-narrow", region)
    with asked.views() as views:
        rows = narrow_draws(views, regions, after=page.after, limit=page.one_more)
    return page.show(rows)


@router.post("/{id}/narrow-seats/approval", summary="同意窄席位 Approve of narrow seats")
@does()
def approve(id: str, body: Reasoned, command: Command = change("draw.approve-narrow")) -> Response:
    """Lets the draw go on although seats are narrow, by somebody else than who sealed it; until then nobody
    reveals. Read the report `narrow-seats` first.
    """
    return command.run(
        body, lambda call: sealing.approve_narrow_seats(command.office, call, id, reason=body.reason)
    )


@router.post("/{id}/reports/{kind}/readings", summary="查阅封存报告 Read a report of the seal")
@lists(ReportLine)
def read_report(
    id: str,
    kind: str,
    body: Reasoned,
    page: Annotated[Page, Depends()],
    command: Command = create("draw.read-sealed"),
) -> Response:
    """`registry-changes` or `narrow-seats`, line by line; each page is a reading that is recorded first."""
    with open_report(command.office, command.reading(body), id, kind, reason=body.reason) as report:
        lines = list(read_lines(report, after=page.after or 0, limit=page.one_more))
    return page.show(lines)


@router.post("/{id}/reports/{kind}/table", summary="封存报告表 The same as a table")
@gives(XLSX)
def read_table(id: str, kind: str, body: Reasoned, command: Command = create("draw.read-sealed")) -> Response:
    """The report's first 100,000 lines as XLSX, the most telling ones first; the reading is recorded."""
    with open_report(command.office, command.reading(body), id, kind, reason=body.reason) as report:
        content = write_report(kind, read_lines(report, limit=MOST), command.language)
    disposition = f'attachment; filename="{kind}.xlsx"'
    return Response(content, media_type=XLSX, headers={"Content-Disposition": disposition})
