"""`sunlot ledger witness`: its key, its evidence, its forgetting, without store and ledger key."""

import json
from pathlib import Path
from typing import Any

import pytest

from domain.ledger.cosignature import WitnessKey
from domain.ledger.errors import RootConflict
from domain.ledger.policy import TrustPolicy
from infrastructure.signing import witness_key
from infrastructure.witness import Witness, open_witness
from tests.api.cli.installation import Installation
from tests.infrastructure.witness_samples import KEY, NEXT_KEY, ORIGIN, SampleLog

LOG = SampleLog.of(20)


@pytest.fixture
def keyed(empty: Installation) -> Installation:
    empty.done("ledger", "witness", "keygen", "--name", "jw.example/1")
    return empty


def watching(made: Installation) -> Witness:
    return open_witness(
        made.data / "witness.key", made.data / "witness", [KEY.verifier, NEXT_KEY.verifier], made.clock
    )


def test_the_key_is_made_once_for_its_owner_only(keyed: Installation) -> None:
    file = keyed.data / "witness.key"
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    refused = keyed.refused("ledger", "witness", "keygen", "--name", "jw.example/2", status=2)
    assert (refused["code"], refused["facts"]["reason"]) == ("ledger-key-unusable", "exists")
    assert file.read_bytes() == before
    other = keyed.folder / "other.key"
    vkey = keyed.done("ledger", "witness", "keygen", "--name", "jw.example/2", "--out", other)["vkey"]
    assert WitnessKey.parse(vkey) == witness_key(other).verifier
    assert not list(keyed.data.glob("store*"))


@pytest.mark.parametrize("name", ["", "two words", "a+b"])
def test_a_witness_needs_a_name_that_a_key_can_have(empty: Installation, name: str) -> None:
    refused = empty.refused("ledger", "witness", "keygen", "--name", name, status=2)
    assert refused["facts"]["reason"] == "origin-impossible"


def test_a_key_that_others_may_read_or_is_none_is_refused(keyed: Installation) -> None:
    file, words = keyed.data / "witness.key", ("ledger", "witness", "--log", KEY.verifier.encode())
    file.chmod(0o644)
    assert keyed.refused(*words, status=2)["facts"]["reason"] == "exposed"
    file.chmod(0o600)
    file.write_text(KEY.encode())
    assert keyed.refused(*words, status=2)["facts"]["reason"] == "malformed"
    file.unlink()
    assert keyed.refused(*words, status=2)["facts"]["reason"] == "missing"


@pytest.mark.parametrize(
    "words", [("ledger", "witness"), ("ledger", "witness", "serve")], ids=["alone", "serve"]
)
def test_it_serves_the_logs_that_were_named(
    keyed: Installation, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[dict[str, Any]]()
    monkeypatch.setattr(
        "api.witness_server.serve_witness", lambda app, **how: asked.append({"app": app, **how})
    )
    seen = list[Witness]()
    monkeypatch.setattr("api.witness.create_witness_app", lambda witness: seen.append(witness))
    assert keyed.refused(*words, status=2)["code"] == "witness-logs-missing"
    keys = keyed.file("log.vkey", f"{KEY.verifier.encode()}\n{NEXT_KEY.verifier.encode()}\n".encode())
    assert keyed.run(*words, "--log", keys, "--port", 8123, "--host", "0.0.0.0").exit_code == 0  # noqa: S104
    policy = keyed.file("policy", TrustPolicy.of_keys([KEY.verifier]).encode())
    assert keyed.run(*words, "--policy", policy).exit_code == 0
    assert [(one["host"], one["port"]) for one in asked] == [("0.0.0.0", 8123), ("127.0.0.1", 8100)]  # noqa: S104
    assert [one.logs for one in seen] == [
        {ORIGIN: [KEY.verifier, NEXT_KEY.verifier]},
        {ORIGIN: [KEY.verifier]},
    ]


def test_what_is_no_key_of_a_log_is_refused(keyed: Installation) -> None:
    assert keyed.refused("ledger", "witness", "--log", "a+b+c", status=2)["code"] == "key.malformed"
    policy = keyed.file("policy", b"nonsense\n")
    assert keyed.refused("ledger", "witness", "--policy", policy, status=2)["code"] == "policy.malformed"


def test_it_shows_what_it_holds_and_says_so_when_there_is_evidence(keyed: Installation) -> None:
    assert keyed.done("ledger", "witness", "show")["logs"] == []
    witness = watching(keyed)
    witness.add_checkpoint(LOG.submission(0, 7))
    shown = keyed.done("ledger", "witness", "show")
    (log,) = shown["logs"]
    assert (log["origin"], log["size"], log["root"], log["cosigned"]) == (
        ORIGIN,
        7,
        LOG.checkpoint(7).root.hex(),
        1,
    )
    with pytest.raises(RootConflict):
        witness.add_checkpoint(SampleLog.of(7, forked_at=2).submission(7, 7))
    result = keyed.run("ledger", "witness", "show")
    assert result.exit_code == 1
    assert "two-roots" in result.stdout
    (one,) = json.loads(keyed.run("ledger", "witness", "show", "--json").stdout)["evidence"]
    assert keyed.run("ledger", "witness", "show", "--acknowledge", one["file"]).exit_code == 0
    assert keyed.run("ledger", "witness", "show", "--acknowledge", "evidence/other.json").exit_code == 1


def test_a_log_is_forgotten_for_a_reason(keyed: Installation) -> None:
    watching(keyed).add_checkpoint(LOG.submission(0, 7))
    refused = keyed.refused("ledger", "witness", "forget", ORIGIN, "--reason", "")
    assert refused["code"] == "forgetting-reason-missing"
    assert keyed.refused("ledger", "witness", "forget", "elsewhere", "--reason", "x")["code"] == "not-found"
    assert keyed.done("ledger", "witness", "forget", ORIGIN, "--reason", "两人已恢复签署")["size"] == 7
    shown = keyed.done("ledger", "witness", "show")
    assert "size" not in shown["logs"][0]
    assert [one["kind"] for one in shown["evidence"]] == ["forgotten"]
    (kept,) = (keyed.data / "witness" / "evidence" / "forgotten").iterdir()
    assert str(Path("evidence") / "forgotten" / kept.name) == shown["evidence"][0]["file"]
