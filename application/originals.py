"""Kept files that were erased with a person whom they name: never read again, never taken in again."""

from application.office import Office
from domain.errors import BlobErased
from domain.intake import Intake

CLAIM = "erased-blob"
"""The kind of claim that an erased original leaves; its key is the digest, a slash and the import."""


def require_unerased(office: Office, digest: str) -> None:
    """`BlobErased`, with day and ground, if the file of that digest was erased."""
    for _, stream in office.claims.keys(CLAIM, f"{digest}/"):
        intake = office.workflow.load(Intake, stream)
        raise BlobErased(digest=digest, erased_on=intake.erased_on, ground=intake.erased_ground)


def erased_digests(office: Office) -> set[str]:
    """The digests of all files that must be gone."""
    return {key.partition("/")[0] for key, _ in office.claims.keys(CLAIM)}
