"""What is held of a log, under whose key, and what the log itself says of its keys and of what it gave up."""

from __future__ import annotations

import json

import pytest

from domain.ledger.charter import LogCharter
from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.cosignature import add_signatures
from domain.ledger.held import Held, open_held
from domain.ledger.note import Note, SigningKey
from domain.ledger.policy import TrustPolicy

NAME = "sunlot.example/140100"
OLD, NEW = SigningKey(NAME, b"o" * 32), SigningKey(NAME, b"n" * 32)
POLICY = TrustPolicy.of_keys([NEW.verifier, OLD.verifier])
ROOT = b"r" * 32


def state(**facts: object) -> bytes:
    return json.dumps(facts).encode()


CHARTER = (
    LogCharter()
    .take("installation.founded.v1", state(verifier_key=OLD.verifier.encode()), 0)
    .take("site.assessed.v1", state(verifier_key="nothing to do with it"), 5)
    .take("installation.key-changed.v1", state(verifier_key=NEW.verifier.encode(), former="x"), 99)
    .take("installation.resumed.v1", state(size=70, root=ROOT.hex()), 120)
)


def signed(size: int, *keys: SigningKey, root: bytes = ROOT) -> bytes:
    note = sign_checkpoint(Checkpoint(NAME, size, root), keys[0])
    return add_signatures(note, [key.sign(Note.parse(note).text.encode()) for key in keys[1:]])


@pytest.mark.parametrize(
    ("size", "keys", "counts"),
    [
        (99, (OLD,), True),  # does not cover the change
        (100, (OLD, NEW), True),
        (100, (NEW,), True),
        (100, (OLD,), False),
        (5000, (OLD,), False),
        (99, (NEW,), False),  # nobody could have signed so with a key that was not the log's yet
    ],
)
def test_a_checkpoint_counts_under_the_key_of_its_time(
    size: int, keys: tuple[SigningKey, ...], counts: bool
) -> None:
    expected = open_held([Held("one", signed(size, *keys))], POLICY, charter=CHARTER)
    assert [one.checkpoint.size for one in expected.commitments] == ([size] if counts else [])
    assert [one.code for one in expected.findings] == ([] if counts else ["key.retired"])


LATER = SigningKey(NAME, b"l" * 32)


@pytest.mark.parametrize(
    ("size", "key", "counts"),
    [
        (201, LATER, True),  # the change may lie behind the end at which the log was cut off
        (200, LATER, False),
        (201, OLD, False),  # retired by the log's own word, however far it goes
    ],
)
def test_a_log_that_was_cut_off_does_not_know_its_later_keys(
    size: int, key: SigningKey, counts: bool
) -> None:
    policy = TrustPolicy.of_keys([one.verifier for one in (OLD, NEW, LATER)])
    expected = open_held([Held("one", signed(size, key))], policy, charter=CHARTER, size=200)
    assert [one.checkpoint.size for one in expected.commitments] == ([size] if counts else [])
    assert [one.code for one in expected.findings] == ([] if counts else ["key.retired"])


def test_without_the_logs_own_word_every_trusted_key_counts() -> None:
    expected = open_held([Held("one", signed(5000, OLD))], POLICY)
    assert (len(expected.commitments), expected.findings) == (1, [])


def test_a_checkpoint_given_up_is_told_once_and_not_compared() -> None:
    held = [Held("one", signed(70, OLD)), Held("two", signed(70, OLD)), Held("three", signed(71, OLD))]
    expected = open_held(held, POLICY, charter=CHARTER)
    assert [one.checkpoint.size for one in expected.commitments] == [71]
    (finding,) = expected.findings
    assert (finding.code, finding.idx) == ("log.resumed", 120)
    assert finding.params == {"size": 70, "root": ROOT.hex()}


def test_what_is_known_to_be_given_up_is_no_finding() -> None:
    held = [Held("one", signed(70, OLD))]
    assert open_held(held, POLICY, charter=CHARTER, acknowledged=[70]).findings == []
    assert len(open_held(held, POLICY, charter=CHARTER, acknowledged=[71]).findings) == 1


def test_another_root_of_that_size_was_not_given_up() -> None:
    held = [Held("one", signed(70, OLD, root=b"s" * 32))]
    assert len(open_held(held, POLICY, charter=CHARTER).commitments) == 1


def test_a_root_that_was_given_up_and_another_of_its_size_are_two_stories_all_the_same() -> None:
    held = [Held("one", signed(70, OLD)), Held("two", signed(70, OLD, root=b"s" * 32))]
    codes = [one.code for one in open_held(held, POLICY, charter=CHARTER).findings]
    assert codes == ["log.resumed", "checkpoint.conflict"]


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"verifier_key":7}', b'{"size":"7"}'])
def test_a_state_that_should_say_something_and_does_not_is_told(content: bytes) -> None:
    for topic in ("installation.founded.v1", "installation.key-changed.v1", "installation.resumed.v1"):
        charter = CHARTER.take(topic, content, 7)
        assert (charter.terms, charter.given_up) == (CHARTER.terms, CHARTER.given_up)
        (finding,) = open_held([], POLICY, charter=charter).findings
        assert (finding.code, finding.idx, finding.params) == ("charter.unreadable", 7, {"topic": topic})
    assert CHARTER.take("site.assessed.v1", content, 7) == CHARTER


def test_a_log_that_calls_itself_otherwise_is_told_and_compared_all_the_same() -> None:
    other = LogCharter().take(
        "installation.founded.v1", state(origin="another.example/1", verifier_key=OLD.verifier.encode()), 0
    )
    held = [Held("one", signed(70, OLD)), Held("two", signed(71, OLD))]
    expected = open_held(held, POLICY, charter=other)
    (finding,) = expected.findings
    assert finding.code == "checkpoint.origin_differs"
    assert finding.params == {"checkpoint": "one", "expected": "another.example/1", "found": NAME}
    assert len(expected.commitments) == 2


def test_a_checkpoint_of_another_trusted_log_is_not_compared() -> None:
    stranger = SigningKey("another.example/1", b"a" * 32)
    own = LogCharter().take(
        "installation.founded.v1", state(origin=NAME, verifier_key=OLD.verifier.encode()), 0
    )
    note = sign_checkpoint(Checkpoint(stranger.name, 70, ROOT), stranger)
    policy = TrustPolicy.of_keys([OLD.verifier, stranger.verifier])
    expected = open_held([Held("one", note)], policy, charter=own)
    assert [one.code for one in expected.findings] == ["checkpoint.origin_differs"]
    assert expected.commitments == []


@pytest.mark.parametrize("place", ["checkpoints", "abandoned/9/checkpoints"])
def test_a_kept_checkpoint_is_named_by_its_size(place: str) -> None:
    held = [Held(f"{place}/{name}", signed(71, OLD)) for name in ("71", "72")]
    (finding,) = open_held(held, POLICY).findings
    assert (finding.code, finding.params) == (
        "checkpoint.misnamed",
        {"checkpoint": f"{place}/72", "size": 71},
    )
