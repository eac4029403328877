"""The tables that people fill in: one template for each kind of import.

Titles are Chinese; the English title or the key is understood as well. Codes may be written as words (see
`terms`). Sources: 晋环函〔2024〕416号 二（一）（二）（三）and its annexes 1 and 2.
"""

from collections.abc import Mapping
from typing import Final

from application.tables import Column, Template
from domain.errors import Invalid


class ImportKindUnknown(Invalid):
    """There is no such kind of import; facts: `kind`, `allowed`."""

    code = "import-kind-unknown"


SOURCE: Final = Column(
    key="source",
    title="数据来源",
    english="Source",
    required=True,
    example="全国排污许可证管理信息平台",
    help="名录库每次变动都要记明出处",
)
REASON: Final = Column(
    key="reason",
    title="变动原因",
    english="Reason",
    required=True,
    example="2024年度名录库更新",
    help="为什么新增或修改",
)
EFFECTIVE_FROM: Final = Column(
    key="effective_from",
    title="生效日期",
    english="Effective from",
    kind="date",
    required=True,
    example="2024-01-01",
    help="名录内容自哪一天起属实",
)

SITES: Final = Template(
    name="sites",
    title="检查对象名录",
    english="Sites",
    columns=(
        Column(
            key="code",
            title="排污许可证编号",
            english="Licence code",
            example="91140100123456789A001P",
            help="许可证编号或排污登记编号：统一社会信用代码加三位数字和一位字母；没有可不填，同一单位此时只能有一行",
        ),
        Column(
            key="uscc",
            title="统一社会信用代码",
            english="USCC",
            required=True,
            example="91140100123456789A",
            help="18位，末位为校验码",
        ),
        Column(
            key="name",
            title="单位名称",
            english="Name",
            required=True,
            example="太原示例化工有限公司",
            limit=200,
        ),
        Column(
            key="region",
            title="所在区划",
            english="Region",
            required=True,
            example="小店区",
            help="区划代码（如140105）或名称；名称有重复时前面加市名",
        ),
        Column(key="address", title="地址", english="Address", example="山西省太原市小店区示例路1号"),
        Column(
            key="industry",
            title="行业代码",
            english="Industry",
            example="C2614",
            help="GB/T 4754，门类字母加二至四位数字",
        ),
        Column(
            key="stratum",
            title="监管类别",
            english="Stratum",
            required=True,
            example="重点",
            help="重点、特殊、一般、其他",
        ),
        Column(
            key="needs",
            title="监管要素",
            english="Needs",
            kind="list",
            example="大气、水",
            help="检查所需专业：大气、水、噪声、固体废物、土壤、辐射",
        ),
        Column(
            key="credit",
            title="环保信用等级",
            english="Credit",
            example="绿牌",
            help="绿牌、蓝牌、黄牌、红牌、黑牌，未评价不填；不公开",
        ),
        Column(
            key="contact",
            title="环保联系人",
            english="Contact",
            example="张三",
            limit=100,
            help="存入可删除的个人信息库；只在新登记时采用，以后的文件不改动",
        ),
        Column(
            key="phone",
            title="联系电话",
            english="Phone",
            example="19900000001",
            limit=40,
            help="同上",
        ),
        SOURCE,
        REASON,
        EFFECTIVE_FROM,
    ),
)

INSPECTORS: Final = Template(
    name="inspectors",
    title="执法检查人员名录",
    english="Inspectors and experts",
    columns=(
        Column(
            key="name",
            title="姓名",
            english="Name",
            required=True,
            example="张三",
            limit=100,
            help="姓名、电话、证号存入可删除的个人信息库；只在新登记时采用，以后的文件不改动",
        ),
        Column(
            key="phone",
            title="联系电话",
            english="Phone",
            example="19900000001",
            limit=40,
            help="专家必填：没有执法证号的人凭电话辨认",
        ),
        Column(
            key="certificate_no",
            title="执法证号",
            english="Certificate number",
            example="140100-0001",
            limit=60,
            help="执法人员必填，凭此辨认同一个人；专家不填",
        ),
        Column(
            key="role_class",
            title="人员类别",
            english="Role class",
            required=True,
            example="公务员",
            help="公务员、执法资格人员、日常监管人员、专家",
        ),
        Column(
            key="region",
            title="所属区划",
            english="Region",
            required=True,
            example="太原市",
            help="所在机关的区划代码或名称",
        ),
        Column(
            key="unit",
            title="所在单位",
            english="Unit",
            required=True,
            example="太原市生态环境局小店分局",
            limit=200,
        ),
        Column(
            key="areas",
            title="工作区域",
            english="Areas",
            kind="list",
            required=True,
            example="小店区、迎泽区",
            help="可以去检查的区划",
        ),
        Column(
            key="skills",
            title="专业特长",
            english="Skills",
            kind="list",
            example="大气、水",
            help="大气、水、噪声、固体废物、土壤、辐射",
        ),
        Column(
            key="attested_by",
            title="特长认定人",
            english="Skills attested by",
            example="太原市生态环境局人事科",
            limit=200,
            help="标注专业特长时必填",
        ),
        Column(
            key="lead",
            title="可带队",
            english="May lead",
            kind="bool",
            example="是",
            help="不填为否；专家不能带队",
        ),
        Column(
            key="certificate_from",
            title="证件有效期起",
            english="Certificate valid from",
            kind="date",
            example="2022-01-01",
        ),
        Column(
            key="certificate_to",
            title="证件有效期止",
            english="Certificate valid to",
            kind="date",
            example="2026-12-31",
        ),
        Column(
            key="certificate_areas",
            title="证件适用区域",
            english="Certificate areas",
            kind="list",
            example="太原市",
        ),
        Column(
            key="relations",
            title="利害关系",
            english="Relations",
            kind="list",
            example="91140100123456789A:近亲属",
            help="每项为 统一社会信用代码:情形；情形为当事人、近亲属、直接利害关系、其他关系",
        ),
        SOURCE,
        REASON,
        EFFECTIVE_FROM,
    ),
)

