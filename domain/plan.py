"""The yearly plan (年度抽查计划). A row is one task in one quarter: what is drawn, from whom, how much."""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Self

import msgspec
from eventsourcing.domain import event

from domain.act import Act, persons_of
from domain.aggregate import Aggregate, Claim, CreatedEvent
from domain.catalogue import Catalogue
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.identifiers import check_region, covers
from domain.values import Seat

_PERIOD = re.compile(r"(20[0-9]{2})Q[1-4]")
_ROW = re.compile(r"[0-9]{2,4}")
_CODE = re.compile(r"[!-~]{1,64}")


class PlanRowWrong(Invalid):
    """A fact of a plan row is missing or impossible; facts: `row`, `field`, `value`."""

    code = "plan-row-wrong"


class PlanRowMissing(NotFound):
    """The plan has no row of this number; facts: `plan`, `row`."""

    code = "plan-row-missing"


class PlanStatusWrong(Conflict):
    """The step does not fit the plan's status; facts: `status`, `needed`."""

    code = "plan-status-wrong"


class PlanEmpty(Conflict):
    """A plan without rows cannot be submitted."""

    code = "plan-empty"


class PlannerApproves(Forbidden):
    """The planner may not approve the plan."""

    code = "planner-approves"
    rule = "separation.planner-approver"


