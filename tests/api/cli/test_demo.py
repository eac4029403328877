"""The demo as a newcomer runs it: to its end, again without a change, and through being killed."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from api.bootstrap import System, build, tools
from domain.inspection import Inspection
from domain.violation import Violation
from infrastructure.ledger_check import verify_store
from infrastructure.settings import Settings
from projections import quarterly_statistics
from projections.statistics_report import annual

KILLS = 10
SUNLOT = (sys.executable, "-c", "from api.cli.main import main; main()")


def demo(folder: Path) -> subprocess.Popen[bytes]:
    """`sunlot demo --no-serve` in a process of its own."""
    command = (*SUNLOT, "demo", "--no-serve", "--data", str(folder))
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def sound(folder: Path) -> int:
    """Open the store, verify its ledger whole, and give the number of its events."""
    settings = Settings(data_dir=folder)
    system = build(settings)
    try:
        report = verify_store(system.store, settings.ledger_dir, [system.publisher.vkey])
        assert report.sound, report.first
        return report.size
    finally:
        system.close()


def recorded(folder: Path) -> int:
    """How many events the store holds, as another process sees it."""
    try:
        with closing(sqlite3.connect(f"file:{folder / 'store.db'}?mode=ro", uri=True)) as store:
            return int(store.execute("SELECT count(*) FROM events").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def killed_at(folder: Path, events: int) -> None:
    """Run the demo and kill it -9 once it has recorded so many events, or at once when it begins."""
    process = demo(folder)
    deadline = time.monotonic() + 120
    while process.poll() is None and recorded(folder) < events and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo that was killed at ten random moments of its story, and then completed."""
    folder = tmp_path_factory.mktemp("demo")
    luck = Random(20241123)  # noqa: S311
    for events in (0, *sorted(luck.sample(range(1, 2700), KILLS - 1))):
        killed_at(folder, events)
        if (folder / "demo-sign-ins.json").exists():
            assert sound(folder) >= events
    assert demo(folder).wait(timeout=200) == 0
    return folder


@pytest.fixture
def system(played: Path) -> Iterator[System]:
    system = build(Settings(data_dir=played))
    yield system
    system.close()


def test_replaying_the_quarters_gives_all_that_is_stored(system: System) -> None:
    assert tools(system.settings).audit().check_replay().kept == []


def test_a_killed_demo_is_completed_and_its_ledger_verifies(played: Path) -> None:
    assert sound(played) > 1000
    assert set(json.loads((played / "demo-sign-ins.json").read_text())) == {"password", "tokens"}


def test_the_second_run_changes_nothing(played: Path) -> None:
    before = {
        file: file.read_bytes() for file in played.rglob("*") if file.is_file() and "views" not in file.name
    }
    size = sound(played)
    assert demo(played).wait(timeout=60) == 0
    assert sound(played) == size
    stored = {file: content for file, content in before.items() if not file.name.startswith("store.db")}
    assert all(file.read_bytes() == content for file, content in stored.items())


def test_the_story_holds_what_it_promises(system: System) -> None:
    topics = [row.topic for row in system.store.recorder.rows()]
    for topic in (
        "assignment.recusal-granted.v1",
        "assignment.recusal-refused.v1",
        "assignment.site-voided.v1",
        "inspection.returned.v1",
        "inspection.published.v1",
        "violation.rectification-returned.v1",
        "violation.closed.v1",
        "referral.replied.v1",
        "recheck.carried-out.v1",
        "violation.recheck-recorded.v1",
        "draw.opened.v1",
    ):
        assert topic in topics, topic
    streams = {row.stream for row in system.store.recorder.rows()}
    load = system.workflow.load
    inspections = [load(Inspection, one) for one in streams if one.startswith("inspection-")]
    results = {one.result.primary for one in inspections if one.result}
    assert {"none", "corrected", "pending", "no-activity", "unreachable"} <= results
    violations = [load(Violation, one) for one in streams if one.startswith("violation-")]
    assert {"closed", "open"} <= {one.status for one in violations}


def test_the_year_s_figures_agree(system: System) -> None:
    system.projections.catch_up()
    with system.projections.views.reading(quarterly_statistics.PROJECTION) as connection:
        cells, quarters = annual(connection, 2024, now=system.clock.now())
    assert {cell.period for cell in quarters} == {"2024Q2", "2024Q3"}
    assert sum(cell.inspected for cell in cells) > 100
    assert sum(cell.void for cell in cells) >= 2


def test_another_s_installation_is_left_alone(played: Path) -> None:
    sign_ins = played / "demo-sign-ins.json"
    kept = sign_ins.rename(played / "elsewhere.json")
    try:
        assert demo(played).wait(timeout=60) == 1
    finally:
        kept.rename(sign_ins)
