"""Result codes of an inspection, and the rule that binds the primary result to its lines.

Source: the result codes of the national enterprise credit-publicity system for random checks.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from domain.errors import Invalid
from domain.values import ItemResult

PROBLEM_CODES: Final = ("corrected", "pending")
WHOLE_VISIT_CODES: Final = ("no-activity", "obstructed", "unreachable", "closed", "deregistered")
CODES: Final = ("none", *PROBLEM_CODES, *WHOLE_VISIT_CODES)
FOLLOW_UP: Final = ("case", "referred")


class ResultLinesWrong(Invalid):
    """There is not exactly one line for each item; facts: `missing`, `extra`."""

    code = "result-lines-wrong"


class ResultDisagrees(Invalid):
    """The primary result does not agree with its lines or findings; facts: `primary`, `item`, `code`."""

    code = "result-disagrees"


def check_result(
    primary: str, lines: Sequence[ItemResult], items: Sequence[str], findings: Mapping[str, Sequence[str]]
) -> None:
    """Refuse a result that contradicts itself.

    `items` are the codes inspected, `findings` the disposals of the findings of each item.
    `none` with a finding, or a finding without `corrected` (发现问题已责令改正) or `pending`
    (发现问题待后续处理), is refused; so is `corrected` where a case or a referral follows.
    """
    _check_coverage(lines, items)
    for line in lines:
        _check_line(primary, line, findings.get(line.item, ()))
    _check_primary(primary, lines)


def primary_of(lines: Sequence[ItemResult]) -> str:
    """The only primary result that agrees with the lines; lines must be of one visit."""
    codes = {line.code for line in lines}
    for code in (*WHOLE_VISIT_CODES, "pending", "corrected"):
        if code in codes:
            return code
    return "none"


def _check_coverage(lines: Sequence[ItemResult], items: Sequence[str]) -> None:
    given = [line.item for line in lines]
    missing = sorted(set(items) - set(given))
    extra = sorted({item for item in given if item not in items or given.count(item) > 1})
    if missing or extra:
        raise ResultLinesWrong("/lines", missing=missing, extra=extra)


def _check_line(primary: str, line: ItemResult, disposals: Sequence[str]) -> None:
    if line.code not in CODES:
        raise ResultDisagrees("/lines", primary=primary, item=line.item, code=line.code)
    problem = line.code in PROBLEM_CODES
    if problem != bool(disposals):
        raise ResultDisagrees("/lines", primary=primary, item=line.item, code=line.code)
    if line.code == "corrected" and not set(disposals).isdisjoint(FOLLOW_UP):
        raise ResultDisagrees("/lines", primary=primary, item=line.item, code=line.code)
    if line.code == "pending" and set(disposals) == {"corrected"}:
        raise ResultDisagrees("/lines", primary=primary, item=line.item, code=line.code)


def _check_primary(primary: str, lines: Sequence[ItemResult]) -> None:
    wanted = primary_of(lines)
    if primary != wanted:
        raise ResultDisagrees("/primary", primary=primary, item="", code=wanted)
    if primary in WHOLE_VISIT_CODES and any(line.code != primary for line in lines):
        raise ResultDisagrees("/lines", primary=primary, item=lines[0].item, code=primary)
