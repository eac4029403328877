"""What all commands have in common: languages, exit statuses, JSON, texts, and no stack trace."""

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from api.cli import checks, main
from api.cli.desk import Machine
from api.cli.main import app
from api.cli.terminal import Terminal, clean, texts
from api.i18n import places
from tests.api.cli.installation import Installation

CLI = Path(inspect.getfile(main)).parent
KEY = re.compile(r'(?:say|warn|text|progress|Cannot)\(\s*(?:title=)?"([a-z-]+)"')
ADVICE = re.compile(r'"(advise-[a-z-]+)"')
PLACE = re.compile(r"\{[^}]*\}|Python")
WORDS = re.compile(r"[A-Za-z]")


WANTED = {
    "projections": "status rebuild",
    "rulebook": "list adopt",
    "account": "init sign-in add grant revoke link link-enterprise token revoke-token reset close list",
    "item": "draft revise repeal list",
    "catalogue": "publish list",
    "plan": "draft set-row drop-row submit approve return publish list show",
    "draw": "announce supplement commit seal receipt reveal type-value observe complete open void end "
    "bundle secret list line verify",
    "recusal": "declare grant refuse withdraw",
    "barring": "declare grant refuse withdraw list",
    "assignment": "ask-void refuse-void void list mine",
    "site": "register change assess remove list",
    "inspector": "register change remove list",
    "inspection": "open approve notify identity evidence finding withdraw-finding conclude return review "
    "publish withhold",
    "violation": "order submit return verify dispose close list",
    "recheck": "announce record mine list",
    "referral": "send receive reply",
    "ledger": "keygen publish show receipt verify export rotate hand-over resume",
    "ledger witness": "serve keygen show forget",
    "vault": "erase approve refuse due readings sweep",
}


def _commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, found in group.commands.items():
        if hasattr(found, "commands"):
            yield from _commands(found, f"{before}{name} ")
        else:
            yield f"{before}{name}", found


COMMANDS = dict(_commands(typer.main.get_command(app)))


def test_the_command_line_has_every_command_of_the_workflow() -> None:
    wanted = {"serve", "worker", "migrate", "demo", "template", "import", "replay", "statistics", "doctor"}
    for group, names in WANTED.items():
        wanted |= {f"{group} {name}" for name in names.split()}
    assert wanted <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_explained_in_both_languages(name: str) -> None:
    command = COMMANDS[name]
    assert re.search(r"[A-Za-z]", command.help)
    assert re.search(r"[\u4e00-\u9fff]", command.help), "no Chinese"
    for parameter in command.params:
        if parameter.name != "help" and not getattr(parameter, "hidden", False):
            assert parameter.help, f"{parameter.name} is not explained"
    assert {"json", "language", "data"} <= {parameter.name for parameter in command.params}


def test_every_text_is_there_in_both_languages_and_used() -> None:
    source = "\n".join(file.read_text(encoding="utf-8") for file in CLI.glob("*.py"))
    named = set(KEY.findall(source)) | set(ADVICE.findall(source))
    known = texts().texts
    assert named <= set(known)
    for key, (chinese, english) in known.items():
        assert f'"{key}"' in source or key.startswith("check-"), f"{key} is not used"
        assert places(chinese) == places(english), key
        assert re.search(r"[\u4e00-\u9fff]", chinese) or not WORDS.search(PLACE.sub("", chinese)), key


def test_every_check_has_a_name() -> None:
    source = inspect.getsource(checks)
    names = set(re.findall(r'(?:Check|fine|_refused)\(\s*"([a-z]+)"', source))
    assert names
    assert {f"check-{name}" for name in names} <= set(texts().texts)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"SUNLOT_LANG": "en"}, "No token"),
        ({"SUNLOT_LANG": "zh"}, "缺少令牌"),
        ({"SUNLOT_LANG": "", "LC_ALL": "", "LC_MESSAGES": "", "LANG": "en_GB.UTF-8"}, "No token"),
        ({"SUNLOT_LANG": "", "LC_ALL": "", "LC_MESSAGES": "", "LANG": "C.UTF-8"}, "缺少令牌"),
        ({"SUNLOT_LANG": "zh", "LC_ALL": "en_GB.UTF-8"}, "缺少令牌"),
    ],
)
def test_the_language_is_the_environments(
    founded: Installation, environment: dict[str, str], said: str
) -> None:
    words = ["account", "list", "--data", str(founded.data)]
    result = CliRunner().invoke(app, words, env={**environment, "SUNLOT_TOKEN": ""})
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_language_that_is_none_of_ours_is_wrong_usage(founded: Installation) -> None:
    assert founded.run("account", "list", "--lang", "fr").exit_code == 2


