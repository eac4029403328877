"""docs/reference/backup-format.md says what the code does."""

import re
from pathlib import Path

import msgspec

from infrastructure.backups.manifest import EVENTS_IN_CHUNK, FORMAT, Manifest
from infrastructure.backups.tables import TABLES

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "backup-format.md"


def rows_between(marker: str) -> list[list[str]]:
    """The cells of the table under a marker, without its heading."""
    found = re.search(rf"<!-- {marker} -->\n(.*?)<!-- end -->", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    lines = found[1].strip().splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_table_and_column_is_described_in_order() -> None:
    expected = [
        [f"`{table.name}`", ", ".join(f"`{name}` {kind}" for name, kind in table.columns)]
        for table in TABLES.values()
    ]
    assert rows_between("tables") == expected


def test_every_key_of_the_manifest_is_described_in_order() -> None:
    keys = [cells[0] for cells in rows_between("manifest")]
    assert keys == [f"`{field.name}`" for field in msgspec.structs.fields(Manifest)]


def test_the_format_and_the_size_of_a_chunk_are_named() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"`{FORMAT}`" in text
    assert f"{EVENTS_IN_CHUNK:,} events" in text
