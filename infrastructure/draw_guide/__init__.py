"""VERIFY.md of a draw's bundle: what it holds, how to check it with and without us, what it cannot show."""

import re
from importlib.resources import files
from typing import Final

from application.bundle_ports import BundleFacts

GUIDE: Final = "VERIFY.md"
_PART: Final = re.compile(
    r"^<!-- if (?P<name>[a-z-]+) -->\n(?P<text>.*?)^<!-- end -->\n", re.DOTALL | re.MULTILINE
)


def guide(facts: BundleFacts) -> bytes:
    """The page, with the draw's real values; parts that do not concern this bundle are left out."""
    page = files("infrastructure.draw_guide").joinpath(GUIDE).read_text(encoding="utf-8")
    parts = _parts(facts)
    page = _PART.sub(lambda part: part["text"] if parts[part["name"]] else "", page)
    for name, value in _values(facts).items():
        page = page.replace("{{" + name + "}}", value)
    return page.encode()


def _parts(facts: BundleFacts) -> dict[str, bool]:
    """Which parts of the page are kept."""
    whole = "SHA256SUMS" in facts.names
    return {
        "auditor": not facts.public,
        "public": facts.public,
        "frame-missing": facts.public and not facts.frame_public,
        "frame-there": facts.public and facts.frame_public,
        "beacon": facts.beacon,
        "typed": not facts.beacon,
        "complete": whole,
        "incomplete": not whole,
        "sealed": facts.sealed is not None,
    }


def _values(facts: BundleFacts) -> dict[str, str]:
    return {
        "NAME": facts.name,
        "LOG": facts.log,
        "DRAW": facts.draw,
        "DRAW_NO": str(facts.draw_no),
        "ATTEMPT": str(facts.attempt),
        "PLAN_ROW": facts.plan_row,
        "SEALED": "" if facts.sealed is None else str(facts.sealed),
        "FILES": "\n".join(f"- `{name}`" for name in _listed(facts)),
        "SUMMED": " ".join(_summed(facts)),
    }


def _listed(facts: BundleFacts) -> list[str]:
    """The files by name, the proofs of events as one."""
    proofs = [name for name in facts.names if name.startswith("proofs/")]
    others = [name for name in facts.names if not name.startswith("proofs/")]
    return [*others, f"proofs/ ({len(proofs)})"]


def _summed(facts: BundleFacts) -> list[str]:
    """The files that SHA256SUMS names and that are here."""
    named = ("frame.jsonl", "pool.jsonl", "rules.json", "sample.jsonl", "seed.json", "teams.jsonl")
    return [name for name in named if name in facts.names]
