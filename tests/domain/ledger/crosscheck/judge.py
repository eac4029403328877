"""Go's golang.org/x/mod/sumdb as a judge: our small program around it, compiled and asked."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import run
from typing import Any

from domain.ledger.tiles import encode_bundle
from tests.programs import folder, program

SOURCES = Path(__file__).parent
GOCODE = "/usr/share/gocode"


class Refused(Exception):
    """What the program says where something does not verify."""


class Judge:
    """The compiled program. Hashes are bytes here and base64 on the way."""

    def __init__(self, path: Path, entries: Sequence[bytes]) -> None:
        self._program = str(path / "crosscheck")
        self._entries = str(path / "entries")
        (path / "entries").write_bytes(encode_bundle(entries))
        files = [str(file) for file in sorted(SOURCES.glob("*.go"))]
        go(path, "build", "-o", self._program, *files)

    def ask(self, question: str, about: object) -> Any:
        """The answer as JSON has it. Raises Refused."""
        done = run(
            [self._program, question], input=json.dumps(about), capture_output=True, text=True, timeout=60
        )
        if done.returncode:
            raise Refused(done.stderr.strip())
        return json.loads(done.stdout)

    def roots(self, sizes: Sequence[int]) -> list[bytes]:
        """The roots of the log's first entries."""
        return [b64decode(root) for root in self.ask("roots", {"entries": self._entries, "sizes": sizes})]

    def proofs(self, question: str, pairs: Sequence[tuple[int, int]]) -> list[list[bytes]]:
        """The proofs ("records" of index and size, "trees" of old and new size) that Go makes of the log."""
        answer = self.ask(question, {"entries": self._entries, "pairs": pairs})
        return [decoded(proof) for proof in answer]

    def tiles(self, pairs: Sequence[tuple[int, int]]) -> list[dict[str, bytes]]:
        """The hash tiles that Go publishes as the log grows from old to new."""
        answer = self.ask("tiles", {"entries": self._entries, "pairs": pairs})
        return [{path: b64decode(data) for path, data in files.items()} for files in answer]


def go(cache: Path, *arguments: str) -> str:
    """Run the Go tool on Debian's sources alone, without modules and without a network."""
    command = [program("go"), *arguments]
    gopath = str(folder(GOCODE + "/src/golang.org/x/mod/sumdb", "golang-golang-x-mod-dev")).partition(
        "/src/"
    )[0]
    settings = {
        "GO111MODULE": "off",
        "GOPATH": gopath,
        "GOFLAGS": "",
        "GOPROXY": "off",
        "GOTOOLCHAIN": "local",
    }
    settings |= {"GOCACHE": str(cache / "go-build"), "CGO_ENABLED": "0", "HOME": str(cache)}
    done = run(command, env={**os.environ, **settings}, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout


def decoded(proof: Sequence[str] | None) -> list[bytes]:
    """A list of hashes; Go writes an empty one as null."""
    return [b64decode(digest) for digest in proof or []]


def encoded(**parts: object) -> Mapping[str, object]:
    """A claim for `ask`: bytes, and lists of them, as base64."""
    return {name: _encode(part) for name, part in parts.items()}


def _encode(part: object) -> object:
    if isinstance(part, bytes):
        return b64encode(part).decode()
    return [_encode(one) for one in part] if isinstance(part, list | tuple) else part
