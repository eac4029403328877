"""Programs of other people that some tests ask: found, or the test is skipped, but never in CI."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest


def program(name: str) -> str:
    """Where the program is. Without it the test is skipped; where everything must be tested it fails."""
    found = shutil.which(name)
    return found if found is not None else missing(name)


def missing(what: str) -> NoReturn:
    """Skip the test, or fail it where CI is set: a check that nobody runs is none."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is not installed, and CI must not go without")
    pytest.skip(f"{what} is not installed")


def folder(path: str, package: str) -> Path:
    """A folder that a Debian package brings, under the same rule."""
    return Path(path) if Path(path).is_dir() else missing(f"{path} ({package})")
