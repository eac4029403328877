"""The templates of the item list and of the yearly plan: 晋环函〔2024〕416号, annexes 1 and 2.

Titles are Chinese; the English title or the key is understood as well. Codes may be written as words (see
`terms`).
"""

from typing import Final

from application.tables import Column, Template

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
