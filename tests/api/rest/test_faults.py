"""What goes wrong around the service: each time a problem that says so, nothing half done, and recovery."""

import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from errno import ENOSPC
from pathlib import Path
from typing import Any

import psycopg
import pytest
from httpx2 import Response

from infrastructure.addresses import store_file
from infrastructure.ledger_check import verify_store
from tests.api.rest.service import Service, serving
from tests.api.rest.story import JPEG, done, item, site
from tests.api.rest.test_transcript import refused
from tests.cutter import Cutter
from tests.engines import PostgresServer, postgres_url, sqlite_url
from tests.fakes import FakeClock

PHOTO = {"file": ("a.jpg", JPEG, "image/jpeg")}


def test_a_lost_database_is_told_and_the_service_recovers_by_itself(service: Service) -> None:
    officer = service.officer
    done(officer.post("/sites", site(1)))
    size = service.size()
    with lost(service.system.settings.store_url):
        for answer in (officer.post("/sites", site(2), key="k"), officer.get("/sites")):
            problem = refused(answer, 503, "store-unavailable")
            assert answer.headers["retry-after"]
            assert "facts" not in problem
        ready = service.nobody.page("/readyz")
        assert ready.status_code == 503
        assert {"name": "store", "state": "unreachable", "lag": 0} in ready.json()["checks"]
        assert service.nobody.page("/livez").status_code == 200
    assert service.size() == size
    done(officer.post("/sites", site(2), key="k"))
    assert len(officer.get("/sites").json()["items"]) == 2
    assert becomes_ready(service)


def becomes_ready(service: Service) -> bool:
    """Whether all is well again, once the ledger's publisher has had its turn."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if service.nobody.page("/readyz").status_code == 200:
            return True
        time.sleep(0.1)
    return False


@contextmanager
def lost(url: str) -> Iterator[None]:
    """The database goes away under the service, and comes back."""
    if url.startswith("sqlite"):
        folder = store_file(url).parent
        away = folder.rename(folder.with_name("away"))
        yield
        away.rename(folder)
        return
    with psycopg.connect(url) as connection:
        name = connection.info.dbname
    with psycopg.connect(url, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        yield
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())


@pytest.fixture
def line(
    postgres_server: PostgresServer, tmp_path: Path, clock: FakeClock
) -> Iterator[tuple[Cutter, Service]]:
    """A service that reaches its PostgreSQL through a line that can be cut."""
    cutter = Cutter(postgres_server.port)
    with postgres_url(postgres_server, tcp=True) as url:
        through = url.replace(f":{postgres_server.port}/", f":{cutter.port}/") + "?sslmode=disable"
        with serving(through, tmp_path / "data", clock) as service:
            yield cutter, service
    cutter.close()


def test_a_line_cut_at_commit_is_told_and_the_retry_answers_as_the_first_would_have(
    line: tuple[Cutter, Service],
) -> None:
    cutter, service = line
    officer = service.officer
    size = service.size()
    cutter.cut = cutter.stay_down = True
    problem = refused(
        officer.send(
            "POST", "/sites", json=site(1), headers={"Idempotency-Key": "k", "Accept-Language": "en"}
        ),
        503,
        "store-unavailable",
    )
    assert "outcome is unknown" in problem["detail"]
    assert "same Idempotency-Key" in problem["detail"]
    refused(officer.post("/sites", site(1), key="k"), 503, "store-unavailable")
    cutter.mend()
    retried = officer.post("/sites", site(1), key="k")
    again = officer.post("/sites", site(1), key="k")
    assert (
        (retried.status_code, retried.content) == (again.status_code, again.content) == (201, again.content)
    )
    assert retried.headers["location"] == again.headers["location"]
    assert done(retried)["position"] == size
    assert service.size() == size + 1
    refused(officer.post("/sites", site(1)), 409, "claim-taken")


def test_a_line_cut_at_commit_alone_is_not_even_noticed_by_who_sent_a_key(
    line: tuple[Cutter, Service],
) -> None:
    cutter, service = line
    officer = service.officer
    size = service.size()
    cutter.cut = True
    assert done(officer.post("/sites", site(1), key="k"))["position"] == size
    cutter.cut = True
    refused(officer.post("/sites", site(2)), 503, "store-unavailable")
    assert service.size() == size + 2
    refused(officer.post("/sites", site(2)), 409, "claim-taken")


def test_connections_that_died_while_nobody_used_them_are_not_noticed(line: tuple[Cutter, Service]) -> None:
    cutter, service = line
    officer = service.officer
    assert officer.get("/sites").status_code == 200
    service.system.stop()
    cutter.fail()
    cutter.mend()
    assert officer.get("/sites").status_code == 200


def test_a_clock_that_jumped_back_stops_writing_and_nothing_else(service: Service) -> None:
    officer, clock = service.officer, service.clock
    done(officer.post("/sites", site(1)))
    size = service.size()
    clock.advance(seconds=-61)
    problem = refused(officer.post("/sites", site(2), key="k"), 503, "clock-behind")
    assert "facts" not in problem
    assert service.size() == size
    assert len(officer.get("/sites").json()["items"]) == 1
    ready = service.nobody.page("/readyz")
    assert ready.status_code == 503
    assert {"name": "clock", "state": "clock-behind", "lag": 0} in ready.json()["checks"]
    clock.advance(seconds=1)
    assert service.nobody.page("/readyz").status_code == 200
    done(officer.post("/sites", site(2), key="k"))
    assert recorded(service) == sorted(recorded(service))


def test_a_clock_that_jumped_forward_and_back_stops_until_the_log_s_last_time_is_reached(
    service: Service,
) -> None:
    officer, clock = service.officer, service.clock
    clock.advance(hours=2)
    clock.advance(hours=-2)
    done(officer.post("/sites", site(1)))  # nothing was written in that time that was none
    clock.advance(hours=2)
    done(officer.post("/sites", site(2)))
    clock.advance(hours=-2)
    refused(officer.post("/sites", site(3)), 503, "clock-behind")
    clock.advance(hours=2)
    done(officer.post("/sites", site(3)))
    assert recorded(service) == sorted(recorded(service))


def recorded(service: Service) -> list[str]:
    """The recorded times in the order of the log."""
    return [row.at for row in service.system.store.recorder.rows()]


def test_a_full_disk_refuses_a_file_and_keeps_no_part_of_it(
    small: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer = small.officer

    def full(handle: int) -> None:
        raise OSError(ENOSPC, os.strerror(ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("infrastructure.files.os.fsync", full)
        refused(officer.post("/blobs", files=PHOTO), 503, "store-unavailable")
    assert [file for file in small.system.settings.blobs_dir.rglob("*") if file.is_file()] == []
    assert officer.post("/blobs", files=PHOTO).status_code == 201


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    options = ["-t", "tmpfs", "-o", "size=4m", "sunlot-test", str(place)]
    if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_refuses_commands_and_files_and_serves_again_when_there_is_room(
    disk: Path, clock: FakeClock
) -> None:
    with sqlite_url(disk / "store") as url, serving(url, disk / "data", clock) as service:
        officer = service.officer
        done(officer.post("/sites", site(0)))
        with filled(disk):
            size, told = service.size(), until_refused(service)
            problem = refused(told[-1], 503, "store-unavailable")
            assert "磁盘" in problem["detail"]
            assert service.size() == size + len(told) - 1
            refused(officer.post("/blobs", files=large_photo()), 503, "store-unavailable")
            assert officer.get(f"/sites/{told[0].json().get('id', 'none')}").status_code in (200, 404)
        done(officer.post("/sites", site(99)))
        assert officer.post("/blobs", files=large_photo()).status_code == 201
        assert service.size() == size + len(told)
        assert sound(service)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """No room is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(1 << 12))
        except OSError as error:
            assert error.errno == ENOSPC  # noqa: PT017 (that is how one fills a disk)
    yield
    filler.unlink()


