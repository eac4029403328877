"""An inspection (检查): one visit, or off-site check, of one site by one team.

opened → approved → notified → identified → concluded → reviewed (or returned) → published.
Findings and evidence come between identity and conclusion. Names of people are never in an event:
who was present is told by post, signatures by inspector id and by the party's own word.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Self

import msgspec
from eventsourcing.domain import event

from domain.act import Act, persons_of
from domain.aggregate import Aggregate, Claim, CreatedEvent
from domain.deadlines import Deadline
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.results import check_result
from domain.values import DISPOSALS, METHODS, CheckedItem, Holding, ItemResult

EVIDENCE_KINDS = ("photo", "document", "monitoring", "statement", "rectification")
WITHHOLD_GROUNDS = ("state-secret", "trade-secret", "third-party", "public-safety")


class OfficersTooFew(Conflict):
    """Fewer than two certified, unrecused officers; facts: `officers`, `needed`."""

    code = "officers-too-few"
    rule = "inspection.officers"
    source = "行政处罚法 §42"


class InspectionStatusWrong(Conflict):
    """The step does not fit the inspection's status; facts: `status`, `needed`."""

    code = "inspection-status-wrong"


class SeatWrong(Conflict):
    """The team has no such seat, or the one who follows sits on it already; facts: `seat`."""

    code = "seat-wrong"


class IdentityNotShown(Conflict):
    """Identity must be shown and rights told before anything is found."""

    code = "identity-not-shown"
    rule = "inspection.identity"
    source = "行政处罚法 §55"


class RightsNotTold(Invalid):
    """The right to recusal and to a hearing must be told."""

    code = "rights-not-told"
    source = "行政处罚法 §44"


class NotInTeam(Forbidden):
    """Only an officer of the drawn team may do this; facts: `inspector`."""

    code = "not-in-team"
    source = "晋环函〔2024〕416号 二（四）谁检查、谁录入、谁公开"


class ReviewerOnTeam(Forbidden):
    """The reviewer must never have been on the team, nor have recorded anything of the inspection."""

    code = "reviewer-on-team"
    rule = "separation.reviewer"


class UrgencyReasonMissing(Invalid):
    """A visit without notice needs the urgent reason."""

    code = "urgency-reason-missing"
    rule = "inspection.notice"


class FindingWrong(Invalid):
    """A fact of a finding is missing or not allowed; facts: `field`, `value`."""

    code = "finding-wrong"


class FindingUnknown(NotFound):
    """The inspection has no standing finding of this number; facts: `finding`."""

    code = "finding-unknown"


class EvidenceUnknown(Invalid):
    """The evidence was not added to this inspection; facts: `digest`."""

    code = "evidence-unknown"


class ItemNotOfTask(Invalid):
    """The item is not one of those this inspection carries; facts: `item`."""

    code = "item-not-of-task"
    source = "晋环函〔2024〕416号 二（四）"


class RecordIncomplete(Invalid):
    """The record lacks a part; facts: `field`."""

    code = "record-incomplete"


class TimesWrong(Invalid):
    """Times that contradict each other, the clock or the step before; facts: `started_at`, `ended_at`."""

    code = "times-wrong"


class WithholdGroundWrong(Invalid):
    """Not a lawful ground for withholding a result; facts: `ground`."""

    code = "withhold-ground-wrong"
    source = "政府信息公开条例 §14 §15 §16"


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What an inspection is about; `mode` is `on-site` or `off-site`."""

    assignment: str
    draw: str
    draw_no: int
    plan: str
    row: str
    period: str
    year: int
    site: str
    uscc: str
    region: str
    stratum: str
    mode: str
    items: tuple[CheckedItem, ...]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One problem found, with the disposal that its finder proposes."""

    no: int
    item: str
    category: str
    description: str
    disposal: str
    evidence: tuple[str, ...]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A blob that shows something: its SHA-256, its kind, when and where it was taken."""

    digest: str
    kind: str
    taken_at: datetime
    place: str


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The record of inspection (现场检查笔录), without names.

    `present` is the post of the site's person, `opinion` the party's own word. `signed_by` are
    inspector ids; `party_signed` false needs `refusal`, the reason that the officers noted.
    """

    primary: str
    lines: tuple[ItemResult, ...]
    place: str
    weather: str
    started_at: datetime
    ended_at: datetime
    present: str
    opinion: str
    signed_by: tuple[str, ...]
    party_signed: bool
    refusal: str


