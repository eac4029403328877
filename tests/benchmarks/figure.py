"""One measured figure beside the one it is compared with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """`value` and `beside` are in `unit`, of the same run; `holds` is None where no target applies."""

    name: str
    value: float
    unit: str
    beside_name: str
    beside: float | None
    target: str
    holds: bool | None
    note: str = ""
