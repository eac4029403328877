"""`ledger`: the signing key, publishing and proofs of the audit ledger."""

from typing import Annotated

import typer

from api.cli.commands import operates
from api.cli.desk import Bench
from api.cli.ledger_verify import add_verify
from api.cli.options import Out, argument
from api.cli.witnessing import witness
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.note import Note

ledger = typer.Typer(name="ledger", help="The audit ledger 审计账本.", no_args_is_help=True)
ledger.add_typer(witness)


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
def show(bench: Bench) -> None:
    """Show the published checkpoint, and how far the store is ahead of it 查看检查点."""
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
            "stored": stored,
            "latched": latch[0] if latch else 0,
            "ahead": stored - size,
            "folder": str(bench.settings.ledger_dir),
        }
    )


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
