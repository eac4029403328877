"""The report of who read what is confidential, as a table: the same over REST and on the command line."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from io import BytesIO
from typing import Final, Literal

from api.bootstrap import Sheet, write_csv, write_sheets
from api.i18n import Language
from domain.act import CHINA
from projections.access_log import AccessEntry

Format = Literal["xlsx", "csv"]
MEDIA: Final[dict[Format, str]] = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
MOST: Final = 100_000
"""The most rows of one table; a longer report is asked for in parts, by time."""

_TITLES: Final[dict[Language, tuple[str, ...]]] = {
    "zh": ("位置", "记录时间", "发生时间", "查阅账号", "代行", "类别", "查阅内容", "理由"),
    "en": ("position", "recorded", "happened", "read by", "on behalf of", "kind", "what was read", "reason"),
}
_NAMES: Final[dict[Language, str]] = {"zh": "查阅记录", "en": "readings"}
_WIDTHS: Final = (8, 20, 20, 42, 42, 12, 60, 60)


def write_readings(rows: Sequence[AccessEntry], form: Format, language: Language) -> bytes:
    """The rows as a file; times in China's."""
    sheet = Sheet(name=_NAMES[language], titles=_TITLES[language], rows=_cells(rows), widths=_WIDTHS)
    target = BytesIO()
    if form == "csv":
        write_csv(target, sheet)
    else:
        write_sheets(target, [sheet])
    return target.getvalue()


def _cells(rows: Sequence[AccessEntry]) -> Iterator[tuple[object, ...]]:
    for row in rows:
        times = _shown(row.recorded_at), _shown(row.occurred_at)
        yield (row.idx, *times, row.by, row.on_behalf_of, row.kind, row.subjects, row.reason)


def _shown(moment: datetime) -> str:
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
