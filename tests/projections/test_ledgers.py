"""The violation ledger, referrals, accounts, the log of readings, imports."""

from datetime import UTC, date, datetime, timedelta

from domain.access import Access
from domain.violation import Violation
from projections import access_log, accounts, intakes, referrals, violation_ledger
from projections.access_log import list_accesses
from projections.accounts import account_of, get_account, list_accounts
from projections.intakes import get_intake, list_intakes
from projections.referrals import get_referral, list_referrals
from projections.violation_ledger import get_violation, list_public_violations, list_violations
from tests import stages
from tests.builders import (
    CHEN,
    CITY,
    CLOSER,
    LEADER,
    PLANNER,
    SUBMITTER,
    USCC,
    act,
    deadline,
    digest,
    later,
    stream,
)
from tests.projections.tale import Shelf, Tale

DUE = datetime(2024, 5, 1, 15, 59, 59, 999999, UTC)
JUST_AFTER = DUE + timedelta(microseconds=1)
ROLES = ("leader", "auditor")


def close(violation: Violation) -> None:
    """Closed by a second person."""
    violation.close(act(CLOSER), evidence=[digest(3), digest(4)], note="验收合格")


def test_a_violation_is_overdue_after_its_last_moment_and_only_while_it_waits(
    tale: Tale, shelf: Shelf
) -> None:
    violation = tale.tell(stages.opened_violation(), stages.ordered)
    model = violation_ledger.PROJECTION
    with shelf.after(model, tale) as connection:
        (row,) = list_violations(connection, state="ordered")
        assert (row.due, row.order_no) == (DUE, "并环责改〔2024〕1号")
        assert not row.overdue(DUE)
        assert row.overdue(JUST_AFTER)
        assert list_violations(connection, overdue_at=DUE) == []
        assert list_violations(connection, overdue_at=JUST_AFTER) == [row]
    told = len(tale.recorded)
    tale.tell(violation, stages.handed_in)
    shelf.fold(model, tale.recorded[told:])
    with shelf.views.reading() as connection:
        assert list_violations(connection, overdue_at=JUST_AFTER) == []


def test_a_violation_is_followed_to_its_closure(tale: Tale, shelf: Shelf) -> None:
    violation = tale.tell(stages.opened_violation(), stages.ordered, stages.handed_in)
    violation.return_rectification(act(CLOSER), reason="未改", deadline=deadline(date(2024, 6, 1)))
    tale.tell(violation, stages.handed_in, stages.verified, close)
    with shelf.after(violation_ledger.PROJECTION, tale, batch=1) as connection:
        row = get_violation(connection, violation.id)
        assert row is not None
        assert (row.state, row.closed_on, row.closed_by) == ("closed", date(2024, 4, 1), CLOSER)
        assert (row.submitted_by, row.for_enterprise, row.verified_by) == (SUBMITTER, True, CLOSER)
        assert (row.returns, row.return_reason) == (1, "未改")
        assert row.due == DUE + timedelta(days=31)
        assert (row.evidence, row.digests) == (4, (digest(1), digest(2), digest(3), digest(4)))
        assert (row.owner, row.version) == (PLANNER, violation.version)
        assert list_violations(connection, ["140200"]) == []
        assert list_violations(connection, uscc=USCC, owner=PLANNER, disposal="rectifying") == [row]


def test_another_disposal_is_shown_with_its_reason(tale: Tale, shelf: Shelf) -> None:
    violation = tale.tell(stages.opened_violation())
    violation.dispose(act(LEADER), disposal="case", reason="拒不改正")
    tale.tell(violation)
    with shelf.after(violation_ledger.PROJECTION, tale, batch=1) as connection:
        (row,) = list_violations(connection)
        assert (row.disposal, row.disposal_reason, row.state) == ("case", "拒不改正", "open")


def test_the_public_sees_only_what_published_inspections_found(tale: Tale, shelf: Shelf) -> None:
    tale.tell(stages.opened_violation(), stages.ordered)
    inspection = tale.tell(
        stages.opened_inspection(),
        stages.visit_approved,
        stages.notified,
        stages.identified,
        stages.evidence_added,
        stages.found,
        stages.concluded,
        stages.reviewed,
    )
    model = violation_ledger.PROJECTION
    with shelf.after(model, tale) as connection:
        assert list_public_violations(connection, now=DUE) == []
    inspection.publish(later(days=2), published_on=date(2024, 4, 3), channels=["网站"])
    told = len(tale.recorded)
    tale.tell(inspection)
    shelf.fold(model, tale.recorded[told:])
    with shelf.views.reading() as connection:
        (row,) = list_public_violations(connection, now=JUST_AFTER)
        assert (row.uscc, row.item, row.state, row.due, row.overdue) == (USCC, "SX-01", "ordered", DUE, True)
        assert not {"description", "owner", "evidence", "digests"} & set(row.__struct_fields__)
        assert [one.overdue for one in list_public_violations(connection, now=DUE)] == [False]
        assert list_public_violations(connection, now=DUE, after=row.idx) == []


