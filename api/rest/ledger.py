"""The published ledger, as C2SP tlog-tiles has it: static files, which any web server could serve as well.

Everything here is public, and a page of any origin may read it: that is how others check us.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.access import Asked, everybody
from api.rest.description import gives, lists, shows
from api.rest.presenting import JSON, Page, found, matches
from domain.errors import NotFound
from domain.ledger.errors import LedgerError
from domain.ledger.tiles import WIDTH, Tile

router = APIRouter(prefix="/ledger", tags=["ledger"])
TEXT: Final = "text/plain; charset=utf-8"
BYTES: Final = "application/octet-stream"
STAMP: Final = "application/timestamp-reply"
FOR_EVER: Final = "public, max-age=31536000, immutable"
SECONDS: Final = "public, max-age=2"
A_MINUTE: Final = "public, max-age=60"
OPEN: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_KEPT: Final = re.compile(r"checkpoint|checkpoints/[1-9][0-9]{0,15}(\.tsr)?", re.ASCII)
Size = Annotated[int, Path(ge=1, le=2**53, description="Size of the checkpoint.")]


class Cosigning(msgspec.Struct, frozen=True, kw_only=True):
    """A witness of the trust policy and when it cosigned."""

    witness: str
    at: datetime


class KeptCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint that is kept: who cosigned it, when it was time-stamped, and the first of these times.

    `quorum` tells whether the present trust policy accepts it. `idx` is its size.
    """

    idx: int
    size: int
    root: str
    time: datetime | None
    cosigned: list[Cosigning]
    time_stamped: datetime | None
    quorum: bool


class ConsistencyProof(msgspec.Struct, frozen=True, kw_only=True):
    """That the tree of size `new` begins with that of size `old` (RFC 6962); hashes in hex."""

    new: int
    new_root: str
    old: int
    old_root: str
    proof: list[str]


