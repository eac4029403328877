"""What is kept outside the log: vault, credentials, tokens, and the latch."""

from datetime import timedelta

import pytest
from eventsourcing.persistence import IntegrityError

from application.ports import (
    Append,
    CredentialWrite,
    TokenWrite,
    VaultWrite,
)
from domain.errors import ClaimTaken
from infrastructure.database import Store
from tests.contracts.sample import stored
from tests.fakes import BEGINNING


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