def until_refused(service: Service) -> list[Response]:
    """Sites are registered until one is refused: what the engine has set aside may hold some."""
    answers: list[Response] = []
    for number in range(1, 90):
        answers.append(service.officer.post("/sites", site(number)))
        if answers[-1].status_code != 201:
            break
    return answers


def large_photo() -> dict[str, Any]:
    """A photo that needs room."""
    return {"file": ("a.jpg", JPEG + bytes(100_000), "image/jpeg")}


def sound(service: Service) -> bool:
    """Whether the whole log verifies."""
    service.system.publisher.publish_once()
    settings, vkey = service.system.settings, service.system.publisher.vkey
    return verify_store(service.system.store, settings.ledger_dir, [vkey]).sound


@pytest.mark.parametrize(
    ("media", "content", "status", "code"),
    [
        ("application/json", b'{"uscc": ', 400, "request-malformed"),
        ("application/json", b"[]", 422, "request-invalid"),
        ("application/json", b"null", 422, "request-invalid"),
        ("application/json", b"", 422, "request-invalid"),
        ("application/json", b"[" * 100_000, 400, "request-malformed"),
        ("application/json", b'{"uscc": "\xff"}', 400, "request-malformed"),
        ("text/plain", b"{}", 422, "request-invalid"),
        ("application/x-www-form-urlencoded", b"uscc=1", 422, "request-invalid"),
        ("multipart/form-data", b"--x--", 422, "request-invalid"),
        ("application/json", b"0" * 1_000_001, 413, "body-too-large"),
    ],
)
def test_a_body_that_is_none_is_refused_before_anything_happens(
    small: Service, media: str, content: bytes, status: int, code: str
) -> None:
    size = small_size(small)
    answer = small.officer.send("POST", "/sites", content=content, headers={"Content-Type": media})
    refused(answer, status, code)
    assert small.size() == size


def small_size(service: Service) -> int:
    """How many events there are once the officer has an account."""
    _ = service.officer
    return service.size()


def test_more_requests_at_once_than_connections_are_all_answered(service: Service) -> None:
    officer = service.officer
    size = service.size()

    def send(number: int) -> Response:
        if number % 2:
            return officer.get("/sites" if number % 3 else "/items")
        return officer.post("/sites", site(number), key=f"k-{number}")

    with ThreadPoolExecutor(80) as threads:
        answers = list(threads.map(send, range(80)))
    assert {answer.status_code for answer in answers} == {200, 201}
    assert service.size() == size + 40


def test_a_key_used_by_many_at_once_does_one_thing_and_says_one_thing(service: Service) -> None:
    officer = service.officer
    size = service.size()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: officer.post("/items", item("TY-09"), key="one"), range(8)))
    assert len({answer.content for answer in answers}) == 1
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.headers["etag"] for answer in answers}) == 1
    assert service.size() == size + 1


def test_a_token_ends_by_the_clock_wherever_it_jumps(small: Service) -> None:
    officer = small.officer
    small.clock.advance(hours=small.system.settings.session_hours)
    refused(officer.get("/sites"), 401, "token-refused")
    small.clock.advance(hours=-1)
    assert officer.get("/sites").status_code == 200
