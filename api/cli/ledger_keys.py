"""`ledger rotate`, `hand-over` and `resume`: what two people decide about the ledger itself."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from api.bootstrap import Standing, find_standing, hand_over, next_key, next_key_file
from api.cli.commands import acts, operates
from api.cli.desk import Bench, Desk
from api.cli.ledger_verify import Keys, named_trust
from api.cli.options import option
from api.cli.refusals import Cannot
from application.ledger import (
    ROTATE,
    ask_key_change,
    ask_resume,
    change_key,
    resume,
    withdraw_key_change,
    withdraw_resume,
)
from application.ports import Answer
from application.workflow import Call
from domain.errors import DomainError
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.note import encode_base64
from domain.ledger.policy import TrustPolicy
from domain.ledger.proof import digest_of

Why = Annotated[str, option("--reason", help="Why, kept for ever; else it is asked for 理由.")]
Withdraw = Annotated[bool, option("--withdraw", help="Withdraw what was asked for 撤回申请.")]


def add_keys(ledger: typer.Typer) -> None:
    """Add the commands."""
    acts(ledger, "rotate")(rotate)
    operates(ledger, "hand-over")(finish)
    acts(ledger, "resume")(go_on)


def rotate(
    desk: Desk,
    call: Call,
    reason: Why = "",
    confirm: Annotated[
        str, option("--confirm", help="Confirm this verifier key, as the second person 第二人确认的公钥.")
    ] = "",
    withdraw: Withdraw = False,
) -> Answer:
    """Let another key sign the ledger: one person asks, a second confirms the very same key 更换密钥."""
    settings = desk.system.settings
    if withdraw:
        return withdraw_key_change(desk.office, call, region=settings.region, reason=_reason(desk, reason))
    call.require(ROTATE, settings.region)
    if not confirm:
        return _ask_change(desk, call, _reason(desk, reason))
    key = next_key(settings.key_file, settings.origin)
    if confirm != key:
        raise Cannot("rotate-key-not-here", named=confirm, found=key)
    answer = change_key(desk.office, call, region=settings.region, verifier_key=confirm)
    checkpoint = hand_over(settings, clock=desk.system.clock, chance=desk.office.chance)
    _tell_handed_over(desk.terminal.warn, settings.key_secret is not None, checkpoint)
    return answer


def _ask_change(desk: Desk, call: Call, reason: str) -> Answer:
    """Ask for the next key's turn; one made for a refused question is not left there."""
    settings = desk.system.settings
    file = next_key_file(settings.key_file)
    was_there, key = file.exists(), next_key(settings.key_file, settings.origin)
    try:
        answer = ask_key_change(desk.office, call, region=settings.region, verifier_key=key, reason=reason)
    except DomainError:
        if not was_there:
            file.unlink()
        raise
    desk.terminal.warn("rotate-next", vkey=key)
    return answer


def finish(bench: Bench) -> None:
    """Do what is left of a change of the key: sign with both keys, put the new one in its place 完成换钥."""
    checkpoint = hand_over(bench.settings, clock=bench.machine.clock, chance=bench.machine.chance)
    _tell_handed_over(bench.terminal.warn, bench.settings.key_secret is not None, checkpoint)
    bench.terminal.facts({"file": str(bench.settings.key_file), "vkey": bench.tools.verifier_key()})


def go_on(
    desk: Desk,
    call: Call,
    reason: Why = "",
    confirm: Annotated[
        str,
        option("--confirm", help="Confirm this root, hex or base64, as the second person 第二人确认的根."),
    ] = "",
    checkpoint: Annotated[
        Path | None,
        option(
            "--checkpoint",
            help="A signed checkpoint held outside; else the published one 外部保存的检查点.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    vkey: Keys = None,
    look: Annotated[bool, option("--look", help="Only show what would be given up 只查看，不申请.")] = False,
    withdraw: Withdraw = False,
) -> Answer:
    """Give up a published checkpoint that the store does not continue; two people decide 恢复签署."""
    region = desk.system.settings.region
    if withdraw:
        return withdraw_resume(desk.office, call, region=region, reason=_reason(desk, reason))
    standing = _standing(desk, checkpoint, vkey)
    _show(desk, standing, confirms=bool(confirm))
    if look:
        raise typer.Exit
    if confirm:
        answer = resume(desk.office, call, region=region, size=standing.size, root=_hex(confirm))
        desk.terminal.warn("resume-next", size=standing.size)
        return answer
    why = _reason(desk, reason)
    return ask_resume(desk.office, call, region=region, size=standing.size, root=standing.root, reason=why)


def _standing(desk: Desk, checkpoint: Path | None, vkey: list[str] | None) -> Standing:
    """How the store stands to it; keys that the store does not know of yet may be named."""
    system, note = desk.system, checkpoint.read_bytes() if checkpoint else None
    named = named_trust(vkey, None)
    keys = [*system.trust.policy().keys, *(named.keys if named else ())]
    return find_standing(system.store.recorder, system.published, TrustPolicy.of_keys(keys), note)


def _hex(root: str) -> str:
    """The root as events name it: checkpoints on paper have it in base64."""
    digest = digest_of(root)
    return root if digest is None else digest.hex()


def _show(desk: Desk, standing: Standing, *, confirms: bool) -> None:
    """What is given up, on standard error: both people read this before they decide.

    Who `confirms` has the root from elsewhere, and is not shown the one that the machine says.
    """
    told = msgspec.structs.asdict(standing)
    told["root_base64"] = encode_base64(bytes.fromhex(standing.root))
    for name in ("root", "root_base64", "stored_root") if confirms else ():
        del told[name]
    for name, value in told.items():
        desk.terminal.err.print(f"{desk.terminal.column(name)}: {desk.terminal.shown(value)}", soft_wrap=True)
    if standing.agrees < standing.size:
        desk.terminal.warn("resume-gives-up", first=standing.agrees, last=standing.size - 1)


def _reason(desk: Desk, given: str) -> str:
    """The reason; asked for where somebody sits at the terminal."""
    if not given and sys.stdin.isatty():
        return str(typer.prompt(desk.terminal.text("reason-asked"), err=True))
    return given


def _tell_handed_over(warn: Callable[..., None], is_secret: bool, checkpoint: Checkpoint | None) -> None:
    if checkpoint is not None:
        warn("rotate-signed", size=checkpoint.size, root=checkpoint.root.hex())
    warn("rotate-secret" if is_secret else "rotate-restart")
