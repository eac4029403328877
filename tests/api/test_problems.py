"""Every refusal has a status, words in both languages, and a line in the documentation."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from api.i18n import (
    LANGUAGES,
    choose_language,
    fill,
    places,
    sentences,
    show,
    tell_error,
    tell_field,
    tell_row,
)
from api.problems import STATUSES, RequestRefused, problem_of, request_refusals, status_of
from api.reference import ERRORS, PACKAGES, errors_page, import_everything
from api.rest.documents import domain_errors
from application.accounts import SignInRefused
from domain.errors import Conflict, DomainError, Forbidden, NotFound, Stale, StoreUnavailable
from domain.identifiers import UsccWrong
from domain.plan import PlannerApproves

import_everything()
REFUSALS: Final[list[type[DomainError] | type[RequestRefused]]] = [
    *domain_errors(DomainError),
    *request_refusals(),
]
ROOT: Final = Path(__file__).parents[2]


def test_no_two_refusals_share_a_code_unless_one_is_the_other() -> None:
    codes: dict[str, type] = {}
    for refusal in REFUSALS:
        assert codes.setdefault(refusal.code, refusal) is refusal, refusal


def test_statuses_are_the_family_s_unless_the_table_says_otherwise() -> None:
    statuses = {PlannerApproves: 403, UsccWrong: 422, Conflict: 409, Stale: 412, SignInRefused: 401}
    assert {one: status_of(one) for one in statuses} == statuses
    assert all(400 <= status_of(refusal) < 600 for refusal in REFUSALS)
    assert status_of(StoreUnavailable) == 503


def test_only_what_nobody_can_help_has_the_server_s_own_status() -> None:
    own = {one.code for one in REFUSALS if status_of(one) == 500}
    assert own == {"error", "event-unreadable", "blob-damaged", "internal"} | {
        one.code for one in REFUSALS if one.__base__ is DomainError and one not in STATUSES
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_is_told_in_every_language_and_nothing_else_is(language: str) -> None:
    told = sentences("zh" if language == "zh" else "en").errors
    assert set(told) == {refusal.code for refusal in REFUSALS}
    for title, detail in told.values():
        assert title
        assert detail.rstrip()[-1] in ("。", ".", "}")


def test_both_languages_say_the_same_facts() -> None:
    chinese, english = sentences("zh"), sentences("en")
    assert chinese.fields.keys() == english.fields.keys()
    assert chinese.rows.keys() == english.rows.keys()
    assert {code: words.keys() for code, words in chinese.reasons.items()} == {
        code: words.keys() for code, words in english.reasons.items()
    }
    for code, (_, detail) in chinese.errors.items():
        assert places(detail) == places(english.errors[code][1]), code
    for code, sentence in chinese.rows.items():
        assert places(sentence) == places(english.rows[code]), code


def test_whoever_raises_a_refusal_gives_the_facts_that_its_sentence_wants() -> None:
    wanted = {refusal.__name__: places(sentences("zh").errors[refusal.code][1]) for refusal in REFUSALS}
    lacking = [
        f"{place}: {name} lacks {sorted(wanted[name] - facts)}"
        for name, facts, place in _raised()
        if name in wanted and "**" not in facts and wanted[name] - facts
    ]
    assert lacking == []


def test_every_reason_of_a_refusal_that_has_words_for_reasons_is_known() -> None:
    told = sentences("zh").reasons
    by_name = {refusal.__name__: refusal.code for refusal in REFUSALS if refusal.code in told}
    unknown = [
        f"{place}: {name} {reason}"
        for name, reason, place in _reasons()
        if name in by_name and reason not in told[by_name[name]]
    ]
    assert unknown == []


def test_every_code_of_a_row_is_told() -> None:
    known = {*sentences("zh").rows, *sentences("zh").errors}
    assert {code for code in _row_codes() if code not in known} == set()
    assert _row_codes() > {"missing", "digits-lost", "region-unknown"}
    assert known > {"formula", "merged-cell", "cell-error"}  # found in the sheet, not written out at a call


def test_the_documentation_lists_every_refusal_as_it_is() -> None:
    written = (ROOT / ERRORS).read_text(encoding="utf-8")
    assert written == errors_page(), "run: python -c 'from api.reference import write_errors; write_errors()'"
    for refusal in REFUSALS:
        assert f"\n## `{refusal.code}` · {status_of(refusal)}\n" in written


def test_a_problem_tells_rule_and_source_of_the_law() -> None:
    problem = problem_of(PlannerApproves(), "en")
    assert problem["rule"] == "separation.planner-approver"
    told = problem_of(UsccWrong("/uscc", value="x"), "zh")
    assert told["source"] == "GB 32100-2015"
    assert told["errors"] == [{"pointer": "/uscc", "code": "uscc-wrong", "detail": told["detail"]}]
    assert "“x”" in told["detail"]


def test_a_problem_of_the_service_s_own_tells_no_facts() -> None:
    problem = problem_of(StoreUnavailable(reason="unreachable", detail="connection to 10.0.0.7 failed"), "en")
    assert "facts" not in problem
    assert "10.0.0.7" not in str(problem)
    assert problem["detail"].startswith("The database does not answer")


def test_an_error_without_a_sentence_is_told_in_general_words() -> None:
    assert tell_error("never-heard-of", {}, "en").title == "Cannot be handled"
    assert tell_field("never-heard-of", {}, "en") == "cannot be used (never-heard-of)"
    assert tell_row("uscc-wrong", {"value": "1"}, "en").startswith('"1" is no unified')


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh"),
        ("en", "en"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en;q=0.3, zh;q=0.7", "zh"),
        ("fr, de;q=0.5", "zh"),
        ("en;q=0", "zh"),
        ("*", "zh"),
        (";;;,,=", "zh"),
    ],
)
def test_the_language_is_the_one_asked_for_most(header: str, language: str) -> None:
    assert choose_language(header) == language


def test_facts_are_shown_as_people_read_them() -> None:
    assert fill("{a} {b} {c}", {"a": ["x", "y"], "b": None}, "zh") == "x、y — —"
    assert show({"region": "140100", "left": 3}, "en") == "region: 140100, left: 3"
    assert show((), "en") == "—"


def test_families_have_the_statuses_of_the_interface() -> None:
    assert [STATUSES[one] for one in (Forbidden, NotFound, Conflict, Stale)] == [403, 404, 409, 412]


def _calls() -> Iterator[tuple[str, ast.Call, str]]:
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    called = node.func
                    name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
                    yield name, node, f"{file.relative_to(ROOT)}:{node.lineno}"


def _raised() -> Iterator[tuple[str, set[str], str]]:
    for name, call, place in _calls():
        yield name, {keyword.arg or "**" for keyword in call.keywords}, place


def _reasons() -> Iterator[tuple[str, str, str]]:
    for name, call, place in _calls():
        for keyword in call.keywords:
            if keyword.arg == "reason" and isinstance(keyword.value, ast.Constant):
                yield name, str(keyword.value.value), place


def _row_codes() -> set[str]:
    """Codes that are written out where an error of a cell is noted."""
    found = set()
    for name, call, place in _calls():
        noting = name == "CellWrong" or (name in ("cell_error", "wrong", "error") and len(call.args) > 1)
        if noting and place.startswith(("application/", "infrastructure/")):
            place_of_code = {"CellWrong": 0, "cell_error": 3}.get(name, 1)
            # The same verb without a row's number has the code one place earlier.
            for one in call.args[place_of_code : place_of_code + 2]:
                if isinstance(one, ast.Constant) and isinstance(one.value, str) and _is_code(one.value):
                    found.add(one.value)
    return found


def _is_code(text: str) -> bool:
    return "-" in text or text in ("missing", "formula")
