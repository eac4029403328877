"""The State Council's working days: notices that an administrator loads, then the package `chinese_calendar`.

A notice is a TOML or JSON file in the calendar folder:

    year = 2027
    source = "国务院办公厅关于2027年部分节假日安排的通知"
    rest = [2027-01-01, 2027-02-05]
    work = [2027-02-14]

(in JSON the days are strings). It covers every day of its year: the listed days as listed, the others by
the day of the week. Listed days of the years beside it (New Year holidays begin in December) count too.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version as version_of
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import chinese_calendar
import msgspec

from domain.errors import CalendarMissing, CalendarWrong

_SATURDAY = 5
_PATH_IN_MESSAGE = re.compile(r" - at `\$\.?(.*)`$")


class Notice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One year's notice. `rest` are days off, `work` make-up days 调休 that are worked."""

    year: int
    source: str
    rest: tuple[date, ...]
    work: tuple[date, ...] = ()
    digest: str = ""


class ChineseWorkingDays:
    """The `WorkingDays` port. Notices come first, the package second, and nothing is guessed."""

    def __init__(self, notices: Sequence[Notice] = (), *, folder: str = "") -> None:
        self._folder = folder
        self._years = frozenset(notice.year for notice in notices)
        self._listed = _listed(notices)
        self._version = _version(notices)
        self._packaged = lru_cache(maxsize=4096)(self._ask_package)

    @property
    def version(self) -> str:
        """The package with its version, and each notice with its year and the start of its file's SHA-256."""
        return self._version

    def is_working_day(self, day: date) -> bool:
        """Whether `day` is worked; `CalendarMissing` where neither a notice nor the package covers it."""
        listed = self._listed.get(day)
        if listed is not None:
            return listed
        if day.year in self._years:
            return day.weekday() < _SATURDAY
        return self._packaged(day)

    def _ask_package(self, day: date) -> bool:
        try:
            return bool(chinese_calendar.is_workday(day))
        except NotImplementedError as error:
            raise CalendarMissing(year=day.year, folder=self._folder) from error


def load_working_days(folder: Path) -> ChineseWorkingDays:
    """The calendar with all notices of a folder, if there is one; `CalendarWrong` names file and key."""
    files = sorted((*folder.glob("*.toml"), *folder.glob("*.json")))
    notices = [_read_notice(file) for file in files]
    for first, second in pairwise(sorted(notices, key=lambda notice: notice.year)):
        if first.year == second.year:
            raise CalendarWrong(file=str(folder), key="year", reason=f"two notices of {first.year}")
    return ChineseWorkingDays(notices, folder=str(folder))


def _read_notice(file: Path) -> Notice:
    try:
        content = file.read_bytes()
        decode = msgspec.toml.decode if file.suffix == ".toml" else msgspec.json.decode
        notice = decode(content, type=Notice)
    except OSError as error:
        raise CalendarWrong(file=str(file), key="", reason=error.strerror or str(error)) from error
    except msgspec.DecodeError as error:
        path = _PATH_IN_MESSAGE.search(str(error))
        raise CalendarWrong(file=str(file), key=path[1] if path else "", reason=str(error)) from error
    _check_notice(file, notice)
    return msgspec.structs.replace(notice, digest=sha256(content).hexdigest())


def _check_notice(file: Path, notice: Notice) -> None:
    both = set(notice.rest) & set(notice.work)
    if both:
        raise CalendarWrong(file=str(file), key="work", reason=f"{min(both)} is also in rest")
    if not notice.rest:
        raise CalendarWrong(file=str(file), key="rest", reason="no day off in the whole year")
    for key, days in (("rest", notice.rest), ("work", notice.work)):
        strays = [day for day in days if abs(day.year - notice.year) > 1]
        if strays:
            raise CalendarWrong(file=str(file), key=key, reason=f"{strays[0]} lies outside {notice.year}")


def _listed(notices: Iterable[Notice]) -> Mapping[date, bool]:
    """Each listed day and whether it is worked; where two notices name a day, that of its own year counts."""
    listed: dict[date, bool] = {}
    for own in (False, True):
        for notice in notices:
            for days, worked in ((notice.rest, False), (notice.work, True)):
                listed.update({day: worked for day in days if (day.year == notice.year) == own})
    return MappingProxyType(listed)


def _version(notices: Iterable[Notice]) -> str:
    loaded = sorted(f"{notice.year}:{notice.digest[:12]}" for notice in notices)
    return "+".join((f"chinesecalendar-{version_of('chinesecalendar')}", *loaded))
