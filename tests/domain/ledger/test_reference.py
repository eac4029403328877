"""The format's reference names every code, and what it shows is what the vectors hold."""

from __future__ import annotations

import re
from pathlib import Path

import domain.ledger
from domain.ledger.errors import LedgerError
from tests.domain.ledger.vectors import load

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "ledger-format.md").read_text(encoding="utf-8")
VERIFIERS = ("held", "links", "published_tiles", "rows", "times", "verify")
CODE = re.compile(r"\"([a-z]+\.[a-z_]+)\"")


def written_codes() -> set[str]:
    """The codes that the verifiers and the errors write."""
    folder = Path(str(domain.ledger.__file__)).parent
    sources = [(folder / f"{name}.py").read_text(encoding="utf-8") for name in VERIFIERS]
    errors = {error.code for error in LedgerError.__subclasses__()}
    return errors | {code for source in sources for code in CODE.findall(source)}


def test_the_page_lists_every_code_and_no_other() -> None:
    listed = set(re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", PAGE, re.MULTILINE))
    assert "state.differs" in listed
    assert listed == written_codes()


def test_no_two_errors_share_a_code() -> None:
    codes = [error.code for error in LedgerError.__subclasses__()]
    assert len(codes) == len(set(codes)) > 10
    assert LedgerError.code not in codes


def test_the_pages_checkpoint_and_key_are_the_vectors() -> None:
    vector = load("n7")
    assert vector.read("tiles/checkpoint").decode() in PAGE
    assert vector.vkey() in PAGE
    assert vector.read("one.tlog-proof").decode().partition("\n\n")[0] in PAGE
