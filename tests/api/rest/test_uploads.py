"""Files and tables: kinds and limits, previews, all or nothing, every wrong cell named."""

from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from typing import Any

from httpx2 import Response
from openpyxl import Workbook, load_workbook

from api.rest.blobs import media_to_show
from application.intake_templates import TEMPLATES, template_of
from infrastructure.spreadsheet_writer import write_template
from tests.api.rest.service import Person, Service
from tests.api.rest.story import JPEG, done
from tests.api.rest.test_transcript import refused
from tests.office import DATONG, TAIYUAN

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def upload(who: Person, content: bytes, name: str = "a.jpg") -> Response:
    """A file."""
    return who.post("/blobs", files={"file": (name, content, "application/x-anything")})


def table(kind: str, *changes: dict[str, Any]) -> bytes:
    """A table of the template's example with changes, one row each."""
    template, target = template_of(kind), BytesIO()
    example = {column.key: column.example for column in template.columns}
    write_template(template, target, [{**example, **change} for change in changes])
    return target.getvalue()


def send(who: Person, content: bytes, *, kind: str = "sites", dry: bool = False, **form: str) -> Response:
    """An import."""
    return who.post(
        f"/imports/{kind}?dry_run={str(dry).lower()}",
        files={"file": ("table.xlsx", content, XLSX)},
        data={"region": TAIYUAN, **form},
    )


def test_a_file_is_what_its_bytes_say_whatever_its_name_says(small: Service) -> None:
    kept = upload(small.officer, JPEG, "letter.exe").json()
    assert (kept["media"], kept["size"]) == ("image/jpeg", len(JPEG))
    told = refused(upload(small.officer, b"MZ\x90\x00 program", "photo.jpg"), 415, "media-refused")
    assert "image/jpeg" in told["facts"]["allowed"]
    refused(upload(small.reporting, JPEG), 403, "permission-missing")


def test_a_file_larger_than_may_be_is_refused_and_not_kept(small: Service) -> None:
    strict = small.system.settings.model_copy(update={"upload_limit": 2000})
    small.app.state.system = replace(small.system, settings=strict)
    content = JPEG.ljust(2001, b"x")
    told = refused(upload(small.officer, content), 413, "blob-too-large")
    assert told["facts"]["limit"] == 2000
    assert not small.system.office.blobs.has(sha256(content).hexdigest())
    assert upload(small.officer, content[:2000]).status_code == 201


def test_text_that_a_browser_could_run_is_never_shown_as_such(small: Service) -> None:
    content = b"<svg onload=alert(1)>"
    assert upload(small.officer, content, "a.svg").json()["media"] == "text/plain"
    assert media_to_show(content) == "application/octet-stream"


def test_a_form_without_its_file_says_so(small: Service) -> None:
    told = refused(small.officer.post("/blobs", data={"other": "x"}), 422, "request-invalid")
    assert told["errors"][0]["pointer"] == "/file"


def test_templates_of_every_kind_can_be_fetched_and_filled(small: Service) -> None:
    for kind in TEMPLATES:
        answer = small.officer.get(f"/templates/{kind}")
        assert answer.headers["content-type"] == XLSX
        assert load_workbook(BytesIO(answer.content)).sheetnames[0] == template_of(kind).title
    refused(small.officer.get("/templates/dragons"), 422, "import-kind-unknown")


def test_a_dry_run_tells_what_would_happen_and_writes_nothing(small: Service) -> None:
    officer = small.officer
    content = table("sites", {})
    officer.get("/sites")
    size = small.size()
    preview = send(officer, content, dry=True)
    assert preview.status_code == 200
    told = preview.json()
    assert (told["rows"], told["created"], told["sound"], told["errors"]) == (1, 1, True, [])
    assert small.size() == size
    imported = send(officer, content)
    assert imported.status_code == 201
    intake = officer.page(imported.headers["location"]).json()
    assert (intake["rows"], intake["created"], intake["kind"]) == (1, 1, "sites")
    original = officer.get(f"/blobs/{intake['original']}", of=intake["id"], reason="核对原件")
    assert original.content == content
    assert len(officer.get("/sites").json()["items"]) == 1
    [listed] = officer.get("/imports").json()["items"]
    assert listed == intake


