"""Installations for tests of the command line, each made once and copied for every test."""

import logging
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer.main

from tests.api.cli.installation import Installation, found_installation, staffed_installation


@pytest.fixture(scope="session", autouse=True)
def _one_command_tree() -> Iterator[None]:
    """The runner would build the tree of commands anew for every command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", cache(typer.main.get_command))
        yield


@pytest.fixture(autouse=True)
def _quiet_logging() -> Iterator[None]:
    """Commands set logging up for their own standard error, which ends with them."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def _founded(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return found_installation(tmp_path_factory.mktemp("founded"))


@pytest.fixture(scope="session")
def _staffed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return staffed_installation(tmp_path_factory.mktemp("staffed"))


@pytest.fixture
def empty(tmp_path: Path) -> Installation:
    """Nothing at all."""
    return Installation(tmp_path)


@pytest.fixture
def founded(_founded: Installation, tmp_path: Path) -> Installation:
    """An administrator and nobody else."""
    return _founded.copied(tmp_path)


@pytest.fixture
def staffed(_staffed: Installation, tmp_path: Path) -> Installation:
    """An account in every role."""
    return _staffed.copied(tmp_path)
