"""Time-stamps of checkpoints (RFC 3161): a time-stamp authority says that a checkpoint was there at a time.

The token is over the checkpoint's text, the bytes before the empty line with their last line end, by SHA-256.
It proves when, not that there was only one: that is what witnesses are for.
"""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.x509 import Certificate, ObjectIdentifier, load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from application.ports import Clock
from domain.errors import CertificateUnusable
from domain.ledger.errors import TokenInvalid
from infrastructure.courier import Post, Unanswered
from infrastructure.witnesses import TOLERANCE

QUERY: Final = "application/timestamp-query"
REPLY: Final = "application/timestamp-reply"
_SHA256: Final = ObjectIdentifier("2.16.840.1.101.3.4.2.1")


class TimestampRefused(Exception):
    """No token that could be kept; `reason` is a stable word or the code of what is wrong, `detail` what the
    reader of it said, for the log alone.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


class TimestampAuthority:
    """Asks one authority; its tokens must lead to one of the certificates, which are trusted roots."""

    def __init__(self, certificates: Sequence[Certificate], post: Post, clock: Clock) -> None:
        self.certificates = tuple(certificates)
        self._post, self._clock = post, clock

    def stamp(self, text: str) -> bytes:
        """The whole response over a checkpoint's text, verified. Raises `TimestampRefused`."""
        message = text.encode()
        builder = TimestampRequestBuilder().data(message).hash_algorithm(HashAlgorithm.SHA256)
        request = builder.nonce(nonce=True).cert_request(cert_request=True).build()
        try:
            reply = self._post.post(request.as_bytes(), QUERY)
            if reply.status != 200:
                raise TimestampRefused(str(reply.status))
            at = _verify(reply.body, message, self.certificates, request.nonce)
        except Unanswered as error:
            raise TimestampRefused(error.reason) from error
        except TokenInvalid as error:
            raise TimestampRefused(
                str(error.params["reason"]), str(error.params.get("detail", ""))
            ) from error
        if abs(at - self._clock.now().timestamp()) > TOLERANCE:
            raise TimestampRefused("clock")
        return reply.body

    def close(self) -> None:
        """Close the connection."""
        self._post.close()


def read_token(token: bytes, text: bytes, certificates: Sequence[Certificate]) -> int:
    """When a kept response says that a checkpoint's text was there, in seconds since 1970.

    The signer's certificate must be for time-stamping, valid then, and lead to one of the certificates.
    Raises TokenInvalid.
    """
    return _verify(token, text, certificates, None)


def load_certificates(file: Path | None) -> tuple[Certificate, ...]:
    """The trusted roots in a PEM file; `CertificateUnusable`."""
    if file is None:
        raise CertificateUnusable(path="", reason="missing")
    try:
        return tuple(load_pem_x509_certificates(file.read_bytes()))
    except OSError as error:
        raise CertificateUnusable(path=str(file), reason="missing") from error
    except ValueError as error:
        raise CertificateUnusable(path=str(file), reason="malformed") from error


def _verify(token: bytes, text: bytes, certificates: Sequence[Certificate], nonce: int | None) -> int:
    if not certificates:
        raise TokenInvalid(reason="no-certificate")
    response = _parse(token)
    if response.tst_info.message_imprint.hash_algorithm != _SHA256:
        raise TokenInvalid(reason="hash-algorithm")
    if response.tst_info.message_imprint.message != sha256(text).digest():
        raise TokenInvalid(reason="another-text")
    if nonce is not None and response.tst_info.nonce != nonce:
        raise TokenInvalid(reason="nonce")
    try:
        VerifierBuilder(roots=list(certificates)).build().verify(response, sha256(text).digest())
    except VerificationError as error:
        raise TokenInvalid(reason="signature", detail=str(error)) from error
    return int(response.tst_info.gen_time.timestamp())


def _parse(token: bytes) -> TimeStampResponse:
    """The response, if it grants a token: one that does not holds none to read."""
    try:
        response = decode_timestamp_response(token)
        if response.status != PKIStatus.GRANTED:
            raise TokenInvalid(reason="not-granted", status=response.status)
        response.tst_info  # noqa: B018 (reading it is the check)
    except TokenInvalid:
        raise
    except ValueError as error:
        raise TokenInvalid(reason="malformed", detail=str(error)) from error
    return response