ITEMS: Final = Template(
    name="items",
    title="随机抽查事项清单",
    english="Items",
    columns=(
        Column(key="code", title="事项编码", english="Item code", required=True, example="TY-01", limit=60),
        Column(
            key="name",
            title="抽查事项名称",
            english="Name",
            required=True,
            example="排污许可证执行情况检查",
            limit=200,
        ),
        Column(
            key="category",
            title="事项类别",
            english="Category",
            required=True,
            example="重点检查事项",
            help="重点检查事项、一般检查事项",
        ),
        Column(
            key="subject",
            title="检查对象",
            english="Subject",
            required=True,
            example="取得排污许可证的排污单位",
        ),
        Column(
            key="content",
            title="检查内容",
            english="Content",
            required=True,
            example="按证排污、自行监测、台账和执行报告",
            limit=2000,
        ),
        Column(
            key="methods",
            title="检查方式",
            english="Methods",
            kind="list",
            required=True,
            example="现场检查、非现场检查",
            help="现场检查、非现场检查",
        ),
        Column(
            key="department",
            title="检查主体",
            english="Department",
            required=True,
            example="太原市生态环境局",
            limit=200,
        ),
        Column(
            key="bases",
            title="检查依据",
            english="Legal bases",
            required=True,
            example="排污许可管理条例|第二十五条|2021-03-01|",
            limit=4000,
            help="每行一条：法律名称|条款|施行日期|失效日期；仍有效的，失效日期不填",
        ),
        Column(
            key="reason",
            title="变动原因",
            english="Reason",
            example="2024年修订",
            help="修改已有事项时必填",
        ),
    ),
)

_RATIO_HELP: Final = "如 25% 或 1/4；不抽该类的不填"

PLAN: Final = Template(
    name="plan",
    title="年度抽查计划",
    english="Plan",
    columns=(
        Column(
            key="no",
            title="任务编号",
            english="No",
            required=True,
            example="01",
            limit=4,
            help="两到四位数字",
        ),
        Column(
            key="task",
            title="任务名称",
            english="Task",
            required=True,
            example="排污单位第二季度抽查",
            limit=200,
        ),
        Column(
            key="department",
            title="牵头部门",
            english="Lead department",
            required=True,
            example="太原市生态环境局",
            limit=200,
            help="每个部门每年一份计划",
        ),
        Column(
            key="title",
            title="计划名称",
            english="Plan title",
            example="太原市生态环境局2024年度双随机抽查工作计划",
            limit=200,
            help="不填则自动取名；同一份计划的各行须一致",
        ),
        Column(
            key="departments",
            title="参与部门",
            english="Departments",
            kind="list",
            required=True,
            example="太原市生态环境局",
            help="联合抽查的全部部门",
        ),
        Column(
            key="period",
            title="抽查时间",
            english="Period",
            required=True,
            example="2024Q2",
            help="季度：2024Q2 或 2024年第二季度",
        ),
        Column(
            key="items",
            title="抽查事项编码",
            english="Items",
            kind="list",
            required=True,
            example="TY-01、TY-02",
            help="已公布并有效的事项",
        ),
        Column(
            key="areas",
            title="抽查区域",
            english="Areas",
            kind="list",
            required=True,
            example="太原市",
            help="区划代码或名称",
        ),
        Column(key="key_ratio", title="重点比例", english="Key ratio", example="25%", help=_RATIO_HELP),
        Column(
            key="special_ratio", title="特殊比例", english="Special ratio", example="100%", help=_RATIO_HELP
        ),
        Column(
            key="general_ratio", title="一般比例", english="General ratio", example="5%", help=_RATIO_HELP
        ),
        Column(key="other_ratio", title="其他比例", english="Other ratio", example="1/100", help=_RATIO_HELP),
        Column(
            key="confidential",
            title="名录不公开的类别",
            english="Confidential strata",
            kind="list",
            example="特殊",
        ),
        Column(
            key="team",
            title="检查组席位",
            english="Team",
            kind="list",
            required=True,
            example="主办+带队+专业、协办",
            help="至少两席；席位名后可加 +带队（须可带队）、+专业（须有对口特长）",
        ),
        Column(
            key="weights",
            title="信用加权",
            english="Weights",
            kind="list",
            example="黄牌:3、红牌:5",
            help="环保信用等级:权重（1–100），未列的为1",
        ),
        Column(
            key="seats_each",
            title="每人席位上限",
            english="Seats each",
            kind="int",
            required=True,
            example="12",
            help="一次抽取中每人最多承担的检查数",
        ),
        Column(
            key="visits_a_year",
            title="每户年检查上限",
            english="Visits a year",
            kind="int",
            required=True,
            example="2",
            help="每个单位一年内计入频次的检查数",
        ),
        Column(
            key="redraw",
            title="可重复抽取",
            english="Redraw",
            kind="bool",
            example="否",
            help="本年度已抽中的可否再抽；不填为否",
        ),
    ),
)

TEMPLATES: Final[Mapping[str, Template]] = {one.name: one for one in (SITES, INSPECTORS, ITEMS, PLAN)}


def template_of(kind: str) -> Template:
    """The template of a kind of import; `ImportKindUnknown`."""
    if kind not in TEMPLATES:
        raise ImportKindUnknown("/kind", kind=kind, allowed=tuple(TEMPLATES))
    return TEMPLATES[kind]
