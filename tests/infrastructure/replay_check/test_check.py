"""The check as a whole: an honest store is sound, whoever goes on working meanwhile."""

from tests.infrastructure.replay_check.conftest import Case


def test_an_honest_store_is_sound(case: Case) -> None:
    assert case.findings() == []
