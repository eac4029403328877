"""The demo's inspectors and experts: made-up people, with telephone numbers nobody has."""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from api.cli.demo.enterprises import DISTRICTS

OFFICERS: Final = 100
EXPERTS: Final = 20
RELATED: Final = 30
"""How many officers have a tie to enterprises."""
CITY_TEAM: Final = 30
"""How many officers work in the whole city; the others in their district and its neighbour."""

_SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN: Final = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰志红建国文辉斌鹏宁欣"
_SKILLS: Final = ("大气", "水", "噪声", "固体废物", "土壤", "辐射")
_CLASSES: Final = ("公务员", "公务员", "执法资格人员", "执法资格人员", "日常监管人员")
_GROUNDS: Final = ("近亲属", "直接利害关系", "其他关系")
_INSTITUTES: Final = ("环境科学研究院", "大学环境学院", "环境监测中心", "辐射环境监督站", "环境工程学会")


def people_rows(random: Random, sites: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Officers, then experts, as rows of the template; ties are to enterprises of the sites."""
    names = _names(random, OFFICERS + EXPERTS)
    officers = [_officer(random, name, number) for number, name in enumerate(names[:OFFICERS], 1)]
    for officer in random.sample(officers, RELATED):
        officer["relations"] = _relations(random, sites)
    return officers + [_expert(random, name, number) for number, name in enumerate(names[OFFICERS:], 1)]


def _officer(random: Random, name: str, number: int) -> dict[str, Any]:
    city = number <= CITY_TEAM
    district = list(DISTRICTS)[number % len(DISTRICTS)]
    neighbour = list(DISTRICTS)[(number + 1) % len(DISTRICTS)]
    issued = date(2021, 6, 1) + timedelta(days=random.randrange(700))
    return {
        "name": name,
        "phone": f"1990002{number:04}",
        "certificate_no": f"TY-DEMO-{number:04}",
        "role_class": _CLASSES[number % len(_CLASSES)],
        "region": "140100" if city else district,
        "unit": "太原市生态环境保护综合行政执法队"
        if city
        else f"太原市生态环境局{DISTRICTS[district][0][:-1]}分局",
        "areas": ("140100",) if city else (district, neighbour),
        "skills": _skills(random, number, 2 + city),
        "attested_by": "太原市生态环境局人事科",
        "lead": city or number % 3 == 0,
        "certificate_from": issued,
        "certificate_to": issued.replace(year=issued.year + 5) - timedelta(days=1),
        "certificate_areas": ("140000",) if city else ("140100",),
        **_provenance("太原市生态环境局执法人员名册", "2024年度执法检查人员名录库更新"),
    }


def _expert(random: Random, name: str, number: int) -> dict[str, Any]:
    return {
        "name": name,
        "phone": f"1990003{number:04}",
        "role_class": "专家",
        "region": "140100",
        "unit": f"示例{_INSTITUTES[number % len(_INSTITUTES)]}",
        "areas": ("140100",),
        "skills": _skills(random, number, 2),
        "attested_by": "太原市生态环境局科技科",
        "lead": False,
        **_provenance("太原市生态环境专家库", "吸收专业技术人员辅助执法检查"),
    }


def _skills(random: Random, number: int, count: int) -> tuple[str, ...]:
    """Each skill in its turn, so that nobody is missing, and others by chance."""
    sure = _SKILLS[number % len(_SKILLS)]
    return (sure, *random.sample([skill for skill in _SKILLS if skill != sure], count - 1))


def _relations(random: Random, sites: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Ties to one to three enterprises, rather to those that are often drawn."""
    often = [site["uscc"] for site in sites if site["stratum"] in ("重点", "特殊")]
    enterprises = random.sample(often, random.randrange(1, 4))
    return tuple(f"{uscc}:{random.choice(_GROUNDS)}" for uscc in enterprises)


def _names(random: Random, count: int) -> list[str]:
    """As many different names."""
    names: dict[str, None] = {}
    while len(names) < count:
        given = "".join(random.sample(_GIVEN, random.choice((1, 2, 2))))
        names[random.choice(_SURNAMES) + given] = None
    return list(names)


def _provenance(source: str, reason: str) -> dict[str, Any]:
    return {"source": source, "reason": reason, "effective_from": date(2024, 1, 1)}
