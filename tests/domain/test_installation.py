"""The log's beginning, imports and recorded readings."""

from datetime import date
from typing import Any

import pytest

from domain.access import Access, ReadingReasonMissing
from domain.installation import Installation, RulebookAdopted
from domain.intake import Counts, CountsDisagree, Intake
from tests.builders import CITY, ORIGIN, act, adopted, digest, stream
from tests.scenario import given, happened, when_begun
from tests.stages import completed_intake, founded_installation, noted_access


def adopting(**fields: Any) -> Any:
    """A rulebook comes into use."""
    return lambda installation: installation.adopt(act(), rulebook=adopted(**fields))


def test_a_log_is_founded_with_its_origin_and_key() -> None:
    when_begun(founded_installation).then(
        happened(Installation.Founded, origin=ORIGIN, verifier_key=f"{ORIGIN}+1a2b3c4d+AQID")
    )


def test_a_rulebook_is_adopted_once_per_version() -> None:
    given(founded_installation).when(adopting()).then(
        happened(Installation.RulebookAdopted, rulebook=adopted())
    )
    given(founded_installation, adopting()).when(adopting(digest=digest(31))).refused(
        RulebookAdopted, version="2024.1"
    )


@pytest.mark.parametrize(
    ("day", "version"),
    [
        (date(2023, 12, 31), None),
        (date(2024, 1, 1), "2024.1"),
        (date(2024, 6, 30), "2024.1"),
        (date(2024, 7, 1), "2024.3"),
        (date(2030, 1, 1), "2024.3"),
    ],
)
def test_the_rulebook_of_a_day_is_the_latest_and_of_these_the_last_adopted(
    day: date, version: str | None
) -> None:
    july = date(2024, 7, 1)
    installation = given(
        founded_installation,
        adopting(),
        adopting(version="2024.2", effective_from=july),
        adopting(version="2024.3", effective_from=july),
    ).aggregate
    found = installation.in_force(day)
    assert (found and found.version) == version


def test_an_import_is_recorded_with_its_counts() -> None:
    when_begun(completed_intake).then(
        happened(
            Intake.Completed,
            kind="sites",
            region=CITY,
            original=digest(40),
            counts=Counts(rows=3, created=1, changed=1, unchanged=1),
        )
    )


@pytest.mark.parametrize(
    ("counts", "total"),
    [
        (Counts(rows=3, created=1, changed=1, unchanged=0), 2),
        (Counts(rows=1, created=1, changed=1, unchanged=-1), 1),
    ],
)
def test_counts_that_do_not_add_up_are_refused(counts: Counts, total: int) -> None:
    when_begun(
        lambda: Intake.complete(
            act(), id=stream("intake"), kind="sites", region=CITY, original=digest(40), counts=counts
        )
    ).refused(CountsDisagree, rows=counts.rows, sum=total)


def test_a_reading_is_recorded() -> None:
    when_begun(noted_access).then(
        happened(Access.Recorded, kind="person", subjects=(stream("person"),), reason="核实联系方式")
    )


@pytest.mark.parametrize("change", [{"kind": "diary"}, {"subjects": ()}, {"reason": ""}, {"reason": "  "}])
def test_a_reading_says_what_and_why(change: dict[str, Any]) -> None:
    facts: dict[str, Any] = {"kind": "person", "subjects": (stream("person"),), "reason": "核实", **change}
    when_begun(lambda: Access.note(act(), id=stream("access"), **facts)).refused(
        ReadingReasonMissing, "/reason"
    )
