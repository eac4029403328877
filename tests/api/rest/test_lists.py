"""Pages with opaque cursors, filters by the caller's regions, and 304 for what the caller has."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.problems import CursorWrong
from api.rest.presenting import matches, read_cursor, write_cursor
from tests.api.rest.service import Service
from tests.api.rest.story import done, site
from tests.api.rest.test_transcript import refused


def test_pages_follow_each_other_without_gap_or_repeat(small: Service) -> None:
    for number in range(5):
        done(small.officer.post("/sites", site(number)))
    names: list[str] = []
    address = "/api/v1/sites?limit=2&stratum=key"
    sizes = []
    while address:
        answer = small.officer.page(address)
        page = answer.json()
        names += [one["name"] for one in page["items"]]
        sizes.append(len(page["items"]))
        address = answer.links["next"]["url"] if "next" in answer.links else ""
        assert (page["next"] is None) == (address == "")
        assert "stratum=key" in address or not address
    assert names == [site(number)["name"] for number in range(5)]
    assert sizes == [2, 2, 1]


def test_a_page_that_ends_with_the_list_names_no_next_one(small: Service) -> None:
    for number in range(2):
        done(small.officer.post("/sites", site(number)))
    answer = small.officer.get("/sites", limit=2)
    assert answer.json()["next"] is None
    assert "link" not in answer.headers


def test_a_list_has_at_most_two_hundred_rows(small: Service) -> None:
    told = refused(small.officer.get("/sites", limit=201), 422, "request-invalid")
    assert told["errors"] == [
        {"in": "query", "pointer": "/limit", "code": "less_than_equal", "detail": "不大于 200"}
    ]


@pytest.mark.parametrize("cursor", ["1", "abc", "aTE=", "aS0x", "i1", "x" * 99])
def test_a_cursor_that_this_list_did_not_give_is_refused(small: Service, cursor: str) -> None:
    refused(small.officer.page(f"/api/v1/sites?after={cursor}"), 400, "cursor-wrong")


def test_lists_show_the_caller_s_regions_alone(small: Service) -> None:
    done(small.officer.post("/sites", site(1)))
    done(small.elsewhere.post("/sites", site(2, region="140211")))
    assert [one["region"] for one in small.officer.get("/sites").json()["items"]] == ["140105"]
    assert [one["region"] for one in small.elsewhere.get("/sites").json()["items"]] == ["140211"]
    assert len(small.auditor.get("/sites").json()["items"]) == 2
    told = refused(small.officer.get("/sites", region="140200"), 403, "permission-missing")
    assert told["facts"]["region"] == "140200"


def test_one_thing_of_another_region_is_refused(small: Service) -> None:
    id = done(small.elsewhere.post("/sites", site(2, region="140211")))["id"]
    refused(small.officer.get(f"/sites/{id}"), 403, "permission-missing")
    refused(small.officer.get("/sites/site-00000000000000000000000000000000"), 404, "not-found")


def test_who_has_the_version_already_is_told_so(small: Service) -> None:
    created = small.officer.post("/sites", site(1))
    path = f"/sites/{created.json()['id']}"
    tag = created.headers["etag"]
    same = small.officer.send("GET", path, headers={"If-None-Match": f'"v9", W/{tag}'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    done(small.officer.put(path, site(1, name="改名"), match=tag))
    other = small.officer.send("GET", path, headers={"If-None-Match": tag})
    assert (other.status_code, other.headers["etag"]) == (200, '"v2"')


def test_filters_ask_for_a_part(small: Service) -> None:
    done(small.officer.post("/sites", site(1)))
    done(small.officer.post("/sites", site(2, stratum="general")))
    found = small.officer.get("/sites", stratum="general").json()["items"]
    assert [one["name"] for one in found] == [site(2)["name"]]
    assert len(small.officer.get("/sites", text="晴川1号").json()["items"]) == 1


@settings(max_examples=50, deadline=None)
@given(st.integers(min_value=0, max_value=2**53))
def test_a_cursor_is_read_as_it_was_written(idx: int) -> None:
    assert read_cursor(write_cursor(idx)) == idx


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40))
def test_any_other_text_is_no_cursor(text: str) -> None:
    try:
        found = read_cursor(text)
    except CursorWrong:
        return
    assert write_cursor(found) == text


@pytest.mark.parametrize(
    ("header", "tag", "found"),
    [
        ("", '"v1"', False),
        ("*", '"v1"', True),
        ('"v1"', '"v1"', True),
        ('W/"v1"', '"v1"', True),
        ('"v11"', '"v1"', False),
        ("v1", '"v1"', False),
    ],
)
def test_if_none_match_is_compared_whole(header: str, tag: str, found: bool) -> None:
    assert matches(header, tag) is found
