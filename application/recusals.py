"""Recusals: who may declare and who decides, before a draw and after; and those declared before it.

A recusal granted before a draw is a relation of the inspector to the enterprise, which every later pool has
among the conflicts. One that comes after the draw is in `assignments`.
"""

from datetime import date

from application.authorisation import LEADER
from application.evidence import require_blobs
from application.office import Office
from application.ports import Answer
from application.workflow import Call
from domain.account import Account
from domain.errors import Forbidden, Invalid
from domain.inspector import Inspector
from domain.recusal import COLLECTIVE, DECIDERS, HEAD


class RecusalNotOwn(Forbidden):
    """An inspector declares recusal for himself only; facts: `inspector`."""

    code = "recusal-not-own"
    source = "行政处罚法 §43"


class RecusalNotOfSite(Forbidden):
    """An enterprise asks for recusals at its own sites only."""

    code = "recusal-not-of-site"
    source = "行政处罚法 §43"


class DeciderRankWrong(Invalid):
    """A recusal is decided by the head, the head's own by the leaders' collective; facts: `decided_as`,
    `needed`.
    """

    code = "decider-rank-wrong"
    source = "行政处罚法 §43"


def require_declarer(call: Call, origin: str, *, inspector: str, uscc: str, region: str) -> None:
    """Refuse who may not declare with this origin.

    `self` takes the inspector's own account; `site` an account of the enterprise, or a city officer who takes
    down what it said; `agency` a city officer. An origin that the law does not know is refused later.
    """
    call.require("recusal.declare", None)
    if origin == "self":
        if call.actor.inspector != inspector:
            raise RecusalNotOwn("/inspector", inspector=inspector)
    elif not call.actor.enterprise:
        call.require("recusal.find", region)
    elif origin != "site" or call.actor.enterprise != uscc:
        raise RecusalNotOfSite("/origin")


def require_rank(office: Office, call: Call, *, inspector: str, decided_as: str, minutes: str) -> None:
    """Refuse with `DeciderRankWrong` a rank that does not decide on this inspector; minutes must be kept."""
    needed = rank_over(office, inspector, call.act.taken_on)
    if decided_as not in DECIDERS or decided_as != needed:
        raise DeciderRankWrong("/decided_as", decided_as=decided_as, needed=needed)
    if minutes:
        require_blobs(office, [minutes], "/minutes")


def rank_over(office: Office, inspector: str, day: date) -> str:
    """Who decides on this inspector's recusal on the day: the head, or the collective if he leads himself."""
    stream = office.claims.holder("inspector-account", inspector)
    if stream is None:
        return HEAD
    grants = office.workflow.load(Account, stream).grants.values()
    leads = any(one.role == LEADER and (one.until is None or day <= one.until) for one in grants)
    return COLLECTIVE if leads else HEAD


def declare_barring(
    office: Office, call: Call, id: str, *, uscc: str, ground: str, origin: str, detail: str
) -> Answer:
    """Declare, before any draw, that an inspector must not go to the sites of an enterprise."""
    recusal = office.chance.id("recusal")
    inspector = office.workflow.load(Inspector, id)
    require_declarer(call, origin, inspector=id, uscc=uscc, region=inspector.region)
    office.workflow.expect(call, inspector)
    inspector.declare_recusal(
        call.act, recusal=recusal, uscc=uscc, ground=ground, origin=origin, detail=detail
    )
    return office.workflow.commit(call, inspector, also={"recusal": recusal})


def grant_barring(
    office: Office, call: Call, id: str, *, recusal: str, reason: str, decided_as: str, minutes: str = ""
) -> Answer:
    """Bar the inspector from the enterprise's sites in every draw that is sealed after this."""
    inspector = _for_decision(office, call, id, decided_as, minutes)
    inspector.grant_recusal(
        call.act,
        recusal=recusal,
        decider=call.actor.inspector,
        reason=reason,
        decided_as=decided_as,
        minutes=minutes,
    )
    return office.workflow.commit(call, inspector)


def refuse_barring(
    office: Office, call: Call, id: str, *, recusal: str, reason: str, decided_as: str, minutes: str = ""
) -> Answer:
    """Let the inspector go to the enterprise's sites, with reasons."""
    inspector = _for_decision(office, call, id, decided_as, minutes)
    inspector.refuse_recusal(
        call.act,
        recusal=recusal,
        decider=call.actor.inspector,
        reason=reason,
        decided_as=decided_as,
        minutes=minutes,
    )
    return office.workflow.commit(call, inspector)


def withdraw_barring(office: Office, call: Call, id: str, *, recusal: str, reason: str) -> Answer:
    """Take a declaration back before it is decided, as who made it."""

    def decide(inspector: Inspector) -> None:
        call.require("recusal.declare", None)
        inspector.withdraw_recusal(call.act, recusal=recusal, reason=reason)

    return office.workflow.change(call, Inspector, id, decide)


def _for_decision(office: Office, call: Call, id: str, decided_as: str, minutes: str) -> Inspector:
    inspector = office.workflow.load(Inspector, id)
    call.require("recusal.decide", inspector.region)
    office.workflow.expect(call, inspector)
    require_rank(office, call, inspector=id, decided_as=decided_as, minutes=minutes)
    return inspector
