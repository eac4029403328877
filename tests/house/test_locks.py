"""The locks install exactly what `pyproject.toml` asks for: with hashes, without addresses, no drift."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.txt", "requirements-build.txt", "requirements-dev.txt")
PIN = re.compile(r"^(?P<name>[a-z0-9-]+)(\[[a-z0-9,-]+\])?==(?P<version>\S+)", re.MULTILINE)


def read_pins(lock: str) -> dict[str, set[str]]:
    """The versions that a lock names, by package; different ones only under different markers."""
    pins: dict[str, set[str]] = {}
    for found in PIN.finditer((ROOT / lock).read_text()):
        pins.setdefault(found["name"], set()).add(found["version"])
    return pins


def read_project() -> dict[str, Any]:
    """What `pyproject.toml` says."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def asked_for(lock: str) -> list[Requirement]:
    """What the lock has to cover."""
    project = read_project()
    groups = project["dependency-groups"]
    direct = [one for one in groups["dev"] if isinstance(one, str)]
    asked = {
        "requirements.txt": project["project"]["dependencies"],
        "requirements-build.txt": [*groups["build"], *project["build-system"]["requires"]],
        "requirements-dev.txt": [*project["project"]["dependencies"], *groups["build"], *direct],
    }
    return [Requirement(line) for line in asked[lock]]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_to_a_version_that_pyproject_allows(lock: str) -> None:
    pins = read_pins(lock)
    for wanted in asked_for(lock):
        versions = pins.get(canonicalize_name(wanted.name), set())
        assert versions, f"{lock} lacks {wanted}: make lock"
        assert all(wanted.specifier.contains(version) for version in versions), f"{lock}: {wanted}"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_a_pin_with_hashes(lock: str) -> None:
    statements = (ROOT / lock).read_text().replace("\\\n", " ").splitlines()
    pinned = [line for line in statements if line and not line.lstrip().startswith("#")]
    assert len(pinned) >= len(asked_for(lock))
    for line in pinned:
        assert PIN.match(line), line
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), line


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_registry(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search(
        r"^\s*(--(extra-)?index-url|-i|--find-links|-f|--trusted-host)\b", text, re.MULTILINE
    )


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-build.txt"])
def test_development_runs_on_the_versions_that_production_gets(lock: str) -> None:
    development = read_pins("requirements-dev.txt")
    for name, versions in read_pins(lock).items():
        assert development.get(name) == versions, name


def test_the_console_script_is_the_command_line() -> None:
    assert read_project()["project"]["scripts"] == {"sunlot": "api.cli.main:main"}
