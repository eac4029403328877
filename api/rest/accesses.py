"""Who read what is confidential: a list, and the same as a table to be filed. For auditors and discipline."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime

from api.access import Asked, ask
from api.readings import MEDIA, MOST, Format, write_readings
from api.rest.description import gives, lists
from api.rest.presenting import Page
from projections.access_log import AccessEntry, list_accesses
from projections.persons import slots_of

router = APIRouter(prefix="/accesses", tags=["history"])
PERMISSION = "stream.replay"


class AccessShown(AccessEntry):
    """One reading; `erased` are those of its subjects whose personal data was erased since."""

    erased: tuple[str, ...] = ()


class Asking:
    """Which readings are asked for: a dependency with the query parameters of list and table."""

    def __init__(
        self,
        by: Annotated[str, Query(description="The account that read.", max_length=100)] = "",
        kind: Annotated[str, Query(description="person or sealed-draw.", max_length=50)] = "",
        subject: Annotated[str, Query(description="A person, an import or a draw.", max_length=100)] = "",
        since: Annotated[AwareDatetime | None, Query(description="Recorded then or later.")] = None,
        until: Annotated[AwareDatetime | None, Query(description="Recorded then or earlier.")] = None,
        region: Annotated[str, Query(description="Only what belongs to this region.", max_length=6)] = "",
    ) -> None:
        self.by, self.kind, self.subject = by, kind, subject
        self.since, self.until, self.region = since, until, region

    def read(self, asked: Asked, *, after: int | None, limit: int) -> list[AccessShown]:
        """The readings that the caller may see."""
        regions = asked.regions(PERMISSION, self.region)
        with asked.views() as views:
            rows = list_accesses(
                views,
                by=self.by,
                kind=self.kind,
                subject=self.subject,
                since=self.since,
                until=self.until,
                regions=regions,
                elsewhere=not self.region,
                after=after,
                limit=limit,
            )
            erased = slots_of(views, (one for row in rows for one in row.subjects))
        return [_shown(row, set(erased)) for row in rows]


Wanted = Annotated[Asking, Depends()]


@router.get("", summary="查阅记录 Who read what is confidential")
@lists(AccessShown)
def read_accesses(
    page: Annotated[Page, Depends()], wanted: Wanted, asked: Asked = ask(PERMISSION)
) -> Response:
    """Readings of the vault and of sealed draws, the latest first."""
    return page.show(wanted.read(asked, after=page.after, limit=page.one_more))


@router.get("/table", summary="查阅记录表 The same as a table")
@gives(MEDIA["xlsx"])
def read_table(
    wanted: Wanted,
    form: Annotated[Format, Query(alias="format", description="xlsx or csv.")] = "xlsx",
    asked: Asked = ask(PERMISSION),
) -> Response:
    """All readings that the list would show, 100,000 at most, as XLSX or CSV; times in China's."""
    rows = wanted.read(asked, after=None, limit=MOST)
    content = write_readings(rows, form, asked.language)
    disposition = f'attachment; filename="readings.{form}"'
    return Response(content, media_type=MEDIA[form], headers={"Content-Disposition": disposition})


def _shown(row: AccessEntry, erased: set[str]) -> AccessShown:
    gone = tuple(one for one in row.subjects if one in erased)
    return AccessShown(**msgspec.structs.asdict(row), erased=gone)
