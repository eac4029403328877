"""Pages that need no script: the start page, the documentation of the interface, the meaning of errors."""

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from api.access import Asked, everybody
from api.i18n import LANGUAGES, sentences
from api.problems import MEDIA_TYPE, RequestRefused, request_refusals, status_of
from api.rest.description import TAGS, gives, shows
from api.rest.openapi import describe
from api.rest.presenting import show
from domain.errors import DomainError, NotFound

router = APIRouter(tags=["health"], include_in_schema=False)
HTML: Final = "text/html; charset=utf-8"
HOUR: Final = "public, max-age=3600"
STYLES: Final = "sunlot.css"
_MARKDOWN: Final = (
    (re.compile(r"^## (.+)$", re.MULTILINE), r"<h2>\1</h2>"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
)


@router.get("/", summary="首页 Start page")
@gives(HTML)
def read_start(asked: Asked = everybody()) -> Response:
    """What this is, and where to go from here."""
    return _page("start.html", asked, log=asked.office.ledger.origin)


@router.get("/docs", summary="接口文档 Documentation")
@gives(HTML)
def read_docs(request: Request, asked: Asked = everybody()) -> Response:
    """Every operation with its permission, parameters, body, answers, errors and examples."""
    pages: dict[str, str] = request.app.state.pages
    if asked.language not in pages:
        document = document_of(request.app)
        pages[asked.language] = _render("docs.html", asked, document=document, tags=TAGS)
    return _html(pages[asked.language], asked)


@router.get("/openapi.json", summary="OpenAPI")
@shows(dict[str, Any])
def read_openapi(request: Request, asked: Asked = everybody()) -> Response:
    """The same for machines."""
    return show(document_of(request.app), headers={"Cache-Control": HOUR})


@router.get("/problems", summary="错误一览 All errors")
@gives(HTML)
def read_problems(asked: Asked = everybody()) -> Response:
    """Every error with status, sentence, rule and source."""
    return _page("problems.html", asked, problems=known_problems())


@router.get("/problems/{code}", summary="一种错误 One error")
@gives(HTML)
def read_problem(code: str, asked: Asked = everybody()) -> Response:
    """What an error means and what to do."""
    chosen = [problem for problem in known_problems() if problem["code"] == code]
    if not chosen:
        raise NotFound(kind="problem", id=code)
    return _page("problems.html", asked, problems=chosen)


@router.get("/assets/{name}", summary="样式 Styles")
@gives("text/css; charset=utf-8")
def read_asset(name: str, asked: Asked = everybody()) -> Response:
    """The style sheet of these pages."""
    if name != STYLES:
        raise NotFound(kind="asset", id=name)
    content = files("api.rest").joinpath("pages", STYLES).read_bytes()
    return Response(content, media_type="text/css; charset=utf-8", headers={"Cache-Control": HOUR})


def document_of(app: FastAPI) -> dict[str, Any]:
    """The app's OpenAPI document, made once."""
    if app.openapi_schema is None:
        app.openapi_schema = describe(app)
    return app.openapi_schema


def known_problems() -> list[dict[str, Any]]:
    """Every refusal: code, status, the law it comes from, and its sentences in both languages."""
    known: list[type[DomainError] | type[RequestRefused]] = [*domain_errors(DomainError), *request_refusals()]
    refusals = {refusal.code: refusal for refusal in known}
    return [
        {
            "code": code,
            "status": status_of(refusal),
            "rule": getattr(refusal, "rule", ""),
            "source": getattr(refusal, "source", ""),
            **{language: sentences(language).errors.get(code, ("", "")) for language in LANGUAGES},
        }
        for code, refusal in sorted(refusals.items())
    ]


def domain_errors(base: type[DomainError]) -> list[type[DomainError]]:
    """A class of errors and everything below it."""
    return [base, *(below for one in base.__subclasses__() for below in domain_errors(one))]


def _page(template: str, asked: Asked, **values: Any) -> Response:
    return _html(_render(template, asked, **values), asked)


def _html(content: str, asked: Asked) -> Response:
    headers = {"Content-Language": asked.language, "Vary": "Accept-Language", "Cache-Control": "no-cache"}
    return HTMLResponse(content, headers=headers)


def _render(template: str, asked: Asked, **values: Any) -> str:
    english = asked.language == "en"
    return _templates().get_template(template).render(english=english, media=MEDIA_TYPE, **values)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("api.rest", "pages"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["pretty"] = _pretty
    environment.filters["kind"] = _kind
    environment.filters["guide"] = _guide
    return environment


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _guide(text: str) -> Markup:
    """The little Markdown of the guide: headings, strong words, code; line ends stay as they are."""
    marked = str(escape(text))
    for pattern, replacement in _MARKDOWN:
        marked = pattern.sub(replacement, marked)
    return Markup(marked)  # noqa: S704 (escaped above)


def _kind(schema: Any) -> Markup | str:
    """A schema in a word, with a link to what it refers to."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return Markup('<a href="#schema-{0}">{0}</a>').format(name)
    for group in ("anyOf", "oneOf", "allOf"):
        if group in schema:
            return Markup(" | ").join(_kind(one) for one in schema[group])
    if schema.get("type") == "array":
        return Markup("{}[]").format(_kind(schema.get("items", {})))
    if "const" in schema:
        return str(schema["const"])
    told = schema.get("format") or schema.get("type", "any")
    return " | ".join(told) if isinstance(told, list) else str(told)
