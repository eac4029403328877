"""Generated pages say what the code says."""

from pathlib import Path

import pytest

from infrastructure.settings import Settings
from tests.house.cli_reference import render_cli
from tests.house.references import REFERENCES, ROOT, variable


@pytest.mark.parametrize("path", REFERENCES)
def test_a_generated_page_is_up_to_date(path: str) -> None:
    assert (ROOT / path).read_text() == REFERENCES[path](), f"{path} is out of date: make docs"


def test_every_setting_is_explained() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_example_of_the_environment_sets_every_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)
    lines = (ROOT / ".env.example").read_text().splitlines()
    settings = [line.removeprefix("# ") for line in lines if line.startswith("# SUNLOT_")]
    defaults = Settings()
    for line in settings:
        name, _, value = line.partition("=")
        if value:
            monkeypatch.setenv(name, value)
    assert len(settings) == len(Settings.model_fields)
    assert Settings() == defaults


def test_an_option_that_commands_share_is_not_another_commands_of_the_same_name() -> None:
    page = render_cli()
    shared = page.partition("Commands that act take:")[2].partition("##")[0]
    assert "Idempotency key" in shared
    assert "witness" not in shared
    assert "--key" in page.partition("## `sunlot ledger witness serve`")[2].partition("##")[0]
