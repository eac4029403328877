"""What was stored once can be read for ever, byte for byte."""

import subprocess
from hashlib import sha256
from pathlib import Path
from shutil import which

import msgspec
import pytest

from domain.events import topics
from tests.examples_of_events import FACTS, examples
from tests.vectors_of_events import FOLDER, SUMS, mapper, read_sums, read_vector, vector_path

TOPICS = sorted(topics())
ROOT = Path(__file__).parents[1]


def test_every_event_has_a_vector_and_every_vector_an_event() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == TOPICS


@pytest.mark.parametrize("topic", TOPICS)
def test_old_bytes_give_the_event_and_the_event_the_same_bytes(topic: str) -> None:
    stored = read_vector(vector_path(topic))
    assert stored.topic == topic
    event = mapper().to_domain_event(stored)
    assert event == examples()[topic]
    assert type(event) is topics()[topic]
    again = mapper().to_stored_event(event)
    assert again == stored


@pytest.mark.parametrize("topic", TOPICS)
def test_an_example_leaves_no_field_empty(topic: str) -> None:
    assert empty_fields(msgspec.to_builtins(FACTS[topics()[topic]]), "") == []


def empty_fields(value: object, path: str) -> list[str]:
    """Where nothing is said: None, an empty text, list or object. An empty seat may be empty."""
    if isinstance(value, dict) and (value or not path):
        return [one for key, part in value.items() for one in empty_fields(part, f"{path}/{key}")]
    if isinstance(value, list | tuple) and value:
        return [one for nth, part in enumerate(value) for one in empty_fields(part, f"{path}/{nth}")]
    empty_seat = path.startswith("/change/seats/")
    return [path] if value in (None, "", [], (), {}) and not empty_seat else []


def test_the_sums_name_every_vector_as_it_is() -> None:
    sums = {path.name: sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*.json")}
    assert read_sums() == sums
    assert SUMS.read_text().splitlines() == sorted(
        SUMS.read_text().splitlines(), key=lambda line: line.split("  ")[1]
    )


def released_tags() -> list[str]:
    """The versions that were released, as git knows them; none where there is no git."""
    git = which("git")
    if git is None or not (ROOT / ".git").exists():
        return []
    listed = subprocess.run([git, "-C", str(ROOT), "tag", "--list", "v*"], capture_output=True, text=True)
    return listed.stdout.split()


def test_no_vector_of_a_release_was_changed_or_removed() -> None:
    tags = released_tags()
    if not tags:
        pytest.skip("no release yet, or no git here")
    path = SUMS.relative_to(ROOT).as_posix()
    for tag in tags:
        shown = subprocess.run(
            ["git", "-C", str(ROOT), "show", f"{tag}:{path}"], capture_output=True, text=True
        )
        assert set(shown.stdout.splitlines()) <= set(SUMS.read_text().splitlines()), tag
