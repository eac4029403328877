"""The pages that are written from the code: `make docs` writes them, `test_references.py` compares them."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from infrastructure.settings import Settings
from tests.house.cli_reference import render_cli
from tests.house.reference_events import render_events

ROOT: Final = Path(__file__).parents[2]
PREFIX: Final = "SUNLOT_"

SETTINGS_HEAD: Final = """\
# Settings

<!-- Written by `make docs` from infrastructure/settings.py. -->

An installation is set up by environment variables or by a file `.env` in the folder where `sunlot` is started
(the environment wins). Every default serves the embedded installation: SQLite and files in `var/`.
[`.env.example`](../../.env.example) lists them all, ready to be copied.

No setting can change the bytes of an event: topics, encoding and hashes stand in the code, and the event
sourcing library's own environment variables are ignored.

| variable | default | what it is |
|---|---|---|
"""

ENV_HEAD: Final = """\
# Settings of a Sunlot installation. Copy to `.env` and change what differs (docs/reference/settings.md).
# Written by `make docs` from infrastructure/settings.py. What is commented out stands at its default.
"""


def render_settings() -> str:
    """docs/reference/settings.md."""
    rows = (
        f"| `{variable(name)}` | {default_words(field)} | {sentence(field)} |"
        for name, field in Settings.model_fields.items()
    )
    return SETTINGS_HEAD + "\n".join(rows) + "\n"


def render_env() -> str:
    """.env.example."""
    parts = (
        f"\n# {sentence(field)}\n# {variable(name)}={plain(field.default)}\n"
        for name, field in Settings.model_fields.items()
    )
    return ENV_HEAD + "".join(parts)


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def default_words(field: FieldInfo) -> str:
    """A default, for people."""
    text = plain(field.default)
    return f"`{text}`" if text else "(empty)"


def plain(value: Any) -> str:
    """A default as it would stand in the environment."""
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        raise TypeError("a secret has no default")
    return str(value)


def sentence(field: FieldInfo) -> str:
    """What a setting is, with the values it may take."""
    said = (field.description or "").strip()
    limits = ", ".join(find_limits(field))
    return f"{said.removesuffix('.')}; {limits}." if limits else said


def find_limits(field: FieldInfo) -> Iterator[str]:
    """The values that a setting may take, in words."""
    if get_origin(field.annotation) is Literal:
        yield "one of " + ", ".join(str(one) for one in get_args(field.annotation))
    for limit in field.metadata:
        match limit:
            case Ge(ge=least):
                yield f"at least {least}"
            case Gt(gt=least):
                yield f"more than {least}"
            case Le(le=most):
                yield f"at most {most}"
            case Lt(lt=most):
                yield f"less than {most}"


REFERENCES: Final[dict[str, Callable[[], str]]] = {
    ".env.example": render_env,
    "docs/reference/cli.md": render_cli,
    "docs/reference/events.md": render_events,
    "docs/reference/settings.md": render_settings,
}


def write() -> None:
    """Write every page anew."""
    for path, render in REFERENCES.items():
        (ROOT / path).write_text(render())
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    write()
