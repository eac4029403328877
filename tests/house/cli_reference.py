"""docs/reference/cli.md, from the commands themselves."""

from collections.abc import Iterator
from typing import Any, Final

import typer.main

from api.cli.main import app

SHOWN: Final = {"language", "json", "data"}
SIGNED: Final = {"token_file", "bearer"}
ACTING: Final = {"key", "expected", "occurred_at"}

HEAD: Final = """\
# Command line

<!-- Written by `make docs` from api/cli. -->

`sunlot`, or `.venv/bin/sunlot` in a checkout. `sunlot --help` and `sunlot GROUP COMMAND --help` say the same.
Results go to standard output, everything else to standard error.

| exit status | meaning |
|---|---|
| 0 | fine |
| 1 | a finding or a refusal: what was asked is answered with no |
| 2 | it cannot be done or read, or it was asked for wrongly |

There are three kinds of commands:

- ⚙ **operates**: for whoever runs the machine; needs no account.
- 👁 **reads** as an account: needs a bearer token, by `--token-file FILE` or as `SUNLOT_TOKEN`.
- ✍ **acts** as an account: needs a token as well, and records events.

Every command takes:

"""


def render_cli() -> str:
    """docs/reference/cli.md."""
    return HEAD + "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    root: Any = typer.main.get_command(app)
    yield from _bullets(_options(root, SHOWN))
    yield from ("", "Commands that act take:", "")
    yield from _bullets(_options(root, ACTING))
    singles = {name: one for name, one in root.commands.items() if not hasattr(one, "commands")}
    for name, command in singles.items():
        yield from _section(f"sunlot {name}", command, "##")
    for name, group in root.commands.items():
        if name not in singles:
            yield from ("", f"## `sunlot {name}`", "", group.help)
            yield from _commands(f"sunlot {name}", group)


def _commands(words: str, group: Any) -> Iterator[str]:
    """The commands of a group, those of a group within it behind their own."""
    for name, command in group.commands.items():
        if not hasattr(command, "commands"):
            yield from _section(f"{words} {name}", command, "###")
    for name, inner in group.commands.items():
        if hasattr(inner, "commands"):
            yield from ("", f"### `{words} {name}`", "", inner.help)
            yield from _commands(f"{words} {name}", inner)


def _section(words: str, command: Any, level: str) -> Iterator[str]:
    shared = SHOWN | SIGNED | (ACTING if _acts(command) else set())
    own = [one for one in command.params if one.name not in shared and not one.hidden]
    pieces = [piece for one in own for piece in _usage(one)]
    yield from ("", f"{level} `{words}`", "", f"{_kind(command)} {_one_line(command.help)}", "", "```")
    yield from (" ".join([words, *pieces]), "```")
    if own:
        yield ""
        yield from _bullets(own)


def _kind(command: Any) -> str:
    names = {one.name for one in command.params}
    return "✍" if _acts(command) else "👁" if names & SIGNED else "⚙"


def _acts(command: Any) -> bool:
    return {one.name for one in command.params} >= ACTING


def _options(root: Any, names: set[str]) -> list[Any]:
    found = {one.name: one for group in root.commands.values() for one in _parameters(group)}
    return [found[name] for name in sorted(names)]


def _parameters(command: Any) -> Iterator[Any]:
    """What commands share: one that does not act may have an option of its own by such a name."""
    yield from (one for one in command.params if _acts(command) or one.name not in ACTING)
    for inner in getattr(command, "commands", {}).values():
        yield from _parameters(inner)


def _usage(parameter: Any) -> Iterator[str]:
    if parameter.param_type_name == "argument":
        name = _named(parameter)
        yield name if parameter.required else f"[{name}]"
    elif parameter.required:
        yield f"{parameter.opts[0]} {parameter.metavar or parameter.name.upper()}"


def _bullets(parameters: list[Any]) -> Iterator[str]:
    for one in parameters:
        needed = " (needed)" if one.required and one.param_type_name == "option" else ""
        yield f"- `{_named(one)}`{needed}: {_one_line(one.help)}"


def _named(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = str(parameter.metavar or parameter.name.upper())
        return f"{name}…" if parameter.nargs == -1 else name
    names = "/".join([*parameter.opts, *parameter.secondary_opts])
    value = "" if parameter.is_flag else f" {parameter.metavar or parameter.name.upper()}"
    return f"{names}{value}"


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
