"""What of a draw is taken along: its bundle, and one site's line of its frame."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from api.bootstrap import write_bundle_archive, write_bundle_folder
from api.cli.commands import asks
from api.cli.desk import Desk
from api.cli.options import Out, argument, option
from api.cli.refusals import Cannot
from application.bundles import auditors_bundle, public_bundle
from application.frame_lines import FrameLine, own_line
from application.workflow import Call
from projections.sites import list_sites

Id = Annotated[str, argument("The draw's id 抽取编号.")]
_ARCHIVES = (".tar.gz", ".tgz")


def add_draw_bundles(draw: typer.Typer) -> None:
    """Add the commands to the group `draw`."""
    asks(draw, "bundle")(bundle)
    asks(draw, "line")(line)


def bundle(
    desk: Desk,
    call: Call,
    id: Id,
    place: Annotated[Path, argument("A new folder, or a file that ends in .tar.gz 输出目录或文件.")],
    reason: Annotated[
        str, option("--reason", help="Why you read all of it, recorded first; else the public part 查阅理由.")
    ] = "",
) -> None:
    """Write a draw's bundle with proofs: the public one, or with a recorded reason all of it 取材料包."""
    packed = place.name.endswith(_ARCHIVES)
    if place.exists() and (packed or place.is_file() or any(place.iterdir())):
        raise Cannot("folder-used", folder=str(place))
    office = desk.office
    made = auditors_bundle(office, call, id, reason=reason) if reason else public_bundle(office, id)
    desk.settle()
    told: dict[str, Any] = {"files": [one.name for one in made.members]}
    if packed:
        told = {"file": str(place), "sha256": write_bundle_archive(made, place, private=bool(reason)), **told}
    else:
        write_bundle_folder(made, place, private=bool(reason))
        told = {"folder": str(place), **told}
    desk.terminal.facts(told)


def line(
    desk: Desk,
    call: Call,
    id: Id,
    site: Annotated[str, option("--site", help="The site's id 对象编号.")] = "",
    uscc: Annotated[str, option("--uscc", help="Or all sites of an enterprise 统一社会信用代码.")] = "",
    out: Out = None,
) -> None:
    """Was a site in the drum, with what chance? Its line of the frame, proved 取名录行."""
    if bool(site) == bool(uscc):
        raise Cannot("line-which")
    sites = [site] if site else _sites_of(desk, uscc)
    found = [own_line(desk.office, call, id, one) for one in sites]
    if out is not None and len(found) == 1:
        out.write_bytes(msgspec.json.encode(found[0]) + b"\n")
    if desk.terminal.json and len(found) == 1:
        desk.terminal.give(found[0])
        return
    desk.terminal.rows([_row(one) for one in found], ("site", "in_frame", "chance", "drawn", "reserve"))


def _sites_of(desk: Desk, uscc: str) -> list[str]:
    with desk.reading() as views:
        return [one.id for one in list_sites(views, status="", uscc=uscc)]


def _row(found: FrameLine) -> dict[str, Any]:
    chance = found.chance
    told = f"{chance.numerator}/{chance.denominator} ({chance.percent} %)" if chance else ""
    return {**msgspec.to_builtins(found), "in_frame": found.line is not None, "chance": told}
