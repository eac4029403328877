"""The demo's catalogue: what a city's ecological-environment office inspects, and under which articles.

The articles are the real ones; the day beside each is when that text of the law came into force.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

DEPARTMENT: Final = "太原市生态环境局"

_IN_FORCE: Final[Mapping[str, str]] = {
    "中华人民共和国环境保护法": "2015-01-01",
    "中华人民共和国大气污染防治法": "2018-10-26",
    "中华人民共和国水污染防治法": "2018-01-01",
    "中华人民共和国土壤污染防治法": "2019-01-01",
    "中华人民共和国固体废物污染环境防治法": "2020-09-01",
    "中华人民共和国噪声污染防治法": "2022-06-05",
    "中华人民共和国放射性污染防治法": "2003-10-01",
    "中华人民共和国环境影响评价法": "2018-12-29",
    "排污许可管理条例": "2021-03-01",
    "建设项目环境保护管理条例": "2017-10-01",
    "放射性同位素与射线装置安全和防护条例": "2005-12-01",
    "医疗废物管理条例": "2003-06-16",
    "畜禽规模养殖污染防治条例": "2014-01-01",
    "危险废物经营许可证管理办法": "2004-07-01",
    "企业环境信息依法披露管理办法": "2022-02-08",
    "突发环境事件应急管理办法": "2015-06-05",
}
_EP, _AIR, _WATER, _SOIL, _WASTE, _NOISE, _RADIATION, _EIA = list(_IN_FORCE)[:8]
_PERMIT, _PROJECT, _SOURCES, _MEDICAL, _LIVESTOCK, _LICENCE, _DISCLOSURE, _EMERGENCY = list(_IN_FORCE)[8:]

Basis = tuple[str, str]
"""A law and its articles."""


class Subject(msgspec.Struct, frozen=True):
    """An item: name, category, whom it is about, what is looked at, on which bases; how, if on site alone."""

    name: str
    category: str
    subject: str
    content: str
    bases: tuple[Basis, ...]
    methods: tuple[str, ...] = ("现场检查", "非现场检查")


_KEY, _GENERAL = "重点检查事项", "一般检查事项"
_ON_SITE: Final = ("现场检查",)
_VISIT: Final = (_EP, "第二十四条")

SUBJECTS: Final = (
    Subject(
        "排污许可证执行情况",
        _KEY,
        "取得排污许可证的排污单位",
        "是否持证、按证排污，台账记录、执行报告是否真实完整",
        (_VISIT, (_PERMIT, "第二十一条、第二十二条、第二十五条")),
    ),
    Subject(
        "排污登记情况",
        _GENERAL,
        "填报排污登记表的单位",
        "登记信息与实际是否一致，污染防治措施是否落实",
        (_VISIT, (_PERMIT, "第二十四条、第二十五条")),
    ),
    Subject(
        "自行监测和自动监测设备运行情况",
        _KEY,
        "重点排污单位、排污许可重点管理单位",
        "监测方案、监测频次、设备联网与运行，原始记录保存，有无篡改伪造",
        ((_AIR, "第二十四条"), (_WATER, "第二十三条"), (_PERMIT, "第十九条、第二十条")),
    ),
    Subject(
        "水污染物排放情况",
        _KEY,
        "排放工业废水的单位",
        "废水收集处理、设施运行、排放口和达标情况",
        ((_WATER, "第三十条、第四十五条"),),
    ),
    Subject(
        "大气污染物排放情况",
        _KEY,
        "排放工业废气的单位",
        "治理设施运行、有组织和无组织排放、达标情况",
        ((_AIR, "第二十九条"),),
    ),
    Subject(
        "挥发性有机物治理情况",
        _GENERAL,
        "产生含挥发性有机物废气的单位",
        "密闭空间作业、收集和治理设施运行、原辅材料台账",
        ((_AIR, "第四十五条"),),
    ),
    Subject(
        "物料堆场扬尘防治情况",
        _GENERAL,
        "贮存煤炭、矿石、砂石等易产生扬尘物料的单位",
        "密闭、围挡、覆盖、洒水等措施",
        ((_AIR, "第七十二条"),),
        _ON_SITE,
    ),
    Subject(
        "重污染天气应急减排措施落实情况",
        _KEY,
        "列入应急减排清单的单位",
        "预警期间停产、限产等应急措施是否落实",
        ((_AIR, "第九十六条"),),
    ),
    Subject(
        "油气回收装置运行情况",
        _GENERAL,
        "储油储气库、加油加气站",
        "油气回收装置安装和正常使用情况",
        ((_AIR, "第四十七条"),),
        _ON_SITE,
    ),
    Subject(
        "机动车排放检验情况",
        _GENERAL,
        "机动车排放检验机构",
        "检验设备、检验规范、联网和数据真实性",
        ((_AIR, "第五十四条"),),
    ),
    Subject(
        "城镇污水集中处理设施运行情况",
        _KEY,
        "城镇污水集中处理设施运营单位",
        "进出水水质、设施运行和达标情况",
        ((_WATER, "第三十条、第五十条"),),
    ),
    Subject(
        "畜禽规模养殖污染防治情况",
        _GENERAL,
        "畜禽养殖场、养殖小区",
        "粪便、废水综合利用或无害化处理设施运行情况",
        ((_WATER, "第五十六条"), (_LIVESTOCK, "第二十三条")),
        _ON_SITE,
    ),
    Subject(
        "饮用水水源保护区管理情况",
        _KEY,
        "饮用水水源保护区内的单位和项目",
        "一级、二级保护区内有无禁止建设的项目和排污口",
        ((_WATER, "第六十五条、第六十六条"),),
        _ON_SITE,
    ),
    Subject(
        "危险废物产生单位管理情况",
        _KEY,
        "产生危险废物的单位",
        "管理计划、台账、贮存、转移联单",
        ((_WASTE, "第二十六条、第七十八条、第七十九条、第八十二条"),),
    ),
    Subject(
        "危险废物经营单位管理情况",
        _KEY,
        "从事危险废物收集、贮存、利用、处置的单位",
        "许可证、经营情况记录、贮存和处置",
        ((_WASTE, "第二十六条、第八十条"), (_LICENCE, "第十七条")),
    ),
    Subject(
        "一般工业固体废物管理情况",
        _GENERAL,
        "产生工业固体废物的单位",
        "管理台账，贮存、利用和处置情况",
        ((_WASTE, "第二十六条、第三十六条"),),
    ),
    Subject(
        "医疗废物管理情况",
        _GENERAL,
        "医疗卫生机构、医疗废物集中处置单位",
        "分类收集、暂存、交接登记和处置",
        ((_WASTE, "第九十条"), (_MEDICAL, "第三十四条")),
        _ON_SITE,
    ),
    Subject(
        "土壤污染重点监管单位义务落实情况",
        _KEY,
        "土壤污染重点监管单位",
        "有毒有害物质排放报告、隐患排查、自行监测",
        ((_SOIL, "第二十一条、第七十七条"),),
    ),
    Subject(
        "工业噪声排放情况",
        _GENERAL,
        "排放工业噪声的单位",
        "噪声排放许可或登记、减振降噪措施、达标情况",
        ((_NOISE, "第二十九条、第三十六条"),),
        _ON_SITE,
    ),
    Subject(
        "核技术利用单位辐射安全情况",
        _KEY,
        "使用放射性同位素和射线装置的单位",
        "辐射安全许可证、管理制度、监测、人员防护",
        ((_RADIATION, "第十一条"), (_SOURCES, "第四十六条")),
        _ON_SITE,
    ),
    Subject(
        "建设项目环境保护设施落实情况",
        _KEY,
        "已批准环境影响评价文件的建设项目",
        "环境保护设施设计、施工、验收和投入使用情况",
        ((_EP, "第四十一条"), (_EIA, "第二十八条"), (_PROJECT, "第二十条")),
        _ON_SITE,
    ),
    Subject(
        "环境服务机构从业情况",
        _GENERAL,
        "环境影响评价文件编制单位、环境监测机构",
        "编制质量、监测规范、数据真实性",
        ((_EP, "第十七条"), (_EIA, "第二十条")),
    ),
    Subject(
        "企业环境信息依法披露情况",
        _GENERAL,
        "应当披露环境信息的企业",
        "年度披露报告和临时披露报告是否及时、真实、完整",
        ((_EP, "第五十五条"), (_DISCLOSURE, "第七条")),
        ("非现场检查",),
    ),
    Subject(
        "突发环境事件风险防范情况",
        _GENERAL,
        "可能发生突发环境事件的企业事业单位",
        "风险评估、应急预案备案、物资储备、演练",
        ((_EP, "第四十七条"), (_EMERGENCY, "第六条")),
    ),
)


def item_rows() -> list[dict[str, Any]]:
    """The items as rows of the template, coded TY-01 and on."""
    return [
        {
            "code": f"TY-{number:02}",
            "name": subject.name,
            "category": subject.category,
            "subject": subject.subject,
            "content": subject.content,
            "methods": subject.methods,
            "department": DEPARTMENT,
            "bases": "\n".join(f"{law}|{article}|{_IN_FORCE[law]}|" for law, article in subject.bases),
        }
        for number, subject in enumerate(SUBJECTS, 1)
    ]
