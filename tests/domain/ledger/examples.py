"""What docs/reference/ledger-format.md shows as bytes, made anew from the published vectors."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path

from domain.ledger.checkpoint import Checkpoint
from domain.ledger.cosignature import WitnessSigningKey, add_signatures
from domain.ledger.folder import format_states
from domain.ledger.merkle import Frontier, consistency_proof, leaf_hash
from domain.ledger.note import Note, SigningKey
from domain.ledger.policy import Group, TrustedLog, TrustedWitness, TrustPolicy
from domain.ledger.submission import Submission
from tests.domain.ledger.trees import Nodes
from tests.domain.ledger.vectors import Vector, load

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "ledger-format.md").read_text(encoding="utf-8")
NEW_KEY = SigningKey("sunlot.example/140100", sha256(b"test only: the log's next key").digest())
WITNESSES = {
    "jiwei": WitnessSigningKey("jiwei.example/w1", sha256(b"test only: first witness").digest()),
    "press": WitnessSigningKey("press.example/w1", sha256(b"test only: second witness").digest()),
}
COSIGNED_AT = 1_717_200_100
_BLOCK = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def shown() -> dict[str, str]:
    """The page's titled blocks; two of one title may not be."""
    blocks = _BLOCK.findall(PAGE)
    assert len(dict(blocks)) == len(blocks)
    return dict(blocks)


def code() -> str:
    """The page's program, its parts in order."""
    return "\n".join(re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


def made() -> dict[str, str]:
    """What each titled block must hold."""
    vector = load("n7")
    checkpoint, entries = vector.read("tiles/checkpoint"), vector.entries()
    text = Note.parse(checkpoint).text
    cosigned = add_signatures(checkpoint, [key.cosign(text, COSIGNED_AT) for key in WITNESSES.values()][:1])
    rotated = add_signatures(checkpoint, [NEW_KEY.sign(text.encode())])
    nodes = Nodes([leaf_hash(entry) for entry in entries])
    blocks = {
        "state": vector.rows()[2][2] or b"",
        "entry": entries[2],
        "leaf hashes": "\n".join(leaf.hex() for leaf in nodes.rows[0]).encode(),
        "vkey": vector.vkey().encode(),
        "checkpoint": checkpoint,
        "checkpoint of two keys": rotated,
        "next vkey": NEW_KEY.verifier.encode().encode(),
        "witness vkey": WITNESSES["jiwei"].verifier.encode().encode(),
        "cosigned checkpoint": cosigned,
        "trust policy": trust_policy(vector).encode(),
        "receipt": vector.read("one.tlog-proof"),
        "consistency": json.dumps(vector.consistency(), separators=(",", ":")).encode(),
        "submission": Submission(3, tuple(consistency_proof(3, 7, nodes)), checkpoint).encode(),
        "files": files(vector),
        "right edge": right_edge(nodes).hex().encode(),
    }
    return {title: block.decode().removesuffix("\n") + "\n" for title, block in blocks.items()}


def trust_policy(vector: Vector) -> TrustPolicy:
    """The log of the vectors, two witnesses, one of them is enough."""
    witnesses = [
        TrustedWitness(name, key.verifier, f"https://{key.name.partition('/')[0]}/witness")
        for name, key in WITNESSES.items()
    ]
    group = Group("outside", 1, tuple(WITNESSES))
    return TrustPolicy((TrustedLog(vector.key().verifier),), tuple(witnesses), (group,), "outside")


def files(vector: Vector) -> bytes:
    """The published files, and those of the export, with length and hash."""
    contents = dict(sorted(vector.files().items()))
    contents["states/000"] = format_states([row[2] for row in vector.rows()])
    lines = [f"{path} {len(data)} {sha256(data).hexdigest()}" for path, data in contents.items()]
    return "\n".join(lines).encode()


def right_edge(nodes: Nodes) -> bytes:
    """The frontier at the vectors' size."""
    frontier = Frontier()
    frontier.extend(nodes.rows[0])
    return frontier.encode()


def checkpoint_of(text: str) -> Checkpoint:
    """The checkpoint in a shown note."""
    return Checkpoint.parse(Note.parse(text.encode()).text)
