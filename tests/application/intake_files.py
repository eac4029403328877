"""Filled-in templates for tests of imports: valid rows to begin with, and files made of rows."""

from collections.abc import Iterable, Mapping
from datetime import date
from io import BytesIO
from typing import Any

from application.imports import Preview, preview_import, run_import
from application.intake_templates import template_of
from application.items import publish_catalogue
from application.ports import Answer
from application.tables import RowError
from domain.identifiers import uscc_check_digit
from infrastructure.spreadsheet_writer import write_template
from tests.office import TAIYUAN, Agency

Cells = dict[str, Any]

PROVENANCE = {"source": "排污许可平台", "reason": "初始导入", "effective_from": date(2024, 1, 1)}


def uscc(number: int) -> str:
    """The code of the enterprise of that number."""
    body = f"91140105MA{number:07}"
    return body + uscc_check_digit(body)


def site(number: int = 1, **changes: Any) -> Cells:
    """A site's row."""
    row = {
        "code": f"{uscc(number)}001P",
        "uscc": uscc(number),
        "name": f"太原第{number}化工有限公司",
        "region": "小店区",
        "address": f"小店区人民路{number}号",
        "industry": "C2614",
        "stratum": "重点",
        "needs": ("水", "大气"),
        "credit": "绿牌",
        "contact": "王芳",
        "phone": f"199{number:08}",
    }
    return {**row, **PROVENANCE, **changes}


def officer(number: int = 1, **changes: Any) -> Cells:
    """An officer's row."""
    row = {
        "name": f"李{number}",
        "phone": f"198{number:08}",
        "certificate_no": f"140100-{number:04}",
        "role_class": "公务员",
        "region": "太原市",
        "unit": "太原市生态环境局",
        "areas": ("小店区", "140106"),
        "skills": ("大气",),
        "attested_by": "人事科",
        "lead": True,
        "certificate_from": date(2022, 1, 1),
        "certificate_to": date(2026, 12, 31),
        "certificate_areas": ("山西省",),
        "relations": (f"{uscc(1)}:近亲属",),
    }
    return {**row, **PROVENANCE, **changes}


def expert(number: int = 1, **changes: Any) -> Cells:
    """An expert's row."""
    nothing: Cells = {"certificate_no": "", "certificate_from": None, "certificate_to": None}
    nothing |= {"certificate_areas": (), "lead": None, "relations": (), "role_class": "专家"}
    return {**officer(number), "phone": f"197{number:08}", **nothing, **changes}


def item(number: int = 1, **changes: Any) -> Cells:
    """An item's row."""
    row = {
        "code": f"TY-{number:02}",
        "name": f"第{number}项检查",
        "category": "重点检查事项",
        "subject": "排污单位",
        "content": "按证排污",
        "methods": ("现场检查", "非现场检查"),
        "department": "太原市生态环境局",
        "bases": "排污许可管理条例|第二十五条|2021-03-01|\n环境保护法|第二十四条|2015-01-01|",
    }
    return {**row, **changes}


def plan_row(number: int = 1, **changes: Any) -> Cells:
    """A row of a plan."""
    row = {
        "no": f"{number:02}",
        "task": "第二季度抽查",
        "department": "太原市生态环境局",
        "departments": ("太原市生态环境局",),
        "period": "2024Q2",
        "items": ("TY-01",),
        "areas": ("太原市",),
        "key_ratio": "25%",
        "special_ratio": "100%",
        "general_ratio": "1/20",
        "confidential": ("特殊",),
        "team": ("主办+带队+专业", "协办"),
        "weights": ("黄牌:3", "红牌:5"),
        "seats_each": 12,
        "visits_a_year": 2,
    }
    return {**row, **changes}


def book(kind: str, rows: Iterable[Mapping[str, object]]) -> bytes:
    """The kind's template as XLSX, filled with rows."""
    target = BytesIO()
    write_template(template_of(kind), target, rows)
    return target.getvalue()


def preview(agency: Agency, kind: str, *rows: Cells, region: str = TAIYUAN) -> Preview:
    """What an import of the rows by Taiyuan's officer would do."""
    call = agency.call(agency.people.officer)
    return preview_import(agency.office, call, kind, region=region, content=book(kind, rows))


def take_in(agency: Agency, kind: str, *rows: Cells, region: str = TAIYUAN) -> Answer:
    """An import of the rows by Taiyuan's officer."""
    call = agency.call(agency.people.officer)
    return run_import(agency.office, call, kind, region=region, content=book(kind, rows))


def wrongs(agency: Agency, kind: str, *rows: Cells) -> list[tuple[int, str, str]]:
    """What is wrong in the rows, as (row of the sheet, column's key, code)."""
    return [told(error) for error in preview(agency, kind, *rows).errors]


def told(error: RowError) -> tuple[int, str, str]:
    """An error in short."""
    return error.row, str(error.facts["key"]), error.code


def publish_items(agency: Agency, *rows: Cells) -> None:
    """Items taken in and published, so that a plan may name them."""
    take_in(agency, "items", *(rows or (item(1), item(2))))
    publish_catalogue(agency.office, agency.call(agency.people.leader), region=TAIYUAN)
