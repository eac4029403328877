"""What goes with the events in one transaction: claims, answers, conditions."""

import pytest

from application.ports import (
    Answer,
    AnswerKept,
    Append,
    Quiet,
    RetryKey,
)
from domain.errors import ClaimTaken, EventRefused, RegistryMoved
from infrastructure.database import Store
from tests.contracts.sample import claiming, giving_back, stored, taking

RETRY = RetryKey("account-1", "key-1", "request-1")


def test_a_claim_is_held_by_one_stream(store: Store) -> None:
    store.recorder.insert_events(stored("a"), append=claiming(taking("a", "1", "2")))
    with pytest.raises(ClaimTaken) as clash:
        store.recorder.insert_events(stored("b"), append=claiming(taking("b", "3", "2")))
    assert clash.value.facts == {"kind": "seal", "key": "2", "holder": "a"}
    assert store.recorder.head() == 0
    assert store.claims.holder("seal", "3") is None
    store.recorder.insert_events(stored("b"), append=claiming(taking("b", "1", kind="other")))


def test_the_holder_itself_cannot_take_it_again(store: Store) -> None:
    store.recorder.insert_events(stored("a"), append=claiming(taking("a", "1")))
    with pytest.raises(ClaimTaken):
        store.recorder.insert_events(stored("a", 2), append=claiming(taking("a", "1")))


def test_one_append_cannot_take_a_claim_twice(store: Store) -> None:
    with pytest.raises(ClaimTaken) as clash:
        store.recorder.insert_events(
            [*stored("a"), *stored("b")], append=claiming([*taking("a", "1"), *taking("b", "1")])
        )
    assert clash.value.facts == {"kind": "seal", "key": "1", "holder": "a"}
    assert store.recorder.head() is None
    assert store.claims.holder("seal", "1") is None


def test_a_claim_is_given_back_by_its_holder_only(store: Store) -> None:
    store.recorder.insert_events(stored("a"), append=claiming(taking("a", "1")))
    for key, holder in (("1", "a"), ("2", "")):
        with pytest.raises(ClaimTaken) as clash:
            store.recorder.insert_events(stored("b"), append=claiming(giving_back("b", key)))
        assert clash.value.facts == {"kind": "seal", "key": key, "holder": holder}
    store.recorder.insert_events(stored("a", 2), append=claiming(giving_back("a", "1")))
    assert store.claims.holder("seal", "1") is None


def test_a_claim_passes_on_within_one_append(store: Store) -> None:
    store.recorder.insert_events(stored("a"), append=claiming(taking("a", "1")))
    handing_over = [*giving_back("a", "1"), *taking("b", "1"), *giving_back("b", "1"), *taking("c", "1")]
    store.recorder.insert_events(stored("b"), append=claiming(handing_over))
    assert store.claims.holder("seal", "1") == "c"
    with pytest.raises(ClaimTaken):
        store.recorder.insert_events(
            stored("d"), append=claiming([*taking("d", "1"), *giving_back("c", "1")])
        )


def test_a_claim_no_index_can_hold_is_refused(store: Store) -> None:
    for key in ("x" * 513, "a\0b"):
        with pytest.raises(EventRefused):
            store.recorder.insert_events(stored("a"), append=claiming(taking("a", key)))


def test_held_claims_are_looked_up(store: Store) -> None:
    keys = [f"{nth:04}" for nth in range(1200)]
    store.recorder.insert_events(stored("a"), append=claiming(taking("a", *keys)))
    store.recorder.insert_events(stored("b"), append=claiming(taking("b", "中文", "中", "乙", kind="name")))
    assert store.claims.holders("seal", [*keys, "none"]) == dict.fromkeys(keys, "a")
    assert store.claims.holders("seal", []) == {}
    assert [key for key, _ in store.claims.keys("seal")] == keys
    assert [key for key, _ in store.claims.keys("seal", "11")] == [f"11{nth:02}" for nth in range(100)]
    assert list(store.claims.keys("name", "中")) == [("中", "b"), ("中文", "b")]
    assert store.claims.highest("seal") == 1199
    assert store.claims.highest("nothing") == 0


def test_the_highest_claim_is_a_number_not_a_text(store: Store) -> None:
    store.recorder.insert_events(stored("a"), append=claiming(taking("a", "9", "10", "100", "99")))
    assert store.claims.highest("seal") == 100


def test_the_answer_is_kept_with_the_position_of_the_last_event(store: Store) -> None:
    answer = Answer(id="a", version=2, position=-1, also={"z": [1, "二"], "a": None})
    store.recorder.insert_events(stored("a", 1, 2), append=Append(retry=RETRY, answer=answer))
    kept = store.answers.find("account-1", "key-1")
    assert kept is not None
    assert kept.request == "request-1"
    assert kept.answer == Answer(id="a", version=2, position=1, also={"z": [1, "二"], "a": None})
    assert store.answers.find("account-2", "key-1") is None


def test_an_answered_key_writes_nothing_again(store: Store) -> None:
    first = Append(retry=RETRY, answer=Answer(id="a", version=1, position=-1))
    store.recorder.insert_events(stored("a"), append=first)
    again = Append(claims=taking("b", "1"), retry=RETRY, answer=Answer(id="b", version=1, position=-1))
    with pytest.raises(AnswerKept):
        store.recorder.insert_events(stored("b"), append=again)
    assert store.recorder.head() == 0
    assert store.claims.holder("seal", "1") is None
    other = Append(retry=RetryKey("account-2", "key-1", "r"), answer=Answer(id="b", version=1, position=-1))
    store.recorder.insert_events(stored("b"), append=other)


def test_an_answer_without_events_keeps_its_own_position(store: Store) -> None:
    append = Append(retry=RETRY, answer=Answer(id="a", version=3, position=-1))
    assert store.recorder.insert_events([], append=append) == []
    kept = store.answers.find("account-1", "key-1")
    assert kept is not None
    assert kept.answer.position == -1
    assert store.recorder.head() is None


def test_a_refused_append_keeps_no_answer(store: Store) -> None:
    store.recorder.insert_events(stored("a"), append=claiming(taking("a", "1")))
    append = claiming(taking("b", "1"), retry=RETRY, answer=Answer(id="b", version=1, position=-1))
    with pytest.raises(ClaimTaken):
        store.recorder.insert_events(stored("b"), append=append)
    assert store.answers.find("account-1", "key-1") is None


def test_a_registry_that_moved_stops_the_append(store: Store) -> None:
    store.recorder.insert_events([*stored("s", topic="site.listed.v1"), *stored("d", topic="draw.begun.v1")])
    store.recorder.insert_events(stored("s", 2, topic="site.assessed.v1"))
    with pytest.raises(RegistryMoved) as moved:
        store.recorder.insert_events(stored("d", 2), append=Append(quiet=Quiet(1, ("inspector.", "site."))))
    assert moved.value.facts == {"since": 1, "idx": 2}
    assert store.recorder.head() == 2


@pytest.mark.parametrize(
    "quiet", [Quiet(2, ("site.",)), Quiet(-1, ("sit.",)), Quiet(-1, ("%",)), Quiet(-1, ())]
)
def test_a_registry_that_stood_still_does_not(store: Store, quiet: Quiet) -> None:
    store.recorder.insert_events(stored("s", 1, 2, 3, topic="site.listed.v1"))
    assert store.recorder.insert_events(stored("d"), append=Append(quiet=quiet)) == [4]
