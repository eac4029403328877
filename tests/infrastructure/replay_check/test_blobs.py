"""The files that events name: missing, damaged, or there although they were erased."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from eventsourcing.persistence import StoredEvent

from domain.draw import Draw
from domain.events import topics
from domain.intake import Counts, Intake
from domain.ledger.finding import Finding
from infrastructure.replay_check.blobs import NAMED, ORIGINAL_ERASED
from infrastructure.replay_check.histories import Histories
from tests.examples_of_events import examples
from tests.infrastructure.replay_check.conftest import ACT, END, Case

DIGEST = re.compile(r"[0-9a-f]{64}")
NO_FILES = {
    "/commitment",
    "/seal/rules_hash",
    "/secret",
    "/value",
    "/changes",
    "/root",
    "/rulebook/digest",
}
"""Fields of 64 hexadecimal digits that name no file: commitments, secrets, hashes of what is not kept."""


def place(case: Case, digest: str) -> Path:
    return case.folder / "blobs" / digest[:2] / digest[2:4] / digest


def original(case: Case) -> tuple[str, str, int]:
    """The import's stream, its file, and the event's position."""
    idx = case.idx("intake.completed.v1")
    [row] = case.store.recorder.rows(idx, 1)
    return row.stream, msgspec.json.decode(row.state)["original"], idx


def test_a_file_that_is_gone(case: Case) -> None:
    stream, digest, idx = original(case)
    place(case, digest).unlink()
    assert case.only() == Finding("blob.missing", idx, {"digest": digest, "stream": stream})


def test_a_file_with_other_content(case: Case) -> None:
    stream, digest, idx = original(case)
    place(case, digest).write_bytes(b"something else")
    assert case.only() == Finding("blob.damaged", idx, {"digest": digest, "stream": stream})


def test_a_sealed_frame_that_is_gone_is_found_once(case: Case) -> None:
    draw = case.told.refreshed
    idx = case.idx(Draw.Sealed.TOPIC, draw)
    [row] = case.store.recorder.rows(idx, 1)
    digest = msgspec.json.decode(row.state)["seal"]["frame"]
    place(case, digest).unlink()
    assert case.only() == Finding("blob.missing", idx, {"digest": digest, "stream": draw})


def test_an_original_that_was_erased_with_its_event(case: Case) -> None:
    stream, digest, _ = original(case)
    intake = Histories(case.store.recorder, case.mapper).load(Intake, stream, END)
    intake.erase_original(ACT, person="person-0", ground="retention-over")
    idx = case.append(intake)
    assert case.only() == Finding("blob.not-erased", idx, {"digest": digest, "stream": stream})
    place(case, digest).unlink()
    assert case.findings() == []


def test_an_original_that_came_back_under_another_import(case: Case) -> None:
    stream, digest, _ = original(case)
    intake = Histories(case.store.recorder, case.mapper).load(Intake, stream, END)
    intake.erase_original(ACT, person="person-0", ground="retention-over")
    case.append(intake)
    counts = Counts(rows=0, created=0, changed=0, unchanged=0)
    again = Intake.complete(ACT, id="intake-0", kind="sites", region="140100", original=digest, counts=counts)
    case.append(again)
    assert case.findings() == []


def test_every_file_of_the_story_is_named_by_an_event(case: Case) -> None:
    """Whatever the service keeps, some event names; what is not in `NAMED` would be found missing here."""
    named = {digest for event in events(case) for digest in NAMED.get(type(event), lambda _: ())(event)}
    assert named == set(case.blobs.digests())


def events(case: Case) -> Iterator[Any]:
    for row in case.store.recorder.rows():
        yield case.mapper.to_domain_event(StoredEvent(row.stream, row.ver, row.topic, row.state))


@pytest.mark.parametrize("topic", sorted(set(topics()) - {ORIGINAL_ERASED}))
def test_every_digest_in_an_event_names_a_file_or_is_known_not_to(topic: str) -> None:
    """A new event that names a file must be in `NAMED`, or its file would never be looked at."""
    event = examples()[topic]
    named = set(NAMED.get(type(event), lambda _: ())(event))
    for path, digest in digests(msgspec.to_builtins(event)):
        assert (digest in named) is not (path in NO_FILES), path


def digests(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every hash in an event with the names that lead to it."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from digests(part, f"{path}/{name}")
    elif isinstance(value, list | tuple):
        for part in value:
            yield from digests(part, path)
    elif isinstance(value, str) and DIGEST.fullmatch(value):
        yield path, value
