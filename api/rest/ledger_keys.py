"""The ledger's charter: its key and what was given up of it, and what two people decide about them."""

from collections.abc import Callable

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import Field

from api.access import SIGNED_IN, Asked, ask
from api.bootstrap import System, find_standing
from api.rest.commands import Command, Step, change
from api.rest.description import does, shows
from api.rest.fields import Reason, Reasoned
from api.rest.presenting import found, show_one
from application import ledger
from application.ports import Answer
from application.workflow import Call
from domain.installation import GivenUp, Installation, LedgerAskingDiffers, NextKey

router = APIRouter(prefix="/ledger", tags=["ledger"])


class KeyNamed(Step):
    """A verifier key of the log."""

    verifier_key: str = Field(description="验证公钥 A vkey line under the log's name.", max_length=500)


class KeyAsking(KeyNamed):
    """Which key is to sign from now on, and why."""

    reason: Reason


class CheckpointNamed(Step):
    """A published checkpoint, and where somebody held it outside, its signed note."""

    size: int = Field(description="大小 Its size.", ge=1, lt=2**63)
    root: str = Field(description="根 Its root, in hex.", pattern="^[0-9a-f]{64}$")
    checkpoint: str | None = Field(
        default=None, description="外部保存的检查点 The signed note, if it is not the one published now."
    )


class ResumeAsking(CheckpointNamed):
    """Which published checkpoint is to be given up, and why."""

    reason: Reason


class CharterShown(msgspec.Struct, frozen=True, kw_only=True):
    """Which key signs, which did before, what was given up, and what waits for a second person."""

    origin: str
    verifier_key: str
    former_keys: tuple[str, ...]
    next_key: NextKey | None
    given_up: tuple[GivenUp, ...]
    to_give_up: GivenUp | None


@router.get("/charter", summary="账本章程 The ledger's charter")
@shows(CharterShown, etag=True)
def read_charter(request: Request, asked: Asked = ask(SIGNED_IN)) -> Response:
    """The keys and what was given up; the ETag is for the commands below."""
    stream = found(asked.office.claims.holder("installation", "1"), "installation", "1")
    log = asked.office.workflow.load(Installation, stream)
    shown = CharterShown(
        origin=log.origin,
        verifier_key=log.verifier_key,
        former_keys=log.former_keys,
        next_key=log.next_key,
        given_up=log.given_up,
        to_give_up=log.to_give_up,
    )
    return show_one(request, shown, log.version)


@router.post("/key-changes", summary="申请换钥 Ask for another key")
@does()
def ask_key_change(body: KeyAsking, command: Command = change(ledger.ROTATE)) -> Response:
    """The first of two people asks that another key signs the log. Its secret half lies with the operator."""
    return _run(command, body, ledger.ask_key_change, verifier_key=body.verifier_key, reason=body.reason)


@router.post("/key-changes/confirmation", summary="确认换钥 Confirm another key")
@does()
def change_key(body: KeyNamed, command: Command = change(ledger.ROTATE)) -> Response:
    """The second person names the very same key. The running service signs nothing more from then on: the
    operator runs `sunlot ledger hand-over` and restarts it.
    """
    return _run(command, body, ledger.change_key, verifier_key=body.verifier_key)


@router.post("/key-changes/withdrawal", summary="撤回换钥 Withdraw a change of the key")
@does()
def withdraw_key_change(body: Reasoned, command: Command = change(ledger.ROTATE)) -> Response:
    """The key stays; another one may be asked for."""
    return _run(command, body, ledger.withdraw_key_change, reason=body.reason)


@router.post("/resumptions", summary="申请恢复签署 Ask to give up a published checkpoint")
@does()
def ask_resume(body: ResumeAsking, command: Command = change(ledger.RESUME)) -> Response:
    """The first of two people asks to sign on although the store does not continue what was published.

    Refused unless the checkpoint, published or handed in, is this log's and the store really parts from it.
    """
    facts: dict[str, str | int] = {"size": body.size, "root": body.root, "reason": body.reason}
    return _run(command, body, ledger.ask_resume, parted=body, **facts)


@router.post("/resumptions/confirmation", summary="确认恢复签署 Confirm that a checkpoint is given up")
@does()
def resume(body: CheckpointNamed, command: Command = change(ledger.RESUME)) -> Response:
    """The second person names the same size and root; the log is signed again once it is larger."""
    return _run(command, body, ledger.resume, parted=body, size=body.size, root=body.root)


@router.post("/resumptions/withdrawal", summary="撤回恢复签署 Withdraw giving up")
@does()
def withdraw_resume(body: Reasoned, command: Command = change(ledger.RESUME)) -> Response:
    """Nothing is given up; something else may be asked for."""
    return _run(command, body, ledger.withdraw_resume, reason=body.reason)


def _run(
    command: Command,
    body: Step,
    verb: Callable[..., Answer],
    *,
    parted: CheckpointNamed | None = None,
    **facts: str | int,
) -> Response:
    """Do it once; with `parted`, only if the store parts from that checkpoint of the log."""

    def decide(call: Call) -> Answer:
        if parted is not None:
            _require_parted(command.system, parted)
        return verb(command.office, call, region=command.system.settings.region, **facts)

    return command.run(body, decide)


def _require_parted(system: System, body: CheckpointNamed) -> None:
    note = body.checkpoint.encode() if body.checkpoint is not None else None
    standing = find_standing(system.store.recorder, system.published, system.trust.policy(), note)
    if (standing.size, standing.root) != (body.size, body.root):
        asked, named = f"{standing.size} {standing.root}", f"{body.size} {body.root}"
        raise LedgerAskingDiffers("/root", kind="resumption", asked=asked, named=named)
