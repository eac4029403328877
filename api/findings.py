"""What the ledger's check finds, in words. Imports the standard library only: it works offline too."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

PLACE: Final = re.compile(r"\{([a-z_]+)\}")
EMPTY: Final = "—"


def tell_finding(code: str, params: Mapping[str, object], language: str) -> str:
    """The sentence of a finding (`zh` or `en`); the code itself where there is none."""
    sentence = sentences().get(code, {}).get(language, code)
    return PLACE.sub(lambda place: str(params.get(place[1], EMPTY)), sentence)


@cache
def sentences() -> Mapping[str, Mapping[str, str]]:
    """All sentences, by code and language."""
    return tomllib.loads((Path(__file__).parent / "locale" / "findings.toml").read_text(encoding="utf-8"))
