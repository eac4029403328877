"""A draw's bundle to take along, and a site's line of its frame: for everybody, and for those entitled."""

from collections.abc import Iterator
from itertools import chain
from threading import BoundedSemaphore
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.access import SIGNED_IN, Asked, ask, everybody
from api.bootstrap import bundle_archive
from api.rest.commands import Command, create, head_of, projected
from api.rest.description import gives, shows
from api.rest.fields import Reasoned
from api.rest.presenting import matches, show
from application.bundles import Bundle, BundlesBusy, auditors_bundle, public_bundle
from application.frame_lines import FrameLine, own_line, public_line
from projections.sites import list_sites

public = APIRouter(prefix="/public/draws", tags=["public"])
router = APIRouter(prefix="/draws", tags=["draws"])
ARCHIVE: Final = "application/gzip"
A_MINUTE: Final = "public, max-age=60"
AT_ONCE: Final = 2
"""How many public bundles a process packs at a time; who has one already is answered at once."""
MOST_SITES: Final = 200
"""An enterprise's sites in one region's registry; none has as many."""

_PACKING: Final = BoundedSemaphore(AT_ONCE)
Uscc = Annotated[
    str, Query(description="统一社会信用代码 The enterprise's USCC.", min_length=18, max_length=18)
]


class FrameLines(msgspec.Struct, frozen=True, kw_only=True):
    """The lines of all sites that the registry has of an enterprise, each as for one site."""

    draw: str
    uscc: str
    lines: list[FrameLine]


@public.get("/{id}/bundle", summary="公开材料包 The public bundle")
@gives(ARCHIVE)
def read_bundle(id: str, request: Request, asked: Asked = everybody()) -> Response:
    """The public bundle with proofs, verifier and VERIFY.md as a .tar.gz; 403 before the opening.

    Equal bundles are equal bytes. The ETag says whether it is still the same without sending it.
    """
    if not _PACKING.acquire(blocking=False):
        raise BundlesBusy()
    try:
        bundle = public_bundle(asked.office, id)
        headers = {"ETag": f'"{bundle.tag}"', "Cache-Control": A_MINUTE}
        if matches(request.headers.get("if-none-match", ""), bundle.tag):
            return Response(status_code=304, headers=headers)
    finally:
        _PACKING.release()
    # Begun here, so that whoever drops it, before the first byte or in the middle, gives the place back.
    pieces = _one_of_few(bundle_archive(bundle))
    return _sent(bundle, chain([next(pieces)], pieces), headers)


@public.get("/{id}/frame", summary="企业在名录中的行 An enterprise's lines of the frame")
@shows(FrameLines)
def read_lines(id: str, uscc: Uscc, asked: Asked = everybody()) -> Response:
    """Was I in the drum, with what chance? For all sites of an enterprise, each line or absence proved."""
    lines = [public_line(asked.office, id, site) for site in _sites_of(asked, uscc)]
    return show(FrameLines(draw=id, uscc=uscc, lines=lines))


@public.get("/{id}/frame/{site}", summary="对象在名录中的行 A site's line of the frame")
@shows(FrameLine)
def read_line(id: str, site: str, asked: Asked = everybody()) -> Response:
    """The line with its path to the root in rules.json, its chance, rank or place in the reserve.

    A site that was not in the frame is proved not to have been, by the neighbours of its place. 403 where a
    stratum is confidential: sign in as the site's enterprise.
    """
    return show(public_line(asked.office, id, site))


@router.post("/{id}/bundles", summary="审计材料包 The auditor's bundle")
@gives(ARCHIVE)
def make_bundle(id: str, body: Reasoned, command: Command = create("draw.read-sealed")) -> Response:
    """All of the draw as far as it has come; recorded with its reason before the first byte is sent."""
    bundle = auditors_bundle(command.office, command.reading(body), id, reason=body.reason)
    headers = {"Cache-Control": "no-store", **projected(command, head_of(command))}
    return _sent(bundle, bundle_archive(bundle), headers)


@router.get("/{id}/frame", summary="企业在名录中的行 An enterprise's lines of the frame")
@shows(FrameLines)
def read_own_lines(id: str, uscc: Uscc, asked: Asked = ask(SIGNED_IN)) -> Response:
    """As `/public/draws/{id}/frame`; of a confidential frame for the enterprise, and who may read draws."""
    call = asked.call()
    lines = [own_line(asked.office, call, id, site) for site in _sites_of(asked, uscc)]
    return show(FrameLines(draw=id, uscc=uscc, lines=lines))


@router.get("/{id}/frame/{site}", summary="对象在名录中的行 A site's line of the frame")
@shows(FrameLine)
def read_own_line(id: str, site: str, asked: Asked = ask(SIGNED_IN)) -> Response:
    """As `/public/draws/{id}/frame/{site}`; also of a confidential frame, for those entitled."""
    return show(own_line(asked.office, asked.call(), id, site))


def _sites_of(asked: Asked, uscc: str) -> list[str]:
    with asked.views() as views:
        return [site.id for site in list_sites(views, status="", uscc=uscc, limit=MOST_SITES)]


def _one_of_few(pieces: Iterator[bytes]) -> Iterator[bytes]:
    if not _PACKING.acquire(blocking=False):
        raise BundlesBusy()
    try:
        yield from pieces
    finally:
        _PACKING.release()


def _sent(bundle: Bundle, pieces: Iterator[bytes], headers: dict[str, str]) -> StreamingResponse:
    name = {"Content-Disposition": f'attachment; filename="{bundle.name}.tar.gz"'}
    return StreamingResponse(pieces, media_type=ARCHIVE, headers={**headers, **name})
