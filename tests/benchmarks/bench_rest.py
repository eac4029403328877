"""Commands and readings over REST: a serving process of its own, asked by eight clients on loopback.

The clients never pause: the next request follows the answer at once, so what is measured is the service at
its limit. Every command is one event: sites registered, changed, assessed and items drafted, each with an
Idempotency-Key and, where something exists, If-Match; the answer waits until it can be read. The clients
take their share of the machine as well: they run on the same cores as server and database, and speak
plain `http.client`, which costs a quarter of what a comfortable client does.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from tests.benchmarks.figure import Figure
from tests.engines import PostgresMissing, postgres_url, running_postgres, sqlite_url
from tests.serving import Server, found_office, served
from tests.usccs import uscc

CLIENTS: Final = 8
COMMANDS: Final = 2_400
ROUNDS: Final = 5  # short ones: a shared machine has moods of seconds
REQUESTS: Final = 100_000
AIM: Final = 50.0
FLAT: Final = 16.0
SECONDS: Final = 300.0
API: Final = "/api/v1"
SOURCED: Final = {"source": "排污许可管理信息平台", "reason": "年度更新", "effective_from": "2024-01-01"}
BASES: Final = [{"law": "中华人民共和国环境保护法", "article": "第二十四条", "effective_from": "2015-01-01"}]
_numbers = count(1)


class Failed(Exception):
    """An answer that a measurement cannot count."""


@dataclass
class Officer:
    """One client: keeps its connection, and how long each of its requests took, in milliseconds."""

    line: HTTPConnection
    token: str
    taken: list[float] = field(default_factory=list)

    def ask(self, path: str) -> HTTPResponse:
        """A reading."""
        return self._timed("GET", path, None, {})

    def do(self, method: str, path: str, body: dict[str, Any], match: str = "") -> HTTPResponse:
        """A command with a key of its own."""
        headers = {"Idempotency-Key": f"bench-{next(_numbers)}", "Content-Type": "application/json"}
        return self._timed(
            method, path, msgspec.json.encode(body), {**headers, **({"If-Match": match} if match else {})}
        )

    def _timed(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> HTTPResponse:
        started = time.perf_counter()
        self.line.request(method, f"{API}{path}", body, {"Authorization": f"Bearer {self.token}", **headers})
        answer = self.line.getresponse()
        told = answer.read()
        self.taken.append(1000 * (time.perf_counter() - started))
        if answer.status not in (200, 201):
            raise Failed(f"{answer.status}: {told.decode()}")
        if answer.getheader("sunlot-projected") == "false":
            raise Failed("an answer did not wait for the read models")
        return answer


@dataclass(frozen=True)
class Round:
    """What one round of requests came to."""

    taken: Sequence[float]
    seconds: float
    processor: float

    @property
    def p99(self) -> float:
        """The milliseconds within which 99 of 100 were answered."""
        return quantiles(self.taken, n=100)[98]

    def told(self) -> str:
        """The rest in words."""
        count = len(self.taken)
        return (
            f"p50 {median(self.taken):.1f} ms, {count / self.seconds:.0f} requests/s; "
            f"server's processor time {1000 * self.processor / count:.1f} ms each; {count:,} requests"
        )


def figures(scale: float = 1.0) -> list[Figure]:
    """Latency on both engines, and the server's memory; `scale` changes the number of requests."""
    with TemporaryDirectory(prefix="sunlot-bench-") as folder, ExitStack() as stack:
        home = Path(folder)
        url = stack.enter_context(sqlite_url(home / "sqlite"))
        results = _latencies("SQLite", url, home / "a", scale, aim=None)
        try:
            server = stack.enter_context(running_postgres())
        except PostgresMissing:
            return results
        url = stack.enter_context(postgres_url(server))
        results += _latencies("PostgreSQL", url, home / "b", scale, aim=AIM)
        url = stack.enter_context(postgres_url(server))
        return [*results, _memory(url, home / "c", scale)]


