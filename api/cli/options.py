"""Options and arguments that many commands share, and how their texts are read."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from api.i18n import DEFAULT, LANGUAGES, Language
from domain.deadlines import TimeNaive, end_of_day

LIKE: Final = "2024-05-08T09:30:00+08:00"
"""How a time is written."""


def read_language(context: typer.Context, param: typer.CallbackParam, value: str) -> str:
    """`zh` or `en`; a locale of the environment such as `en_GB.UTF-8` counts by its language."""
    found = value[:2].lower()
    if found in LANGUAGES:
        return found
    source = context.get_parameter_source(param.name or "")
    if source is not None and source.name == "COMMANDLINE":
        raise typer.BadParameter(f"{value!r} 不是 is none of {', '.join(LANGUAGES)}")
    return DEFAULT


def language_of(value: str) -> Language:
    """The language that `read_language` let through."""
    return "en" if value == "en" else "zh"


def read_day(value: str) -> date:
    """A day, YYYY-MM-DD."""
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise typer.BadParameter(f"{value!r} 不是日期 is no day: YYYY-MM-DD") from error


def read_moment(value: str) -> datetime:
    """A time with its zone; a day alone stands for its end in China."""
    if len(value) == len("2024-05-08"):
        return end_of_day(read_day(value))
    return read_time(value)


def read_time(value: str) -> datetime:
    """A time with its zone, RFC 3339."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise typer.BadParameter(f"{value!r} 不是时间，请写成 is no time; write it like {LIKE}") from error
    if moment.utcoffset() is None:
        raise typer.BadParameter(f"{value!r} 缺少时区 has no zone ({TimeNaive.code}); write it like {LIKE}")
    return moment


def option(*names: str, help: str, **more: Any) -> Any:
    """An option with its help; `Any`, because `Annotated` takes it as it is."""
    return typer.Option(*names, help=help, **more)


def argument(help: str, **more: Any) -> Any:
    """An argument with its help."""
    return typer.Argument(help=help, **more)


Day = Annotated[date, option(parser=read_day, metavar="YYYY-MM-DD", help="A day 日期.")]
Version = Annotated[int, option(min=1, help="The version seen 所见版本.")]
InputFile = Annotated[Path, argument("The file to read 文件.", exists=True, dir_okay=False, readable=True)]
JsonFile = Annotated[
    Path,
    option(help="A JSON file with the facts 内容（JSON 文件）.", exists=True, dir_okay=False, readable=True),
]
Region = Annotated[str, option(help="Region, GB/T 2260 行政区划代码.", metavar="CODE")]
Reason = Annotated[str, option(help="Why, kept for ever 理由.")]
Out = Annotated[Path | None, option(help="Write to this file instead 写入文件.", dir_okay=False)]
Limit = Annotated[int, option(min=1, max=1000, help="The most rows 最多行数.")]
After = Annotated[int | None, option(help="Go on after the row with this idx 自该行之后.")]
