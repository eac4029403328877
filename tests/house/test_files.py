"""Files: nothing in them about where they were made, none too long, everything public explained."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.repository import PACKAGES, ROOT, parsed, sources, tracked_files

LONGEST = 400

LONGER = {
    "api/bootstrap.py": "the wiring, by hand, top to bottom: cut in two, nobody sees the order any more",
    "application/ports.py": "all that a command asks of the world, on one page",
    "domain/draw.py": "one aggregate, one protocol: thirteen steps and who may take them, read in one go",
    "domain/inspection.py": "one aggregate, one visit from its opening to its publication, read in one go",
    "tests/journey.py": "the main path as tests walk it, step by step",
}
"""Files that may be longer, and why."""

PLACES = {
    "a package registry": re.compile(
        r"pypi\.or[g]|pythonhosted\.or[g]|npmjs\.(?:or[g]|com)|registry\.yarnpk[g]|proxy\.golan[g]\.org"
        r"|(?:extra-)?index-ur[l]\s*[=:]|--index-ur[l] |\.npmr[c].*registry"
    ),
    "a path of one machine": re.compile(r"(?<![\w.])/(?:roo[t]|hom[e]/\w+|User[s]/\w+|wor[k])/(?!\.\.)"),
    "a folder outside the repository": re.compile(r"\.\./share[d]"),
}


def written(path: Path) -> str:
    """The text of a file, or nothing if it is none."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@pytest.mark.parametrize("place", PLACES)
def test_no_file_tells_where_it_was_made(place: str) -> None:
    found = [
        f"{path}:{number}: {line.strip()[:100]}"
        for path in tracked_files()
        for number, line in enumerate(written(path).splitlines(), 1)
        if PLACES[place].search(line)
    ]
    assert found == [], f"{place} is named"


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("a package registry", "https://" + "pypi" + ".org/simple"),
        ("a package registry", "--" + "index-url https://example"),
        ("a path of one machine", "see /" + "root/.cache"),
        ("a path of one machine", "cd /" + "home/li/sunlot"),
        ("a path of one machine", "(/" + "work/main)"),
        ("a folder outside the repository", "../" + "shared/vectors"),
    ],
)
def test_such_a_line_would_be_found(place: str, line: str) -> None:
    assert PLACES[place].search(line)


def test_files_are_not_too_long() -> None:
    lengths = {str(path): text.count("\n") for path, text in sources(*PACKAGES, "tests")}
    longer = {path: lines for path, lines in lengths.items() if lines > LONGEST}
    assert set(longer) == set(LONGER), longer


def test_there_is_no_python_at_the_root() -> None:
    assert [path for path in tracked_files() if len(path.parts) == 1 and path.suffix == ".py"] == []


INHERITED = {"claims": "DomainEvent.claims"}
"""Methods that say what the method they override says."""

Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def public(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, Documented]]:
    """Public classes, functions and methods with their dotted names."""
    for node in body:
        if not isinstance(node, Documented) or node.name.startswith("_"):
            continue
        yield f"{prefix}{node.name}", node
        if isinstance(node, ast.ClassDef) and not structural(node):
            yield from public(node.body, f"{prefix}{node.name}.")


def structural(node: ast.ClassDef) -> bool:
    """Whether it only says what another class has: that class explains its members."""
    return any(ast.unparse(base).split("[")[0] in ("Protocol", "typing.Protocol") for base in node.bases)


def overloaded(node: Documented) -> bool:
    """Whether it only declares a type, or sets what a documented property gets."""
    names = {
        one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "") for one in node.decorator_list
    }
    return bool(names & {"overload", "override", "setter"})


@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_public_is_explained(package: str) -> None:
    mute = []
    for path, text in sources(package):
        tree = parsed(path)
        if text.strip() and not ast.get_docstring(tree):
            mute.append(str(path))
        mute += [
            f"{path}: {name}"
            for name, node in public(tree.body)
            if not ast.get_docstring(node) and node.name not in INHERITED and not overloaded(node)
        ]
    assert mute == []
