"""What the tests about the house look at: the repository's files and its modules."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from shutil import which
from types import ModuleType
from typing import Final, TypeVar

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("domain", "application", "projections", "infrastructure", "api")

SCRIPTS: Final = ("infrastructure/migrations/env.py",)
"""No modules: Alembic runs them when it migrates."""

T = TypeVar("T")


def tracked_files() -> list[Path]:
    """The files that git keeps or would keep, relative to the root; without git, all but hidden ones."""
    git = which("git")
    if git is not None and (ROOT / ".git").exists():
        command = [git, "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
        paths = [Path(name) for name in listed.split("\0") if name]
        return [path for path in paths if (ROOT / path).is_file()]
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return [path for path in found if not any(part.startswith((".", "__pycache__")) for part in path.parts)]


def sources(*folders: str) -> Iterator[tuple[Path, str]]:
    """The Python files below those folders with their text, relative to the root."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT), path.read_text()


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file below the root."""
    return ast.parse((ROOT / path).read_text(), str(path))


def module_names() -> list[str]:
    """Every module of ours by its dotted name."""
    names = []
    for path, _ in sources(*PACKAGES):
        if path.as_posix() in SCRIPTS:
            continue
        parts = path.with_suffix("").parts
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return sorted(names)


def all_modules() -> list[ModuleType]:
    """Every module of ours, imported."""
    return [import_module(name) for name in module_names()]


def subclasses(parent: type[T]) -> set[type[T]]:
    """All classes below a class that were defined in our packages."""
    found: set[type[T]] = set()
    for child in parent.__subclasses__():
        found |= {child, *subclasses(child)}
    return {one for one in found if one.__module__.split(".")[0] in PACKAGES}
