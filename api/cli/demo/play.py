"""`sunlot demo`: a small Shanxi year, carried through the whole workflow by the same code as real use.

Files are written from the templates and imported, steps go through the application layer with the
story's clock. A demo that was killed goes on where it stopped; a finished one is left as it is.
"""

import json
import os
import secrets
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from shutil import which
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress

from api.bootstrap import Settings, System, build, make_key, migrate_store, newest_rulebook
from api.cli.demo.cast import CITY, PARTS, PROVINCE_CODE, cast_parts
from api.cli.demo.city import write_files
from api.cli.demo.quarter import Quarter, at
from api.cli.demo.rechecks import DAY, RecheckLottery
from api.cli.demo.stage import CAUSE, Stage, StoryClock
from api.cli.serving import serve_system
from application.accounts import found, issue_token
from application.imports import run_import
from application.items import publish_catalogue
from application.plans import approve_plan, publish_plan, submit_plan
from application.ports import Answer
from application.workflow import Call
from domain.act import Act
from domain.errors import Conflict
from domain.plan import Plan

SEED: Final = "太原 2024"
START: Final = date(2024, 4, 8)
QUARTERS: Final = {
    "2024Q2": (date(2024, 5, 6), date(2024, 6, 28)),
    "2024Q3": (date(2024, 7, 8), date(2024, 9, 27)),
}
TOKEN_LIFETIME: Final = timedelta(days=366)


class NotTheDemo(Conflict):
    """The folder holds an installation that is not the demo; facts: `folder`."""

    code = "not-the-demo"


def run(settings: Settings, *, serve: bool, console: Console) -> None:
    """Play the demo in the settings' data folder, print what to try, and serve it if asked.

    The second time it says that it is there and changes nothing.
    """
    sign_ins = SignIns(settings.data_dir / "demo-sign-ins.json")
    if sign_ins.finished:
        console.print(
            f"演示数据已在 {settings.data_dir}，未作任何改动。 The demo is there; nothing was changed."
        )
        if serve:
            _serve(build(settings), settings, sign_ins, console)
        return
    _play(settings, sign_ins, console)
    _print(settings, sign_ins, console, serving=serve)
    if serve:
        serve_system(build(settings), host=settings.host, port=settings.port)


def _serve(system: System, settings: Settings, sign_ins: "SignIns", console: Console) -> None:
    _print(settings, sign_ins, console, serving=True)
    serve_system(system, host=settings.host, port=settings.port)


def _play(settings: Settings, sign_ins: "SignIns", console: Console) -> None:
    migrate_store(settings)
    key = make_key(settings)
    clock = StoryClock(at(START, 8).astimezone(UTC))
    system = build(settings, clock=clock)
    try:
        with Progress(console=console, transient=True) as progress:
            stage = Stage(system, clock, SEED, progress)
            _begin(stage, sign_ins, key)
            _import_files(stage, settings.data_dir / "demo-files")
            system.start()
            _carry_quarters(stage)
        system.stop()
        system.projections.catch_up()
        clock.reach(datetime.now(UTC))
        sign_ins.finish(_issue_tokens(stage))
        system.publisher.publish_once()
    finally:
        system.close()


def _begin(stage: Stage, sign_ins: "SignIns", key: str) -> None:
    """Found the log and open the accounts; a folder that somebody else founded is left alone."""
    office = stage.office
    if office.claims.holder("installation", "1") is None:
        sign_ins.begin()
        moment = stage.clock.now()
        found(
            office,
            Act(by="", at=moment, occurred_at=moment, correlation_id="demo/found", causation_id=CAUSE),
            origin=office.ledger.origin,
            verifier_key=key,
            rulebook=newest_rulebook(stage.system, START),
            region=PROVINCE_CODE,
            login="administrator",
            password=sign_ins.password,
            name="晋管 理",
        )
    if not sign_ins.begun:
        raise NotTheDemo(folder=str(sign_ins.file.parent))
    credential = office.credentials.by_login("administrator")
    if credential is None:
        raise NotTheDemo(folder=str(sign_ins.file.parent))
    stage.cast["administrator"] = credential.account
    cast_parts(stage, sign_ins.password, at(START, 9))


def _import_files(stage: Stage, folder: Path) -> None:
    """Write the templates' files and import them as a user would, items first."""
    files = write_files(folder, Random(SEED))  # noqa: S311
    _import(stage, "items", files["items"], 1)
    stage.step(
        "catalogue",
        "leader",
        at(START + timedelta(days=4), 10),
        lambda call: publish_catalogue(stage.office, call, region=CITY),
    )
    for number, kind in enumerate(("sites", "inspectors", "plan")):
        _import(stage, kind, files[kind], 7 + number)