def _static(path: str, *, summary: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """A file that is read by GET, and by HEAD as any web server would answer it."""

    def register(route: Callable[..., Response]) -> Callable[..., Response]:
        router.add_api_route(path, route, methods=["HEAD"], include_in_schema=False)
        return router.get(path, summary=summary)(route)

    return register


@_static("/checkpoint", summary="检查点 The signed checkpoint")
@gives(TEXT)
def read_checkpoint(request: Request, asked: Asked = everybody()) -> Response:
    """Origin, size and root of the log, as a signed note; at most two seconds behind."""
    note = found(asked.system.published.checkpoint(), "checkpoint", "")
    return _file(request, note, TEXT, SECONDS)


@_static("/vkey", summary="验证公钥 The verifier key")
@gives(TEXT)
def read_vkey(request: Request, asked: Asked = everybody()) -> Response:
    """The key of the log, to compare with another source: a key from here alone proves nothing."""
    return _file(request, f"{asked.system.trust.charter().key}\n".encode(), TEXT, A_MINUTE)


@_static("/trust-policy", summary="信任策略 The trust policy")
@gives(TEXT)
def read_trust_policy(request: Request, asked: Asked = everybody()) -> Response:
    """The log's keys, its witnesses and their quorum (C2SP tlog-policy); to compare with another source."""
    return _file(request, asked.system.trust.policy().encode(), TEXT, A_MINUTE)


@_static("/tile/{path:path}", summary="瓦片 A tile or a bundle of entries")
@gives(BYTES)
def read_tile(path: str, request: Request, asked: Asked = everybody()) -> Response:
    """`tile/<L>/<N>` or `tile/entries/<N>`, partial ones with `.p/<W>`. Full ones never change."""
    try:
        tile = Tile.parse(f"tile/{path}")
        content = asked.system.published.read(tile.path())
    except (LedgerError, FileNotFoundError) as error:
        raise NotFound(kind="tile", id=path) from error
    return _file(request, content, BYTES, FOR_EVER if tile.width == WIDTH else SECONDS)


@router.get("/checkpoints", summary="留存的检查点 Kept checkpoints")
@lists(KeptCheckpoint)
def read_checkpoints(page: Annotated[Page, Depends()], asked: Asked = everybody()) -> Response:
    """Those that were cosigned, time-stamped or published for a draw's seal, the largest first."""
    sizes = asked.system.published.kept.sizes(below=page.after, limit=page.one_more)
    answer = page.show([_kept(asked, size) for size in sizes])
    answer.headers.update({**OPEN, "Cache-Control": SECONDS})
    return answer


@_static("/checkpoints/{size}.tsr", summary="检查点的时间戳 The time-stamp of a checkpoint")
@gives(STAMP)
def read_stamp(size: Size, request: Request, asked: Asked = everybody()) -> Response:
    """The response (RFC 3161) over the checkpoint's text, the bytes before its empty line, by SHA-256."""
    token = found(asked.system.published.kept.token(size), "time-stamp", str(size))
    return _file(request, token, STAMP, FOR_EVER)


@_static("/checkpoints/{size}", summary="留存的一个检查点 A kept checkpoint")
@gives(TEXT)
def read_kept(size: Size, request: Request, asked: Asked = everybody()) -> Response:
    """The signed checkpoint with all cosignatures that it has got; later there may be more."""
    note = found(asked.system.published.kept.note(size), "checkpoint", str(size))
    return _file(request, note, TEXT, A_MINUTE)


@router.get("/consistency", summary="一致性证明 A proof of consistency")
@shows(ConsistencyProof)
def read_consistency(
    request: Request,
    old: Annotated[int, Query(ge=0, le=2**53, description="旧的大小 The smaller size.", examples=[3])],
    new: Annotated[int, Query(ge=0, le=2**53, description="新的大小 The larger size.", examples=[7])],
    asked: Asked = everybody(),
) -> Response:
    """That the log of size `new` begins with that of size `old`, unchanged; any RFC 6962 tool checks it."""
    proof = asked.system.published.consistency(old, new)
    shown = ConsistencyProof(
        new=proof.new,
        new_root=proof.new_root.hex(),
        old=proof.old,
        old_root=proof.old_root.hex(),
        proof=[one.hex() for one in proof.proof],
    )
    return _file(request, msgspec.json.encode(shown), JSON, A_MINUTE)


@_static("/abandoned/{size}/{path:path}", summary="放弃的公布内容 What was given up")
@gives(BYTES)
def read_abandoned(size: Size, path: str, request: Request, asked: Asked = everybody()) -> Response:
    """`checkpoint`, `checkpoints/…` and `tile/…` as they stood when two people gave them up."""
    try:
        if not _KEPT.fullmatch(path):
            Tile.parse(path)
        content = asked.system.published.read(f"abandoned/{size}/{path}")
    except (LedgerError, FileNotFoundError) as error:
        raise NotFound(kind="tile", id=path) from error
    return _file(request, content, BYTES, FOR_EVER)


@_static("/receipts/{idx}", summary="回执 The receipt of an event")
@gives(TEXT)
def read_receipt(idx: int, request: Request, asked: Asked = everybody()) -> Response:
    """The proof (C2SP tlog-proof) that the event is in the log; 409 while it is not published.

    Under the newest checkpoint that the quorum has cosigned, if that covers the event, else the newest.
    """
    name = f'attachment; filename="{idx}.tlog-proof"'
    receipt = asked.office.ledger.receipt(idx)
    return _file(request, receipt, TEXT, SECONDS, {"Content-Disposition": name})


def _file(
    request: Request, content: bytes, media: str, cache: str, more: dict[str, str] | None = None
) -> Response:
    """A file with its tag; 304 where the caller has it already."""
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {**OPEN, "Cache-Control": cache, "ETag": tag, **(more or {})}
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    if request.method == "HEAD":
        return Response(headers={**headers, "Content-Length": str(len(content))}, media_type=media)
    return Response(content, media_type=media, headers=headers)


def _kept(asked: Asked, size: int) -> KeptCheckpoint:
    told = asked.system.publisher.attestation.tell(size)
    cosigned = [Cosigning(witness=name, at=_moment(at)) for name, at in told.cosigned.items()]
    times: list[Any] = [one.at for one in cosigned]
    stamped = None if told.stamped is None else _moment(told.stamped)
    return KeptCheckpoint(
        idx=size,
        size=size,
        root=told.root.hex(),
        time=min([*times, *([stamped] if stamped else [])], default=None),
        cosigned=cosigned,
        time_stamped=stamped,
        quorum=told.quorum,
    )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
