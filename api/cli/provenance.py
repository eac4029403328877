"""Where a registry's change comes from: three options that every change of a registry has."""

from datetime import date
from typing import Annotated

from api.cli.options import option, read_day
from domain.values import Provenance

Source = Annotated[str, option("--source", help="Where it is known from 来源.")]
Why = Annotated[str, option("--reason", help="Why it is entered 理由.")]
EffectiveFrom = Annotated[
    date,
    option(
        "--effective-from", parser=read_day, metavar="YYYY-MM-DD", help="Since which day it holds 生效日."
    ),
]


def provenance(source: str, reason: str, effective_from: date) -> Provenance:
    """Source, reason and effective day together."""
    return Provenance(source=source, reason=reason, effective_from=effective_from)
