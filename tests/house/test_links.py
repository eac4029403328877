"""Every relative link in a Markdown file leads to a file, and to a heading of it where it names one."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target><[^>]+>|[^()\s]+)(\s+\"[^\"]*\")?\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
HEADING = re.compile(r"^#{1,6}\s+(?P<text>.+?)\s*#*$", re.MULTILINE)
NOT_OURS = {".venv", ".git", ".hypothesis", ".pytest_cache", "node_modules", "var", "dist"}
EXTERNAL = re.compile(r"^[a-z][a-z0-9+.-]*:")


def list_pages() -> list[str]:
    """The Markdown files of the repository."""
    folders = (path for path in ROOT.iterdir() if path.is_dir() and path.name not in NOT_OURS)
    found = [*ROOT.glob("*.md"), *(page for folder in folders for page in folder.rglob("*.md"))]
    return sorted(str(page.relative_to(ROOT)) for page in found)


def read_prose(page: Path) -> str:
    """A page without its code."""
    return CODE.sub("", FENCE.sub("", page.read_text()))


def find_links(page: str) -> Iterator[str]:
    """The relative targets that a page links to."""
    for found in LINK.finditer(read_prose(ROOT / page)):
        target = found["target"].strip("<>")
        if not EXTERNAL.match(target):
            yield unquote(target)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the common renderers make them."""
    headings = (found["text"] for found in HEADING.finditer(FENCE.sub("", page.read_text())))
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


def what_is_wrong(page: str, target: str) -> str | None:
    """Why a link does not lead anywhere, or None."""
    path, _, anchor = target.partition("#")
    led_to = (ROOT / page).parent / path if path else ROOT / page
    if not led_to.resolve().is_relative_to(ROOT):
        return f"{target} leads out of the repository"
    if not led_to.exists():
        return f"{target} is not there"
    if anchor and anchor not in anchors(led_to):
        return f"{target}: no such heading"
    return None


@pytest.mark.parametrize("page", list_pages())
def test_links_lead_somewhere(page: str) -> None:
    assert [wrong for target in find_links(page) if (wrong := what_is_wrong(page, target))] == []


def test_a_link_that_leads_nowhere_is_found() -> None:
    assert what_is_wrong("README.md", "docs/no-such-page.md") == "docs/no-such-page.md is not there"
    assert what_is_wrong("README.md", "LICENSE") is None
    assert what_is_wrong("README.md", "../elsewhere.md") == "../elsewhere.md leads out of the repository"
    assert what_is_wrong("README.md", "#nowhere") == "#nowhere: no such heading"


@pytest.mark.parametrize("page", list_pages())
def test_pages_name_no_place_of_the_machine_they_were_written_on(page: str) -> None:
    text = (ROOT / page).read_text()
    assert not re.search(r"/(home|root|Users|work)/|\.\./shared", text), page
