"""Refusals: each has a code of its own, for ever."""

import re
from collections import Counter

from domain.errors import DomainError
from tests.house.repository import PACKAGES, all_modules, sources, subclasses

CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def errors() -> list[type[DomainError]]:
    """Every refusal of every module."""
    all_modules()
    return sorted(subclasses(DomainError), key=lambda one: (one.__module__, one.__name__))


def test_no_two_refusals_share_a_code() -> None:
    codes: dict[str, list[str]] = {}
    for error in errors():
        codes.setdefault(error.code, []).append(f"{error.__module__}.{error.__name__}")
    assert {code: names for code, names in codes.items() if len(names) > 1} == {}


def test_a_refusal_has_its_own_code_and_says_what_it_means() -> None:
    found = errors()
    assert len(found) > 100
    assert [one for one in found if "code" not in vars(one) or not CODE.fullmatch(one.code)] == []
    assert [one for one in found if not one.__doc__] == []


def test_no_refusal_is_left_that_nobody_makes() -> None:
    written = Counter(word for _, text in sources(*PACKAGES) for word in re.findall(r"\w+", text))
    assert [one.__name__ for one in errors() if written[one.__name__] < 2] == []
