"""The wiring: an installation opens with the key that founded it, and with no other."""

from datetime import date
from pathlib import Path

import pytest

from api.bootstrap import Settings, build, make_key, migrate_store, newest_rulebook, tools
from application.accounts import found
from domain.act import Act
from domain.errors import KeyUnusable
from tests.office import PASSWORD, SHANXI


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(data_dir=tmp_path / "data")
    migrate_store(settings)
    vkey = make_key(settings)
    system = build(settings)
    now = system.clock.now()
    found(
        system.office,
        Act(by="", at=now, occurred_at=now),
        origin=settings.origin,
        verifier_key=vkey,
        rulebook=newest_rulebook(system, date(2024, 4, 1)),
        region=SHANXI,
        login="administrator",
        password=PASSWORD,
        name="",
    )
    system.close()
    return settings


def test_a_lost_key_is_not_replaced_by_another(settings: Settings) -> None:
    settings.key_file.rename(settings.key_file.with_suffix(".away"))
    for make in (tools(settings).new_key, lambda: make_key(settings)):
        with pytest.raises(KeyUnusable) as refused:
            make()
        assert refused.value.facts["reason"] == "log-exists"
    assert not settings.key_file.exists()


def test_another_key_does_not_open_the_installation(settings: Settings, tmp_path: Path) -> None:
    other = settings.model_copy(update={"data_dir": tmp_path / "other"})
    tools(other).new_key()
    other.key_file.replace(settings.key_file)
    with pytest.raises(KeyUnusable) as refused:
        build(settings)
    assert refused.value.facts["reason"] == "not-the-founders"
