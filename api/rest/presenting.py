"""How answers to questions look: single things with an ETag, lists in pages with opaque cursors."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Protocol, TypeVar
from urllib.parse import urlencode

import msgspec
from fastapi import Query, Request, Response

from api.problems import CursorWrong
from api.rest.commands import etag
from domain.errors import NotFound

JSON: Final = "application/json"
MOST: Final = 200
_CURSOR: Final = re.compile(rb"i([0-9]{1,18})")
_TAG: Final = re.compile(r'(?:W/)?"([^"]*)"')

T = TypeVar("T")


class Indexed(Protocol):
    """A row of a read model: `idx` is its place in the log, by which lists are ordered."""

    @property
    def idx(self) -> int: ...


R = TypeVar("R", bound=Indexed)


class Page:
    """Which page of a list is asked for: a dependency with the two query parameters of all lists."""

    def __init__(
        self,
        request: Request,
        after: Annotated[
            str, Query(description="The cursor of the page before, as `next` gave it.", max_length=100)
        ] = "",
        limit: Annotated[int, Query(ge=1, le=MOST, description="The most rows of the page.")] = 50,
    ) -> None:
        self._request = request
        self.limit = limit
        self.after = read_cursor(after) if after else None

    @property
    def one_more(self) -> int:
        """How many rows to ask for, so that it is known whether there is a next page."""
        return self.limit + 1

    def show(self, rows: Sequence[R], present: Callable[[R], Any] | None = None) -> Response:
        """The page: `items`, and `next` with its cursor if there is more; `Link: rel="next"` as well."""
        shown, more = rows[: self.limit], len(rows) > self.limit
        cursor = write_cursor(shown[-1].idx) if more else None
        items = [present(row) for row in shown] if present else shown
        headers = {"Link": f'<{self._next(cursor)}>; rel="next"'} if cursor else {}
        return show({"items": items, "next": cursor}, headers=headers)

    def _next(self, cursor: str) -> str:
        others = [(k, v) for k, v in self._request.query_params.multi_items() if k != "after"]
        return f"{self._request.url.path}?{urlencode([*others, ('after', cursor)])}"


def show(value: Any, *, headers: dict[str, str] | None = None, status: int = 200) -> Response:
    """A value as JSON."""
    return Response(msgspec.json.encode(value), status, headers, JSON)


def show_one(request: Request, value: Any, version: int) -> Response:
    """A single thing with its ETag; 304 where the caller has it already.

    Never 304 for what refers to an erased person: the erasure is no new version of the thing itself.
    """
    tag = etag(version)
    if not getattr(value, "erased", False) and matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers={"ETag": tag, "Cache-Control": "no-cache"})
    return show(value, headers={"ETag": tag, "Cache-Control": "no-cache"})


def matches(if_none_match: str, tag: str) -> bool:
    """Whether an If-None-Match names the tag (RFC 9110: compared weakly)."""
    if if_none_match.strip() == "*":
        return True
    return tag.strip('"') in _TAG.findall(if_none_match)


def found(value: T | None, kind: str, id: str) -> T:
    """The value, or `NotFound`."""
    if value is None:
        raise NotFound(kind=kind, id=id)
    return value


def write_cursor(idx: int) -> str:
    """The cursor after the row at a place of the log."""
    return urlsafe_b64encode(f"i{idx}".encode()).decode().rstrip("=")


def read_cursor(value: str) -> int:
    """The place in the log that a cursor stands for; `CursorWrong`."""
    try:
        raw = urlsafe_b64decode(value.encode() + b"=" * (-len(value) % 4))
    except ValueError as error:
        raise CursorWrong(value=value) from error
    match = _CURSOR.fullmatch(raw)
    if match is None or write_cursor(int(match[1])) != value:
        raise CursorWrong(value=value)
    return int(match[1])
