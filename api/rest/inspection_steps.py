"""What the steps of an inspection say: the bodies of its commands."""

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.rest.commands import Step
from api.rest.fields import Digest, Reason, choice
from domain.inspection import EVIDENCE_KINDS, WITHHOLD_GROUNDS
from domain.results import CODES
from domain.values import DISPOSALS, METHODS


class Opening(Step):
    """Which task the team takes up, and how."""

    assignment: str = Field(description="派单编号 Id of the assignment.", max_length=100)
    mode: str = choice(METHODS, "检查方式 On site, or off site for a site on the positive list.")


class Approving(Step):
    """The approval by the head of the agency, and the experts who come along."""

    approval_no: str = Field(description="审批号 Number of the approval.", max_length=100)
    experts: tuple[str, ...] = Field(default=(), description="专家编号 Ids of experts.", max_length=20)


class Notice(Step):
    """That the site was told, or the urgent reason for not telling it."""

    urgent: bool = Field(default=False, description="紧急，未事先通知 Urgent: without notice.")
    reason: str = Field(default="", description="紧急理由 The urgent reason.", max_length=2000)


class Identity(Step):
    """That certificates were shown, purpose and rights told."""

    rights_told: bool = Field(description="已告知权利 Rights to recusal and to be heard were told.")
    purpose_told: bool = Field(description="已说明目的 The purpose was told.")


class EvidenceAdding(Step):
    """An uploaded file as evidence."""

    digest: Digest
    kind: str = choice(EVIDENCE_KINDS, "证据种类 Kind.")
    taken_at: AwareDatetime = Field(description="取证时间 When it was taken.")
    place: str = Field(description="取证地点 Where it was taken.", max_length=500)


class FindingRecording(Step):
    """A problem on one of the visit's items."""

    item: str = Field(description="抽查事项编码 Code of the item.", max_length=64)
    category: str = Field(description="问题类别 Category.", max_length=200)
    description: str = Field(description="问题描述 What was found, without personal data.", max_length=4000)
    disposal: str = choice(DISPOSALS, "处置 Proposed disposal.")
    evidence: tuple[Digest, ...] = Field(default=(), description="证据 Added evidence.", max_length=100)


class Line(BaseModel):
    """The result of one item."""

    model_config = ConfigDict(extra="forbid")

    item: str = Field(description="抽查事项编码 Code of the item.", max_length=64)
    code: str = choice(CODES, "结果代码 Result.")


class Conclusion(Step):
    """The record of inspection, without names."""

    primary: str = choice(CODES, "主结果 Primary result; it agrees with the lines.")
    lines: tuple[Line, ...] = Field(description="每个事项一行 Exactly one line an item.", max_length=200)
    place: str = Field(description="地点 Place.", max_length=500)
    weather: str = Field(description="天气 Weather.", max_length=100)
    started_at: AwareDatetime = Field(description="开始时间 Start.")
    ended_at: AwareDatetime = Field(description="结束时间 End.")
    present: str = Field(description="在场人员职务 Post of the site's person.", max_length=200)
    opinion: str = Field(default="", description="当事人意见 The party's own word.", max_length=4000)
    signed_by: tuple[str, ...] = Field(description="签名人员 Inspectors who signed.", max_length=20)
    party_signed: bool = Field(description="当事人是否签名 Whether the party signed.")
    refusal: str = Field(default="", description="拒签理由 Why it did not.", max_length=2000)


class Review(Step):
    """The reviewer's opinion."""

    opinion: str = Field(default="", description="审核意见 Opinion.", max_length=2000)


class Publication(Step):
    """Where the result becomes public."""

    channels: tuple[str, ...] = Field(description="公示渠道 Channels.", max_length=20)


class Withholding(Step):
    """Why the result lawfully stays from the public."""

    ground: str = choice(WITHHOLD_GROUNDS, "不公开的依据 Ground (政府信息公开条例 §14–§16).")
    reason: Reason
