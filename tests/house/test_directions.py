"""One direction: who may import whom stands in pyproject.toml; what is lifted out needs nothing of ours."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.repository import ROOT, parsed, sources

LIFTED_OUT = {"domain/drawing": "domain.drawing", "domain/ledger": "domain.ledger"}


def imported(tree: ast.Module) -> set[str]:
    """The modules that a file imports, by their full names."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(f"{'.' * node.level}{node.module or ''}")
    return names


def test_every_contract_is_kept() -> None:
    ran = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr
    assert "0 broken" in ran.stdout


@pytest.mark.parametrize("folder", LIFTED_OUT)
def test_a_stranger_can_lift_it_out(folder: str) -> None:
    files = [path for path, _ in sources(folder)]
    assert len(files) > 5
    for path in files:
        strange = {
            name
            for name in imported(parsed(path))
            if not (name == LIFTED_OUT[folder] or name.startswith(f"{LIFTED_OUT[folder]}."))
            and name.split(".")[0] not in {*sys.stdlib_module_names, "cryptography"}
        }
        assert strange == set(), path


def test_what_it_imports_would_be_found() -> None:
    tree = ast.parse(
        "import msgspec\nfrom domain.act import Act\nfrom . import x\ndef f():\n    import os.path"
    )
    assert imported(tree) == {"msgspec", "domain.act", ".", "os.path"}
