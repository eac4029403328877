"""What every recorder does: versions, positions, entries, claims, answers, conditions, recorded time."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from eventsourcing.persistence import IntegrityError, ProgrammingError, StoredEvent, Tracking
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.ports import (
    Answer,
    AnswerKept,
    Append,
    CredentialWrite,
    Quiet,
    RetryKey,
    TokenWrite,
    VaultWrite,
)
from domain.errors import ClaimTaken, ClockBehind, EventRefused, RegistryMoved
from domain.ledger.entry import chain, parse_entry
from domain.ledger.merkle import leaf_hash
from domain.ledger.verify import verify_log
from infrastructure.database import Store
from tests.contracts.sample import claiming, giving_back, stored, taking
from tests.fakes import BEGINNING, FakeClock

RETRY = RetryKey("account-1", "key-1", "request-1")
NAME = st.text(st.sampled_from("!#$%&'()*+,-./0129:;<=>?@AZ[]^_`az{|}~"), min_size=1, max_size=40)
STATES = st.dictionaries(st.text(max_size=6), st.text(max_size=12), max_size=3)


def entries_as_the_ledger_makes_them(store: Store) -> list[tuple[bytes, bytes]]:
    """The log's entries, made again from streams, versions, topics, states and times by domain/ledger."""
    prevs: dict[str, str] = {}
    made: list[tuple[bytes, bytes]] = []
    for row in store.recorder.rows():
        made += chain([(row.state, row.stream, row.topic, row.ver)], at=row.at, idx=row.idx, prevs=prevs)
    return made


def assert_whole(store: Store) -> None:
    """Every event has its entry, byte for byte, and the ledger's verifier finds nothing."""
    rows = list(store.recorder.rows())
    assert [row.idx for row in rows] == list(range(len(rows)))
    assert [(row.entry, row.leaf) for row in rows] == entries_as_the_ledger_makes_them(store)
    report = verify_log(store.recorder.audit_rows(), store.recorder.by_stream(), [], [])
    assert report.findings == ()
    assert report.size == len(rows)


def test_an_empty_log_has_no_head(store: Store) -> None:
    assert store.recorder.head() is None
    assert store.recorder.max_notification_id() is None
    assert list(store.recorder.rows()) == []
    assert list(store.recorder.by_stream()) == []
    assert store.recorder.position_before(BEGINNING) is None


def test_positions_and_notification_ids_are_dense(store: Store) -> None:
    assert store.recorder.insert_events(stored("a", 1, 2)) == [1, 2]
    with pytest.raises(IntegrityError):
        store.recorder.insert_events(stored("a", 2))
    assert store.recorder.insert_events(stored("b", 1)) == [3]
    assert [row.idx for row in store.recorder.rows()] == [0, 1, 2]
    assert [n.id for n in store.recorder.select_notifications(None, 10)] == [1, 2, 3]
    assert store.recorder.head() == 2


@pytest.mark.parametrize("versions", [(2,), (1, 3), (1, 1), (2, 1), (1, 2, 4)])
def test_a_gap_or_clash_of_versions_writes_nothing(store: Store, versions: tuple[int, ...]) -> None:
    with pytest.raises(IntegrityError):
        store.recorder.insert_events([*stored("other"), *stored("a", *versions)])
    assert store.recorder.head() is None


def test_a_version_that_exists_is_refused(store: Store) -> None:
    store.recorder.insert_events(stored("a", 1, 2))
    for again in (1, 2, 4):
        with pytest.raises(IntegrityError):
            store.recorder.insert_events(stored("a", again))
    assert store.recorder.head() == 1


def test_streams_mix_in_one_append(store: Store) -> None:
    store.recorder.insert_events(stored("a", 1))
    batch = [*stored("b", 1), *stored("a", 2), *stored("b", 2), *stored("a", 3), *stored("c", 1)]
    store.recorder.insert_events(batch)
    assert [(row.stream, row.ver) for row in store.recorder.rows()][1:] == [
        (event.originator_id, event.originator_version) for event in batch
    ]
    assert_whole(store)


