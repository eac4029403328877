"""The demo's sites: made-up enterprises of Taiyuan, plausible and recognisable as made up.

Their credit codes hold `DEM` where a real one has its organisation's code; the check digit is right.
"""

from collections.abc import Iterator
from datetime import date
from random import Random
from typing import Any, Final

import msgspec

from domain.identifiers import uscc_check_digit

DISTRICTS: Final = {
    "140105": ("小店区", "平阳南路、坞城南路、龙城大街、昌盛东街"),
    "140106": ("迎泽区", "并州北路、朝阳街、东岗路、双塔西街"),
    "140107": ("杏花岭区", "胜利街、府东街、北大街、五龙口街"),
    "140108": ("尖草坪区", "新兰路、柴村北路、和平北路、恒山路"),
    "140109": ("万柏林区", "西矿街、千峰南路、漪汾街、迎泽西大街"),
    "140110": ("晋源区", "晋祠路、新晋祠路、龙山大街、健康南街"),
    "140121": ("清徐县", "文源路、凤仪街、徐沟大街、美锦北大街"),
    "140122": ("阳曲县", "新阳大街、首邑路、黄寨大街、府前街"),
    "140123": ("娄烦县", "汾河大街、云中路、尖山路、滨湖路"),
    "140181": ("古交市", "金牛西大街、青年路、大川西路、滨河南路"),
}


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """A line of business: the name's ending, industry code, needs, whether it has a licence, its authority.

    `head` begins the credit code: 91 enterprises, 12 public institutions.
    """

    ending: str
    industry: str
    needs: tuple[str, ...]
    licence: str = ""
    head: str = "91"


_HEAVY: Final = (
    Trade(ending="焦化有限公司", industry="C2521", needs=("大气", "水", "固体废物"), licence="P"),
    Trade(ending="特钢有限公司", industry="C3120", needs=("大气", "水", "噪声"), licence="P"),
    Trade(ending="化工有限公司", industry="C2614", needs=("大气", "水", "土壤"), licence="P"),
    Trade(ending="热电有限公司", industry="D4412", needs=("大气",), licence="P"),
    Trade(ending="水泥有限公司", industry="C3011", needs=("大气", "噪声"), licence="P"),
    Trade(ending="污水处理有限公司", industry="D4620", needs=("水",), licence="P"),
    Trade(ending="制药有限公司", industry="C2710", needs=("大气", "水"), licence="P"),
    Trade(ending="铝业有限公司", industry="C3216", needs=("大气", "固体废物"), licence="P"),
    Trade(ending="危险废物处置有限公司", industry="N7724", needs=("固体废物", "土壤"), licence="P"),
)
_ORDINARY: Final = (
    Trade(ending="机械制造有限公司", industry="C3489", needs=("大气", "噪声"), licence="Q"),
    Trade(ending="食品有限公司", industry="C1411", needs=("水",), licence="Q"),
    Trade(ending="印刷有限公司", industry="C2319", needs=("大气",), licence="Q"),
    Trade(ending="家具有限公司", industry="C2110", needs=("大气", "噪声"), licence="Q"),
    Trade(ending="建材有限公司", industry="C3031", needs=("大气", "固体废物"), licence="Q"),
    Trade(ending="铸造有限公司", industry="C3391", needs=("大气",), licence="Q"),
    Trade(ending="纸业有限公司", industry="C2223", needs=("水",), licence="Q"),
    Trade(ending="玻璃制品有限公司", industry="C3054", needs=("大气",), licence="Q"),
)
_OTHERS: Final = (
    Trade(ending="加油站有限公司", industry="F5265", needs=("大气",), licence="Z"),
    Trade(ending="机动车检测有限公司", industry="M7452", needs=("大气",)),
    Trade(ending="环境检测有限公司", industry="M7461", needs=()),
    Trade(ending="医院", industry="Q8411", needs=("固体废物", "水", "辐射"), licence="Z", head="12"),
    Trade(ending="口腔医院有限公司", industry="Q8415", needs=("辐射",)),
    Trade(ending="养殖专业合作社", industry="A0313", needs=("水",), licence="Z", head="93"),
    Trade(ending="汽车维修有限公司", industry="O8111", needs=("大气", "固体废物"), licence="Z"),
    Trade(ending="仓储有限公司", industry="G5990", needs=("大气",)),
    Trade(ending="混凝土有限公司", industry="C3021", needs=("大气", "噪声"), licence="Z"),
    Trade(ending="探伤检测有限公司", industry="M7452", needs=("辐射",)),
)
STRATA: Final = (
    ("重点", 60, _HEAVY, ("绿牌", "蓝牌", "蓝牌", "")),
    ("特殊", 18, _HEAVY, ("黄牌", "黄牌", "红牌")),
    ("一般", 322, _ORDINARY, ("绿牌", "蓝牌", "蓝牌", "", "")),
    ("其他", 800, _OTHERS, ("", "", "绿牌", "蓝牌")),
)
"""How many sites a stratum has, what they do, and from which credit classes theirs is taken."""

