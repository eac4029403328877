"""Signing in and out, tokens that end, grants that are taken back at once, lock-out."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.api.rest.service import Person, Service, serving
from tests.api.rest.story import done, inspector, site
from tests.api.rest.test_transcript import refused
from tests.engines import sqlite_url
from tests.fakes import FakeClock
from tests.office import PASSWORD, TAIYUAN


def test_who_signs_in_learns_who_he_is(small: Service) -> None:
    told = small.officer.get("/sessions/current").json()
    assert told["account"] == small.officer.account
    assert [(one["role"], one["region"]) for one in told["grants"]] == [("city-officer", TAIYUAN)]


def test_passwords_are_really_hashed(tmp_path: Path, clock: FakeClock) -> None:
    with (
        sqlite_url(tmp_path / "store") as url,
        serving(url, tmp_path / "data", clock, argon=True) as service,
    ):
        assert service.administrator.get("/sessions/current").status_code == 200
        wrong = {"login": "administrator", "password": PASSWORD + "!"}
        refused(service.nobody.post("/sessions", wrong), 401, "sign-in-refused")
        kept = service.system.store.credentials.by_login("administrator")
        assert kept is not None
        assert kept.password_hash.startswith("$argon2id$")


def test_signing_out_ends_the_token_and_no_other(small: Service) -> None:
    other = small.sign_in("administrator")
    here = small.sign_in("administrator")
    assert here.delete("/sessions/current").status_code == 200
    refused(here.get("/sessions/current"), 401, "token-refused")
    assert other.get("/sessions/current").status_code == 200


def test_a_session_ends_by_itself(small: Service) -> None:
    person = small.officer
    small.clock.advance(hours=small.system.settings.session_hours, seconds=-1)
    assert person.get("/sites").status_code == 200
    small.clock.advance(seconds=2)
    refused(person.get("/sites"), 401, "token-refused")


def test_five_failures_lock_the_account_for_a_quarter_of_an_hour(small: Service) -> None:
    wrong = {"login": "administrator", "password": "not this one, sorry"}
    right = {**wrong, "password": PASSWORD}
    for _ in range(5):
        refused(small.nobody.post("/sessions", wrong), 401, "sign-in-refused")
    refused(small.nobody.post("/sessions", right), 403, "account-locked")
    small.clock.advance(minutes=15)
    assert small.nobody.post("/sessions", right).status_code == 201


def test_an_unknown_name_is_refused_as_a_wrong_password_is(small: Service) -> None:
    answers = [
        small.nobody.post("/sessions", {"login": login, "password": "wrong password"}).json()
        for login in ("administrator", "nobody-of-this-name")
    ]
    for answer in answers:
        del answer["correlation_id"]
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YTpi", "bearer wrong", "Bearer a b", "Token x"]
)
def test_what_is_no_bearer_token_signs_nobody_in(small: Service, header: str) -> None:
    answer = small.nobody.page("/api/v1/sites", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json()["code"] in ("sign-in-needed", "token-refused")


def test_a_grant_that_was_taken_back_is_gone_at_once(small: Service) -> None:
    officer, admin = small.officer, small.administrator
    done(officer.post("/sites", site(1)))
    path = f"/accounts/{officer.account}"
    gone = f"{path}/grants/city-officer/{TAIYUAN}"
    done(admin.delete(gone, match=admin.etag(path), reason="调岗"))
    refused(officer.post("/sites", site(2)), 403, "permission-missing")
    refused(admin.delete(gone, match=admin.etag(path), reason="again"), 409, "grant-unknown")


def test_a_closed_account_is_shut_out_at_once(small: Service) -> None:
    officer, admin = small.officer, small.administrator
    path = f"/accounts/{officer.account}"
    done(admin.post(f"{path}/closing", {"reason": "离职"}, match=admin.etag(path)))
    refused(officer.get("/sites"), 401, "token-refused")
    again = {"login": "city-officer", "password": PASSWORD}
    refused(small.nobody.post("/sessions", again), 401, "sign-in-refused")


def test_a_machine_s_account_needs_no_login_name(small: Service) -> None:
    admin = small.administrator
    opened = done(admin.post("/accounts", {"name": "夜间报送"}))
    issued = done(admin.post(f"/accounts/{opened['id']}/tokens", {"label": "nightly"}))
    machine = Person(small.http, issued["token"])
    assert machine.get("/sessions/current").json()["account"] == opened["id"]
    refused(admin.post("/accounts", {"login": "half"}), 422, "password-weak")


def test_a_machine_s_token_is_shown_once_and_lasts_no_longer_than_allowed(small: Service) -> None:
    machine, admin = small.reporting, small.administrator
    path = f"/accounts/{machine.account}/tokens"
    issued = admin.post(path, {"label": "job", "days": 366}, key="token-1")
    told = issued.json()
    assert issued.status_code == 201
    most = small.clock.now() + timedelta(days=small.system.settings.token_days)
    assert told["expires_at"] == most.isoformat().replace("+00:00", "Z")
    assert Person(small.http, told["token"]).get("/sites").status_code == 200
    again = refused(
        admin.post(path, {"label": "job", "days": 366}, key="token-1"), 409, "token-already-issued"
    )
    assert told["token"] not in str(again)
    done(admin.delete(f"{path}/{told['token_id']}"))
    refused(Person(small.http, told["token"]).get("/sites"), 401, "token-refused")


def test_nobody_revokes_another_s_token_but_an_administrator(small: Service) -> None:
    admin = small.administrator
    [token] = admin.get(f"/accounts/{small.officer.account}").json()["tokens"]
    path = f"/accounts/{small.officer.account}/tokens/{token['token']}"
    refused(small.second_officer.delete(path), 403, "permission-missing")
    assert small.officer.get("/sites").status_code == 200


def test_an_administrator_resets_a_password(small: Service) -> None:
    officer, admin = small.officer, small.administrator
    path = f"/accounts/{officer.account}"
    body = {"login": "city-officer", "password": "another long password"}
    done(admin.put(f"{path}/password", body, match=admin.etag(path)))
    refused(
        small.nobody.post("/sessions", {"login": "city-officer", "password": PASSWORD}),
        401,
        "sign-in-refused",
    )
    assert small.sign_in("city-officer", "another long password").get("/sites").status_code == 200
    weak = {"login": "city-officer", "password": "short"}
    told = refused(admin.put(f"{path}/password", weak, match=admin.etag(path)), 422, "password-weak")
    assert told["errors"][0]["pointer"] == "/password"


def test_an_account_stands_for_one_inspector_and_an_inspector_has_one_account(small: Service) -> None:
    id = done(small.officer.post("/inspectors", inspector(1)))["id"]
    first = small.hire("inspector", login="first", inspector=id)
    assert first.get("/sessions/current").json()["inspector"] == id
    second, admin = small.hire("inspector", login="second"), small.administrator
    path = f"/accounts/{second.account}"
    refused(admin.put(f"{path}/inspector", {"inspector": id}, match=admin.etag(path)), 409, "claim-taken")


def test_the_rulebook_says_where_it_comes_from_and_is_adopted_once(small: Service) -> None:
    shown = small.administrator.get("/rulebooks")
    [adopted] = shown.json()["adopted"]
    assert adopted["digest"] in {one["digest"] for one in shown.json()["at_hand"]}
    rules = small.officer.get("/rulebooks/in-force").json()
    assert rules["version"] == adopted["version"]
    assert all(period["source"] for period in rules["periods"])
    again = {"version": adopted["version"]}
    tag = shown.headers["etag"]
    refused(small.administrator.post("/rulebooks", again, match=tag), 409, "rulebook-adopted")
    refused(small.officer.get("/rulebooks/in-force", day="1999-01-01"), 422, "rulebook-missing")
