"""Rulebooks: the shipped one says what the rules say, and a wrong one is named by file and key."""

from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from domain.deadlines import PeriodRule
from domain.errors import RulebookMissing, RulebookWrong
from domain.rulebook_data import Rulebook, entry
from infrastructure.rulebooks import SHIPPED, load_rulebooks, read_rulebook

FILE = SHIPPED / "2024.1.toml"
TEXT = FILE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return read_rulebook(FILE).rulebook


def write(folder: Path, text: str, name: str = "own.toml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_the_shipped_rulebook_is_chosen_by_day_version_and_digest() -> None:
    rulebooks = load_rulebooks(SHIPPED)
    shipped = rulebooks.version("2024.1")
    assert rulebooks.at(date(2024, 6, 30)) is shipped
    assert rulebooks.digest(sha256(FILE.read_bytes()).hexdigest()) is shipped
    assert shipped.content == FILE.read_bytes()


@pytest.mark.parametrize("wanted", ["2023-12-31", "2099.9"])
def test_no_rulebook_is_an_error_that_says_what_was_wanted(wanted: str) -> None:
    rulebooks = load_rulebooks(SHIPPED)
    with pytest.raises(RulebookMissing) as refusal:
        rulebooks.at(date.fromisoformat(wanted)) if "-" in wanted else rulebooks.version(wanted)
    assert refusal.value.facts == {"wanted": wanted}


def test_the_years_due_dates_are_those_of_the_order(rulebook: Rulebook) -> None:
    due = {one.id: (one.month, one.day) for one in rulebook.dates}
    assert due == {
        "plan-published": (4, 30),
        "liaison-registered": (5, 10),
        "quarterly-report-1": (3, 31),
        "quarterly-report-2": (6, 30),
        "quarterly-report-3": (9, 30),
        "quarterly-report-4": (12, 31),
        "annual-report": (12, 20),
        "inspections-done": (12, 31),
    }
    assert rulebook.due_date("plan-published", 2024) == date(2024, 4, 30)


@pytest.mark.parametrize(
    ("id", "unit", "length"),
    [
        ("catalogue-published", "working-day", 20),
        ("result-published", "working-day", 20),
        ("publication-corrected", "working-day", 5),
        ("rectification", "natural-day", 30),
        ("rectification-verified", "working-day", 5),
        ("draw-completed", "working-day", 2),
    ],
)
def test_the_periods_are_those_of_the_rules(rulebook: Rulebook, id: str, unit: str, length: int) -> None:
    assert rulebook.period(id) == PeriodRule(id=id, version="2024.1", unit=unit, length=length)  # type: ignore[arg-type]


def test_caps_ratios_and_lists_are_those_of_the_rules(rulebook: Rulebook) -> None:
    assert rulebook.number("frequency-cap") == 2
    assert rulebook.number("officers") == 2
    ratios = {
        (stratum.code, ratio.level, ratio.per): (ratio.numerator, ratio.denominator)
        for stratum in rulebook.strata
        for ratio in stratum.ratios
    }
    assert ratios == {
        ("key", "county", "quarter"): (25, 100),
        ("key", "city", "quarter"): (5, 100),
        ("special", "any", "quarter"): (1, 1),
        ("general", "city", "year"): (5, 1),
        ("general", "county", "year"): (10, 1),
    }
    assert [one.code for one in rulebook.visit_causes if one.counted] == ["plan"]
    assert [one.code for one in rulebook.role_classes if not one.officer] == ["expert"]
    assert {one.code for one in rulebook.results if one.problem} == {"corrected", "pending"}
    assert entry(rulebook.results, "none").name == "未发现问题"


def test_every_value_tells_its_source(rulebook: Rulebook) -> None:
    lists = (rulebook.dates, rulebook.periods, rulebook.numbers, rulebook.strata, rulebook.results)
    assert all(one.source and one.name and one.english for values in lists for one in values)
    assert {one.confidence for one in rulebook.periods} == {"A", "B", "C"}


def test_shanxi_has_its_eleven_cities_and_117_counties(rulebook: Rulebook) -> None:
    codes = [region.code for region in rulebook.regions]
    assert sum(code.endswith("00") for code in codes) == 12
    assert sum(not code.endswith("00") for code in codes) == 117
    assert rulebook.region_name("140100") == "太原市"
    assert rulebook.region_name("140105") == "小店区"
    assert not rulebook.has_region("140104")
    with pytest.raises(RulebookMissing):
        rulebook.region_name("110000")


def test_a_document_number_takes_the_prefix_of_the_nearest_region(rulebook: Rulebook) -> None:
    assert rulebook.documents.number("140000", "penalty", 2024, 1) == "晋环罚〔2024〕1号"
    assert rulebook.documents.number("140105", "rectification", 2024, 12) == "晋环责改〔2024〕12号"
    with pytest.raises(RulebookMissing):
        rulebook.documents.number("110101", "penalty", 2024, 1)
    with pytest.raises(RulebookMissing):
        rulebook.documents.number("140000", "ticket", 2024, 1)


@pytest.mark.parametrize(
    ("old", "new", "key", "reason"),
    [
        ('id = "rectification"\n', 'id = "rectify"\n', "periods rectification", "is missing"),
        ("length = 30", "length = 0", "periods rectification", "at least 1"),
        ("length = 30", 'length = "30"', "periods[3].length", "Expected `int`"),
        ("length = 30", "lenght = 30", "periods[3]", "unknown field `lenght`"),
        ("month = 4\nday = 30", "month = 2\nday = 29", "dates plan-published", "no day"),
        ("numerator = 1, denominator = 1 ", "numerator = 2, denominator = 1 ", "strata special", "more than"),
        ("numerator = 25, denominator = 100", "numerator = 25, denominator = 0", "strata key", "at least 1"),
        (
            'code = "corrected"\nname = "发现',
            'code = "fine"\nname = "发现',
            "results corrected",
            "is missing",
        ),
        ('code = "radiation"', 'code = "soil"', "specialties radiation", "is missing"),
        ('code = "warning"', 'code = "persuasion"', "measures persuasion", "twice"),
        ('code = "140100", name', 'code = "140199", name', "regions 140105", "its city or province"),
        ('region = "140000"', 'region = "150000"', "documents.prefixes 150000", "no such region"),
        (
            "effective_from = 2024-01-01",
            "effective_from = 2024-01-01\neffective_to = 2023-01-01",
            "effective_to",
            "",
        ),
        ("effective_from = 2024-01-01", "effective_from = 2024-13-01", "", "line 10"),
    ],
)
def test_a_wrong_rulebook_is_named_by_file_and_key(
    tmp_path: Path, old: str, new: str, key: str, reason: str
) -> None:
    assert old in TEXT
    file = write(tmp_path, TEXT.replace(old, new, 1))
    with pytest.raises(RulebookWrong) as refusal:
        load_rulebooks(tmp_path)
    assert refusal.value.facts["file"] == str(file)
    assert refusal.value.facts["key"] == key
    assert reason in refusal.value.facts["reason"]


def test_the_next_rulebook_follows_when_the_last_one_ends(tmp_path: Path) -> None:
    ended = TEXT.replace(
        "effective_from = 2024-01-01", "effective_from = 2024-01-01\neffective_to = 2024-12-31"
    )
    write(tmp_path, ended, "2024.toml")
    following = TEXT.replace('"2024.1"', '"2025.1"').replace("effective_from = 2024", "effective_from = 2025")
    write(tmp_path, following, "2025.toml")
    rulebooks = load_rulebooks(tmp_path)
    assert rulebooks.at(date(2024, 12, 31)).rulebook.version == "2024.1"
    assert rulebooks.at(date(2025, 1, 1)).rulebook.version == "2025.1"


def test_two_rulebooks_in_force_together_are_refused(tmp_path: Path) -> None:
    following = TEXT.replace('"2024.1"', '"2025.1"').replace("effective_from = 2024", "effective_from = 2025")
    file = write(tmp_path, following)
    with pytest.raises(RulebookWrong) as refusal:
        load_rulebooks(SHIPPED, tmp_path)
    assert refusal.value.facts["file"] == str(file)
    assert refusal.value.facts["key"] == "effective_from"


def test_two_rulebooks_of_one_version_are_refused(tmp_path: Path) -> None:
    write(tmp_path, TEXT)
    with pytest.raises(RulebookWrong) as refusal:
        load_rulebooks(SHIPPED, tmp_path)
    assert refusal.value.facts["key"] == "version"
