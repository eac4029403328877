"""`backup`: everything an installation is, in one folder or archive, while the service runs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from api.bootstrap import Made
from api.cli.commands import operates
from api.cli.desk import Bench
from api.cli.options import argument, option
from api.cli.refusals import FINDING, Cannot

Target = Annotated[Path | None, argument("The new folder 新建的目录.", metavar="FOLDER")]
Archive = Annotated[
    Path | None,
    option("--archive", help="Write one file instead: .tar or .tar.gz 写成一个归档文件.", metavar="FILE"),
]
After = Annotated[
    Path | None,
    option(
        "--after",
        help="An earlier backup in a folder: what never changes is linked from there 在上次备份之后增量备份.",
        exists=True,
        file_okay=False,
    ),
]


class Extent(StrEnum):
    """How much of the new backup is read again."""

    ALL = "all"
    NEW = "new"
    NONE = "none"


Check = Annotated[
    Extent,
    option(
        "--check",
        help="What is read again before it counts: all, new (nothing linked) or none 写完后复查的范围.",
    ),
]


def add_backup(app: typer.Typer) -> None:
    """Add the command."""
    operates(app, "backup")(backup)


def backup(
    bench: Bench,
    target: Target = None,
    archive: Archive = None,
    after: After = None,
    check: Check = Extent.ALL,
) -> None:
    """Back up store, blobs and published ledger, while the service runs; never the ledger's key 备份."""
    place = _place(target, archive, after)
    backups = bench.tools.backups()
    with bench.terminal.progress("backing-up") as step:
        made = backups.make(place, after, step)
    with bench.terminal.progress("checking") as step:
        backups.read_again(made, check.value, step)
    _present(bench, made)
    if made.manifest.damaged:
        raise typer.Exit(FINDING)


def _place(target: Path | None, archive: Path | None, after: Path | None) -> Path:
    if (target is None) == (archive is None):
        raise Cannot("backup-where")
    place = target or archive or Path()
    named_archive = place.name.endswith((".tar", ".tar.gz"))
    if named_archive != (archive is not None):
        raise Cannot("backup-name", file=str(place))
    if archive is not None and after is not None:
        raise Cannot("backup-after-archive")
    if place.exists():
        raise Cannot("file-exists", file=str(place))
    return place


def _present(bench: Bench, made: Made) -> None:
    manifest = made.manifest
    facts: dict[str, Any] = {
        "backup": str(made.place),
        "made_at": manifest.made_at,
        "origin": manifest.origin,
        "size": manifest.size,
        "root": manifest.root,
        "published_size": manifest.published,
        "blobs": manifest.blobs,
        "files": manifest.files,
        "bytes": manifest.bytes,
        "linked": len(made.linked),
    }
    bench.terminal.facts({**facts, "lost": manifest.lost, "damaged": manifest.damaged})
    if manifest.lost:
        bench.terminal.warn("backup-lost", count=len(manifest.lost))
    if manifest.damaged:
        bench.terminal.warn("backup-damaged", count=len(manifest.damaged))
    bench.terminal.warn("backup-keep")