class StratumRule(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a stratum is drawn: ⌈size · num / den⌉. A confidential stratum's frame is not public."""

    code: str
    num: int
    den: int
    confidential: bool = False


class PlanRow(msgspec.Struct, frozen=True, kw_only=True):
    """One task in one quarter.

    `weights` maps credit colours to integer weights 1–100 (colours not named weigh 1).
    `seats_each` is the most seats one inspector may take in the draw. `visits_a_year` is the
    frequency cap per enterprise, `redraw` whether a site drawn before in the year may be drawn again.
    """

    no: str
    task: str
    items: tuple[str, ...]
    period: str
    departments: tuple[str, ...]
    areas: tuple[str, ...]
    strata: tuple[StratumRule, ...]
    team: tuple[Seat, ...]
    weights: dict[str, int]
    seats_each: int
    visits_a_year: int
    redraw: bool

    def check(self, year: int, region: str) -> None:
        """Refuse with `PlanRowWrong` what no draw could follow, or what is not the region's to plan."""
        if not _ROW.fullmatch(self.no):
            raise self._wrong("no", self.no)
        period = _PERIOD.fullmatch(self.period)
        if period is None or int(period[1]) != year:
            raise self._wrong("period", self.period)
        self._check_lists()
        self._check_areas(region)
        self._check_strata()
        self._check_team()
        if not all(1 <= weight <= 100 for weight in self.weights.values()):
            raise self._wrong("weights", str(self.weights))
        for field in ("seats_each", "visits_a_year"):
            if getattr(self, field) < 1:
                raise self._wrong(field, str(getattr(self, field)))

    def _check_lists(self) -> None:
        for field in ("task", "items", "areas", "strata", "departments"):
            if not getattr(self, field):
                raise self._wrong(field, "")
        for field, values in (("items", self.items), ("areas", self.areas)):
            if len(set(values)) != len(values):
                raise self._wrong(field, ",".join(values))

    def _check_areas(self, region: str) -> None:
        for area in self.areas:
            if not covers(region, check_region(area)):
                raise self._wrong("areas", area)

    def last_day(self) -> date:
        """The last day of the row's quarter."""
        year, quarter = int(self.period[:4]), int(self.period[5])
        return date(year + quarter // 4, quarter % 4 * 3 + 1, 1) - timedelta(days=1)

    def _check_strata(self) -> None:
        codes = [stratum.code for stratum in self.strata]
        if codes != sorted(set(codes)) or not all(_CODE.fullmatch(code) for code in codes):
            raise self._wrong("strata", ",".join(codes))
        for stratum in self.strata:
            if not 0 <= stratum.num <= stratum.den or not 0 < stratum.den < 2**32:
                raise self._wrong("strata", f"{stratum.code} {stratum.num}/{stratum.den}")

    def _check_team(self) -> None:
        names = [seat.seat for seat in self.team]
        if len(names) < 2 or len(set(names)) != len(names) or not all(_CODE.fullmatch(n) for n in names):
            raise self._wrong("team", ",".join(names))

    def _wrong(self, field: str, value: str) -> PlanRowWrong:
        return PlanRowWrong(f"/{field}", row=self.no, field=field, value=value)


class Plan(Aggregate):
    """The plan of one department of one region for one year."""

    TOPIC = "plan"

    class Drafted(CreatedEvent, Aggregate.Event, frozen=True, kw_only=True):
        """The plan was begun."""

        TOPIC = "plan.drafted.v1"
        region: str
        year: int
        department: str
        title: str

        def claims(self) -> Iterable[Claim]:
            return (Claim("plan", f"{self.region}/{self.year}/{self.department}"),)

    class RowSet(Aggregate.Event, frozen=True, kw_only=True):
        """A row was added, or written anew."""

        TOPIC = "plan.row-set.v1"
        row: PlanRow

    class RowDropped(Aggregate.Event, frozen=True, kw_only=True):
        """A row was taken out before approval."""

        TOPIC = "plan.row-dropped.v1"
        no: str

    class Submitted(Aggregate.Event, frozen=True, kw_only=True):
        """The plan was handed in for approval."""

        TOPIC = "plan.submitted.v1"

    class Approved(Aggregate.Event, frozen=True, kw_only=True):
        """Another person approved the plan."""

        TOPIC = "plan.approved.v1"
        opinion: str

    class Returned(Aggregate.Event, frozen=True, kw_only=True):
        """The plan went back to its planner."""

        TOPIC = "plan.returned.v1"
        reason: str

    class Published(Aggregate.Event, frozen=True, kw_only=True):
        """The plan was made public."""

        TOPIC = "plan.published.v1"
        published_on: date

    @classmethod
    def draft(cls, act: Act, *, id: str, region: str, year: int, department: str, title: str) -> Self:
        """Begin a plan."""
        check_region(region)
        if not 2000 <= year <= 2099:
            raise PlanRowWrong("/year", row="", field="year", value=str(year))
        for field, value in (("department", department), ("title", title)):
            if not value:
                raise PlanRowWrong(f"/{field}", row="", field=field, value="")
        return cls.begin(cls.Drafted, id, act, region=region, year=year, department=department, title=title)

    @event(Drafted)
    def __init__(
        self, region: str, year: int, department: str, title: str, by: str, on_behalf_of: str | None
    ) -> None:
        self.region, self.year, self.department, self.title = region, year, department, title
        self.planners = set(persons_of(by, on_behalf_of))
        self.rows: dict[str, PlanRow] = {}
        self.status = "draft"

    def set_row(self, act: Act, *, row: PlanRow, catalogue: Catalogue) -> None:
        """Add a row or write it anew; its items must be published and in force today."""
        self._require("draft")
        row.check(self.year, self.region)
        catalogue.require(row.items, act.day)
        self.record(self.RowSet, act, row=row)

    @event(RowSet)
    def _row_set(self, row: PlanRow, by: str, on_behalf_of: str | None) -> None:
        self.rows[row.no] = row
        self.planners |= persons_of(by, on_behalf_of)

    def drop_row(self, act: Act, *, no: str) -> None:
        """Take a row out."""
        self._require("draft")
        self.row(no)
        self.record(self.RowDropped, act, no=no)

    @event(RowDropped)
    def _row_dropped(self, no: str, by: str, on_behalf_of: str | None) -> None:
        self.rows.pop(no, None)
        self.planners |= persons_of(by, on_behalf_of)

    def submit(self, act: Act) -> None:
        """Hand the plan in for approval."""
        self._require("draft")
        if not self.rows:
            raise PlanEmpty()
        self.record(self.Submitted, act)

    @event(Submitted)
    def _submitted(self, by: str, on_behalf_of: str | None) -> None:
        self.status = "submitted"
        self.planners |= persons_of(by, on_behalf_of)

    def approve(self, act: Act, *, opinion: str) -> None:
        """Approve the plan; nobody approves what he planned."""
        self._require("submitted")
        self._require_other(act)
        self.record(self.Approved, act, opinion=opinion)

    @event(Approved)
    def _approved(self) -> None:
        self.status = "approved"

    def send_back(self, act: Act, *, reason: str) -> None:
        """Return the plan to its planner."""
        self._require("submitted")
        self._require_other(act)
        self.record(self.Returned, act, reason=reason)

    @event(Returned)
    def _returned(self) -> None:
        self.status = "draft"

    def publish(self, act: Act, *, published_on: date) -> None:
        """Make the approved plan public."""
        self._require("approved")
        self.record(self.Published, act, published_on=published_on)

    @event(Published)
    def _published(self) -> None:
        self.status = "published"

    def row(self, no: str) -> PlanRow:
        """The row of this number; `PlanRowMissing`."""
        if no not in self.rows:
            raise PlanRowMissing(plan=self.id, row=no)
        return self.rows[no]

    def published_row(self, no: str) -> PlanRow:
        """The row, if the plan is approved and published; a draw starts from nothing else."""
        self._require("published")
        return self.row(no)

    def _require(self, status: str) -> None:
        if self.status != status:
            raise PlanStatusWrong(status=self.status, needed=status)

    def _require_other(self, act: Act) -> None:
        if act.persons & self.planners:
            raise PlannerApproves()
