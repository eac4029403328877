"""The table of `make bench` says what was measured and fails when a target does not hold."""

from signal import SIGKILL

import pytest

from tests.benchmarks.__main__ import Run, amount, exit_code, find_modules, row, run
from tests.benchmarks.figure import Figure

HELD = Figure("append", 3000.0, "events/s", "stock", 1000.0, "≥ 2×", holds=True)
MISSED = Figure("append", 900.0, "events/s", "stock", 1000.0, "≥ 2×", holds=False)


def test_a_figure_stands_beside_what_it_is_compared_with() -> None:
    assert row(HELD) == ("append", "3,000 events/s", "1,000 events/s, stock", "3.00×", "≥ 2×", "✓", "")


def test_a_figure_without_a_comparison_shows_none() -> None:
    alone = Figure("receipt", 0.25, "ms", "", None, "≤ 1 ms", holds=None)
    assert row(alone) == ("receipt", "0.25 ms", "–", "–", "≤ 1 ms", "–", "")


@pytest.mark.parametrize(("figure", "code"), [(HELD, 0), (MISSED, 1)])
def test_a_missed_target_is_a_finding(figure: Figure, code: int) -> None:
    assert exit_code([Run("append", [figure], 1.0, 1.0, 0)]) == code


def test_a_module_that_failed_is_worse_than_a_missed_target() -> None:
    assert exit_code([Run("append", [MISSED], 1.0, 1.0, 0), Run("draw", [], 1.0, 1.0, 1)]) == 2


def test_a_module_is_measured_in_a_process_of_its_own() -> None:
    measured = run("drawing", 0.001)
    assert measured.code == 0
    assert [type(figure) for figure in measured.figures] == [Figure, Figure]
    assert measured.peak > 1


def test_a_module_that_is_not_there_fails() -> None:
    assert run("nothing-of-the-kind", 1.0).code != 0


def test_every_module_is_found() -> None:
    assert {"drawing", "ledger"} <= set(find_modules())


@pytest.mark.parametrize(("value", "words"), [(1234567.8, "1,234,568"), (0.012345, "0.0123"), (42.0, "42")])
def test_numbers_show_the_digits_that_mean_something(value: float, words: str) -> None:
    assert amount(value) == words


def test_a_module_that_hangs_is_killed() -> None:
    assert run("drawing", 1.0, patience=0.2).code == -SIGKILL
