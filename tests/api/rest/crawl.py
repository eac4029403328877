"""Everything that somebody can fetch: all GET routes of the description, with all ids that he comes across.

    found = Crawl(service, person).run()
    found["/api/v1/sites?region=140105"]      # (status, headers that tell something, body)

It starts from nothing but the public description, takes ids out of answers and follows them, tries every
filter and follows cursors. What is packed is unpacked.
"""

import re
from collections.abc import Iterator, Mapping
from gzip import decompress
from itertools import product
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from tests.api.rest.service import Person, Service

_ID: Final = re.compile(r"[a-z]+(?:-[a-z]+)*-[0-9a-f]{32}")
_NEXT: Final = re.compile(r'"next":"([^"]+)"')
_TOLD: Final = ("etag", "link", "content-type", "content-length", "allow", "sunlot-position")
_SKIPPED: Final = ("/openapi.json", "/docs", "/metrics", "/livez", "/readyz", "/api/v1/accesses/table")
ABSENT: Final = "0" * 32

WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "region": ("140100", "140105", "140106"),
    "period": ("2024Q2",),
    "quarter": ("2024Q2", "2024Q3"),
    "year": ("2024",),
    "code": ("TY-01",),
    "edition": ("1",),
    "figure": ("drawn", "pending", "void", "replacements", "inspected", "due"),
    "status": ("", "listed", "assigned", "void", "completed", "opened"),
    "stratum": ("key", "general"),
    "step": ("open", "approve", "review", "done", "void"),
    "mine": ("true",),
    "ended": ("true",),
    "newest_first": ("true",),
    "recusal_pending": ("true",),
    "text": ("晴川",),
    "reason": ("好奇",),
    "name": ("sample.jsonl", "teams.jsonl", "pool.jsonl", "frame.jsonl", "seed.json", "rules.json"),
    "old": ("3",),
    "new": ("7",),
    "size": ("1",),
    "idx": ("1", "30", "50"),
    "path": ("0/000", "entries/000"),
    "warning": ("re-roll",),
    "limit": ("1",),
    "wait": ("0",),
    "digest": (ABSENT * 2,),
}
"""Values of parameters that are no ids."""

TIMELINE: Final = "/api/v1/timeline"
"""The one history that more than auditors may ask for: of the others one of each kind is tried."""

_KINDS: Final = {"sites": "site", "inspectors": "inspector", "persons": "person", "accounts": "account"} | {
    one: one.removesuffix("s")
    for one in ("items", "plans", "draws", "assignments", "inspections", "violations", "referrals", "imports")
}


class Seen(NamedTuple):
    """An answer: its status, the headers that may tell something, and its body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Crawl:
    """One person's walk. `uscc` are enterprises that anybody may ask about."""

    def __init__(self, service: Service, person: Person, *, usccs: tuple[str, ...] = ()) -> None:
        self._person, self._usccs = person, usccs
        self._paths = service.http.get("/openapi.json").json()["paths"]
        self._ids: set[str] = set()
        self.found: dict[str, Seen] = {}

    def run(self) -> dict[str, Seen]:
        """All answers by their address, once nothing new is found."""
        while True:
            known = len(self._ids), len(self.found)
            for template, methods in self._paths.items():
                if "get" in methods and template not in _SKIPPED:
                    for address in self._addresses(template, methods["get"]):
                        self._fetch(address)
            if known == (len(self._ids), len(self.found)):
                return self.found

    def _fetch(self, address: str) -> None:
        if address in self.found:
            return
        seen = self._ask(address)
        self.found[address] = seen
        text = seen.body.decode("utf-8", "replace")
        self._ids.update(_ID.findall(text))
        if seen.status == 200 and (cursor := _NEXT.search(text)) and "limit=1" in address:
            base = address.split("&after=")[0]
            self._fetch(f"{base}&{urlencode({'after': cursor[1]})}")

    def _ask(self, address: str) -> Seen:
        answer = self._person.page(address)
        headers = tuple((name, answer.headers[name]) for name in _TOLD if name in answer.headers)
        body = answer.content
        return Seen(answer.status_code, headers, decompress(body) if body.startswith(b"\x1f\x8b") else body)

    def _addresses(self, template: str, operation: Mapping[str, Any]) -> Iterator[str]:
        parameters = operation.get("parameters", [])
        names = [one["name"] for one in parameters if one["in"] == "path"]
        for values in product(*(self._path_values(template, name) for name in names)):
            address = template
            for name, value in zip(names, values, strict=True):
                address = address.replace(f"{{{name}}}", value)
            required = {
                one["name"]: self._query_values(one["name"])[0]
                for one in parameters
                if one["in"] == "query" and one.get("required")
            }
            yield _with(address, required)
            if not names or "statistics" in template:
                yield from self._filtered(address, parameters, required)

    def _filtered(
        self, address: str, parameters: list[dict[str, Any]], required: Mapping[str, str]
    ) -> Iterator[str]:
        for one in parameters:
            if one["in"] == "query" and one["name"] not in ("cursor", "after"):
                for value in self._query_values(one["name"]):
                    yield _with(address, {**required, one["name"]: value})

    def _path_values(self, template: str, name: str) -> list[str]:
        if name == "id" and "/streams/" in template:
            return list({one.rsplit("-", 1)[0]: one for one in sorted(self._ids)}.values())
        if name == "id" or (name == "inspection" and "results" in template):
            kind = _KINDS.get(template.split("/")[-3 if template.count("{") > 1 else -2], "")
            kind = kind or next((_KINDS[part] for part in template.split("/") if part in _KINDS), "")
            ids = [one for one in self._ids if one.rsplit("-", 1)[0] == kind or not kind]
            return [*sorted(ids), f"{kind or 'draw'}-{ABSENT}"]
        if name in ("subject", "correlation_id") and not template.startswith(TIMELINE):
            return [*{one.rsplit("-", 1)[0]: one for one in sorted(self._ids)}.values(), *self._usccs[:1]]
        if name in ("subject", "correlation_id"):
            return [*sorted(self._ids), *self._usccs, f"draw-{ABSENT}"]
        return list(WORDS.get(name, sorted(self._ids)[:3]))

    def _query_values(self, name: str) -> list[str]:
        if name in WORDS:
            return list(WORDS[name])
        if name == "uscc":
            return list(self._usccs) or ["x"]
        kinds = {"site": "site", "draw": "draw", "plan": "plan", "of": "inspection", "subject": "draw"}
        kind = kinds.get(name, "")
        return [one for one in sorted(self._ids) if kind and one.startswith(f"{kind}-")] or [f"draw-{ABSENT}"]


def _with(address: str, query: Mapping[str, str]) -> str:
    return f"{address}?{urlencode(query)}" if query else address
