"""A stranger has nothing but the documentation: it must be whole, true, and readable without a script."""

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any, cast, get_args

import msgspec
import pytest
from fastapi import FastAPI
from fastapi.openapi.models import OpenAPI
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, TypeAdapter

from api.app import create_app
from api.bootstrap import System
from api.problems import MEDIA_TYPE
from api.rest.description import TAGS, shown_by
from api.rest.openapi import describe
from tests.api.rest.service import Service
from tests.api.rest.test_transcript import refused

Operation = tuple[str, str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document of an app that needs no system, because it only tells of itself."""
    return describe(silent_app())


def silent_app() -> FastAPI:
    """An app that can answer nothing but what it is."""
    settings = SimpleNamespace(allowed_hosts="*", upload_limit=1, body_limit=1)
    return create_app(cast(System, SimpleNamespace(settings=settings)))


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Every operation with its path and method."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_every_operation_says_what_it_does_and_who_may(document: dict[str, Any]) -> None:
    tags = {name for name, _ in TAGS}
    found = list(operations(document))
    assert len(found) > 110
    for path, method, operation in found:
        place = f"{method} {path}"
        assert re.search("[\u4e00-\u9fff]", operation["summary"]), place
        assert re.search("[A-Za-z]", operation["summary"]), place
        assert len(operation["description"]) > 30, place
        assert set(operation["tags"]) <= tags, place
        assert operation["x-permission"], place
        secured = operation["x-permission"] != "public"
        assert (operation.get("security") == [{"bearer": []}]) == secured, place
    assert len({operation["operationId"] for _, _, operation in found}) == len(found)


def test_every_body_and_answer_has_a_schema_and_an_example(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        place = f"{method} {path}"
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert content["schema"], place
            assert content["example"], place
        [done] = [answer for status, answer in operation["responses"].items() if status in ("200", "201")]
        for media, content in done["content"].items():
            assert content["schema"], place
            assert media != "application/json" or content["example"], place


def test_every_operation_tells_its_errors_with_examples(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        place, answers = f"{method} {path}", operation["responses"]
        if operation["x-permission"] not in ("public", "signed-in"):
            assert {"401", "403"} <= answers.keys(), place
        if "{" in path:
            assert "404" in answers, place
        needs_version = any(one["name"] == "If-Match" for one in operation.get("parameters", ()))
        assert needs_version == ("428" in answers) == ("412" in answers), place
        for status, answer in answers.items():
            if status >= "400":
                content = answer["content"][MEDIA_TYPE]
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
                assert content["examples"], place
                for code, example in content["examples"].items():
                    assert example["value"]["type"] == f"/problems/{code}"
                    assert str(example["value"]["status"]) == status


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    known = document["components"]["schemas"]
    text = msgspec.json.encode(document).decode()
    assert set(re.findall(r'"#/components/schemas/([^"]+)"', text)) <= known.keys()
    assert "HTTPValidationError" not in text


def test_the_example_of_every_body_is_accepted_by_its_route(document: dict[str, Any]) -> None:
    tried = 0
    for model in models():
        name = model.__name__
        examples = [
            content["example"]
            for _, _, operation in operations(document)
            for content in operation.get("requestBody", {}).get("content", {}).values()
            if reference(content["schema"]).endswith(f"/{name}")
        ]
        for example in examples:
            model.model_validate(example)
            tried += 1
    assert tried > 50


def test_the_example_of_every_answer_is_of_the_type_that_is_answered(document: dict[str, Any]) -> None:
    tried = 0
    for context in routes():
        shown = shown_by(context.endpoint)
        if shown is None or shown.kind is None or not context.include_in_schema:
            continue
        method = next(iter(context.methods or ())).lower()
        responses = document["paths"][context.path_format][method]["responses"]
        example = responses["201" if "201" in responses else "200"]["content"]["application/json"]["example"]
        for one in example["items"] if shown.page else [example]:
            msgspec.convert(one, shown.kind)
            tried += 1
    assert tried > 50


class Links(HTMLParser):
    """All addresses of a page, and all that a strict policy would not let run."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.active: list[str] = []
        self.ids: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the tag points to."""
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given["id"]} if "id" in given else set()
        self.addresses += [given[name] for name in ("href", "src", "action") if name in given]
        if tag in ("script", "style", "iframe", "object"):
            self.active.append(tag)
        self.active += [name for name in given if name == "style" or name.startswith("on")]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_ask_no_other_host_and_need_no_script(small: Service, language: str) -> None:
    seen: set[str] = set()
    for path in ("/", "/docs", "/problems", "/problems/stale"):
        answer = small.nobody.page(path, headers={"Accept-Language": language})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-language"] == language
        links = Links(answer.text)
        assert links.active == []
        for address in sorted(set(links.addresses)):
            assert address.startswith(("/", "#")), address
            assert not address.startswith("//"), address
            if address.startswith("#"):
                assert address[1:] in links.ids, address
            elif (place := address.split("#")[0]) not in seen:
                assert small.officer.page(place).status_code in (200, 404), address
                seen.add(place)


def test_the_page_lists_every_operation_and_type(small: Service) -> None:
    page = small.nobody.page("/docs").text
    told = small.nobody.page("/openapi.json").json()
    links = Links(page)
    for path, _, operation in operations(told):
        assert operation["operationId"] in links.ids
        assert path.replace("{", "&#123;") in page or path in page
    assert {f"schema-{name}" for name in told["components"]["schemas"]} <= links.ids
    assert "{{" not in page
    assert "&#39;/api" not in page


def test_the_page_of_an_error_says_it_in_both_languages(small: Service) -> None:
    page = small.nobody.page("/problems/officers-too-few").text
    assert "行政处罚法 §42" in page
    assert "执法人员不足" in page
    assert "Too few officers" in page
    refused(small.nobody.page("/problems/never-heard-of"), 404, "not-found")


def test_the_style_sheet_is_the_only_asset(small: Service) -> None:
    answer = small.nobody.page("/assets/sunlot.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert "url(" not in answer.text
    for name in ("other.css", "..%2Fdocuments.py", "docs.html"):
        refused(
            small.nobody.page(f"/assets/{name}"), 404, small.nobody.page(f"/assets/{name}").json()["code"]
        )


def reference(schema: Mapping[str, Any]) -> str:
    """What a schema refers to, or ""."""
    for one in (schema, *schema.get("anyOf", ())):
        if "$ref" in one:
            return str(one["$ref"])
    return ""


def routes() -> list[Any]:
    """All routes."""
    return list(iter_route_contexts(silent_app().routes))


def models() -> set[type[BaseModel]]:
    """The bodies of all routes."""
    found: set[type[BaseModel]] = set()
    for context in routes():
        for field in context.dependant.body_params:
            annotation = field.field_info.annotation
            for one in (annotation, *get_args(annotation)):
                if isinstance(one, type) and issubclass(one, BaseModel):
                    found.add(one)
    return found


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    TypeAdapter(OpenAPI).validate_python(document)
    assert document["openapi"].startswith("3.1")
    assert document["info"]["license"]["name"] == "Apache-2.0"
    assert "sunlot-commit-v1" in document["info"]["description"]