class Inspection(Aggregate):
    """One visit of one site."""

    TOPIC = "inspection"

    class Opened(CreatedEvent, Aggregate.Event, frozen=True, kw_only=True):
        """The team took the task up."""

        TOPIC = "inspection.opened.v1"
        visit: Visit
        team: tuple[Holding, ...]

        def claims(self) -> Iterable[Claim]:
            return (Claim("inspection", self.visit.assignment),)

    class Approved(Aggregate.Event, frozen=True, kw_only=True):
        """The visit was approved by the head of the agency; `experts` may come along and assist."""

        TOPIC = "inspection.approved.v1"
        approval_no: str
        experts: tuple[str, ...]

    class Notified(Aggregate.Event, frozen=True, kw_only=True):
        """The site was told, or the urgent reason for not telling it was recorded.

        `visit_slot` counts the visit for the enterprise's year: `year/uscc/n`.
        """

        TOPIC = "inspection.notified.v1"
        urgent: bool
        reason: str
        visit_slot: str

        def claims(self) -> Iterable[Claim]:
            return (Claim("visit", self.visit_slot),) if self.visit_slot else ()

    class SeatChanged(Aggregate.Event, frozen=True, kw_only=True):
        """A granted recusal changed the team after the inspection was opened."""

        TOPIC = "inspection.seat-changed.v1"
        seat: str
        inspector: str | None

    class IdentityShown(Aggregate.Event, frozen=True, kw_only=True):
        """Officers showed their certificates, told the purpose and the party's rights."""

        TOPIC = "inspection.identity-shown.v1"
        officers: tuple[str, ...]
        rights_told: bool
        purpose_told: bool

    class EvidenceAdded(Aggregate.Event, frozen=True, kw_only=True):
        """A photo, document or other blob was added."""

        TOPIC = "inspection.evidence-added.v1"
        evidence: Evidence

    class FindingRecorded(Aggregate.Event, frozen=True, kw_only=True):
        """A problem was found."""

        TOPIC = "inspection.finding-recorded.v1"
        finding: Finding

    class FindingWithdrawn(Aggregate.Event, frozen=True, kw_only=True):
        """A finding was taken back before the record was reviewed; its number is not used again."""

        TOPIC = "inspection.finding-withdrawn.v1"
        no: int
        reason: str

    class Concluded(Aggregate.Event, frozen=True, kw_only=True):
        """The record was completed and signed; `publication` is by when its result must be public."""

        TOPIC = "inspection.concluded.v1"
        record: Record
        publication: Deadline

    class Returned(Aggregate.Event, frozen=True, kw_only=True):
        """The reviewer sent the record back; it keeps its history."""

        TOPIC = "inspection.returned.v1"
        reason: str

    class Reviewed(Aggregate.Event, frozen=True, kw_only=True):
        """A second person found the record in order."""

        TOPIC = "inspection.reviewed.v1"
        opinion: str

    class Published(Aggregate.Event, frozen=True, kw_only=True):
        """The result was made public."""

        TOPIC = "inspection.published.v1"
        published_on: date
        channels: tuple[str, ...]

    class Withheld(Aggregate.Event, frozen=True, kw_only=True):
        """The result is lawfully not made public, on a ground."""

        TOPIC = "inspection.withheld.v1"
        ground: str
        reason: str

    @classmethod
    def open(cls, act: Act, *, id: str, visit: Visit, team: Sequence[Holding]) -> Self:
        """Take the task up; a drawn team has only officers, and needs two of them."""
        if visit.mode not in METHODS:
            raise FindingWrong("/mode", field="mode", value=visit.mode)
        if not visit.items:
            raise RecordIncomplete("/items", field="items")
        require_officers(holding.inspector for holding in team)
        return cls.begin(cls.Opened, id, act, visit=visit, team=tuple(team))

    @event(Opened)
    def __init__(
        self,
        visit: Visit,
        team: tuple[Holding, ...],
        by: str,
        on_behalf_of: str | None,
        occurred_at: datetime,
    ) -> None:
        self.visit = visit
        self.since = self.notified_at = occurred_at
        self.team = {holding.seat: holding.inspector for holding in team}
        self.seated = self.officers()
        self.identified: set[str] = set()
        self.experts: set[str] = set()
        self.status = "opened"
        self.findings: dict[int, Finding] = {}
        self.last_finding = 0
        self.evidence: dict[str, Evidence] = {}
        self.result: Record | None = None
        self.publication: Deadline | None = None
        self.recorders = set(persons_of(by, on_behalf_of))

    def approve(self, act: Act, *, approval_no: str, experts: Sequence[str]) -> None:
        """Approve the visit, and name the experts who assist."""
        self._require("opened", act)
        if not approval_no:
            raise RecordIncomplete("/approval_no", field="approval_no")
        if self.officers() & set(experts):
            raise FindingWrong("/experts", field="experts", value=",".join(sorted(experts)))
        self.record(self.Approved, act, approval_no=approval_no, experts=tuple(sorted(set(experts))))

    @event(Approved)
    def _approved(self, experts: tuple[str, ...], occurred_at: datetime) -> None:
        self.experts = set(experts)
        self._reach("approved", occurred_at)

    def notify(self, act: Act, *, urgent: bool, reason: str, visit_slot: str) -> None:
        """Tell the site, or record the urgent reason. `visit_slot` is empty for what does not count."""
        self._require("approved", act)
        if urgent and not reason:
            raise UrgencyReasonMissing("/reason")
        self.record(self.Notified, act, urgent=urgent, reason=reason, visit_slot=visit_slot)

    @event(Notified)
    def _notified(self, occurred_at: datetime) -> None:
        self.notified_at = occurred_at
        self._reach("notified", occurred_at)

    def change_seat(self, act: Act, *, seat: str, inspector: str | None) -> None:
        """Follow a granted recusal, until the record is concluded.

        Nobody may follow (`inspector` None): then the seat stays empty, and identity cannot be shown
        with fewer than two officers.
        """
        if self.status in ("concluded", "reviewed", "published", "withheld"):
            raise InspectionStatusWrong(status=self.status, needed="notified")
        if seat not in self.team or inspector in self.officers():
            raise SeatWrong("/seat", seat=seat)
        self.record(self.SeatChanged, act, seat=seat, inspector=inspector)

    @event(SeatChanged)
    def _seat_changed(self, seat: str, inspector: str | None) -> None:
        self.team[seat] = inspector
        self.seated |= self.officers()
        if self.status == "identified":
            self.status = "notified"

    def show_identity(
        self, act: Act, *, inspector: str, certified: Sequence[str], rights_told: bool, purpose_told: bool
    ) -> None:
        """Officers identify themselves. `certified` are those on the team whose certificates hold today."""
        self._require("notified", act)
        self._require_officer(inspector)
        if not (rights_told and purpose_told):
            raise RightsNotTold("/rights_told")
        officers = tuple(sorted(set(certified) & self.officers()))
        require_officers(officers)
        self.record(
            self.IdentityShown, act, officers=officers, rights_told=rights_told, purpose_told=purpose_told
        )

    @event(IdentityShown)
    def _identity_shown(
        self, officers: tuple[str, ...], by: str, on_behalf_of: str | None, occurred_at: datetime
    ) -> None:
        self.identified = set(officers)
        self.recorders |= persons_of(by, on_behalf_of)
        self._reach("identified", occurred_at)

    def add_evidence(self, act: Act, *, inspector: str, evidence: Evidence) -> None:
        """Add a kept blob as evidence; adding the same twice changes nothing."""
        self._require_identified(act)
        self._require_officer(inspector)
        if evidence.kind not in EVIDENCE_KINDS:
            raise FindingWrong("/kind", field="kind", value=evidence.kind)
        if evidence.taken_at > act.at:
            raise TimesWrong("/taken_at", started_at=evidence.taken_at, ended_at=act.at)
        if evidence.digest not in self.evidence:
            self.record(self.EvidenceAdded, act, evidence=evidence)

    @event(EvidenceAdded)
    def _evidence_added(self, evidence: Evidence, by: str, on_behalf_of: str | None) -> None:
        self.evidence[evidence.digest] = evidence
        self.recorders |= persons_of(by, on_behalf_of)

    def record_finding(
        self,
        act: Act,
        *,
        inspector: str,
        item: str,
        category: str,
        description: str,
        disposal: str,
        evidence: Sequence[str],
    ) -> None:
        """Record a problem; only after identity was shown, only on an item of the task."""
        self._require_identified(act)
        self._require_officer(inspector)
        if item not in self.item_codes():
            raise ItemNotOfTask("/item", item=item)
        if disposal not in DISPOSALS:
            raise FindingWrong("/disposal", field="disposal", value=disposal)
        for field, value in (("category", category), ("description", description)):
            if not value:
                raise FindingWrong(f"/{field}", field=field, value=value)
        for digest in evidence:
            if digest not in self.evidence:
                raise EvidenceUnknown("/evidence", digest=digest)
        finding = Finding(
            no=self.last_finding + 1,
            item=item,
            category=category,
            description=description,
            disposal=disposal,
            evidence=tuple(evidence),
        )
        self.record(self.FindingRecorded, act, finding=finding)

    @event(FindingRecorded)
    def _finding_recorded(self, finding: Finding, by: str, on_behalf_of: str | None) -> None:
        self.findings[finding.no] = finding
        self.last_finding = finding.no
        self.recorders |= persons_of(by, on_behalf_of)

    def withdraw_finding(self, act: Act, *, inspector: str, no: int, reason: str) -> None:
        """Take a finding back, with the reason; the record keeps that it was made."""
        self._require_identified(act)
        self._require_officer(inspector)
        if no not in self.findings:
            raise FindingUnknown("/no", finding=no)
        if not reason:
            raise FindingWrong("/reason", field="reason", value="")
        self.record(self.FindingWithdrawn, act, no=no, reason=reason)

    @event(FindingWithdrawn)
    def _finding_withdrawn(self, no: int, by: str, on_behalf_of: str | None) -> None:
        self.findings.pop(no, None)
        self.recorders |= persons_of(by, on_behalf_of)

    def conclude(self, act: Act, *, inspector: str, record: Record, publication: Deadline) -> None:
        """Complete the record; the primary result must agree with lines and findings."""
        self._require_identified(act)
        self._require_officer(inspector)
        self._check_record(act, record)
        disposals: dict[str, list[str]] = {}
        for finding in self.findings.values():
            disposals.setdefault(finding.item, []).append(finding.disposal)
        check_result(record.primary, record.lines, self.item_codes(), disposals)
        self.record(self.Concluded, act, record=record, publication=publication)

    @event(Concluded)
    def _concluded(
        self,
        record: Record,
        publication: Deadline,
        by: str,
        on_behalf_of: str | None,
        occurred_at: datetime,
    ) -> None:
        self.result, self.publication = record, publication
        self.recorders |= persons_of(by, on_behalf_of)
        self._reach("concluded", occurred_at)

    def send_back(self, act: Act, *, inspector: str, reason: str) -> None:
        """Return the record to the team."""
        self._require("concluded", act)
        self._require_reviewer(act, inspector)
        self.record(self.Returned, act, reason=reason)

    @event(Returned)
    def _returned(self, occurred_at: datetime) -> None:
        self._reach("identified", occurred_at)

    def review(self, act: Act, *, inspector: str, opinion: str) -> None:
        """Find the record in order; `inspector` is whom the reviewer's account stands for, or empty."""
        self._require("concluded", act)
        self._require_reviewer(act, inspector)
        self.record(self.Reviewed, act, opinion=opinion)

    @event(Reviewed)
    def _reviewed(self, occurred_at: datetime) -> None:
        self._reach("reviewed", occurred_at)

    def publish(self, act: Act, *, published_on: date, channels: Sequence[str]) -> None:
        """Make the reviewed result public on at least one channel."""
        self._require("reviewed", act)
        if not channels:
            raise RecordIncomplete("/channels", field="channels")
        self.record(self.Published, act, published_on=published_on, channels=tuple(channels))

    @event(Published)
    def _published(self) -> None:
        self.status = "published"

    def withhold(self, act: Act, *, ground: str, reason: str) -> None:
        """Lawfully keep the reviewed result from the public."""
        self._require("reviewed", act)
        if ground not in WITHHOLD_GROUNDS or not reason:
            raise WithholdGroundWrong("/ground", ground=ground)
        self.record(self.Withheld, act, ground=ground, reason=reason)

    @event(Withheld)
    def _withheld(self) -> None:
        self.status = "withheld"

    def members(self) -> set[str]:
        """Everybody who goes: the drawn officers and the assisting experts."""
        return self.officers() | self.experts

    def officers(self) -> set[str]:
        """The drawn officers who hold a seat now."""
        return {holder for holder in self.team.values() if holder}

    def item_codes(self) -> tuple[str, ...]:
        """The codes of the items this inspection carries."""
        return tuple(item.code for item in self.visit.items)

    def _check_record(self, act: Act, record: Record) -> None:
        for field in ("place", "weather", "present"):
            if not getattr(record, field):
                raise RecordIncomplete(f"/{field}", field=field)
        if not self.notified_at <= record.started_at <= record.ended_at <= act.at:
            raise TimesWrong("/ended_at", started_at=record.started_at, ended_at=record.ended_at)
        signers = set(record.signed_by)
        if len(self.identified & self.officers() & signers) < 2 or not signers <= self.members():
            raise RecordIncomplete("/signed_by", field="signed_by")
        if not record.party_signed and not record.refusal:
            raise RecordIncomplete("/refusal", field="refusal")

    def _reach(self, status: str, occurred_at: datetime) -> None:
        self.status, self.since = status, occurred_at

    def _require(self, status: str, act: Act) -> None:
        """The status, and that the step did not happen before the one that led there.

        Else a certificate that has expired, or a day on which an item was still in force, would do.
        """
        if self.status != status:
            raise InspectionStatusWrong(status=self.status, needed=status)
        if act.occurred_at < self.since:
            raise TimesWrong("/occurred_at", started_at=self.since, ended_at=act.occurred_at)

    def _require_identified(self, act: Act) -> None:
        if self.status in ("opened", "approved", "notified"):
            raise IdentityNotShown(status=self.status)
        self._require("identified", act)

    def _require_officer(self, inspector: str) -> None:
        if inspector not in self.officers():
            raise NotInTeam(inspector=inspector)

    def _require_reviewer(self, act: Act, inspector: str) -> None:
        if act.persons & self.recorders or inspector in self.seated | self.experts:
            raise ReviewerOnTeam()


def require_officers(holders: Iterable[str | None]) -> None:
    """Refuse with `OfficersTooFew` unless at least two seats are held."""
    officers = {holder for holder in holders if holder}
    if len(officers) < 2:
        raise OfficersTooFew(officers=len(officers), needed=2)
