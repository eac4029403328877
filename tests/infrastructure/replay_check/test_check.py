"""The check as a whole: an honest store is sound, whoever goes on working meanwhile."""

from domain.ledger.finding import LIMIT
from domain.site import Site
from infrastructure.projection_runner import ProjectionRunner
from infrastructure.replay_check.check import check_replay
from tests.infrastructure.replay_check.conftest import ACT, Case
from tests.infrastructure.replay_check.owner import tamper
from tests.journey import provenance, site_facts
from tests.ledger import ORIGIN


def test_an_honest_store_is_sound(case: Case) -> None:
    assert case.findings() == []


def test_progress_never_goes_back_and_reaches_its_end(case: Case) -> None:
    steps: list[tuple[int, int]] = []
    check_replay(case.store, case.mapper, case.blobs, log=ORIGIN, progress=lambda *step: steps.append(step))
    size = (case.store.recorder.head() or 0) + 1
    done = [one for one, _ in steps]
    assert done == sorted(done)
    assert steps[-1] == (4 * size, 4 * size)


def test_a_service_that_goes_on_working_is_found_sound(case: Case) -> None:
    """At every step of the check a site is registered, with its claim, and the read models follow."""
    runner = ProjectionRunner(case.store, case.mapper, log=ORIGIN)
    numbers = iter(range(600, 700))

    def work(done: int, total: int) -> None:
        number = next(numbers)
        facts = site_facts(number)
        case.append(Site.register(ACT, id=f"site-{number:032x}", facts=facts, provenance=provenance()))
        runner.catch_up()

    try:
        found = check_replay(case.store, case.mapper, case.blobs, log=ORIGIN, progress=work)
    finally:
        runner.close()
    assert found.kept == []
    assert next(numbers) > 603


def test_only_the_first_of_very_many_findings_are_kept(case: Case) -> None:
    values = ", ".join(f"('visit', '2024/{number}/1', 'x')" for number in range(LIMIT + 5))
    tamper(case.store, (f"INSERT INTO claims (kind, key, stream) VALUES {values}", ()))  # noqa: S608
    found = case.check()
    assert (found.count, len(found.kept)) == (LIMIT + 5, LIMIT)
