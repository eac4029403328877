"""The published ledger, as C2SP tlog-tiles has it: static files, which any web server could serve as well."""

from hashlib import sha256
from typing import Final

from fastapi import APIRouter, Request, Response

from api.access import Asked, everybody
from api.rest.description import gives
from api.rest.presenting import matches
from domain.errors import NotFound
from domain.ledger.errors import LedgerError
from domain.ledger.tiles import WIDTH, Tile

router = APIRouter(prefix="/ledger", tags=["ledger"])
TEXT: Final = "text/plain; charset=utf-8"
BYTES: Final = "application/octet-stream"
FOR_EVER: Final = "public, max-age=31536000, immutable"
SECONDS: Final = "public, max-age=2"


@router.get("/checkpoint", summary="检查点 The signed checkpoint")
@gives(TEXT)
def read_checkpoint(request: Request, asked: Asked = everybody()) -> Response:
    """Origin, size and root of the log, as a signed note; at most two seconds behind."""
    note = asked.system.published.checkpoint()
    if note is None:
        raise NotFound(kind="checkpoint", id="")
    tag = f'"{sha256(note).hexdigest()[:32]}"'
    headers = {"Cache-Control": SECONDS, "ETag": tag}
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    return Response(note, media_type=TEXT, headers=headers)


@router.get("/vkey", summary="验证公钥 The verifier key")
@gives(TEXT)
def read_vkey(asked: Asked = everybody()) -> Response:
    """The key of the log, to compare with another source: a key from here alone proves nothing."""
    return Response(f"{asked.system.publisher.vkey}\n", media_type=TEXT, headers={"Cache-Control": SECONDS})


@router.get("/tile/{path:path}", summary="瓦片 A tile or a bundle of entries")
@gives(BYTES)
def read_tile(path: str, asked: Asked = everybody()) -> Response:
    """`tile/<L>/<N>` or `tile/entries/<N>`, partial ones with `.p/<W>`. Full ones never change."""
    try:
        tile = Tile.parse(f"tile/{path}")
        content = asked.system.published.read(tile.path())
    except (LedgerError, FileNotFoundError) as error:
        raise NotFound(kind="tile", id=path) from error
    cache = FOR_EVER if tile.width == WIDTH else SECONDS
    return Response(content, media_type=BYTES, headers={"Cache-Control": cache})


@router.get("/receipts/{idx}", summary="回执 The receipt of an event")
@gives(TEXT)
def read_receipt(idx: int, asked: Asked = everybody()) -> Response:
    """The proof (C2SP tlog-proof) that the event is in the log; 409 while it is not published."""
    name = f'attachment; filename="{idx}.tlog-proof"'
    headers = {"Cache-Control": SECONDS, "Content-Disposition": name}
    return Response(asked.office.ledger.receipt(idx), media_type=TEXT, headers=headers)
