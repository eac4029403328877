"""The bundles that an independent program made; each test that asks for them runs once for each."""

from __future__ import annotations

from pathlib import Path

NAMES = ("edge", "equal", "weighted")
FOLDER = Path(__file__).parents[2] / "vectors" / "draw"


def load_files(name: str) -> dict[str, bytes]:
    """The bundle's files by their names."""
    return {path.name: path.read_bytes() for path in (FOLDER / name).iterdir()}
