"""The verifier of draws as a command: what it says, in both languages, and its exit status."""

import ast
import json
import re
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from api.draw_offline import main, open_bundle, read_texts
from tests.domain.drawing.vectors import FOLDER, NAMES, load_files
from tests.domain.verifying.story import Story

ROOT = Path(__file__).parents[2]
ERRORS = re.compile(r"Wrong\w+|NotCanonical|ChangeRefused|MissingFile|_?wrong")
FORMATTED = {
    "step-differs-": (
        "log",
        "draw_no",
        "attempt",
        "plan_row",
        "public_source",
        "contributors",
        "commitment",
        "terms",
    ),
    "wrong-": ("ticket", "rank", "stratum"),
    "stratum-": ("size", "eligible", "sample"),
    "frame-": ("root", "size"),
    "pool-": ("root", "size"),
}


def rules() -> Iterator[str]:
    """Every rule that the sources name in an error."""
    for folder in ("drawing", "verifying"):
        for file in sorted((ROOT / "domain" / folder).glob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ERRORS.fullmatch(ast.unparse(node.func).split(".")[-1]):
                    yield from (str(one.value) for one in node.args[:1] if isinstance(one, ast.Constant))


def test_every_rule_has_a_sentence_in_both_languages() -> None:
    told = read_texts()["rules"]
    named = {rule for rule in rules() if re.fullmatch(r"[a-z0-9-]+", rule)}
    formed = {f"{start}{end}" for start, ends in FORMATTED.items() for end in ends}
    assert (named | formed) - told.keys() == set()
    assert all(sentence.keys() == {"zh", "en"} for sentence in told.values())


def test_no_sentence_is_left_over() -> None:
    sources = " ".join(file.read_text(encoding="utf-8") for file in (ROOT / "domain").rglob("*.py"))
    formed = {f"{start}{end}" for start, ends in FORMATTED.items() for end in ends}
    unused = [
        rule
        for rule in read_texts()["rules"]
        if f'"{rule}"' not in sources and rule not in formed and not rule.startswith("step-differs-")
    ]
    assert unused == []


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def pack(file: Path, files: dict[str, bytes], around: str = "") -> Path:
    with tarfile.open(file, "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"{around}{name}")
            member.size = len(data)
            archive.addfile(member, BytesIO(data))
    return file


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(list(words))
    return code, capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_a_good_bundle_passes_and_says_what_was_not_checked(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = told(capsys, str(FOLDER / name))
    assert code == 0
    assert "✓ 样本由种子重算一致" in text
    assert "未证明：封存先于随机" in text


@pytest.mark.parametrize("around", ["", "draw-47/"])
def test_an_archive_is_read_as_a_folder_is(
    tmp_path: Path, around: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = pack(tmp_path / "bundle.tar.gz", Story().files, around)
    code, text = told(capsys, str(file), "--language", "en")
    assert code == 0
    assert "each step stands in the ledger" in text


def test_a_wrong_line_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = load_files("equal")
    files["sample.jsonl"] = files["sample.jsonl"].replace(b'"rank":2', b'"rank":3', 1)
    code, text = told(capsys, str(write(tmp_path, files)), "--language", "en")
    assert code == 1
    assert "sample.jsonl:2: the rank is wrong (wrong-rank)" in text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_machine_is_told_the_same(
    tmp_path: Path, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = load_files("equal")
    files["SHA256SUMS"] = b""
    code, text = told(capsys, str(write(tmp_path, files)), "--json", "--language", language)
    verdict: dict[str, Any] = json.loads(text)
    assert code == 1
    assert verdict["broken"]["rule"] == "sums-malformed"


def test_what_is_no_bundle_cannot_be_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file.tar.gz").write_bytes(b"no archive")
    write(tmp_path / "empty", {"readme": b""})
    for place in ("nothing", "file.tar.gz", "empty"):
        assert told(capsys, str(tmp_path / place))[0] == 2


def test_a_ledger_needs_somebody_to_trust(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, str(FOLDER / "equal"), "--ledger", str(tmp_path))[0] == 2


def test_an_archive_with_two_files_of_one_name_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "two.tar.gz", "w:gz") as archive:
        for data in (b"one", b"two"):
            member = tarfile.TarInfo("rules.json")
            member.size = len(data)
            archive.addfile(member, BytesIO(data))
    with pytest.raises(ValueError, match="two files"):
        open_bundle(tmp_path / "two.tar.gz")
