"""The demo's city: Taiyuan 2024 as four filled-in templates, made from a seed.

The files are what a user would send: they come in through the same import. Names, codes and numbers are
made up; regions, items and their legal bases are real.
"""

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec

from api.bootstrap import write_template
from api.cli.demo.enterprises import site_rows
from api.cli.demo.laws import DEPARTMENT, SUBJECTS, item_rows
from api.cli.demo.people import people_rows
from application.intake_templates import template_of

Cells = dict[str, Any]

PERIODS: Final = ("2024Q2", "2024Q3")
_BY_NAME: Final = {subject.name: f"TY-{number:02}" for number, subject in enumerate(SUBJECTS, 1)}


class City(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of the four templates."""

    items: list[Cells]
    sites: list[Cells]
    inspectors: list[Cells]
    plan: list[Cells]


def make_city(random: Random) -> City:
    """The same city for the same seed."""
    sites = site_rows(random)
    return City(items=item_rows(), sites=sites, inspectors=people_rows(random, sites), plan=plan_rows())


def write_files(folder: Path, random: Random) -> Mapping[str, Path]:
    """Write the city's files, by kind of import; the folder is made if it is missing."""
    city = make_city(random)
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, Path] = {}
    for kind in City.__struct_fields__:
        template = template_of(kind)
        files[kind] = folder / f"{template.title}.xlsx"
        write_template(template, files[kind], getattr(city, kind))
    return files


def plan_rows() -> list[Cells]:
    """Three tasks in each of two quarters: polluters, specially watched ones, all others."""
    rows: list[Cells] = []
    for period in PERIODS:
        for task, changes in _tasks():
            rows.append({**_plan_row(len(rows) + 1, period, task), **changes})
    return rows


def _tasks() -> list[tuple[str, Cells]]:
    return [
        (
            "排污单位随机抽查",
            {
                "items": _codes("排污许可证执行情况", "水污染物排放情况", "大气污染物排放情况"),
                "key_ratio": "25%",
                "general_ratio": "4%",
                "weights": ("黄牌:3", "红牌:5"),
            },
        ),
        (
            "特殊监管对象抽查",
            {
                "items": _codes(
                    "排污许可证执行情况", "自行监测和自动监测设备运行情况", "危险废物产生单位管理情况"
                ),
                "special_ratio": "100%",
                "confidential": ("特殊",),
                # Every one of them every quarter: who was drawn before is drawn again.
                "redraw": True,
                "visits_a_year": 4,
            },
        ),
        (
            "其他监管对象随机抽查",
            {
                "items": _codes("排污登记情况", "核技术利用单位辐射安全情况", "环境服务机构从业情况"),
                "other_ratio": "1%",
            },
        ),
    ]


def _plan_row(number: int, period: str, task: str) -> Cells:
    return {
        "no": f"{number:02}",
        "task": f"{period[:4]}年第{'一二三四'[int(period[-1]) - 1]}季度{task}",
        "department": DEPARTMENT,
        "title": f"{DEPARTMENT}2024年度双随机抽查工作计划",
        "departments": (DEPARTMENT,),
        "period": period,
        "areas": ("140100",),
        "team": ("主办+带队+专业", "协办"),
        "seats_each": 12,
        "visits_a_year": 2,
        "redraw": False,
    }


def _codes(*names: str) -> tuple[str, ...]:
    return tuple(_BY_NAME[name] for name in names)
