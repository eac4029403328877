"""Every finding of the ledger's check is told in words, in both languages, with its own particulars."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.findings import PLACE, sentences, tell_finding

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "ledger-format.md"
ROW = re.compile(r"^\| `([a-z._-]+)` \| .* \|(.*)\|$", re.MULTILINE)
REFUSED_ONLY = {"resume.refused", "export.differs", "policy.malformed"}


def findings() -> Iterator[tuple[str, set[str]]]:
    """Each finding of the reference with the names of its particulars."""
    text = PAGE.read_text(encoding="utf-8")
    for code, particulars in ROW.findall(text[text.index("## Checks of a live store") :]):
        if code not in REFUSED_ONLY:
            yield code, set(re.findall(r"`([a-z_]+)`", particulars))


FINDINGS = dict(findings())


def test_every_finding_has_a_sentence_and_no_sentence_is_left_over() -> None:
    known = set(sentences())
    assert set(FINDINGS) - known == set()
    assert known - set(FINDINGS) == set()


@pytest.mark.parametrize("code", sorted(FINDINGS))
def test_a_sentence_speaks_of_the_findings_own_particulars(code: str) -> None:
    told = sentences()[code]
    assert told.keys() == {"zh", "en"}
    if "as `" in PAGE.read_text(encoding="utf-8").split(f"| `{code}` |")[1].split("\n")[0]:
        return
    for sentence in told.values():
        assert set(PLACE.findall(sentence)) <= FINDINGS[code]


def test_a_finding_is_told() -> None:
    params = {"size": 7, "held": 9}
    assert tell_finding("log.cut_off", params, "en").startswith("the log has 7 entries, a held checkpoint 9")
    assert tell_finding("log.cut_off", params, "zh").startswith("账本只有 7 条")
    assert tell_finding("nobody.knows", {}, "zh") == "nobody.knows"
