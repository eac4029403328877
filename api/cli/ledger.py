"""`ledger`: the signing key, publishing and proofs of the audit ledger."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from api.bootstrap import Found
from api.cli.commands import operates
from api.cli.desk import Bench
from api.cli.ledger_export import add_export
from api.cli.ledger_keys import add_keys
from api.cli.ledger_verify import Keys, Policy, add_verify, trusted
from api.cli.options import Out, argument, option
from api.cli.refusals import FINDING
from api.cli.witnessing import witness
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.note import Note, encode_base64
from domain.ledger.policy import TrustPolicy
from domain.ledger.proof import digest_of, position_of

ledger = typer.Typer(name="ledger", help="The audit ledger 审计账本.", no_args_is_help=True)
ledger.add_typer(witness)
add_keys(ledger)


@operates(ledger, "keygen")
def keygen(bench: Bench) -> None:
    """Make the ledger's signing key; one that exists is never replaced 生成签名密钥."""
    vkey = bench.tools.new_key()
    bench.terminal.facts({"file": str(bench.settings.key_file), "vkey": vkey})
    bench.terminal.warn("key-keep", file=str(bench.settings.key_file))


@operates(ledger, "publish")
def publish(bench: Bench) -> None:
    """Sign and publish a checkpoint of all that is stored now 发布检查点."""
    with bench.open() as desk:
        desk.system.publisher.publish_once()
    show(bench)


@operates(ledger, "show")
def show(
    bench: Bench,
    what: Annotated[str, argument("A receipt's file, a hash, or a position 回执文件、哈希或位置.")] = "",
    vkey: Keys = None,
    policy: Policy = None,
    scan: Annotated[bool, option("--scan", help="Search all entries for a hash 查遍全部条目.")] = False,
    folder: Annotated[
        Path | None,
        option(
            "--folder",
            help="Look in this exported ledger instead 改在导出的文件夹中查找.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
) -> None:
    """Show the published checkpoint, or look up a receipt, a hash or a position 查看检查点或查找."""
    if what:
        _look_up(bench, what, trusted(bench, vkey, policy), scan=scan, folder=folder)
        return
    note = bench.tools.published().checkpoint()
    store = bench.tools.store()
    try:
        head, latch = store.recorder.head(), store.ledger_latch.read()
    finally:
        store.close()
    found = Checkpoint.parse(Note.parse(note).text) if note else None
    stored = 0 if head is None else head + 1
    size = found.size if found else 0
    bench.terminal.facts(
        {
            "origin": found.origin if found else bench.settings.origin,
            "size": size,
            "root": found.root.hex() if found else "",
            "root_base64": encode_base64(found.root) if found else "",
            "stored": stored,
            "latched": latch[0] if latch else 0,
            "ahead": stored - size,
            "folder": str(bench.settings.ledger_dir),
            "signatures": [line.name for line in Note.parse(note).signatures] if note else [],
        }
    )


def _look_up(bench: Bench, what: str, policy: TrustPolicy, *, scan: bool, folder: Path | None) -> None:
    lookup = bench.tools.audit().lookup(policy, folder=folder)
    digest, position = digest_of(what), position_of(what)
    if digest is not None:
        with bench.terminal.progress("searching") as step:
            found = lookup.hash(digest, whole=scan, progress=step)
    elif position is not None:
        found = lookup.entry(position)
    else:
        found = lookup.receipt(Path(what).read_bytes())
    _show_found(bench, found)
    if not found.proved:
        raise typer.Exit(FINDING)


def _show_found(bench: Bench, found: Found) -> None:
    if bench.terminal.json:
        bench.terminal.give(found)
        return
    told = msgspec.to_builtins(found)
    entry, checkpoint = told.pop("entry") or {}, told.pop("checkpoint") or {}
    times = {name: datetime.fromtimestamp(at, UTC) for name, at in checkpoint.get("cosigned", {}).items()}
    bench.terminal.facts({**told, **entry, **checkpoint, "cosigned": times})


@operates(ledger, "receipt")
def receipt(
    bench: Bench, idx: Annotated[int, argument("The event's position 位置.", min=0)], out: Out = None
) -> None:
    """Give the proof that an event is in the log, a .tlog-proof file 取回执."""
    proof = bench.tools.published().receipt(idx)
    if out is not None:
        out.write_bytes(proof)
        bench.terminal.facts({"idx": idx, "file": str(out)})
    elif bench.terminal.json:
        bench.terminal.give({"idx": idx, "receipt": proof.decode()})
    else:
        bench.terminal.out.file.write(proof.decode())


add_verify(ledger)
add_export(ledger)
