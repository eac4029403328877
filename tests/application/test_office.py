"""The agency that the tests work with is a working one."""

from pathlib import Path

import pytest

from application.accounts import AlreadyFounded
from domain.errors import ReceiptAhead, ReceiptWrong
from tests.office import TAIYUAN, Agency, open_agency


def test_an_agency_is_founded_under_the_shipped_rulebook(agency: Agency) -> None:
    assert agency.topics()[-1] == "installation.rulebook-adopted.v1"
    assert agency.office.rules(agency.clock.now().date()).has_region(TAIYUAN)


def test_an_agency_is_founded_once(agency: Agency, tmp_path: Path) -> None:
    with pytest.raises(AlreadyFounded):
        open_agency(agency.store, agency.clock, tmp_path)


def test_its_ledger_proves_what_is_published_and_nothing_else(agency: Agency) -> None:
    agency.ledger.publish(0)
    first, second = list(agency.store.recorder.rows())[:2]
    receipt = agency.office.ledger.receipt(0)
    agency.office.ledger.check_receipt(receipt, first.stream, first.ver)
    with pytest.raises(ReceiptWrong):
        agency.office.ledger.check_receipt(receipt, second.stream, second.ver)
    with pytest.raises(ReceiptAhead):
        agency.office.ledger.receipt(agency.size())


def test_nobody_has_the_account_of_another(agency: Agency) -> None:
    people = list(vars(agency.people).values())
    assert len({one.account for one in people}) == len(people)
