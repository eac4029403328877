"""Settings: their defaults serve alone, the environment changes them, a wrong one is named."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from infrastructure.settings import Settings


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_defaults_are_an_embedded_installation_of_ones_own() -> None:
    settings = Settings()
    assert settings.host == "127.0.0.1"
    assert settings.store_url == settings.owner_url == "sqlite:///var"
    assert settings.key_file == Path("var/ledger.key")
    assert settings.key_secret is None


def test_everything_follows_the_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUNLOT_DATA_DIR", "/srv/sunlot")
    settings = Settings()
    assert settings.store_url == "sqlite:////srv/sunlot"
    folders = (settings.blobs_dir, settings.ledger_dir, settings.calendar_dir, settings.rulebook_dir)
    assert {folder.parent for folder in folders} == {Path("/srv/sunlot")}
    assert len(set(folders)) == 4


def test_migrations_may_run_as_another_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUNLOT_DATABASE_URL", "postgresql://service@db/sunlot")
    assert Settings().owner_url == "postgresql://service@db/sunlot"
    monkeypatch.setenv("SUNLOT_MIGRATION_URL", "postgresql://owner@db/sunlot")
    assert (Settings().store_url, Settings().owner_url) == (
        "postgresql://service@db/sunlot",
        "postgresql://owner@db/sunlot",
    )


def test_a_file_beside_the_process_sets_them_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SUNLOT_PORT=8123\nOTHER=1\n", encoding="utf-8")
    assert Settings().port == 8123


def test_the_key_never_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUNLOT_LEDGER_KEY", "PRIVATE+KEY+x")
    settings = Settings()
    assert settings.key_secret == "PRIVATE+KEY+x"
    assert "PRIVATE" not in f"{settings!r} {settings} {settings.model_dump()}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "65536"),
        ("PUBLISH_SECONDS", "3"),
        ("LOG_FORMAT", "xml"),
        ("BODY_LIMIT", "0"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"SUNLOT_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()
