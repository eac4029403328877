"""The trust policy: the operator's file, the log's keys from its charter, and what stops a start."""

from pathlib import Path

import pytest

from api.bootstrap import build, make_key
from domain.errors import CertificateUnusable, KeyUnusable, TrustPolicyWrong
from domain.ledger.note import SigningKey
from domain.ledger.policy import TrustPolicy
from infrastructure.trust import NOBODY, Trust, load_policy
from tests.engines import sqlite_url
from tests.fakes import FakeClock
from tests.infrastructure.attested import WrittenCharter
from tests.infrastructure.ledger_samples import KEY
from tests.infrastructure.outsiders import KeptWitness, policy_text
from tests.serving import settings_of

NEW = SigningKey(KEY.name, b"the key that follows it, 32 byte")


def test_the_log_s_keys_come_from_the_charter_and_their_addresses_from_the_file(clock: FakeClock) -> None:
    witness = KeptWitness("witness.example/1", clock)
    foreign = SigningKey("other.example/1", b"f" * 32).verifier.encode()
    own = f"log {KEY.verifier.encode()} https://sunlot.example/ledger\nlog {foreign}\n"
    written = TrustPolicy.parse((own + policy_text({witness: "https://witness.example"})).encode())
    charter = WrittenCharter()
    trust = Trust(KEY.verifier, written, charter)
    charter.change_key(NEW)
    policy = trust.policy()
    assert [(log.key, log.url) for log in policy.logs] == [
        (NEW.verifier, ""),
        (KEY.verifier, "https://sunlot.example/ledger"),
    ]
    assert TrustPolicy.parse(policy.encode()) == policy
    assert (policy.witnesses, policy.quorum) == (written.witnesses, "everyone")


def test_no_file_names_no_witness_unless_one_is_asked_for(tmp_path: Path) -> None:
    assert load_policy(tmp_path / "policy", needed=False) is NOBODY
    with pytest.raises(TrustPolicyWrong) as refusal:
        load_policy(tmp_path / "policy", needed=True)
    assert refusal.value.facts["reason"] == "missing"


@pytest.mark.parametrize(
    ("text", "line"),
    [("quorum nobody\n", 1), ("\n# none\nwitness a b\nquorum none\n", 3), ("", 0), ("quorum none", 1)],
)
def test_a_wrong_line_is_named(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "policy").write_text(text)
    with pytest.raises(TrustPolicyWrong) as refusal:
        load_policy(tmp_path / "policy", needed=False)
    assert (refusal.value.facts["line"], refusal.value.facts["path"]) == (line, str(tmp_path / "policy"))


@pytest.mark.parametrize("url", ["ftp://witness.example", "https://user@witness.example", "/add-checkpoint"])
def test_an_address_that_cannot_be_asked_is_refused(tmp_path: Path, clock: FakeClock, url: str) -> None:
    witness = KeptWitness("witness.example/1", clock)
    (tmp_path / "policy").write_text(policy_text({witness: url}))
    with pytest.raises(TrustPolicyWrong) as refusal:
        load_policy(tmp_path / "policy", needed=False)
    assert refusal.value.facts["reason"] == "address"


def test_a_start_is_refused_by_what_cannot_be_used(tmp_path: Path) -> None:
    with sqlite_url(tmp_path / "store") as url:
        settings = settings_of(url, tmp_path / "data")
        make_key(settings)
        (tmp_path / "data" / "trust-policy").write_text("nothing\n")
        with pytest.raises(TrustPolicyWrong):
            build(settings)
        (tmp_path / "data" / "trust-policy").unlink()
        for more in ({"tsa_url": "https://tsa.example"}, {"tsa_url": "tsa"}):
            with pytest.raises(CertificateUnusable):
                build(settings.model_copy(update=more))
        build(settings).close()


def test_a_key_that_was_superseded_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sqlite_url(tmp_path / "store") as url:
        settings = settings_of(url, tmp_path / "data")
        make_key(settings)
        charter = WrittenCharter()
        monkeypatch.setattr("api.bootstrap.CharterReader", lambda *_: charter)
        with pytest.raises(KeyUnusable) as refusal:
            build(settings)
        assert refusal.value.facts["reason"] == "not-the-founders"
        line = make_key(settings)
        charter.charter = charter.charter._replace(former=(line,))
        with pytest.raises(KeyUnusable) as refusal:
            build(settings)
        assert refusal.value.facts["reason"] == "superseded"
        charter.charter = charter.charter._replace(key=line, former=())
        build(settings).close()


def test_witnesses_without_an_address_are_trusted_but_not_asked(tmp_path: Path, clock: FakeClock) -> None:
    witness = KeptWitness("witness.example/1", clock)
    with sqlite_url(tmp_path / "store") as url:
        settings = settings_of(url, tmp_path / "data")
        make_key(settings)
        (tmp_path / "data" / "trust-policy").write_text(policy_text({witness: ""}, "none"))
        system = build(settings)
        try:
            system.publisher.publish_once()
            assert system.publisher.attestation.told == {}
            assert [one.name for one in system.trust.policy().witnesses] == ["witness.example/1"]
        finally:
            system.close()