def test_the_original_of_a_table_that_names_people_is_read_with_a_recorded_reason(small: Service) -> None:
    intake = send(small.officer, table("sites", {})).json()["id"]
    shown = small.officer.get(f"/imports/{intake}").json()
    path, size = f"/blobs/{shown['original']}", small.size()
    refused(small.officer.get(path, of=intake), 422, "reading-reason-missing")
    assert small.size() == size
    assert small.officer.get(path, of=intake, reason="核对原件").status_code == 200
    small.auditor.get("/sites")
    log = small.auditor.get("/accesses", subject=intake).json()["items"]
    assert [(one["by"], one["reason"]) for one in log] == [(small.officer.account, "核对原件")]


def test_every_wrong_cell_is_named_and_no_row_is_taken_in(small: Service) -> None:
    good: dict[str, Any] = {}
    content = table("sites", good, {"uscc": "91130200699229617Y", "code": ""}, {"region": "火星"})
    officer = small.officer
    officer.get("/sites")
    size = small.size()
    answer = officer.post(
        "/imports/sites",
        files={"file": ("t.xlsx", content, XLSX)},
        data={"region": TAIYUAN},
    )
    told = refused(answer, 422, "import-refused")
    assert small.size() == size
    codes = {one["code"] for one in told["errors"]}
    assert {"uscc-wrong", "region-unknown"} <= codes
    for one in told["errors"]:
        assert {"sheet", "row", "column", "value", "detail"} <= one.keys()
        assert one["detail"]
        assert "{" not in one["detail"]
    wrong = next(one for one in told["errors"] if one["code"] == "uscc-wrong")
    assert wrong["value"] == "91130200699229617Y"
    assert "91130200699229617Y" in wrong["detail"]
    dry = send(officer, content, dry=True).json()
    assert dry["sound"] is False
    assert {one["code"] for one in dry["errors"]} == codes
    assert all(one["detail"] for one in dry["errors"])


def test_a_file_that_is_no_table_is_refused_in_words(small: Service) -> None:
    for content in (b"", b"\x00\x01\x02", JPEG):
        told = refused(send(small.officer, content), 422, "spreadsheet-refused")
        assert told["detail"]
        assert "{" not in told["detail"]
    empty = BytesIO()
    Workbook().save(empty)
    refused(send(small.officer, empty.getvalue()), 422, "spreadsheet-refused")


def test_an_import_is_for_a_region_of_the_caller(small: Service) -> None:
    content = table("sites", {})
    told = send(small.officer, content, region=DATONG)
    refused(told, 403, "permission-missing")
    refused(send(small.leader, content), 403, "permission-missing")
    done(send(small.officer, content))
    id = small.officer.get("/imports").json()["items"][0]["id"]
    refused(small.elsewhere.get(f"/imports/{id}"), 403, "permission-missing")
    assert small.elsewhere.get("/imports").json()["items"] == []


def test_a_mistyped_or_misplaced_dry_run_takes_nothing_in(small: Service) -> None:
    content = table("sites", {})
    assert send(small.officer, content, dry_run="true").json()["created"] == 1
    size = small.size()
    mistyped = refused(send(small.officer, content, dryrun="true"), 422, "request-invalid")
    assert mistyped["errors"][0]["pointer"] == "/dryrun"
    file = {"file": ("table.xlsx", content, XLSX)}
    asked = small.officer.post("/imports/sites?dryrun=true", files=file, data={"region": TAIYUAN})
    refused(asked, 422, "request-invalid")
    assert small.size() == size
    assert "site.registered.v1" not in small.topics()
