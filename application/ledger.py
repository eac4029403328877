"""The ledger's key and what was published: changing the one and giving up the other takes two people."""

from collections.abc import Callable

from application.office import Office
from application.ports import Answer
from application.workflow import Call
from domain.installation import Installation

ROTATE = "ledger.rotate"
RESUME = "ledger.resume"


def ask_key_change(office: Office, call: Call, *, region: str, verifier_key: str, reason: str) -> Answer:
    """Ask, as the first person, that this key signs from now on."""
    return _change(
        office,
        call,
        ROTATE,
        region,
        lambda log: log.ask_key_change(call.act, verifier_key=verifier_key, reason=reason),
    )


def change_key(office: Office, call: Call, *, region: str, verifier_key: str) -> Answer:
    """Confirm, as another person, that this very key signs from now on."""
    return _change(
        office, call, ROTATE, region, lambda log: log.change_key(call.act, verifier_key=verifier_key)
    )


def withdraw_key_change(office: Office, call: Call, *, region: str, reason: str) -> Answer:
    """Let the key stay."""
    return _change(office, call, ROTATE, region, lambda log: log.withdraw_key_change(call.act, reason=reason))


def ask_resume(office: Office, call: Call, *, region: str, size: int, root: str, reason: str) -> Answer:
    """Ask, as the first person, to give up the published checkpoint of this size and root (hex).

    That it was published and that the store does not continue it is the caller's to make sure.
    """
    return _change(
        office,
        call,
        RESUME,
        region,
        lambda log: log.ask_resume(call.act, size=size, root=root, reason=reason),
    )


def resume(office: Office, call: Call, *, region: str, size: int, root: str) -> Answer:
    """Confirm, as another person, that this very checkpoint is given up."""
    return _change(office, call, RESUME, region, lambda log: log.resume(call.act, size=size, root=root))


def withdraw_resume(office: Office, call: Call, *, region: str, reason: str) -> Answer:
    """Let nothing be given up."""
    return _change(office, call, RESUME, region, lambda log: log.withdraw_resume(call.act, reason=reason))


def _change(
    office: Office, call: Call, permission: str, region: str, decide: Callable[[Installation], None]
) -> Answer:
    call.require(permission, region)
    stream = office.claims.holder("installation", "1") or ""
    return office.workflow.change(call, Installation, stream, decide)