def test_a_referral_shows_receipt_and_reply(tale: Tale, shelf: Shelf) -> None:
    referral = tale.tell(stages.sent_referral())
    model = referrals.PROJECTION
    with shelf.after(model, tale) as connection:
        (row,) = list_referrals(connection, [CITY], status="sent")
        assert (row.addressee, row.receipt, row.received_on) == ("太原市水务局", "", None)
    told = len(tale.recorded)
    referral.receive(act(), receipt=digest(10))
    referral.reply(later(days=5), accepted=False, note="不属我局")
    tale.tell(referral)
    shelf.fold(model, tale.recorded[told:])
    with shelf.views.reading() as connection:
        found = get_referral(connection, referral.id)
        assert found is not None
        assert (found.status, found.receipt, found.note) == ("refused", digest(10), "不属我局")
        assert (found.received_on, found.replied_on) == (date(2024, 4, 1), date(2024, 4, 6))
        assert list_referrals(connection, violation=stream("violation")) == [found]


def test_an_account_shows_what_it_may_do_now(tale: Tale, shelf: Shelf) -> None:
    account = stages.opened_account()
    for region in ("140100", "140200"):
        account.give(act(), role="leader", region=region, until=None, roles=ROLES)
    account.give(act(), role="leader", region="140100", until=date(2024, 12, 31), roles=ROLES)
    account.take(act(), role="leader", region="140200", reason="调离")
    account.link(act(), inspector=CHEN)
    for token in ("token-1", "token-2"):
        account.issue_token(act(), token=token, label="报表", expires_on=date(2025, 1, 1))
    account.revoke_token(act(), token="token-1")
    tale.tell(account)
    with shelf.after(accounts.PROJECTION, tale, batch=1) as connection:
        row = account_of(connection, CHEN)
        assert row is not None
        assert row == get_account(connection, account.id)
        assert [(grant.role, grant.region, grant.until) for grant in row.grants] == [
            ("leader", "140100", date(2024, 12, 31))
        ]
        assert [token.token for token in row.tokens] == ["token-2"]
        assert list_accounts(connection, role="leader") == [row]
        assert list_accounts(connection, role="auditor") == []


def test_a_closed_account_may_nothing_and_frees_its_inspector(tale: Tale, shelf: Shelf) -> None:
    account = stages.opened_account()
    account.give(act(), role="leader", region="140100", until=None, roles=ROLES)
    account.link(act(), inspector=CHEN)
    account.close(act(), reason="离职")
    tale.tell(account)
    with shelf.after(accounts.PROJECTION, tale, batch=2) as connection:
        (row,) = list_accounts(connection, status="closed")
        assert (row.grants, row.inspector, row.closing_reason) == ((), "", "离职")
        assert account_of(connection, CHEN) is None


def test_who_read_what_is_found_by_reader_and_by_what_was_read(tale: Tale, shelf: Shelf) -> None:
    person, other = stream("person", 1), stream("person", 2)
    for number, (by, subjects) in enumerate([(LEADER, (person, other)), (CLOSER, (other,))]):
        access = Access.note(
            act(by), id=stream("access", number), kind="person", subjects=subjects, reason="核对证件"
        )
        tale.tell(access)
    with shelf.after(access_log.PROJECTION, tale, batch=1) as connection:
        assert [row.by for row in list_accesses(connection)] == [CLOSER, LEADER]
        assert [row.by for row in list_accesses(connection, subject=person)] == [LEADER]
        assert [row.subjects for row in list_accesses(connection, by=CLOSER)] == [(other,)]
        assert list_accesses(connection, kind="sealed-draw") == []


def test_an_import_shows_what_came_of_its_rows(tale: Tale, shelf: Shelf) -> None:
    intake = tale.tell(stages.completed_intake())
    with shelf.after(intakes.PROJECTION, tale) as connection:
        (row,) = list_intakes(connection, [CITY], kind="sites")
        assert row == get_intake(connection, intake.id)
        assert row.rows == row.created + row.changed + row.unchanged == intake.counts.rows
        assert list_intakes(connection, kind="items") == []
