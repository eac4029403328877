"""What a verifier finds: one thing that is wrong, by its stable code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Params = Mapping[str, str | int]

Saved = dict[str, Any]
"""What a check has come to, as plain values that JSON can hold."""

LIMIT = 1000
"""How many findings are kept where the caller names no other number."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `code` is stable; `idx` is the event's position, None where it is not
    about one event.

    Codes and their `params` are listed in docs/reference/ledger-format.md, “What a verifier finds”.
    """

    code: str
    idx: int | None = None
    params: Params = field(default_factory=dict)


@dataclass(slots=True)
class Findings:
    """The first findings, `limit` at most, and how many there were: memory stays flat in a log that is
    all wrong.
    """

    limit: int = LIMIT
    kept: list[Finding] = field(default_factory=list)
    count: int = 0

    def add(self, findings: Iterable[Finding]) -> None:
        """Take in findings in the order in which they are to be reported."""
        for finding in findings:
            self.count += 1
            if len(self.kept) < self.limit:
                self.kept.append(finding)

    def join(self, other: Findings) -> None:
        """Take in what another check found, after what is here."""
        self.kept += other.kept[: max(0, self.limit - len(self.kept))]
        self.count += other.count

    def save(self) -> Saved:
        """As plain values, for `restore`."""
        return {"count": self.count, "kept": [[one.code, one.idx, dict(one.params)] for one in self.kept]}

    def restore(self, saved: Saved) -> None:
        """Go on where `save` was called."""
        self.count = saved["count"]
        self.kept = [Finding(code, idx, params) for code, idx, params in saved["kept"]]