@pytest.mark.parametrize("name", ["", "ä", 'a"b', "a\\b", "a b", "a\nb", "a\x7f", "x" * 256])
def test_a_name_that_sql_could_not_write_canonically_is_refused(store: Store, name: str) -> None:
    with pytest.raises(EventRefused):
        store.recorder.insert_events(stored(name))
    with pytest.raises(EventRefused):
        store.recorder.insert_events(stored("a", topic=name))
    assert store.recorder.head() is None


def test_version_nought_is_refused(store: Store) -> None:
    with pytest.raises(EventRefused):
        store.recorder.insert_events(stored("a", 0))


def test_what_the_log_does_not_keep_is_refused(store: Store) -> None:
    with pytest.raises(ProgrammingError):
        store.recorder.insert_events(stored("a"), tracking=Tracking("x", 1))
    assert store.recorder.insert_events([], tracking=None) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(
        st.lists(st.tuples(NAME, NAME, st.binary(max_size=60)), min_size=1, max_size=5), max_size=3
    )
)
def test_entries_are_what_the_ledger_would_write(
    store: Store, batches: Sequence[Sequence[tuple[str, str, bytes]]]
) -> None:
    for batch in batches:
        versions: dict[str, int] = {}
        events = []
        for stream, topic, state in batch:
            known = versions.get(stream, len(store.recorder.select_events(stream)))
            versions[stream] = known + 1
            events.append(StoredEvent(stream, known + 1, topic, state))
        store.recorder.insert_events(events)
    assert_whole(store)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=30))
def test_states_come_back_byte_for_byte(store: Store, text: str) -> None:
    state = text.encode()
    first = store.recorder.insert_events([StoredEvent("u", _next(store, "u"), "t", state)])[0] - 1
    row = next(store.recorder.rows(first, 1))
    assert row.state == state
    assert row.leaf == leaf_hash(row.entry)
    assert parse_entry(row.entry).idx == first


def _next(store: Store, stream: str) -> int:
    return len(store.recorder.select_events(stream)) + 1


# --- reading --------------------------------------------------------------------------------------


def test_events_of_a_stream_are_read_by_version(store: Store) -> None:
    store.recorder.insert_events([*stored("a", 1, 2, 3), *stored("b", 1)])
    select = store.recorder.select_events
    assert [e.originator_version for e in select("a")] == [1, 2, 3]
    assert [e.originator_version for e in select("a", desc=True, limit=2)] == [3, 2]
    assert [e.originator_version for e in select("a", gt=1, lte=2)] == [2]
    assert select("c") == []