def _import(stage: Stage, kind: str, file: Path, days: int) -> None:
    stage.step(
        f"import/{kind}",
        "officer",
        at(START + timedelta(days=days), 10),
        lambda call: run_import(stage.office, call, kind, region=CITY, content=file.read_bytes()),
    )


def _carry_quarters(stage: Stage) -> None:
    """Approve and publish the plan, then draw its rows and let everything that follows happen."""
    plan = next(stream for _, stream in stage.office.claims.keys("plan", f"{CITY}/{START.year}/"))
    day = START + timedelta(days=11)
    stage.step("plan/submit", "officer", at(day, 9), lambda call: submit_plan(stage.office, call, plan))
    stage.step("plan/approve", "leader", at(day, 15), lambda call: _approve(stage, call, plan))
    stage.step(
        "plan/publish",
        "officer",
        at(day + timedelta(days=7), 9),
        lambda call: publish_plan(stage.office, call, plan),
    )
    rows = stage.office.workflow.load(Plan, plan).rows.values()
    for number, row in enumerate(rows):
        first, last = QUARTERS[row.period]
        day = first + timedelta(days=sum(earlier.period == row.period for earlier in list(rows)[:number]))
        stage.plan(at(day, 9), Quarter(stage, plan, row, day, last).begin)
    stage.plan(at(DAY, 9), RecheckLottery(stage).begin)
    stage.run()


def _approve(stage: Stage, call: Call, plan: str) -> Answer:
    return approve_plan(stage.office, call, plan, opinion="比例与频次适当，同意")


def _issue_tokens(stage: Stage) -> dict[str, str]:
    """Tokens for every part and for one drawn inspector, issued now and not in the story's year."""
    accounts = {name: stage.cast[name] for name in ("administrator", *(part.login for part in PARTS))}
    _, accounts["inspector"] = next(stage.office.claims.keys("inspector-account"))
    tokens = {}
    for name, account in accounts.items():
        call = stage.call(f"token/{name}", "administrator", stage.clock.now())
        plain = Call(actor=call.actor, act=call.act)
        issued = issue_token(stage.office, plain, account, label="demo", lifetime=TOKEN_LIFETIME)
        tokens[name] = issued.token
    return tokens


class SignIns:
    """The demo's password and tokens, in a file that only its owner can read."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._content: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}

    @property
    def begun(self) -> bool:
        """Whether the folder's installation is the demo's."""
        return "password" in self._content

    @property
    def finished(self) -> bool:
        """Whether the story was told to its end."""
        return "tokens" in self._content

    @property
    def password(self) -> str:
        """The one password of all who sign in."""
        return str(self._content["password"])

    @property
    def tokens(self) -> dict[str, str]:
        """Bearer tokens by login name; `inspector` is one of the drawn."""
        return dict(self._content.get("tokens", {}))

    def begin(self) -> None:
        """Make the password, before there is anything that it opens."""
        if not self.begun:
            self._write({"password": secrets.token_urlsafe(12)})

    def finish(self, tokens: dict[str, str]) -> None:
        """Keep the tokens: the demo is done."""
        self._write({**self._content, "tokens": tokens})

    def _write(self, content: dict[str, Any]) -> None:
        part = self.file.with_suffix(".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            json.dump(content, stream)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(self.file)
        self._content = content


def _print(settings: Settings, sign_ins: SignIns, console: Console, *, serving: bool) -> None:
    address = f"http://{settings.host}:{settings.port}"
    console.rule("登录 Sign-ins")
    console.print("登录名 login · 令牌 token（inspector 只有令牌 has a token alone）", highlight=False)
    for login, token in sign_ins.tokens.items():
        console.print(f"{login:<14} {token}", soft_wrap=True, highlight=False)
    console.print(f"口令 password: {sign_ins.password}", highlight=False)
    sunlot = _command()
    start = f"{sunlot} serve --data {settings.data_dir}"
    console.print("试一试 Try:" if serving else f"先运行 First run `{start}`，再试 then try:")
    officer = f"-H 'Authorization: Bearer {sign_ins.tokens['officer']}'"
    for line in (
        f"{address}/  首页 start page",
        f"{address}/docs  接口文档 API documentation",
        f"curl {address}/api/v1/public/results?region={CITY}",
        f"curl {officer} {address}/api/v1/statistics/2024Q2?region={CITY}",
        f"{sunlot} ledger verify --data {settings.data_dir}",
        "docs/tutorial/first-inspection.md  从抽取到公示的教程 the way from a draw to publication",
    ):
        console.print(f"  {line}", soft_wrap=True, highlight=False)


def _command() -> str:
    """How a shell in this folder finds the command: by its name, or beside the running Python."""
    if which("sunlot"):
        return "sunlot"
    beside = Path(sys.executable).absolute().with_name("sunlot")
    here = Path.cwd()
    return str(beside.relative_to(here) if beside.is_relative_to(here) else beside)
