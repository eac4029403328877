"""The people of the demo: who signs in, in which role, and the accounts of the drawn inspectors."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from api.cli.demo.stage import Stage
from application.accounts import give_role, link_inspector, open_account
from application.authorisation import (
    AUDITOR,
    CASE_HANDLER,
    CITY_OFFICER,
    DISCIPLINE,
    INSPECTOR,
    LEADER,
    PROVINCE,
    REPORTING,
)
from application.ports import Answer
from application.workflow import Call

CITY: Final = "140100"
PROVINCE_CODE: Final = "140000"


class Part(msgspec.Struct, frozen=True):
    """A part of the play: the login name, the person's name, the role and its region."""

    login: str
    name: str
    role: str
    region: str = CITY


PARTS: Final = (
    Part("officer", "晋双 随", CITY_OFFICER),
    Part("reviewer", "晋复 核", CITY_OFFICER),
    Part("leader", "晋负 责", LEADER),
    Part("discipline", "晋纪 检", DISCIPLINE),
    Part("auditor", "晋审 计", AUDITOR, PROVINCE_CODE),
    Part("case-handler", "晋办 案", CASE_HANDLER),
    Part("province", "晋省 厅", PROVINCE, PROVINCE_CODE),
    Part("reporting", "报送 程序", REPORTING, PROVINCE_CODE),
)


def cast_parts(stage: Stage, password: str, when: datetime) -> None:
    """Open the accounts of all parts and give them their roles."""
    for number, part in enumerate(PARTS):
        moment = when + timedelta(minutes=number)
        stage.cast[part.login] = _cast(stage, part, password, moment)


def _cast(stage: Stage, part: Part, password: str, when: datetime) -> str:
    def open_it(call: Call) -> Answer:
        return open_account(
            stage.office, call, person={"name": part.name}, login=part.login, password=password
        )

    account = stage.step(f"account/{part.login}", "administrator", when, open_it).id
    _give(stage, part.login, account, part.role, part.region, when)
    return account


def _give(stage: Stage, name: str, account: str, role: str, region: str, when: datetime) -> None:
    stage.step(
        f"role/{name}",
        "administrator",
        when,
        lambda call: give_role(stage.office, call, account, role=role, region=region, until=None),
    )


def account_of(stage: Stage, inspector: str, when: datetime) -> str:
    """The account that stands for an inspector; opened when he is first needed. It comes in by token."""
    name = f"inspector/{inspector}"
    if name not in stage.cast:
        stage.cast[name] = _open_inspector(stage, inspector, name, when)
    return stage.cast[name]


def _open_inspector(stage: Stage, inspector: str, name: str, when: datetime) -> str:
    account = stage.step(
        name,
        "administrator",
        when,
        lambda call: open_account(stage.office, call, person={"name": "执法检查人员"}, login="", password=""),
    ).id
    stage.step(
        f"{name}/link",
        "administrator",
        when,
        lambda call: link_inspector(stage.office, call, account, inspector=inspector),
    )
    _give(stage, name, account, INSPECTOR, CITY, when)
    return account