SECOND_SITES: Final = 24
"""How many of the ordinary enterprises have a second place under another licence code."""
_FIRST: Final = "晋汾并恒瑞鑫宏华泰盛祥润佳德兴永同昌隆安"
_SECOND: Final = "源泽丰茂达通宇诚信利康顺和裕峰川霖辉阳嘉"
_SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"


def site_rows(random: Random) -> list[dict[str, Any]]:
    """All sites as rows of the template, in the order of the strata."""
    names = _brand_names(random)
    rows: list[dict[str, Any]] = []
    for word, count, trades, credits in STRATA:
        second = SECOND_SITES if word == "一般" else 0
        for number in range(count - second):
            trade = trades[number % len(trades)]
            rows.append(_site(random, next(names), len(rows), trade, word, random.choice(credits)))
        rows += [_second_place(random, row) for row in rows[-second:]] if second else []
    return rows


def _site(random: Random, brand: str, number: int, trade: Trade, stratum: str, credit: str) -> dict[str, Any]:
    region = random.choice(list(DISTRICTS))
    uscc = _credit_code(f"{trade.head}{region}", number)
    return {
        "code": f"{uscc}001{trade.licence}" if trade.licence else "",
        "uscc": uscc,
        "name": f"太原{brand}{trade.ending}",
        "region": region,
        "address": _address(random, region),
        "industry": trade.industry,
        "stratum": stratum,
        "needs": trade.needs,
        "credit": credit,
        "contact": f"{random.choice(_SURNAMES)}经理",
        "phone": f"1990001{number:04}",
        "source": "全国排污许可证管理信息平台" if trade.licence else "市场监管部门登记信息",
        "reason": "2024年度检查对象名录库更新",
        "effective_from": date(2024, 1, 1),
    }


def _second_place(random: Random, row: dict[str, Any]) -> dict[str, Any]:
    """The same enterprise somewhere else."""
    region = random.choice([code for code in DISTRICTS if code != row["region"]])
    return {
        **row,
        "code": f"{row['uscc']}002Q",
        "name": f"{row['name']}（{DISTRICTS[region][0]}厂区）",
        "region": region,
        "address": _address(random, region),
    }


def _credit_code(head: str, number: int) -> str:
    body = f"{head}DEM{number:06}"
    return body + uscc_check_digit(body)


def _address(random: Random, region: str) -> str:
    name, roads = DISTRICTS[region]
    return f"山西省太原市{name}{random.choice(roads.split('、'))}{random.randrange(1, 400)}号"


def _brand_names(random: Random) -> Iterator[str]:
    """Three-character names, each once."""
    brands = [first + second + third for first in _FIRST for second in _SECOND for third in _SECOND[:4]]
    return iter(random.sample(brands, len(brands)))
