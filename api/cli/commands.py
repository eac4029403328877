"""Three kinds of commands, made of plain functions: the options that all share are added here, once.

`acts` asks the application for one thing and shows its answer, `asks` reads as an account, `operates`
works without an account and writes no event.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, Concatenate, Final, ParamSpec

import typer

from api.cli.desk import Bench, Desk, Given, bench_of, call_of, present
from api.cli.options import language_of, option, read_language, read_time
from api.cli.refusals import reporting
from api.cli.terminal import Terminal
from application.ports import Answer
from application.workflow import Call

P = ParamSpec("P")

_LOCALES: Final = ["SUNLOT_LANG", "LC_ALL", "LC_MESSAGES", "LANG"]
_SHOWN: Final[dict[str, tuple[Any, Any]]] = {
    "language": (
        Annotated[
            str,
            option(
                "--lang", help="zh or en 语言.", envvar=_LOCALES, callback=read_language, show_envvar=False
            ),
        ],
        "zh",
    ),
    "json": (Annotated[bool, option("--json", help="Answer in JSON, for machines 机器可读.")], False),
    "data": (
        Annotated[Path | None, option("--data", help="The data folder 数据目录.", file_okay=False)],
        None,
    ),
}
_SIGNED: Final[dict[str, tuple[Any, Any]]] = {
    "token_file": (
        Annotated[
            Path | None,
            option("--token-file", help="File with your bearer token 令牌文件.", exists=True, dir_okay=False),
        ],
        None,
    ),
    "bearer": (
        Annotated[str, option("--token-from-environment", hidden=True, help="", envvar="SUNLOT_TOKEN")],
        "",
    ),
}
_ACTING: Final[dict[str, tuple[Any, Any]]] = {
    "key": (Annotated[str, option("--key", help="Idempotency key: repeat safely 幂等键.")], ""),
    "expected": (
        Annotated[int | None, option("--expected", min=1, help="The version you saw 所见版本.")],
        None,
    ),
    "occurred_at": (
        Annotated[
            datetime | None,
            option("--occurred-at", parser=read_time, metavar="TIME", help="When it happened 发生时间."),
        ],
        None,
    ),
}
_NOTHING: Final = {"token_file": None, "bearer": "", "key": "", "expected": None, "occurred_at": None}


def acts(
    group: typer.Typer, name: str, *, finish: Callable[[Desk, Answer], None] | None = None
) -> Callable[[Callable[Concatenate[Desk, Call, P], Answer]], Callable[Concatenate[Desk, Call, P], Answer]]:
    """A command that the application decides: done once per `--key`, published, its answer shown.

    `finish` is what must be well before the answer is shown, also where a kept answer is.
    """

    def register(
        command: Callable[Concatenate[Desk, Call, P], Answer],
    ) -> Callable[Concatenate[Desk, Call, P], Answer]:
        def run(context: typer.Context, **options: Any) -> None:
            given, terminal = _take(options)
            with reporting(terminal), bench_of(context, terminal, given).open() as desk:
                call = call_of(desk, given, _command_of(context), options)
                ask: Callable[..., Answer] = command
                answer = desk.office.workflow.once(call, lambda: ask(desk, call, **options))
                if finish is not None:
                    finish(desk, answer)
                desk.settle()
                present(desk, answer)

        _add(group, name, command, run, 2, {**_SIGNED, **_ACTING})
        return command

    return register


def asks(
    group: typer.Typer, name: str
) -> Callable[[Callable[Concatenate[Desk, Call, P], None]], Callable[Concatenate[Desk, Call, P], None]]:
    """A command that reads as an account and shows what it found itself."""

    def register(
        command: Callable[Concatenate[Desk, Call, P], None],
    ) -> Callable[Concatenate[Desk, Call, P], None]:
        def run(context: typer.Context, **options: Any) -> None:
            given, terminal = _take(options)
            with reporting(terminal), bench_of(context, terminal, given).open() as desk:
                ask: Callable[..., None] = command
                ask(desk, call_of(desk, given, _command_of(context), options), **options)

        _add(group, name, command, run, 2, _SIGNED)
        return command

    return register


def operates(
    group: typer.Typer, name: str, *, may_sign_in: bool = False
) -> Callable[[Callable[Concatenate[Bench, P], None]], Callable[Concatenate[Bench, P], None]]:
    """A command of whoever runs the machine: it needs no account.

    `may_sign_in`: what it does more for an account, `Bench.signed_in` lets it do.
    """

    def register(command: Callable[Concatenate[Bench, P], None]) -> Callable[Concatenate[Bench, P], None]:
        def run(context: typer.Context, **options: Any) -> None:
            given, terminal = _take(options, signs=may_sign_in)
            with reporting(terminal):
                operate: Callable[..., None] = command
                operate(bench_of(context, terminal, given), **options)

        _add(group, name, command, run, 1, _SIGNED if may_sign_in else {})
        return command

    return register


def _command_of(context: typer.Context) -> str:
    return context.command_path.partition(" ")[2]


def _take(options: dict[str, Any], *, signs: bool = True) -> tuple[Given, Terminal]:
    # A command without an account may have options of its own by these names, such as a key's file.
    shared: dict[str, Any] = dict(_NOTHING)
    if signs:
        shared = {name: options.pop(name, default) for name, default in _NOTHING.items()}
    given = Given(**{name: options.pop(name) for name in _SHOWN}, **shared)
    return given, Terminal(language=language_of(given.language), json=given.json)


def _add(
    group: typer.Typer,
    name: str,
    command: Callable[..., Any],
    run: Callable[..., None],
    first: int,
    shared: Mapping[str, tuple[Any, Any]],
) -> None:
    """Register `run` with the command's own parameters (from the `first` on) and the shared ones."""
    own = list(signature(command).parameters.values())[first:]
    parameters = [Parameter("context", Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    parameters += [one.replace(kind=Parameter.KEYWORD_ONLY) for one in own]
    parameters += [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in {**shared, **_SHOWN}.items()
    ]
    run.__signature__ = signature(run).replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__doc__, run.__name__ = command.__doc__, command.__name__
    group.command(name)(run)
