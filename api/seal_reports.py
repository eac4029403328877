"""The reports of a seal as a table: the same over REST and on the command line."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any, Final

from api.bootstrap import Sheet, write_sheets
from api.i18n import Language
from application.seal_reports import CHANGES, NARROW, ReportLine

_FIELDS: Final = {
    CHANGES: (
        "idx",
        "flags",
        "kind",
        "id",
        "what",
        "before",
        "after",
        "at",
        "occurred_at",
        "by",
        "on_behalf_of",
        "reason",
        "source",
    ),
    NARROW: ("id", "seat", "may_sit"),
}
_CHANGES_ZH: Final = ("位置", "标记", "变更", "编号", "字段", "变更前", "变更后", "记录时间", "发生时间")
_TITLES: Final[dict[Language, dict[str, tuple[str, ...]]]] = {
    "zh": {
        CHANGES: (*_CHANGES_ZH, "操作账号", "代行", "理由", "来源"),
        NARROW: ("检查对象", "席位", "可派人员"),
    },
    "en": {
        CHANGES: (
            "position",
            "flags",
            "change",
            "id",
            "fields",
            "before",
            "after",
            "recorded (UTC)",
            "happened (UTC)",
            "by",
            "on behalf of",
            "reason",
            "source",
        ),
        NARROW: ("site", "seat", "who may sit"),
    },
}


def write_report(kind: str, lines: Iterable[ReportLine], language: Language) -> bytes:
    """A report as XLSX."""
    target = BytesIO()
    titles = _TITLES[language][kind]
    rows = _cells(_FIELDS[kind], lines)
    write_sheets(target, [Sheet(name=kind, titles=titles, rows=rows, widths=(24,) * len(titles))])
    return target.getvalue()


def _cells(fields: tuple[str, ...], lines: Iterable[ReportLine]) -> Iterator[list[object]]:
    for one in lines:
        yield [_told(one.line[field]) for field in fields]


def _told(value: Any) -> object:
    """A value as a cell has it: lists one after another, objects as name: value."""
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_told(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(str(_told(one)) for one in value)
    return value
