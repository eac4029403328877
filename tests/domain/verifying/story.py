"""A draw with its log: the events of a bundle, their entries, a signed and cosigned tree, and their proofs.

Whoever holds it holds the log's key, and may change anything and make everything fit again.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.cosignature import WitnessSigningKey, add_signatures
from domain.ledger.entry import chain, format_at
from domain.ledger.note import Note, SigningKey
from domain.ledger.policy import Group, TrustedLog, TrustedWitness, TrustPolicy
from domain.ledger.proof import make_receipt
from domain.ledger.tiles import TileReader, TileWriter
from tests.domain.drawing.forging import Forgery, spell

STREAM = "draw-00000000000000000000000000000001"
BEGINNING = datetime(2024, 4, 1, 1, 0, tzinfo=UTC)
WITNESS = WitnessSigningKey("witness.example", bytes(range(32)))
PUBLIC = ("pool.jsonl", "teams.jsonl", "changes.jsonl")
HIDDEN = ("draw.changed.v1", "draw.opened.v1")


class Event:
    """An event that can be told otherwise; `minute` is when it was recorded, after the beginning."""

    def __init__(self, topic: str, minute: int, **facts: Any) -> None:
        self.topic, self.minute, self.facts, self.stream = topic, minute, facts, STREAM

    @property
    def at(self) -> datetime:
        """When it is recorded."""
        return BEGINNING + timedelta(minutes=self.minute)

    def state(self) -> bytes:
        """The stored bytes."""
        return spell({"by": "account-1", "salt": "00" * 16, **self.facts})


class Story:
    """The draw of a vector, as its log tells it. `publish` makes entries, tree and proofs of what stands."""

    def __init__(self, name: str = "weighted") -> None:
        self.bundle = Forgery(name)
        self.files = self.bundle.files
        rules = self.bundle.value("rules.json")
        self.origin = str(rules["log"])
        self.key = SigningKey(self.origin, b"k" * 32)
        self.cosigned_after: int | None = 4
        """Minutes after the beginning at which the witness cosigns the seal; None: it never does."""
        self.events = self._tell(rules)
        self.kept_size = 1 + next(i for i, one in enumerate(self.events) if one.topic == "draw.sealed.v1")
        self.publish()

    @property
    def policy(self) -> TrustPolicy:
        """Whom an outsider trusts: the log's key and one witness, which is not asked for."""
        witness = TrustedWitness("discipline", WITNESS.verifier)
        return TrustPolicy((TrustedLog(self.key.verifier),), (witness,))

    @property
    def strict_policy(self) -> TrustPolicy:
        """The same, and the witness must have cosigned."""
        return TrustPolicy(
            self.policy.logs, self.policy.witnesses, (Group("all", 1, ("discipline",)),), "all"
        )

    def __call__(self, name: str) -> bytes:
        """The opener that a verifier is given."""
        return self.files[name]

    def event(self, topic: str, number: int = 0) -> Event:
        """An event by its topic."""
        return [event for event in self.events if event.topic == topic][number]

    def publish(self) -> None:
        """Write entries, proofs and kept receipts anew, everything fitting."""
        for name in [name for name in self.files if "/" in name]:
            del self.files[name]
        self._entries = self._chained()
        self._nodes, self._roots = self._grown()
        self._keep_receipts()
        size = len(self._entries)
        note = self._signed(size, self._last_minute() + 1 if self.cosigned_after is not None else None)
        for idx, event in enumerate(self.events):
            self.files[f"proofs/{idx}.entry"] = self._entries[idx]
            self.files[f"proofs/{idx}.state"] = event.state()
            self.files[f"proofs/{idx}.tlog-proof"] = make_receipt(idx, size, note, self._nodes).encode()

    def make_public(self) -> None:
        """Take away what only an auditor gets."""
        for name in PUBLIC:
            self.files.pop(name, None)
        for idx, event in enumerate(self.events):
            if event.topic in HIDDEN:
                self.files.pop(f"proofs/{idx}.state")

    def retell_files(self) -> None:
        """Let the events name the files as they are now, as the log's owner can."""
        digest = {name: sha256(data).hexdigest() for name, data in self.files.items()}
        seal, result = self.event("draw.sealed.v1").facts["seal"], self.event("draw.completed.v1").facts
        seal["rules_hash"] = sha256(self.files["rules.json"][:-1]).hexdigest()
        seal |= {"frame": digest["frame.jsonl"], "pool": digest["pool.jsonl"], "rules": digest["rules.json"]}
        result["result"] = _result(digest)

    def _tell(self, rules: dict[str, Any]) -> list[Event]:
        digest = {name: sha256(data).hexdigest() for name, data in self.files.items()}
        seed = self.bundle.value("seed.json")
        contributors = [
            {"account": f"account-{one['party']}", "party": one["party"]} for one in rules["contributors"]
        ]
        facts = {name: rules[name] for name in ("log", "draw_no", "attempt", "plan_row", "public_source")}
        seal = {
            "as_of": rules["as_of"],
            "rules_hash": sha256(self.files["rules.json"][:-1]).hexdigest(),
            "rules": digest["rules.json"],
            "frame": digest["frame.jsonl"],
            "pool": digest["pool.jsonl"],
        }
        return [
            Event("draw.announced.v1", 0, contributors=contributors, **facts),
            *(Event("draw.committed.v1", 1, **one) for one in rules["contributors"]),
            Event("draw.sealed.v1", 3, seal=seal, frame_key=""),
            *(Event("draw.revealed.v1", 5, receipt="", **one) for one in seed["reveals"]),
            *(
                Event("draw.value-typed.v1", 7, party=one["party"], value=seed["public_value"])
                for one in contributors
            ),
            Event("draw.public-value-observed.v1", 8, value=seed["public_value"], evidence=seed["evidence"]),
            Event("draw.completed.v1", 9, result=_result(digest), frame_key=""),
            *(
                Event("draw.changed.v1", 10, change=json.loads(line))
                for line in self.bundle.lines("changes.jsonl")
            ),
            Event("draw.opened.v1", 11, changes=digest["changes.jsonl"]),
        ]

    def _keep_receipts(self) -> None:
        """Each party kept the receipt under the checkpoint that followed the seal; its reveal names it."""
        seal = self.kept_size - 1
        note = self._signed(self.kept_size, self.cosigned_after)
        receipt = make_receipt(seal, self.kept_size, note, self._nodes_at(self.kept_size)).encode()
        for event in self.events:
            if event.topic == "draw.revealed.v1":
                self.files[f"kept/{event.facts['party']}.tlog-proof"] = receipt
                event.facts["receipt"] = sha256(receipt).hexdigest()
        self._entries = self._chained()
        self._nodes, self._roots = self._grown()

    def _chained(self) -> list[bytes]:
        prevs: dict[str, str] = {}
        versions: dict[str, int] = {}
        entries: list[bytes] = []
        for idx, event in enumerate(self.events):
            versions[event.stream] = version = versions.get(event.stream, 0) + 1
            recorded = [(event.state(), event.stream, event.topic, version)]
            entries += (entry for entry, _ in chain(recorded, at=format_at(event.at), idx=idx, prevs=prevs))
        return entries

    def _grown(self) -> tuple[TileReader, list[bytes]]:
        writer, roots = TileWriter(), []
        for entry in self._entries:
            list(writer.extend([entry]))
            roots.append(writer.root())
        return self._nodes_at(len(self._entries)), roots

    def _nodes_at(self, size: int) -> TileReader:
        writer = TileWriter()
        tiles = {tile.path(): data for tile, data in writer.extend(self._entries[:size])}
        tiles |= {tile.path(): data for tile, data in writer.partials()}
        return TileReader(tiles.__getitem__, size)

    def _signed(self, size: int, cosigned_after: int | None) -> bytes:
        note = sign_checkpoint(Checkpoint(self.origin, size, self._roots[size - 1]), self.key)
        if cosigned_after is None:
            return note
        at = int((BEGINNING + timedelta(minutes=cosigned_after)).timestamp())
        return add_signatures(note, [WITNESS.cosign(Note.parse(note).text, at)])

    def _last_minute(self) -> int:
        return max(event.minute for event in self.events)


def _result(digest: dict[str, str]) -> dict[str, str]:
    names = {"seed": "seed.json", "sample": "sample.jsonl", "teams": "teams.jsonl", "sums": "SHA256SUMS"}
    return {field: digest[name] for field, name in names.items()}
