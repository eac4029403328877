"""`ledger export`: everything for checking the log offline, in a folder or an archive."""

from pathlib import Path
from typing import Annotated

import typer

from api.bootstrap import LedgerExport, sealed_now, states_of, write_archive, write_folder
from api.cli.commands import operates
from api.cli.desk import Bench
from api.cli.options import argument, option
from api.cli.refusals import Cannot
from application.exports import note_export

Folder = Annotated[Path | None, argument("The folder to write 导出文件夹.", file_okay=False)]
Archive = Annotated[
    Path | None, option("--archive", help="Write a .tar.gz instead 写成压缩包.", dir_okay=False)
]
Update = Annotated[bool, option("--update", help="Bring an earlier export up to date 更新先前的导出.")]
Reason = Annotated[str, option("--reason", help="Why states are taken out; recorded first 导出原文的理由.")]
WithStates = Annotated[
    bool, option("--states", help="With what every event says; needs a token and a reason 连同事件原文.")
]
Sealed = Annotated[
    bool, option("--sealed", help="Also what draws not opened yet decided 连同未启封的抽取结果.")
]


def add_export(ledger: typer.Typer) -> None:
    """Add the command."""
    operates(ledger, "export", may_sign_in=True)(export)


def export(
    bench: Bench,
    folder: Folder = None,
    archive: Archive = None,
    update: Update = False,
    states: WithStates = False,
    reason: Reason = "",
    sealed: Sealed = False,
) -> None:
    """Export the published ledger for checking it offline 导出账本."""
    _place(folder, archive, update=update)
    if not states:
        _write(bench, bench.tools.audit().export(), folder, archive, update=update)
        return
    with bench.signed_in("ledger export") as (desk, call):
        store, region = desk.system.store, desk.system.settings.region
        hidden = sealed_now(store)
        note_export(desk.office, call, region, reason=reason, sealed=hidden.draws if sealed else ())
        desk.settle()
        if hidden.draws and not sealed:
            bench.terminal.warn("states-withheld", draws=len(hidden.draws), streams=len(hidden.streams))
        public = bench.tools.audit().export()
        told = public.telling(states_of(store, hidden, with_sealed=sealed))
        _write(bench, told, folder, archive, update=update)


def _write(
    bench: Bench, export: LedgerExport, folder: Path | None, archive: Path | None, *, update: bool
) -> None:
    target = _place(folder, archive, update=update)
    write = write_folder if archive is None else write_archive
    with bench.terminal.progress("exporting") as step:
        write(export, target, step)
    bench.terminal.facts(
        {
            "file": str(target),
            "origin": export.checkpoint.origin,
            "size": export.checkpoint.size,
            "root": export.checkpoint.root.hex(),
        }
    )


def _place(folder: Path | None, archive: Path | None, *, update: bool) -> Path:
    """Where to write; `Cannot` unless it is one place, and free or to be updated."""
    if (folder is None) == (archive is None) or (archive is not None and update):
        raise Cannot("export-where")
    if folder is not None and folder.is_dir() and not update and any(folder.iterdir()):
        raise Cannot("folder-not-empty", folder=str(folder))
    return folder or archive or Path()
