"""The calendar: notices of an administrator before the package, and never a guess."""

from datetime import date
from pathlib import Path

import pytest

from domain.errors import CalendarMissing, CalendarWrong
from infrastructure.working_days import load_working_days

NOTICE_2027 = """
year = 2027
source = "a notice made up for this test"
rest = [2026-12-31, 2027-01-01, 2027-02-08, 2027-02-09]
work = [2027-02-14]
"""


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_the_package_alone_knows_make_up_days_and_festivals(tmp_path: Path) -> None:
    calendar = load_working_days(tmp_path / "absent")
    assert calendar.is_working_day(date(2024, 2, 18))
    assert not calendar.is_working_day(date(2024, 2, 12))
    assert calendar.is_working_day(date(2024, 3, 1))
    assert not calendar.is_working_day(date(2024, 3, 2))
    assert calendar.version.startswith("chinesecalendar-")


@pytest.mark.parametrize("day", [date(2003, 12, 31), date(2027, 1, 4)])
def test_a_year_that_nothing_covers_is_an_error_that_names_it(tmp_path: Path, day: date) -> None:
    with pytest.raises(CalendarMissing) as refusal:
        load_working_days(tmp_path).is_working_day(day)
    assert refusal.value.facts == {"year": day.year, "folder": str(tmp_path)}


def test_a_notice_covers_its_whole_year_and_overrules_the_package(tmp_path: Path) -> None:
    write(tmp_path, "2027.toml", NOTICE_2027)
    calendar = load_working_days(tmp_path)
    days = {
        date(2027, 1, 1): False,
        date(2027, 2, 8): False,
        date(2027, 2, 14): True,
        date(2027, 3, 1): True,
        date(2027, 3, 6): False,
        date(2026, 12, 31): False,
        date(2026, 12, 30): True,
    }
    assert {day: calendar.is_working_day(day) for day in days} == days


def test_the_version_names_each_notice_by_its_bytes(tmp_path: Path) -> None:
    without = load_working_days(tmp_path).version
    file = write(tmp_path, "2027.toml", NOTICE_2027)
    first = load_working_days(tmp_path).version
    file.write_text(NOTICE_2027.replace("2027-02-09", "2027-02-10"), encoding="utf-8")
    second = load_working_days(tmp_path).version
    assert first.startswith(without + "+2027:")
    assert len({without, first, second}) == 3


def test_a_notice_may_be_json(tmp_path: Path) -> None:
    write(tmp_path, "2028.json", '{"year":2028,"source":"made up","rest":["2028-01-03"],"work":[]}')
    calendar = load_working_days(tmp_path)
    assert not calendar.is_working_day(date(2028, 1, 3))
    assert calendar.is_working_day(date(2028, 1, 4))


def test_of_two_notices_that_name_a_day_that_of_its_own_year_counts(tmp_path: Path) -> None:
    write(tmp_path, "a.toml", 'year = 2028\nsource = "x"\nrest = [2027-12-31, 2028-01-03]')
    write(tmp_path, "b.toml", 'year = 2027\nsource = "x"\nrest = [2027-01-01]\nwork = [2027-12-31]')
    assert load_working_days(tmp_path).is_working_day(date(2027, 12, 31))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("year = 2027", "source"),
        (NOTICE_2027.replace("2027-02-09", "2027-02-30"), "line 4"),
        (NOTICE_2027.replace("work = [2027-02-14]", "work = [2027-02-08]"), "work"),
        (NOTICE_2027.replace("2027-02-09", "2072-02-09"), "rest"),
        ('year = 2027\nsource = "x"\nrest = []', "rest"),
        (NOTICE_2027 + "wrok = []", "wrok"),
        ("year = ", ""),
    ],
)
def test_a_wrong_notice_is_named_by_file_and_key(tmp_path: Path, text: str, key: str) -> None:
    file = write(tmp_path, "2027.toml", text)
    with pytest.raises(CalendarWrong) as refusal:
        load_working_days(tmp_path)
    assert refusal.value.facts["file"] == str(file)
    assert key in refusal.value.facts["key"] or key in refusal.value.facts["reason"]


def test_two_notices_of_one_year_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "a.toml", NOTICE_2027)
    write(tmp_path, "b.toml", NOTICE_2027)
    with pytest.raises(CalendarWrong, match="calendar-wrong"):
        load_working_days(tmp_path)