def test_the_token_may_stand_in_the_environment(founded: Installation) -> None:
    token = founded.token("admin").read_text()
    environment = {"SUNLOT_TOKEN": token, "SUNLOT_DATA_DIR": str(founded.data), "SUNLOT_LOG_LEVEL": "ERROR"}
    machine = Machine(clock=founded.clock, chance=founded.chance)
    result = CliRunner().invoke(app, ["account", "list", "--json"], obj=machine, env=environment)
    assert result.exit_code == 0
    assert len(json.loads(result.stdout)) == 1


def test_a_refusal_is_a_sentence_with_its_code_and_facts(founded: Installation) -> None:
    chinese = founded.run(
        "account", "grant", "account-x", "leader", "--region", "140100", by="admin", lang="zh"
    )
    assert chinese.exit_code == 1
    assert "[not-found]" in chinese.stderr
    assert "account-x" in chinese.stderr
    assert re.search(r"[\u4e00-\u9fff]", chinese.stderr)
    assert chinese.stdout == ""
    assert "Traceback" not in chinese.output


def test_a_store_that_is_not_there_cannot_be_worked_with(empty: Installation) -> None:
    refusal = empty.refused("projections", "status", status=2)
    assert refusal["code"] in ("ledger-key-unusable", "store-unavailable")
    empty.done("ledger", "keygen")
    assert empty.refused("projections", "status", status=2)["code"] == "store-unavailable"


def test_a_file_that_cannot_be_written_is_named(founded: Installation) -> None:
    nowhere = founded.folder / "no" / "such" / "folder.tlog-proof"
    refusal = founded.refused("ledger", "receipt", 0, "--out", nowhere, status=2)
    assert (refusal["code"], refusal["facts"]["file"]) == ("file-unusable", str(nowhere))


def test_read_models_stand_and_are_built_anew(founded: Installation) -> None:
    standing = founded.done("projections", "status")
    assert {one["status"] for one in standing} == {"live"}
    (one,) = founded.done("projections", "rebuild", "accounts")
    assert (one["name"], one["lag"]) == ("accounts", 0)
    assert len(founded.done("projections", "rebuild")) == len(standing)
    assert founded.refused("projections", "rebuild", "nothing")["code"] == "projection-unknown"


def test_a_rulebook_is_adopted_once(founded: Installation) -> None:
    (book,) = founded.done("rulebook", "list")
    assert founded.refused("rulebook", "adopt", book["version"], by="admin")["code"] == "rulebook-adopted"
    assert founded.refused("rulebook", "adopt", "1999.1", by="admin")["code"] == "rulebook-missing"


def test_statistics_of_no_period_are_wrong_usage(staffed: Installation) -> None:
    assert staffed.run("statistics", "2024Q5", by="officer").exit_code == 2
    report = staffed.done("statistics", "2024Q2", by="officer")
    assert (report["cells"], report["total"]["drawn"]) == ([], 0)


def test_stored_text_cannot_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert clean("a\x1b[31mb\x07c\nd\te") == "a\ufffd[31mb\ufffdc\nd\te"
    Terminal(language="en").rows([{"name": "[bold]x\x1b[2J"}], ("name",))
    printed = capsys.readouterr().out
    assert "[bold]x" in printed
    assert "\x1b" not in printed


def test_a_token_file_that_is_no_text_is_named(founded: Installation) -> None:
    founded.token("admin").write_bytes(b"\xff\xfe")
    refusal = founded.refused("account", "list", by="admin", status=2)
    assert (refusal["code"], refusal["facts"]["file"]) == ("file-unusable", str(founded.token("admin")))
