"""Checkpoints and cosignatures under openssl, which knows nothing of notes: it is handed bytes."""

from __future__ import annotations

import re
import time
from base64 import b64decode, b64encode
from pathlib import Path
from subprocess import run

import pytest
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.cosignature import WitnessSigningKey, add_signatures
from domain.ledger.errors import TokenInvalid
from domain.ledger.note import SigningKey
from infrastructure.timestamps import load_certificates, read_token
from tests.domain.ledger.examples import PAGE
from tests.domain.ledger.vectors import NAMES, load
from tests.infrastructure.outsiders import StampAuthority
from tests.programs import program

KEY = SigningKey("sunlot.example/140100", bytes(range(32)))
WITNESS = WitnessSigningKey("jiwei.example/w1", b"w" * 32)
AT = 1_795_480_923
NOTE = add_signatures(
    sign_checkpoint(Checkpoint(KEY.name, 7, bytes(32)), KEY),
    [WITNESS.cosign(Checkpoint(KEY.name, 7, bytes(32)).text(), AT)],
)
PUBLIC = bytes.fromhex("302a300506032b6570032100")
"""RFC 8410: what stands before the 32 bytes of an Ed25519 public key in a SubjectPublicKeyInfo."""
PRIVATE = bytes.fromhex("302e020100300506032b657004220420")
"""RFC 8410: what stands before the 32 bytes of a seed in a PrivateKeyInfo."""


def pem(kind: str, der: bytes) -> bytes:
    return f"-----BEGIN {kind} KEY-----\n{b64encode(der).decode()}\n-----END {kind} KEY-----\n".encode()


def public_pem(vkey: str) -> bytes:
    return pem("PUBLIC", PUBLIC + b64decode(vkey.split("+", 2)[2])[1:])


def signature_bytes(note: bytes, name: str) -> bytes:
    """The signature of a line without the key id, taken from the note without our reader."""
    (line,) = [line for line in note.decode().split("\n") if line.startswith(f"— {name} ")]
    return b64decode(line.rpartition(" ")[2])[4:]


def note_text(note: bytes) -> bytes:
    return note.rpartition(b"\n\n")[0] + b"\n"


def accepts(folder: Path, vkey: str, signature: bytes, message: bytes) -> bool:
    for name, data in (("key.pem", public_pem(vkey)), ("sig", signature), ("message", message)):
        (folder / name).write_bytes(data)
    command = [
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "key.pem",
        "-rawin",
        "-in",
        "message",
        "-sigfile",
        "sig",
    ]
    done = run([program("openssl"), *command], cwd=folder, capture_output=True, text=True, timeout=60)
    assert ("Verified Successfully" in done.stdout) == (done.returncode == 0), done.stderr
    return done.returncode == 0


def test_openssl_verifies_the_logs_signature_on_a_checkpoint(tmp_path: Path) -> None:
    vkey, signature = KEY.verifier.encode(), signature_bytes(NOTE, KEY.name)
    assert accepts(tmp_path, vkey, signature, note_text(NOTE))
    assert not accepts(tmp_path, vkey, signature, note_text(NOTE).replace(b"7", b"8"))
    assert not accepts(tmp_path, vkey, signature, note_text(NOTE)[:-1])
    assert not accepts(tmp_path, WITNESS.verifier.encode(), signature, note_text(NOTE))


def test_openssl_verifies_a_witness_cosignature(tmp_path: Path) -> None:
    vkey, line = WITNESS.verifier.encode(), signature_bytes(NOTE, WITNESS.name)
    at, signature = int.from_bytes(line[:8], "big"), line[8:]
    assert at == AT
    assert accepts(tmp_path, vkey, signature, b"cosignature/v1\ntime %d\n%b" % (at, note_text(NOTE)))
    assert not accepts(tmp_path, vkey, signature, b"cosignature/v1\ntime %d\n%b" % (at + 1, note_text(NOTE)))
    assert not accepts(tmp_path, vkey, signature, note_text(NOTE))


@pytest.mark.parametrize("name", NAMES)
def test_openssl_verifies_the_published_vectors(tmp_path: Path, name: str) -> None:
    vector = load(name)
    note, vkey = vector.read("tiles/checkpoint"), vector.vkey()
    assert accepts(tmp_path, vkey, signature_bytes(note, vkey.split("+")[0]), note_text(note))


def test_the_pages_commands_check_a_kept_time_stamp_as_our_reader_does(tmp_path: Path) -> None:
    program("openssl")
    (commands,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    note, authority = load("n7").read("tiles/checkpoint"), StampAuthority(tmp_path / "authority")
    request = TimestampRequestBuilder().data(note_text(note)).hash_algorithm(HashAlgorithm.SHA256).build()
    token = authority.answer(request.as_bytes()).body
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "authority.pem").write_bytes(authority.root.read_bytes())
    for kept, agrees in ((note, True), (note.replace(b"\n7\n", b"\n8\n"), False)):
        (tmp_path / "checkpoints" / "7").write_bytes(kept)
        (tmp_path / "checkpoints" / "7.tsr").write_bytes(token)
        done = run(["sh", "-euc", commands], cwd=tmp_path, capture_output=True, timeout=60)
        assert (tmp_path / "text").read_bytes() == note_text(kept)
        assert (done.returncode == 0) == agrees
    roots = load_certificates(authority.root)
    assert abs(read_token(token, note_text(note), roots) - time.time()) < 60
    with pytest.raises(TokenInvalid):
        read_token(token, note_text(note).replace(b"7", b"8"), roots)


def test_openssl_signs_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(pem("PRIVATE", PRIVATE + KEY.seed))
    (tmp_path / "text").write_bytes(note_text(NOTE))
    command = ["pkeyutl", "-sign", "-inkey", "key.pem", "-rawin", "-in", "text", "-out", "sig"]
    run([program("openssl"), *command], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    assert (tmp_path / "sig").read_bytes() == signature_bytes(NOTE, KEY.name)
