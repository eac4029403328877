"""The tutorial works as it stands: its blocks are run, one after the other, against a demo that is served."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
SUNLOT = (sys.executable, "-c", "from api.cli.main import main; main()")
NEEDED = ("bash", "curl", "python3")


class Served(NamedTuple):
    """A demo that answers at an address."""

    address: str
    data: Path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo, made and served on a free port."""
    missing = [program for program in NEEDED if shutil.which(program) is None]
    if missing:
        pytest.skip(f"the tutorial needs {', '.join(missing)}")
    data = tmp_path_factory.mktemp("demo")
    subprocess.run([*SUNLOT, "demo", "--no-serve", "--data", str(data)], cwd=ROOT, check=True)
    command = [*SUNLOT, "serve", "--data", str(data), "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as serving:
        try:
            yield Served(find_address(serving), data)
        finally:
            serving.send_signal(signal.SIGTERM)


def find_address(serving: "subprocess.Popen[str]") -> str:
    """The address that the service says on its first lines."""
    assert serving.stdout is not None
    for line in serving.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return found[0]
    raise AssertionError("the service ended without saying where it serves")


@pytest.fixture(scope="module")
def told(served: Served) -> str:
    """What the tutorial's reader sees."""
    blocks = BLOCK.findall((ROOT / "docs/tutorial/first-inspection.md").read_text())
    surroundings = {**os.environ, "SUNLOT": served.address, "DATA": str(served.data)}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
        env=surroundings,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_result_is_public_in_the_end(told: str) -> None:
    found = re.search(r'"inspection":"inspection-[0-9a-f]{32}".*"published_on":"([0-9-]{10})"', told)
    assert found
    assert date.fromisoformat(found[1]) >= date.today() - timedelta(days=1), "said to be public before it was"


def test_the_refusals_are_those_that_the_text_announces(told: str) -> None:
    assert re.findall(r'"status":(4\d\d)', told) == ["403", "428", "403", "409"]


def test_the_drawn_site_is_told_after_the_opening(told: str) -> None:
    assert re.search(r'"rank":1,"stratum":"general"', told)


def test_the_replay_flags_what_was_recorded_late(told: str) -> None:
    late = [line for line in told.splitlines() if line.startswith("2024-10-") and " late " in line]
    assert len(late) == 7


def test_the_last_event_has_a_receipt(told: str) -> None:
    assert told.count("c2sp.org/tlog-proof@v1") == 2
