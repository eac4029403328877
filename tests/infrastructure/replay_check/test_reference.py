"""The page of the ledger's format lists what the checks of a live store find, and nothing else."""

import re
from pathlib import Path

import infrastructure.replay_check

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "ledger-format.md"
CODE = re.compile(r"\"((?:event|claim|person|blob|frame|pool|rules|projection)\.[a-z-]+)\"")


def test_the_page_lists_every_code_and_no_other() -> None:
    folder = Path(str(infrastructure.replay_check.__file__)).parent
    written = {code for file in folder.glob("*.py") for code in CODE.findall(file.read_text("utf-8"))}
    section = PAGE.read_text("utf-8").partition("## Checks of a live store")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `([a-z]+\.[a-z-]+)` \|", section, re.MULTILINE)
    assert len(listed) == len(set(listed)) > 20
    assert set(listed) == written
