"""An erasure: the row keeps its reference and loses the rest, in the append that says so, for ever."""

import random
import sqlite3

import pytest
from eventsourcing.persistence import IntegrityError

from application.ports import Answer, AnswerKept, Append, CredentialWrite, Erasure, RetryKey, VaultWrite
from domain.errors import ClaimTaken, StoreUnavailable
from infrastructure.database import Store, store_file
from tests.contracts.sample import claiming, stored, taking

SALT = "5a" * 16
ROW = "SELECT value, salt, unique_key, retain_until, erased_at FROM vault WHERE person = ?"


def person(nth: int) -> VaultWrite:
    """A person with a name and a number that occur nowhere else."""
    value = {"name": f"欧阳擦除{nth:05}", "certificate_no": f"CERT-{nth:05}"}
    return VaultWrite(person=f"p-{nth:05}", value=value, salt=SALT, unique=f"certificate/CERT-{nth:05}")


def keep(store: Store, *people: int) -> None:
    """Put people into the vault, with an account each."""
    credentials = [
        CredentialWrite(account=f"account-{nth}", login=f"ouyang-{nth:05}", password_hash="h")
        for nth in people
    ]
    append = Append(vault=[person(nth) for nth in people], credentials=credentials)
    store.recorder.insert_events(stored(f"s-{people[0]}"), append=append)


def erase(store: Store, *people: int, stream: str = "e") -> None:
    """Erase people with their accounts' credentials."""
    erasures = [Erasure(person=f"p-{nth:05}", account=f"account-{nth}") for nth in people]
    store.recorder.insert_events(stored(stream), append=Append(erasures=erasures))


def test_an_erased_row_keeps_its_reference_and_the_time_of_the_event(store: Store) -> None:
    keep(store, 1, 2)
    erase(store, 1)
    at = next(store.recorder.rows(1)).at
    assert store.database.fetch(ROW, ("p-00001",)) == [(None, None, None, None, at)]
    assert store.vault.read(["p-00001", "p-00002"]) == {"p-00002": person(2).value}
    assert store.vault.persons([person(1).unique, person(2).unique]) == {person(2).unique: "p-00002"}
    assert store.credentials.by_login("ouyang-00001") is None
    assert store.credentials.by_login("ouyang-00002") is not None


def test_erasing_twice_keeps_the_first_time(store: Store) -> None:
    keep(store, 1)
    erase(store, 1)
    before = store.database.fetch(ROW, ("p-00001",))
    erase(store, 1, stream="again")
    assert store.database.fetch(ROW, ("p-00001",)) == before


def test_an_erased_person_never_comes_back(store: Store) -> None:
    keep(store, 1)
    erase(store, 1)
    store.recorder.insert_events(stored("back"), append=Append(vault=[person(1)]))
    assert store.vault.read(["p-00001"]) == {}
    with pytest.raises(Exception, match="stays erased"):
        store.database.change(
            "UPDATE vault SET value = '{}', salt = '', erased_at = NULL WHERE person = ?", ("p-00001",)
        )
    assert store.vault.read(["p-00001"]) == {}


def test_an_erasure_of_a_missing_row_leaves_its_mark(store: Store) -> None:
    erase(store, 7)
    ((value, salt, unique, _, erased_at),) = store.database.fetch(ROW, ("p-00007",))
    assert (value, salt, unique) == (None, None, None)
    assert erased_at == next(store.recorder.rows()).at


def test_a_refused_append_erases_nothing(store: Store) -> None:
    keep(store, 1)
    store.recorder.insert_events(stored("a"), append=claiming(taking("a", "1")))
    erasures = [Erasure(person="p-00001", account="account-1")]
    with pytest.raises(ClaimTaken):
        store.recorder.insert_events(stored("b"), append=Append(claims=taking("b", "1"), erasures=erasures))
    with pytest.raises(IntegrityError):
        store.recorder.insert_events(stored("a"), append=Append(erasures=erasures))
    retry = RetryKey("account-9", "key", "request")
    answer = Answer(id="a", version=1, position=-1)
    store.recorder.insert_events(stored("c"), append=Append(retry=retry, answer=answer))
    with pytest.raises(AnswerKept):
        store.recorder.insert_events(
            stored("d"), append=Append(retry=retry, answer=answer, erasures=erasures)
        )
    assert store.vault.read(["p-00001"]) == {"p-00001": person(1).value}
    assert store.credentials.by_login("ouyang-00001") is not None


def test_the_bytes_leave_the_embedded_store_s_files(sqlite_store: Store) -> None:
    """Also those in pages that were split, in the write-ahead log and in freed room."""
    people = list(range(1500))
    random.Random(3).shuffle(people)  # noqa: S311
    for start in range(0, len(people), 100):
        keep(sqlite_store, *people[start : start + 100])
    gone = people[::7]
    for nth, one in enumerate(gone[:20]):
        erase(sqlite_store, one, stream=f"one-{nth}")
    erase(sqlite_store, *gone[20:], stream="many")
    sqlite_store.vault.scrub()
    found = left_in(sqlite_store, gone)
    assert found == []
    assert len(left_in(sqlite_store, people)) == 3 * (len(people) - len(gone))


def test_a_long_reader_is_not_waited_for(sqlite_store: Store) -> None:
    keep(sqlite_store, 1)
    with sqlite3.connect(store_file(sqlite_store.url)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM vault").fetchone()
        erase(sqlite_store, 1)
        with pytest.raises(StoreUnavailable) as busy:
            sqlite_store.vault.scrub()
        assert busy.value.facts["reason"] == "busy"
        reader.execute("ROLLBACK")
    sqlite_store.vault.scrub()
    assert left_in(sqlite_store, [1]) == []


def left_in(store: Store, people: list[int]) -> list[str]:
    """What can still be read of people in the store's files, names as they are kept and as escaped."""
    file = store_file(store.url)
    content = b"".join(one.read_bytes() for one in sorted(file.parent.glob(f"{file.name}*")))
    words = [word for nth in people for word in (f"欧阳擦除{nth:05}", f"CERT-{nth:05}", f"ouyang-{nth:05}")]
    return [word for word in words if word.encode() in content]


def test_postgresql_s_tables_hold_nothing_readable(postgres_store: Store) -> None:
    keep(postgres_store, 1, 2)
    erase(postgres_store, 1)
    postgres_store.vault.scrub()
    tables = ("events", "claims", "answers", "vault", "credentials", "tokens")
    text = "".join(str(postgres_store.database.fetch(f"SELECT * FROM {table}")) for table in tables)  # noqa: S608
    for word in ("欧阳擦除00001", "CERT-00001", "ouyang-00001"):
        assert word not in text
        assert word.replace("00001", "00002") in text
