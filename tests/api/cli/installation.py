"""An installation in a folder, driven by nothing but `sunlot` commands, with a clock that a test moves."""

import json
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zlib import crc32

from typer.testing import CliRunner, Result

from api.cli.desk import Machine
from api.cli.main import app
from tests.application.intake_files import Cells, book
from tests.fakes import FakeClock, SeededChance

PASSWORD = "correct horse battery"
TAIYUAN = "140100"
ROLES = {
    "officer": "city-officer",
    "reviewer": "city-officer",
    "leader": "leader",
    "discipline": "discipline",
    "auditor": "auditor",
}
MORNING = datetime(2024, 4, 8, 1, 0, tzinfo=UTC)


@dataclass
class Installation:
    """A data folder, the accounts made in it, and the machine on which the commands run."""

    folder: Path
    clock: FakeClock = field(default_factory=lambda: FakeClock(MORNING))
    chance: SeededChance = field(default_factory=SeededChance)
    accounts: dict[str, str] = field(default_factory=dict)
    log_level: str = "WARNING"
    database: str = ""

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    def run(self, *words: object, by: str = "", given: str | None = None, lang: str = "en") -> Result:
        """A command, as somebody whose token was issued."""
        named = ("--token-file", self.token(by)) if by else ()
        self.clock.advance(seconds=1)
        return CliRunner().invoke(
            app,
            [str(word) for word in (*words, *named, "--data", self.data)],
            input=given,
            env={
                "SUNLOT_LANG": lang,
                "SUNLOT_TOKEN": "",
                "SUNLOT_LOG_LEVEL": self.log_level,
                "SUNLOT_DATABASE_URL": self.database,
            },
            catch_exceptions=False,
            obj=Machine(clock=self.clock, chance=self.chance),
        )

    def done(self, *words: object, by: str = "", given: str | None = None) -> Any:
        """What a command that succeeds answers in JSON."""
        result = self.run(*words, "--json", by=by, given=given)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def refused(self, *words: object, by: str = "", status: int = 1, given: str | None = None) -> Any:
        """The refusal of a command, in JSON, with its exit status."""
        result = self.run(*words, "--json", by=by, given=given)
        assert result.exit_code == status, result.output
        return json.loads(result.stdout)["refused"]

    def token(self, who: str) -> Path:
        """The file with somebody's bearer token."""
        return self.folder / f"{who}.token"

    def file(self, name: str, content: bytes | dict[str, Any]) -> Path:
        """A file to be given to a command."""
        target = self.folder / name
        target.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return target

    def table(self, kind: str, *rows: Cells) -> Path:
        """A filled-in table."""
        return self.file(f"{kind}.xlsx", book(kind, rows))

    def open_account(self, name: str, role: str, *, region: str = TAIYUAN) -> str:
        """An account in a role, with its token in a file."""
        account: str = self.done("account", "add", "--name", name, by="admin")["id"]
        self.done("account", "grant", account, role, "--region", region, by="admin")
        self.done("account", "token", account, "--out", self.token(name), by="admin")
        self.accounts[name] = account
        return account

    def copied(self, folder: Path) -> "Installation":
        """The same installation in another folder, to go on from where this one stands."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        clock, chance = FakeClock(self.clock.now()), SeededChance(crc32(bytes(folder)))
        return Installation(folder, clock, chance, dict(self.accounts))


def found_installation(folder: Path) -> Installation:
    """An installation with an administrator and nobody else."""
    made = Installation(folder)
    made.done("account", "init", "--login", "admin", "--name", "管理员", given=f"{PASSWORD}\n")
    made.done("account", "sign-in", "--login", "admin", "--out", made.token("admin"), given=f"{PASSWORD}\n")
    return made


def staffed_installation(folder: Path) -> Installation:
    """An installation with an account in every role of `ROLES`."""
    made = found_installation(folder)
    for name, role in ROLES.items():
        made.open_account(name, role)
    return made
