"""The second pass in a process of its own finds what it finds here, and its end is nobody's end."""

from pathlib import Path

import pytest

from infrastructure import ledger_links
from infrastructure.database import Store
from infrastructure.ledger_check import verify_store
from infrastructure.ledger_links import STEP, SecondPass, counted
from infrastructure.ledger_publisher import LedgerPublisher
from tests.infrastructure.ledger_samples import KEY, VKEY, append
from tests.infrastructure.tampering import tamper

EVENTS = 5000


@pytest.fixture
def log(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A log that is long enough for a process of its own, because even nothing is."""
    monkeypatch.setattr(ledger_links, "LONG", 0)
    append(store, EVENTS, batch=EVENTS)
    return store


def no_progress(rows: int) -> None:
    """Nobody listens."""


def broken_links(store: Store) -> None:
    tamper(
        store,
        ("UPDATE events SET ver = ver + 1000 WHERE idx = 4998", ()),
        ("UPDATE events SET entry = (SELECT entry FROM events WHERE idx = 7) WHERE idx = 4000", ()),
    )


def test_it_finds_beside_the_first_pass_what_it_finds_here(
    log: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_links(log)
    with monkeypatch.context() as only_there, SecondPass(log, EVENTS, no_progress) as links:
        only_there.setattr(log.recorder, "by_stream", None)
        beside = links.report()
    monkeypatch.setattr(ledger_links, "LONG", EVENTS + 1)
    with SecondPass(log, EVENTS, no_progress) as links:
        assert not links.running
        here = links.report()
    assert beside == here
    assert {finding.code for finding in here.findings.kept} == {"version.gap", "prev.differs"}
    assert (here.size, here.streams) == (EVENTS, 7)


def test_a_process_that_is_killed_is_done_without(log: Store) -> None:
    with SecondPass(log, EVENTS, no_progress) as links:
        links.kill()
        assert links.report().size == EVENTS


def test_no_process_stays_behind(log: Store) -> None:
    with pytest.raises(RuntimeError), SecondPass(log, EVENTS, no_progress) as links:
        raise RuntimeError
    assert not links.running


def test_progress_of_both_passes_reaches_its_end(log: Store, tmp_path: Path) -> None:
    LedgerPublisher(log.recorder, log.ledger_latch, KEY, tmp_path).publish_once()
    steps: list[tuple[int, int]] = []
    report = verify_store(log, tmp_path, [VKEY], lambda done, total: steps.append((done, total)))
    assert report.sound
    assert steps == sorted(steps)
    assert steps[-1] == (2 * EVENTS, 2 * EVENTS)


def test_rows_are_counted_now_and_then_and_at_the_end() -> None:
    heard: list[int] = []
    assert list(counted(range(STEP * 2 + 5), heard.append)) == list(range(STEP * 2 + 5))
    assert heard == [STEP, STEP * 2, STEP * 2 + 5]