def _latencies(engine: str, url: str, folder: Path, scale: float, *, aim: float | None) -> list[Figure]:
    with _office(url, folder) as server:
        _round(server, CLIENTS, _share(400, scale), _command)  # warming
        alone = [_round(server, 1, max(20, int(100 * scale)), _command) for _ in range(ROUNDS)]
        rounds = [_round(server, CLIENTS, _share(COMMANDS / ROUNDS, scale), _command) for _ in range(ROUNDS)]
    p99 = median(one.p99 for one in rounds)
    busy = sorted(rounds, key=lambda one: one.p99)[ROUNDS // 2]
    return [
        Figure(
            name=f"command over REST, {engine}, {CLIENTS} clients, p99",
            value=p99,
            unit="ms",
            beside_name="one client, p99",
            beside=median(one.p99 for one in alone),
            target="none" if aim is None else f"≤ {aim:g} ms",
            holds=None if aim is None else p99 <= aim,
            note=f"middle of {ROUNDS} rounds ({_range(rounds)} ms); {busy.told()}",
        )
    ]


def _range(rounds: Sequence[Round]) -> str:
    values = sorted(one.p99 for one in rounds)
    return f"{values[0]:.0f}–{values[-1]:.0f}"


def _memory(url: str, folder: Path, scale: float) -> Figure:
    with _office(url, folder) as server:
        warming = _round(server, CLIENTS, _share(REQUESTS / 10, scale), _mixed, SECONDS / 5)
        before = server.memory()
        round = _round(server, CLIENTS, _share(REQUESTS, scale), _mixed, SECONDS)
        growth = server.memory() - before
    whole = len(round.taken) >= REQUESTS
    return Figure(
        name="REST, PostgreSQL: growth of the server's memory",
        value=growth,
        unit="MiB",
        beside_name=f"after {len(warming.taken):,} requests",
        beside=before,
        target=f"≤ {FLAT:g} MiB over {REQUESTS:,} requests",
        holds=growth <= FLAT if whole or growth > FLAT else None,
        note=f"half of them commands; p99 {round.p99:.0f} ms, {round.told()}",
    )


@contextmanager
def _office(url: str, folder: Path) -> Iterator[Server]:
    token = found_office(url, folder)
    with served(url, folder, token) as server:
        yield server


def _share(requests: float, scale: float) -> int:
    """The requests of each client."""
    return max(4, int(requests * scale / CLIENTS))


def _round(
    server: Server,
    clients: int,
    each: int,
    step: Callable[[Officer], None],
    seconds: float = SECONDS,
) -> Round:
    deadline, before = time.perf_counter() + seconds, server.processor()

    def work(_: int) -> list[float]:
        with closing(HTTPConnection(urlsplit(server.address).netloc, timeout=60)) as line:
            officer = Officer(line, server.token)
            while len(officer.taken) < each and time.perf_counter() < deadline:
                step(officer)
        return officer.taken

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        taken = [one for many in threads.map(work, range(clients)) for one in many]
    return Round(taken, time.perf_counter() - started, server.processor() - before)


def _command(officer: Officer) -> None:
    """Four commands: a site registered, changed and assessed, an item drafted."""
    number = next(_numbers)
    made = officer.do("POST", "/sites", _site(number))
    path, tag = _made(made)
    changed = officer.do("PUT", path, _site(number, name=f"晴川{number}号有限公司"), tag)
    risk = {"risk_class": "B", "assessed_on": "2024-01-01", "source": "年度评定"}
    officer.do("POST", f"{path}/assessments", risk, str(changed.getheader("etag")))
    officer.do("POST", "/items", _item(number))


def _mixed(officer: Officer) -> None:
    """Two commands, and readings of one thing and of a list."""
    number = next(_numbers)
    made = officer.do("POST", "/sites", _site(number))
    path, tag = _made(made)
    officer.ask(path)
    officer.do("PUT", path, _site(number, credit="green"), tag)
    officer.ask("/sites?limit=20")


def _made(answer: HTTPResponse) -> tuple[str, str]:
    """Path and ETag of what was made."""
    return str(answer.getheader("location")).removeprefix(API), str(answer.getheader("etag"))


def _site(number: int, **fields: Any) -> dict[str, Any]:
    code = uscc(number)
    site = {
        "uscc": code,
        "code": f"{code}001P",
        "name": f"晴川{number}号化工有限公司",
        "region": "140105",
        "stratum": "key",
        "needs": ["water"],
    }
    return {**site, **SOURCED, **fields}


def _item(number: int) -> dict[str, Any]:
    return {
        "region": "140100",
        "code": f"B-{number}",
        "name": f"排污单位检查 {number}",
        "category": "key",
        "subject": "排污单位",
        "content": "是否按证排污",
        "methods": ["on-site"],
        "department": "生态环境",
        "bases": BASES,
    }
