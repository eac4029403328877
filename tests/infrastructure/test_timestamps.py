"""Time-stamps by an authority of our own (`openssl ts`): what is kept, and what is refused."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rfc3161_client import TimestampRequestBuilder

from domain.errors import CertificateUnusable
from domain.ledger.errors import TokenInvalid
from infrastructure.clock import SystemClock
from infrastructure.courier import Courier
from infrastructure.timestamps import (
    QUERY,
    TimestampAuthority,
    TimestampRefused,
    load_certificates,
    read_token,
)
from tests.fakes import FakeClock
from tests.infrastructure.outsiders import Answer, Outsider, StampAuthority

TEXT = "sunlot.example/140100\n7\n34KuFvlTex/o1f8kWvL6rzmwyhJdOY3MIxf9Au2rc7E=\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> StampAuthority:
    return StampAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server(authority: StampAuthority) -> Iterator[Outsider]:
    server = Outsider(authority.answer)
    yield server
    server.close()


def client(server: Outsider, authority: StampAuthority) -> TimestampAuthority:
    return TimestampAuthority(
        load_certificates(authority.root), Courier(server.url, seconds=5), SystemClock()
    )


def test_a_token_says_when_the_text_was_there(server: Outsider, authority: StampAuthority) -> None:
    token = client(server, authority).stamp(TEXT)
    at = read_token(token, TEXT.encode(), load_certificates(authority.root))
    assert abs(at - datetime.now(UTC).timestamp()) < 30
    assert server.requests == [("/", QUERY)]


def test_openssl_agrees(server: Outsider, authority: StampAuthority, tmp_path: Path) -> None:
    (tmp_path / "kept.tsr").write_bytes(client(server, authority).stamp(TEXT))
    (tmp_path / "text").write_text(TEXT)
    verify = ["openssl", "ts", "-verify", "-in", "kept.tsr", "-data", "text", "-CAfile", str(authority.root)]
    assert subprocess.run(verify, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "text").write_text(f"{TEXT}\n")
    assert subprocess.run(verify, cwd=tmp_path, capture_output=True, check=False).returncode != 0


def test_what_proves_another_thing_is_refused(
    server: Outsider, authority: StampAuthority, tmp_path: Path
) -> None:
    token, roots = client(server, authority).stamp(TEXT), load_certificates(authority.root)
    others = load_certificates(StampAuthority(tmp_path / "other").root)
    spoilt = bytearray(token)
    spoilt[-5] ^= 1
    cases = [
        (token, f"{TEXT}\n".encode(), roots, "another-text"),
        (token, TEXT.encode(), others, "signature"),
        (token, TEXT.encode(), (), "no-certificate"),
        (bytes(spoilt), TEXT.encode(), roots, "signature"),
        (token[:-1], TEXT.encode(), roots, "malformed"),
        (b"", TEXT.encode(), roots, "malformed"),
    ]
    for given, text, certificates, reason in cases:
        with pytest.raises(TokenInvalid) as refusal:
            read_token(given, text, certificates)
        assert refusal.value.params["reason"] == reason


def test_an_answer_to_another_request_is_refused(server: Outsider, authority: StampAuthority) -> None:
    earlier = TimestampRequestBuilder().data(TEXT.encode()).build()
    replayed = authority.answer(earlier.as_bytes())
    lying = Outsider(lambda _: replayed)
    try:
        with pytest.raises(TimestampRefused) as refusal:
            client(lying, authority).stamp(TEXT)
    finally:
        lying.close()
    assert refusal.value.reason == "hash-algorithm"  # the library asks for SHA-512 unless it is told


def test_a_nonce_of_another_request_is_refused(authority: StampAuthority) -> None:
    own = client(Outsider(authority.answer), authority).stamp(TEXT)
    lying = Outsider(lambda _: Answer(200, own))
    try:
        with pytest.raises(TimestampRefused) as refusal:
            client(lying, authority).stamp(TEXT)
    finally:
        lying.close()
    assert refusal.value.reason == "nonce"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(500, b""), "500"),
        (Answer(200, b"garbage"), "malformed"),
        (Answer(200, b"x" * 200_000), "too-large"),
        # PKIStatusInfo: rejection, and no token.
        (Answer(200, bytes.fromhex("30053003020102")), "not-granted"),
    ],
)
def test_no_token_is_told(authority: StampAuthority, answer: Answer, reason: str) -> None:
    lying = Outsider(lambda _: answer)
    try:
        with pytest.raises(TimestampRefused) as refusal:
            client(lying, authority).stamp(TEXT)
    finally:
        lying.close()
    assert refusal.value.reason == reason
    assert ("ASN.1" in refusal.value.detail) == (reason == "malformed")


def test_an_authority_with_another_time_is_not_believed(server: Outsider, authority: StampAuthority) -> None:
    late = TimestampAuthority(load_certificates(authority.root), Courier(server.url), FakeClock())
    with pytest.raises(TimestampRefused) as refusal:
        late.stamp(TEXT)
    assert refusal.value.reason == "clock"


@pytest.mark.parametrize(("content", "reason"), [(None, "missing"), (b"nothing", "malformed")])
def test_a_file_without_certificates_cannot_be_used(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    file = tmp_path / "root.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CertificateUnusable) as refusal:
        load_certificates(file)
    assert refusal.value.facts == {"path": str(file), "reason": reason}
