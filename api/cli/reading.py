"""`projections`: where the read models stand, and building them anew."""

from typing import Annotated, Any

import typer

from api.cli.commands import operates
from api.cli.desk import Bench, Desk
from api.cli.options import argument
from api.cli.refusals import FINDING

projections = typer.Typer(name="projections", help="The read models 读模型.", no_args_is_help=True)
_COLUMNS = ("name", "status", "position", "head", "lag", "error")


@operates(projections, "status")
def status(bench: Bench) -> None:
    """Show how far each read model has come 查看进度."""
    with bench.open() as desk:
        rows = standing(desk)
    bench.terminal.rows(rows, _COLUMNS)
    if any(row["status"] != "live" for row in rows):
        raise typer.Exit(FINDING)


@operates(projections, "rebuild")
def rebuild(
    bench: Bench, names: Annotated[list[str] | None, argument("Which; none named means all 名称.")] = None
) -> None:
    """Build read models anew from the log, then put them in place of the live ones 重建."""
    with bench.open() as desk:
        with bench.terminal.progress("rebuilding") as step:
            desk.system.projections.rebuild(names or (), step)
        rows = standing(desk)
    bench.terminal.rows([row for row in rows if not names or row["name"] in names], _COLUMNS)


def standing(desk: Desk) -> list[dict[str, Any]]:
    """Where each read model stands."""
    return [
        {name: getattr(one, name) for name in ("name", "position", "head", "lag", "status", "error")}
        for one in desk.system.projections.status()
    ]
