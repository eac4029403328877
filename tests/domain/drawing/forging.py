"""Cheating with a bundle: one change, and then whatever a clever cheat would make fit again."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from domain.drawing.bundle import SUMMED, SUMS
from domain.drawing.canonical import merkle_root
from tests.domain.drawing.vectors import load_files

Line = dict[str, Any]


class Forgery:
    """A bundle's files in the hands of somebody who may change any of them."""

    def __init__(self, name: str) -> None:
        self.files = load_files(name)

    def __call__(self, name: str) -> bytes:
        """The opener that a verifier is given."""
        return self.files[name]

    def lines(self, name: str) -> list[bytes]:
        """The lines of a file, without line ends."""
        return self.files[name].splitlines()

    def put(self, name: str, lines: list[bytes]) -> None:
        """Write lines, and the sums again, as everybody can."""
        self.files[name] = b"".join(line + b"\n" for line in lines)
        self.sum()

    def edit(self, name: str, number: int, change: Callable[[Line], None]) -> None:
        """Change what a line (from 1) says, spelled canonically."""
        lines = self.lines(name)
        value = json.loads(lines[number - 1])
        change(value)
        lines[number - 1] = spell(value)
        self.put(name, lines)

    def value(self, name: str, number: int = 1) -> Line:
        """What a line says."""
        value: Line = json.loads(self.lines(name)[number - 1])
        return value

    def refit_rules(self) -> None:
        """Let rules.json fit frame and pool again: roots, sizes, counts and sample sizes."""
        sites = [json.loads(line) for line in self.lines("frame.jsonl")]

        def fit(rules: Line) -> None:
            for name in ("frame", "pool"):
                lines = self.lines(f"{name}.jsonl")
                rules[name] = {"root": merkle_root(lines).hex(), "size": len(lines)}
            for stratum in rules["strata"]:
                own = [site for site in sites if site["stratum"] == stratum["code"]]
                numerator, denominator = stratum["rate"]
                stratum["size"], stratum["eligible"] = len(own), sum(site["eligible"] for site in own)
                stratum["sample"] = min(stratum["eligible"], -(-len(own) * numerator // denominator))

        self.edit("rules.json", 1, fit)

    def sum(self) -> None:
        """SHA256SUMS again."""
        sums = ((sha256(self.files[name]).hexdigest(), name) for name in SUMMED if name in self.files)
        self.files[SUMS] = "".join(f"{digest}  {name}\n" for digest, name in sums).encode()


def spell(value: object) -> bytes:
    """Canonical JSON, by other means than the code under test."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
