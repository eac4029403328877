"""What a route says of itself for the documentation: what it answers, and under which heading it stands."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

F = TypeVar("F", bound=Callable[..., Any])

_MARK: Final = "__sunlot_answer__"

TAGS: Final = (
    ("sessions", "登录 Signing in and out: a login name and password for a bearer token."),
    ("accounts", "账号 Accounts, their roles in regions, and tokens for machines."),
    ("rulebook", "规则手册 The rules in force, with their sources, and their adoption."),
    ("items", "抽查事项 Items: what may be inspected, on which legal basis, in versions."),
    ("catalogue", "抽查事项清单 The published editions of a region's items."),
    ("sites", "检查对象 The registry of sites."),
    ("inspectors", "执法检查人员 The registry of inspectors and experts; names lie in the vault."),
    ("persons", "个人信息 Personal data: how long it is kept, and its erasure by two people."),
    ("imports", "导入 Registries, items and plans from XLSX or CSV, all or nothing; templates."),
    ("blobs", "文件 Files by their SHA-256: photos, letters, receipts."),
    ("plans", "年度计划 Yearly plans and their rows: draft, submit, approve, publish."),
    ("draws", "抽取 Draws: announce, commit, seal, reveal, public value, complete, open."),
    ("assignments", "派单 What the lot decided: sites with their teams; recusals and void sites."),
    ("recusals", "事前回避 Recusals declared before a draw, and the visits an enterprise was told of."),
    ("inspections", "检查 One visit of one site, step by step, to its publication."),
    ("violations", "违法违规台账 Findings to be closed: order, submission, verification, closing."),
    ("rechecks", "销号复核 Closed violations drawn again by lot, and what their teams found."),
    ("referrals", "移送 Matters of other departments: letter, receipt, reply."),
    ("worklist", "工作清单 What an inspector has to do next, and what waits for a leader."),
    ("statistics", "统计 Quarters and years; each figure opens the list behind it."),
    ("history", "历史 Timelines, replay of streams, subjects and requests, the feed of events."),
    ("ledger", "账本 Checkpoint, tiles and receipts of the audit ledger (C2SP tlog-tiles)."),
    ("public", "公开 What everybody may see, without signing in."),
    ("health", "运行状态 Is the service alive, ready, and how is it doing."),
)


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a route answers: a value of `kind`, a page of them, a command's answer, or a file."""

    kind: Any = None
    page: bool = False
    command: bool = False
    also: dict[str, Any] = {}
    media: str = "application/json"
    etag: bool = False


def shows(kind: Any, *, etag: bool = False) -> Callable[[F], F]:
    """The route answers one value; `etag`: with an ETag, so that If-None-Match works."""
    return _marking(Shown(kind=kind, etag=etag))


def lists(kind: Any) -> Callable[[F], F]:
    """The route answers a page of rows."""
    return _marking(Shown(kind=kind, page=True))


def does(**also: Any) -> Callable[[F], F]:
    """The route is a command; `also` are examples of what its answer holds beside id, version, position."""
    return _marking(Shown(command=True, also=also))


def gives(media: str) -> Callable[[F], F]:
    """The route answers a file of that media type."""
    return _marking(Shown(media=media))


def shown_by(route: Callable[..., Any]) -> Shown | None:
    """What a route says that it answers, or None."""
    found: Shown | None = getattr(route, _MARK, None)
    return found


def _marking(shown: Shown) -> Callable[[F], F]:
    def mark(route: F) -> F:
        setattr(route, _MARK, shown)
        return route

    return mark