def test_rows_are_read_page_by_page(store: Store) -> None:
    many = [event for nth in range(2100) for event in stored(f"s-{nth % 7}", nth // 7 + 1)]
    store.recorder.insert_events(many)
    assert [row.idx for row in store.recorder.rows()] == list(range(2100))
    assert [row.idx for row in store.recorder.rows(2050, 10)] == list(range(2050, 2060))
    assert [idx for idx, _ in store.recorder.leaves(2098)] == [2098, 2099]
    ordered = [(stream, ver) for _, _, stream, ver in store.recorder.by_stream()]
    assert ordered == sorted(ordered)
    assert len(ordered) == 2100
    assert len(list(store.recorder.by_stream(stop=100))) == 100
    assert_whole(store)


def test_streams_are_ordered_by_their_bytes(store: Store) -> None:
    for name in ("b", "B", "a-1", "a", "~", "!", "a1"):
        store.recorder.insert_events(stored(name))
    assert [stream for _, _, stream, _ in store.recorder.by_stream()] == [
        "!",
        "B",
        "a",
        "a-1",
        "a1",
        "b",
        "~",
    ]


def test_a_version_is_located_and_dated(store: Store, clock: FakeClock) -> None:
    store.recorder.insert_events(stored("a", 1))
    clock.advance(hours=1)
    store.recorder.insert_events([*stored("b", 1), *stored("a", 2)])
    assert store.recorder.locate("a", 2) == 2
    assert store.recorder.locate("a", 3) is None
    later = BEGINNING + timedelta(hours=1)
    assert store.recorder.recorded("a") == [(1, 0, BEGINNING), (2, 2, later)]
    assert store.recorder.recorded("a")[0].at.tzinfo is not None


def test_the_position_before_a_moment(store: Store, clock: FakeClock) -> None:
    for nth in range(1, 6):
        clock.set(BEGINNING + timedelta(hours=nth))
        store.recorder.insert_events([*stored(f"a-{nth}"), *stored(f"b-{nth}")])
    before = store.recorder.position_before
    for nth in range(1, 6):
        moment = BEGINNING + timedelta(hours=nth)
        assert before(moment) == (2 * nth - 3 if nth > 1 else None)
        assert before(moment, inclusive=True) == 2 * nth - 1
        assert before(moment + timedelta(microseconds=1)) == 2 * nth - 1
    assert before(datetime(2999, 1, 1, tzinfo=UTC)) == 9


# --- recorded time --------------------------------------------------------------------------------


def test_recorded_time_never_goes_back(store: Store, clock: FakeClock) -> None:
    store.recorder.insert_events(stored("a", 1))
    clock.advance(seconds=-60)
    store.recorder.insert_events(stored("a", 2))
    assert [moment.at for moment in store.recorder.recorded("a")] == [BEGINNING, BEGINNING]
    clock.advance(seconds=61, microseconds=5)
    store.recorder.insert_events(stored("a", 3))
    assert [row.at for row in store.recorder.rows()][2] == "2024-04-01T01:00:01.000005Z"
    assert_whole(store)


def test_a_clock_that_fell_behind_stops_appending(store: Store, clock: FakeClock) -> None:
    store.recorder.insert_events(stored("a", 1))
    clock.advance(seconds=-60, microseconds=-1)
    with pytest.raises(ClockBehind) as refusal:
        store.recorder.insert_events(stored("a", 2), append=claiming(taking("a", "1")))
    assert refusal.value.facts == {
        "now": "2024-04-01T00:58:59.999999Z",
        "last": "2024-04-01T01:00:00.000000Z",
    }
    assert store.recorder.head() == 0
    assert store.claims.holder("seal", "1") is None
    clock.set(BEGINNING)
    assert store.recorder.insert_events(stored("a", 2)) == [2]


def test_a_leap_forward_is_kept_and_stops_what_comes_after(store: Store, clock: FakeClock) -> None:
    clock.set(datetime(2099, 1, 1, tzinfo=UTC))
    store.recorder.insert_events(stored("a", 1))
    clock.set(BEGINNING)
    with pytest.raises(ClockBehind):
        store.recorder.insert_events(stored("a", 2))


# --- claims ---------------------------------------------------------------------------------------


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


# --- answers --------------------------------------------------------------------------------------


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


# --- conditions -----------------------------------------------------------------------------------


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


# --- vault, credentials, tokens -------------------------------------------------------------------


def person(name: str, *, unique: str = "") -> VaultWrite:
    """One person for the vault."""
    return VaultWrite(person=name, value={"name": "王\u0000五", "phone": "1"}, salt="00" * 16, unique=unique)


def test_personal_data_is_written_with_the_append(store: Store) -> None:
    many = [person(f"p-{nth}", unique=f"u-{nth}") for nth in range(600)]
    store.recorder.insert_events(stored("a"), append=Append(vault=many))
    values = store.vault.read([write.person for write in many])
    assert len(values) == 600
    assert values["p-599"] == {"name": "王\u0000五", "phone": "1"}
    assert store.vault.read([]) == {}
    assert store.vault.read(["nobody"]) == {}


def test_a_unique_key_of_the_vault_clashes_without_telling_it(store: Store) -> None:
    store.recorder.insert_events(stored("a"), append=Append(vault=[person("p-1", unique="u")]))
    for batch in ([person("p-2", unique="u")], [person("p-3", unique="x"), person("p-4", unique="x")]):
        with pytest.raises(ClaimTaken) as clash:
            store.recorder.insert_events(stored("b"), append=Append(vault=batch))
        assert clash.value.facts["kind"] == "vault"
        assert clash.value.facts["key"] == ""
        assert clash.value.facts["holder"] in ("p-1", "p-3")
    assert store.vault.read(["p-3", "p-4"]) == {}
    assert store.recorder.head() == 0
    store.recorder.insert_events(stored("b"), append=Append(vault=[person("p-1", unique="u"), person("p-5")]))


def test_an_erased_person_is_unread_and_frees_the_unique_key(store: Store) -> None:
    store.recorder.insert_events(stored("a"), append=Append(vault=[person("p-1", unique="u")]))
    store.database.change(
        "UPDATE vault SET value = NULL, salt = NULL, unique_key = NULL, erased_at = ? WHERE person = ?",
        ("2024-04-01T01:00:00.000000Z", "p-1"),
    )
    assert store.vault.read(["p-1"]) == {}
    store.recorder.insert_events(stored("b"), append=Append(vault=[person("p-2", unique="u")]))


def test_erased_data_cannot_stay_in_part(store: Store) -> None:
    store.recorder.insert_events(stored("a"), append=Append(vault=[person("p-1", unique="u")]))
    with pytest.raises(IntegrityError):
        store.database.change("UPDATE vault SET erased_at = ? WHERE person = ?", ("now", "p-1"))


def test_credentials_are_set_locked_and_lifted(store: Store) -> None:
    write = CredentialWrite(account="account-1", login="wang", password_hash="h1")
    store.recorder.insert_events(stored("a"), append=Append(credentials=[write]))
    assert store.credentials.by_login("nobody") is None
    until = BEGINNING + timedelta(minutes=15)
    store.credentials.failed("account-1", locked_until=None)
    store.credentials.failed("account-1", locked_until=until)
    found = store.credentials.by_login("wang")
    assert found is not None
    assert (found.account, found.password_hash, found.failures, found.locked_until) == (
        "account-1",
        "h1",
        2,
        until,
    )
    store.credentials.succeeded("account-1")
    found = store.credentials.by_login("wang")
    assert found is not None
    assert (found.failures, found.locked_until) == (0, None)
    store.credentials.failed("account-1", locked_until=until)
    again = CredentialWrite(account="account-1", login="wang2", password_hash="h2")
    store.recorder.insert_events(stored("a", 2), append=Append(credentials=[again]))
    found = store.credentials.by_login("wang2")
    assert found is not None
    assert (found.password_hash, found.failures, found.locked_until) == ("h2", 0, None)
    assert store.credentials.by_login("wang") is None


def test_a_login_name_is_one_account_s(store: Store) -> None:
    first = CredentialWrite(account="account-1", login="wang", password_hash="h")
    second = CredentialWrite(account="account-2", login="wang", password_hash="h")
    store.recorder.insert_events(stored("a"), append=Append(credentials=[first]))
    with pytest.raises(ClaimTaken) as clash:
        store.recorder.insert_events(stored("b"), append=Append(credentials=[second]))
    assert clash.value.facts == {"kind": "login", "key": "wang", "holder": "account-1"}
    assert store.recorder.head() == 0


def test_tokens_are_found_by_digest_and_stay_revoked(store: Store) -> None:
    def token(*, revoked: bool) -> TokenWrite:
        return TokenWrite(token="t-1", account="account-1", digest="d", expires_at=BEGINNING, revoked=revoked)

    store.recorder.insert_events(stored("a"), append=Append(tokens=[token(revoked=False)]))
    found = store.credentials.token("d")
    assert found is not None
    assert (found.id, found.account, found.expires_at, found.revoked) == (
        "t-1",
        "account-1",
        BEGINNING,
        False,
    )
    store.recorder.insert_events(stored("a", 2), append=Append(tokens=[token(revoked=True)]))
    store.recorder.insert_events(stored("a", 3), append=Append(tokens=[token(revoked=False)]))
    found = store.credentials.token("d")
    assert found is not None
    assert found.revoked
    assert store.credentials.token("e") is None


# --- the latch ------------------------------------------------------------------------------------


def test_the_latch_moves_only_from_where_it_stands(store: Store) -> None:
    latch = store.ledger_latch
    assert latch.read() is None
    assert not latch.swap(0, 5, b"five")
    assert latch.swap(None, 3, b"three")
    assert not latch.swap(None, 4, b"four")
    assert latch.swap(3, 7, b"seven")
    assert not latch.swap(3, 8, b"eight")
    assert latch.read() == (7, b"seven")
    with pytest.raises(ValueError, match="cannot go back"):
        latch.swap(7, 6, b"six")
