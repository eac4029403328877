"""Importing a file: every row is checked in one pass, then all is taken in by one append, or nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NoReturn

import msgspec

from application.import_inspectors import InspectorImport
from application.import_items import ItemImport
from application.import_plan import PlanImport
from application.import_sites import SiteImport
from application.importing import PERMISSION, Change, Desk, Import
from application.intake_templates import template_of
from application.office import Office
from application.originals import require_unerased
from application.ports import Answer, Table, VaultWrite
from application.tables import RowError
from application.workflow import Beside, Call
from domain.aggregate import Aggregate
from domain.errors import Invalid
from domain.intake import Counts, Intake

Progress = Callable[[int, int], None]
"""Told how many steps of how many are done."""

IMPORTS: Final[Mapping[str, type[Import]]] = {
    "sites": SiteImport,
    "inspectors": InspectorImport,
    "items": ItemImport,
    "plan": PlanImport,
}
_EVERY: Final = 1000


class ImportRefused(Invalid):
    """A file with anything wrong changes nothing; facts: `kind`, `region`, `rows`, `digest`, `error_count`
    and `errors` (`RowError`s, a thousand at most)."""

    code = "import-refused"


class ImportEmpty(Invalid):
    """There is no row below the heading; facts: `kind`, `sheet`."""

    code = "import-empty"


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What an import would do.

    `rows` is the sum of `created`, `changed`, `unchanged` in a file without errors. `errors` and `changes`
    are the first thousand, by row; `error_count` counts all. `unknown` names columns that were not read,
    `digest` is the SHA-256 of the file.
    """

    kind: str
    region: str
    sheet: str
    rows: int
    created: int
    changed: int
    unchanged: int
    errors: tuple[RowError, ...]
    error_count: int
    changes: tuple[Change, ...]
    unknown: tuple[str, ...]
    digest: str

    @property
    def sound(self) -> bool:
        """Whether the file can be taken in."""
        return not self.error_count


def quiet(done: int, total: int) -> None:
    """Progress that nobody wants to see."""


def preview_import(
    office: Office,
    call: Call,
    kind: str,
    *,
    region: str,
    content: bytes,
    sheet: str | None = None,
    progress: Progress = quiet,
) -> Preview:
    """Check a file for a region and say what its import would do; nothing is written.

    `sheet` names a sheet of a workbook if it is neither the template's nor the first. Raises
    `PermissionMissing`, `ImportKindUnknown`, `SpreadsheetRefused`, `ImportEmpty`.
    """
    examined = _examine(office, call, kind, region, content, sheet, progress, rounds=1)
    return examined.preview


def run_import(
    office: Office,
    call: Call,
    kind: str,
    *,
    region: str,
    content: bytes,
    sheet: str | None = None,
    progress: Progress = quiet,
) -> Answer:
    """Take a file in: all of its rows and the record of the import in one append, the file kept before.

    The answer is about the intake; `also` has its counts and the file's digest. Raises what
    `preview_import` raises, and `ImportRefused` if anything is wrong, `BlobErased` for a file that was
    erased with a person, `ClaimTaken` or `Stale` if somebody else took in or changed the same in the
    meantime. Nothing is written then.
    """
    examined = _examine(office, call, kind, region, content, sheet, progress, rounds=2)
    preview = examined.preview
    if not preview.sound:
        _refuse(preview)
    require_unerased(office, preview.digest)
    office.blobs.put(content)
    counts = Counts(
        rows=preview.rows, created=preview.created, changed=preview.changed, unchanged=preview.unchanged
    )
    intake = Intake.complete(
        call.act,
        id=office.chance.id("intake"),
        kind=kind,
        region=region,
        original=preview.digest,
        counts=counts,
    )
    also = {"kind": kind, "region": region, "digest": preview.digest, **msgspec.structs.asdict(counts)}
    persons = list[VaultWrite]()
    aggregates = _counted(examined.work.write(persons), examined.steps)
    answer = office.workflow.commit_many(call, intake, aggregates, beside=Beside(vault=persons), also=also)
    examined.steps.end()
    return answer


class _Steps:
    """Counts steps and tells of every thousandth, and of the last."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total = progress, total
        self._done = 0

    def tick(self) -> None:
        self._done += 1
        if self._done % _EVERY == 0:
            self._progress(min(self._done, self._total), self._total)

    def end(self) -> None:
        self._progress(self._total, self._total)


def _counted(aggregates: Iterable[Aggregate | None], steps: _Steps) -> Iterator[Aggregate]:
    for aggregate in aggregates:
        if aggregate is not None:
            yield aggregate
        steps.tick()


@dataclass(frozen=True)
class _Examined:
    preview: Preview
    work: Import
    steps: _Steps


def _examine(
    office: Office,
    call: Call,
    kind: str,
    region: str,
    content: bytes,
    sheet: str | None,
    progress: Progress,
    *,
    rounds: int,
) -> _Examined:
    template = template_of(kind)
    call.require(PERMISSION, region)
    table = office.read_table(content, template, sheet=sheet)
    steps = _Steps(progress, max(table.total, 1) * rounds)
    work = IMPORTS[kind](Desk(office, call, region, table.heading))
    work.errors.add(*table.errors)
    rows = _read(table, work, steps.tick) if not table.errors else 0
    if not rows and not table.errors:
        raise ImportEmpty(kind=kind, sheet=table.heading.sheet)
    work.compare()
    if rounds == 1:
        steps.end()
    return _Examined(_preview(kind, region, content, table, work, rows), work, steps)


def _read(table: Table, work: Import, tick: Callable[[], None]) -> int:
    rows = 0
    for row in table:
        work.read(row)
        tick()
        rows += 1
    return rows


def _preview(kind: str, region: str, content: bytes, table: Table, work: Import, rows: int) -> Preview:
    return Preview(
        kind=kind,
        region=region,
        sheet=table.heading.sheet,
        rows=rows,
        created=work.created,
        changed=work.changed,
        unchanged=work.unchanged,
        errors=tuple(_ordered(work.errors.listed)),
        error_count=work.errors.count,
        changes=tuple(work.changes),
        unknown=tuple(table.unknown),
        digest=sha256(content).hexdigest(),
    )


def _ordered(errors: Sequence[RowError]) -> list[RowError]:
    return sorted(errors, key=lambda error: (error.row, len(error.column), error.column))


def _refuse(preview: Preview) -> NoReturn:
    raise ImportRefused(
        kind=preview.kind,
        region=preview.region,
        rows=preview.rows,
        digest=preview.digest,
        error_count=preview.error_count,
        errors=preview.errors,
    )
