"""Files by their SHA-256: uploaded first, then named by the command that needs them.

A file is downloaded through the thing that names it, by whoever may read that thing.
"""

from collections.abc import Collection
from hashlib import sha256
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, File, Query, Response, UploadFile

from api.access import SIGNED_IN, Asked, ask
from api.bootstrap import check_media
from api.rest.commands import Command, create
from api.rest.description import gives, shows
from api.rest.presenting import found, show
from api.rest.sealing import require_inspection
from application.originals import require_unerased
from application.persons import note_personal_reading
from domain.errors import BlobTooLarge, MediaRefused, NotFound
from domain.inspection import Inspection
from domain.rulebook_data import Rulebook
from projections.intakes import get_intake
from projections.referrals import get_referral
from projections.violation_ledger import get_violation

router = APIRouter(prefix="/blobs", tags=["blobs"])
NAMING: Final = ("sites", "inspectors")
"""The kinds of imports whose tables hold names and phones."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was kept: its SHA-256, its media type by its own bytes, its size."""

    digest: str
    media: str
    size: int


@router.post("", status_code=201, summary="上传文件 Upload a file")
@shows(Kept)
def upload(
    file: Annotated[UploadFile, File(description="文件 The file, as a form field.")],
    command: Command = create("blob.write"),
) -> Response:
    """Keeps a file of a kind that the rulebook allows as evidence. The same file twice is the same blob."""
    most = command.system.settings.upload_limit
    content = file.file.read(most + 1)
    if len(content) > most:
        raise BlobTooLarge("/file", limit=most)
    rules = command.office.rules(command.today)
    media = check_media(content, {media for kind in rules.evidence for media in kind.media})
    limit = _limit(rules, media)
    if len(content) > limit:
        raise BlobTooLarge("/file", limit=limit)
    require_unerased(command.office, sha256(content).hexdigest())
    digest = command.office.blobs.put(content)
    return show(Kept(digest=digest, media=media, size=len(content)), status=201)


@router.get("/{digest}", summary="下载文件 Download a file")
@gives("application/octet-stream")
def download(
    digest: str,
    of: Annotated[
        str,
        Query(description="引用它的编号 Id of the thing that names it."),
    ],
    reason: Annotated[
        str,
        Query(
            description="查阅理由 Needed for the original of an import that names people; recorded.",
            max_length=2000,
        ),
    ] = "",
    asked: Asked = ask(SIGNED_IN),
) -> Response:
    """The file, if the thing names it and the caller may read the thing; 410 once it was erased."""
    if digest not in _named_by(asked, of, reason):
        raise NotFound(kind="blob", id=digest)
    require_unerased(asked.office, digest)
    content = asked.office.blobs.read(digest)
    return Response(
        content,
        media_type=media_to_show(content),
        headers={"Content-Disposition": f'attachment; filename="{digest}"', "ETag": f'"{digest}"'},
    )


def _limit(rules: Rulebook, media: str) -> int:
    return max(kind.limit for kind in rules.evidence if media in kind.media)


def media_to_show(content: bytes) -> str:
    """The media type of what a browser may show; all else is bytes to it."""
    try:
        return check_media(content, ("image/jpeg", "image/png", "application/pdf"))
    except MediaRefused:
        return "application/octet-stream"


def _named_by(asked: Asked, of: str, reason: str) -> Collection[str]:
    kind = of.rsplit("-", 1)[0]
    if kind == "inspection":
        inspection = asked.office.workflow.load(Inspection, of)
        require_inspection(asked, inspection)
        return inspection.evidence
    with asked.views() as views:
        if kind == "violation":
            violation = found(get_violation(views, of), "violation", of)
            asked.require("violation.read", violation.region)
            return violation.digests
        if kind == "referral":
            referral = found(get_referral(views, of), "referral", of)
            asked.require("referral.read", referral.region)
            return (referral.document, referral.receipt)
        intake = found(get_intake(views, of), "import", of)
    asked.require("import.run", intake.region)
    if intake.kind in NAMING and not intake.erased:
        note_personal_reading(asked.office, asked.call(), [intake.id], region=intake.region, reason=reason)
    return (intake.original,)
