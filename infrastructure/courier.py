"""Sends a body to one configured address, and to no other: no redirect, no proxy of the environment.

An answer is bounded in size and time, whatever the other side does.
"""

from threading import Lock, Timer
from time import monotonic
from typing import Final, NamedTuple, Protocol
from urllib.parse import urlsplit

import httpx2

SECONDS: Final = 10.0
LIMIT: Final = 100_000
AGENT: Final = "sunlot"


class Unanswered(Exception):
    """No answer that could be used; `reason` is a stable word: timeout, unreachable, too-large."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Reply(NamedTuple):
    """An answer: its status, media type without parameters, and body."""

    status: int
    media: str
    body: bytes


class Post(Protocol):
    """What carries a request, such as `Courier`."""

    def post(self, body: bytes, media: str) -> Reply:
        """The answer; raises `Unanswered`."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


class Courier:
    """Posts to one address over a connection that is kept. Threads take turns.

    `seconds` is for the whole exchange, `limit` the most bytes of an answer.
    """

    def __init__(self, url: str, *, seconds: float = SECONDS, limit: int = LIMIT) -> None:
        self.url = url
        self._seconds, self._limit = seconds, limit
        self._turn = Lock()
        self._client: httpx2.Client | None = None

    def post(self, body: bytes, media: str) -> Reply:
        """Post a body of a media type. Raises `Unanswered`."""
        end = monotonic() + self._seconds
        if not self._turn.acquire(timeout=self._seconds):
            raise Unanswered("timeout")
        try:
            return self._again(body, media, end)
        except httpx2.TimeoutException as error:
            raise Unanswered("timeout") from error
        except httpx2.HTTPError as error:
            # A connection that the watch below has cut fails in one of many ways.
            raise Unanswered("timeout" if monotonic() >= end else "unreachable") from error
        finally:
            self._turn.release()

    def close(self) -> None:
        """Close the connection; what is under way fails."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _again(self, body: bytes, media: str, end: float) -> Reply:
        """Once more where a connection that was kept had ended meanwhile."""
        kept = self._client is not None
        try:
            return self._post(body, media, end)
        except (httpx2.NetworkError, httpx2.RemoteProtocolError):
            self.close()
            if not kept or monotonic() >= end:
                raise
            return self._post(body, media, end)

    def _post(self, body: bytes, media: str, end: float) -> Reply:
        client = self._client = self._client or _client(self._seconds)
        headers = {"Content-Type": media, "User-Agent": AGENT, "Accept-Encoding": "identity"}
        # Timeouts are for single reads: one byte now and then would pass them for ever.
        watch = Timer(max(0.0, end - monotonic()), self.close)
        watch.daemon = True
        watch.start()
        try:
            with client.stream("POST", self.url, content=body, headers=headers) as answer:
                content = self._read(answer, end)
                media = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
                return Reply(answer.status_code, media, content)
        finally:
            watch.cancel()

    def _read(self, answer: httpx2.Response, end: float) -> bytes:
        content = bytearray()
        for piece in answer.iter_raw():
            content += piece
            if len(content) > self._limit:
                raise Unanswered("too-large")
            if monotonic() >= end:
                raise Unanswered("timeout")
        return bytes(content)


def is_address(url: str) -> bool:
    """Whether a configured address can be one: http or https, a host, no user, no query, no fragment."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = not (parts.username or parts.password or parts.query or parts.fragment or port == 0)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and plain and url.isascii()


def _client(seconds: float) -> httpx2.Client:
    return httpx2.Client(
        timeout=seconds,
        trust_env=False,
        follow_redirects=False,
        limits=httpx2.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=300.0),
    )
