"""How fast a registry is taken in: 100,000 sites from XLSX into a store on SQLite, every row checked.

Beside it: reading the rows of the same file and doing nothing with them.
"""

from __future__ import annotations

import gc
import resource
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from application.imports import run_import
from application.registry_templates import SITES
from domain.identifiers import uscc_check_digit
from infrastructure.database import open_store
from infrastructure.migration import migrate
from infrastructure.spreadsheet_writer import write_template
from infrastructure.spreadsheets import read_table
from tests.benchmarks.figure import Figure
from tests.fakes import FakeClock
from tests.office import TAIYUAN, Agency, open_agency

REGIONS = ("小店区", "140106", "杏花岭区", "140108", "万柏林区", "晋源区", "清徐县", "阳曲县")
STRATA = ("重点", "特殊", "一般", "其他")
NEEDS = (("大气",), ("水", "大气"), ("固体废物", "土壤"), ("噪声",), ())


def figures(scale: float = 1.0) -> list[Figure]:
    """Take the sites in, then the same file again; `scale` shrinks their number."""
    count = round(100_000 * scale)
    with TemporaryDirectory(prefix="sunlot-bench-") as name:
        folder = Path(name)
        content = site_file(folder, count)
        bare = measure(lambda: read_alone(content, count))
        migrate(f"sqlite:///{folder}")
        clock = FakeClock(datetime(2024, 4, 1, 1, 0, tzinfo=UTC))
        store = open_store(f"sqlite:///{folder}", clock=clock)
        try:
            agency = open_agency(store, clock, folder)
            first = measure(lambda: take_in(agency, content, created=count))
            second = measure(lambda: take_in(agency, content, created=0))
        finally:
            store.close()
    memory = f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB"
    return [
        figure(f"import {count:,} new sites from XLSX", first, bare, memory),
        figure(f"import the same {count:,} sites again, nothing changed", second, bare, ""),
    ]


def figure(name: str, value: float, bare: float, note: str) -> Figure:
    return Figure(
        name=name,
        value=value,
        unit="s",
        beside_name="reading the rows alone",
        beside=bare,
        target="≤ 10 s for 100,000",
        holds=value <= 10,
        note=note,
    )


def site_file(folder: Path, count: int) -> bytes:
    """A file of sites, each with a licence code and a contact."""
    file = folder / "sites.xlsx"
    write_template(SITES, file, rows(count))
    return file.read_bytes()


def rows(count: int) -> Iterator[dict[str, Any]]:
    """Rows made by counting."""
    for number in range(count):
        body = f"91140100MA{number:07}"
        uscc = body + uscc_check_digit(body)
        yield {
            "code": f"{uscc}001P",
            "uscc": uscc,
            "name": f"太原市第{number}化工有限公司",
            "region": REGIONS[number % len(REGIONS)],
            "address": f"山西省太原市人民路{number}号",
            "industry": f"C{1300 + number % 3000}",
            "stratum": STRATA[number % 4],
            "needs": NEEDS[number % 5],
            "credit": "绿牌" if number % 3 else "",
            "contact": f"王{number}",
            "phone": f"199{number:08}",
            "source": "全国排污许可证管理信息平台",
            "reason": "2024年度名录库更新",
            "effective_from": date(2024, 1, 1),
        }


def read_alone(content: bytes, count: int) -> None:
    """Read every row."""
    found = sum(1 for _ in read_table(content, SITES))
    if found != count:
        raise AssertionError(f"{found} rows")


def take_in(agency: Agency, content: bytes, *, created: int) -> None:
    """Import, and see that it came to what it should."""
    call = agency.call(agency.people.officer)
    answer = run_import(agency.office, call, "sites", region=TAIYUAN, content=content)
    if answer.also["created"] != created:
        raise AssertionError(answer.also)


def measure(work: Any) -> float:
    """Seconds of one run: an import happens once."""
    gc.collect()
    start = perf_counter()
    work()
    return perf_counter() - start


if __name__ == "__main__":
    for one in figures(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0):
        sys.stdout.write(f"{one}\n")
