"""The browser's implementation of the draw, run by Node: one process that judges bundles, one a line."""

from __future__ import annotations

import json
import os
import shutil
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest

from domain.drawing.errors import DrawingError, MissingFile
from domain.drawing.verify import verify_bundle

SCRIPT = Path(__file__).with_name("recomputing.mjs")


class Judge:
    """A running process; ask it for the verdict on a bundle."""

    def __init__(self, process: Popen[str]) -> None:
        self._process = process

    def __call__(self, files: Mapping[str, bytes]) -> dict[str, Any]:
        """The verdict, or which file is missing."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = json.dumps({name: b64encode(data).decode() for name, data in files.items()})
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def judging() -> Iterator[Judge]:
    """A judge for the time of the block."""
    with Popen([node(), str(SCRIPT)], stdin=PIPE, stdout=PIPE, text=True) as process:
        try:
            yield Judge(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def node() -> str:
    """Where Node is. Without it the test is skipped, but never where everything must be tested."""
    found = shutil.which("node")
    if found is None and os.environ.get("CI"):
        pytest.fail("Node is missing: the browser's implementation of the draw was not tested")
    if found is None:
        pytest.skip("Node is not installed")
    return found


def judged_here(files: Mapping[str, bytes]) -> dict[str, Any]:
    """What `domain/drawing` says of the bundle, in the form of the other."""
    try:
        found = verify_bundle(files.__getitem__)
    except MissingFile as error:
        return {"missing": error.file}
    return {
        "checked": list(found.checked),
        "unchecked": [list(one) for one in found.unchecked],
        "broken": _told(found.broken),
    }


def _told(broken: DrawingError | None) -> dict[str, Any] | None:
    if broken is None:
        return None
    return {"rule": broken.rule, "file": broken.file, "line": broken.line}


def told_there(verdict: dict[str, Any]) -> dict[str, Any]:
    """The other's verdict without the words that explain it, which are its own."""
    if "missing" in verdict:
        return {"missing": verdict["missing"]}
    broken = verdict["broken"]
    kept = broken and {name: broken[name] for name in ("rule", "file", "line")}
    return {**verdict, "broken": kept}
