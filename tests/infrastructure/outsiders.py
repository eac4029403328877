"""Outsiders on loopback: a witness that can be down, slow or lying, and a time-stamp authority by openssl."""

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from typing import NamedTuple

from application.ports import Clock
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.cosignature import WitnessKey, WitnessSigningKey
from domain.ledger.errors import (
    LedgerError,
    OriginUnknown,
    ProofRefused,
    RootConflict,
    SizeConflict,
    SubmissionMalformed,
)
from domain.ledger.note import Note, VerifierKey
from domain.ledger.policy import TrustedWitness
from domain.ledger.submission import SIZE_TYPE, judge, open_submission
from tests.infrastructure.ledger_samples import KEY
from tests.programs import program


class Answer(NamedTuple):
    """What a server says."""

    status: int
    body: bytes
    media: str = "text/plain; charset=utf-8"


Lie = Callable[[bytes], Answer]
"""Answers a body instead of the honest witness."""


class KeptWitness:
    """A witness in memory that keeps all it saw: `seen` is every checkpoint that it cosigned."""

    def __init__(self, name: str, clock: Clock, keys: Sequence[VerifierKey] = (KEY.verifier,)) -> None:
        self.key = WitnessSigningKey(name, name.encode().ljust(32, b"w")[:32])
        self.clock = clock
        self.logs: dict[str, Sequence[VerifierKey]] = {keys[0].name: keys}
        self.held: Checkpoint | None = None
        self.seen: dict[int, set[bytes]] = {}
        self.lie: Lie | None = None
        self.asked = 0
        self._lock = Lock()

    def answer(self, body: bytes) -> Answer:
        """What it says to a submission."""
        with self._lock:
            self.asked += 1
        if self.lie is not None:
            return self.lie(body)
        with self._lock:
            try:
                submission, checkpoint = open_submission(body, self.logs)
                judge(submission, checkpoint, self.held)
            except LedgerError as error:
                return self._refusal(error)
            self.held = checkpoint
            self.seen.setdefault(checkpoint.size, set()).add(checkpoint.root)
            return Answer(200, self.cosign(submission.note))

    def cosign(self, note: bytes, *, at: int | None = None) -> bytes:
        """Its line for a note."""
        moment = int(self.clock.now().timestamp()) if at is None else at
        return f"{self.key.cosign(Note.parse(note).text, moment).encode()}\n".encode()

    def _refusal(self, error: LedgerError) -> Answer:
        if isinstance(error, SizeConflict | RootConflict):
            size = self.held.size if self.held else 0
            return Answer(409, f"{size}\n".encode(), SIZE_TYPE)
        kinds = {OriginUnknown: 404, ProofRefused: 422, SubmissionMalformed: 400}
        return Answer(kinds.get(type(error), 403), b"no\n")


class Outsider:
    """A server on a free port of 127.0.0.1; `stall` holds every answer back while it is set."""

    def __init__(self, answer: Callable[[bytes], Answer]) -> None:
        self.stall, self.free = Event(), Event()
        self.requests: list[tuple[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, answer))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it; its port refuses from now on."""
        self.free.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(outsider: Outsider, answer: Callable[[bytes], Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Answer a body."""
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            outsider.requests.append((self.path, self.headers.get("Content-Type", "")))
            if outsider.stall.is_set():
                outsider.free.wait(30)
            said = answer(body)
            self.send_response(said.status)
            self.send_header("Content-Type", said.media)
            self.send_header("Content-Length", str(len(said.body)))
            if said.status in (301, 302, 307, 308):
                self.send_header("Location", said.body.decode())
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def serving_witness(witness: KeptWitness) -> Iterator[Outsider]:
    """The witness behind HTTP until the end of the block."""
    outsider = Outsider(witness.answer)
    try:
        yield outsider
    finally:
        outsider.close()


def trusted(witness: KeptWitness, url: str) -> TrustedWitness:
    """The witness as a trust policy names it."""
    return TrustedWitness(witness.key.name, WitnessKey.parse(witness.key.verifier.encode()), url)


def policy_text(witnesses: Mapping[KeptWitness, str], quorum: str = "") -> str:
    """A policy file with these witnesses and addresses; the quorum is all of them unless it is named."""
    names = [one.key.name for one in witnesses]
    lines = [f"witness {one.key.name} {one.key.verifier.encode()} {url}" for one, url in witnesses.items()]
    if not quorum:
        lines.append(f"group everyone all {' '.join(names)}")
    return "\n".join([*lines, f"quorum {quorum or 'everyone'}", ""])


class StampAuthority:
    """A time-stamp authority by `openssl ts`, with keys made in a folder; `root` is its root's PEM file."""

    def __init__(self, folder: Path) -> None:
        self._openssl = program("openssl")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.root = folder, folder / "root.pem"
        self.asked = 0
        self._lock = Lock()
        (folder / "ts.cnf").write_text(_CONFIGURATION.format(folder=folder))
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        self._run("req", "-x509", *key, "-days", "30", "-subj", "/CN=root", "-keyout", "root.key", *_OUT)
        self._run("req", *key, "-subj", "/CN=authority", "-keyout", "tsa.key", "-out", "tsa.csr")
        signer = ("-CA", "root.pem", "-CAkey", "root.key", "-days", "30", "-set_serial", "2")
        use = ("-extfile", "ts.cnf", "-extensions", "stamping", "-out", "tsa.pem")
        self._run("x509", "-req", "-in", "tsa.csr", *signer, *use)
        (folder / "serial").write_text("01\n")

    def answer(self, query: bytes) -> Answer:
        """The reply to a query."""
        with self._lock:
            self.asked += 1
            (self.folder / "query.tsq").write_bytes(query)
            self._run("ts", "-reply", "-config", "ts.cnf", "-queryfile", "query.tsq", "-out", "reply.tsr")
            return Answer(200, (self.folder / "reply.tsr").read_bytes(), "application/timestamp-reply")

    def _run(self, *words: str) -> None:
        subprocess.run([self._openssl, *words], cwd=self.folder, check=True, capture_output=True)


_OUT = ("-out", "root.pem")
_CONFIGURATION = """
[ req ]
distinguished_name = name
[ name ]
[ stamping ]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
[ tsa ]
default_tsa = authority
[ authority ]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
"""
