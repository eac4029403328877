"""A real draw in the hands of who owns the log's key, and may change anything and make everything fit again.

fraud = real.copy()
fraud.edit("sample.jsonl", 2, lambda line: line.update(rank=1))
fraud.retell()                       # the events name the files as they are now
bundle, ledger = fraud.publish(folder)   # entries, tree, signatures, proofs and kept receipts anew
"""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from application import draws
from application.bundles import auditors_bundle
from domain.draw import Draw
from domain.drawing.lines import change_json
from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.entry import chain, format_at, parse_at
from domain.ledger.folder import format_states, states_path
from domain.ledger.note import SigningKey
from domain.ledger.policy import TrustedLog, TrustPolicy
from domain.ledger.proof import make_receipt
from domain.ledger.tiles import WIDTH, TileReader, TileWriter
from tests.domain.drawing.forging import Forgery, spell
from tests.journey import Journey, plan_row
from tests.office import Agency

LOTTERY = {"kind": "lottery", "name": "双色球", "issue": "2024040", "at": "2024-04-02T21:15:00+08:00"}
EARLIER = {"kind": "lottery", "name": "双色球", "issue": "2024039", "at": "2024-04-02T20:15:00+08:00"}
VALUE = "0312182230"
RESULT = {"seed": "seed.json", "sample": "sample.jsonl", "teams": "teams.jsonl", "sums": "SHA256SUMS"}


@dataclass
class Event:
    """An event of the log; `state` is what it says."""

    stream: str
    topic: str
    at: datetime
    state: dict[str, Any]


class Fraud(Forgery):
    """Bundle and log of a draw; `stream` is the draw's."""

    def __init__(self, files: dict[str, bytes], log: list[Event], stream: str, key: SigningKey) -> None:
        self.files, self.log, self.stream, self.key = files, log, stream, key
        self.honest_receipts = False
        """Whether the parties' receipts stay as they kept them, whatever the log says now."""

    def copy(self) -> Fraud:
        """Another to be changed."""
        return Fraud(dict(self.files), deepcopy(self.log), self.stream, self.key)

    @property
    def policy(self) -> TrustPolicy:
        """Whom an auditor trusts: the log's key, which the cheat has."""
        return TrustPolicy((TrustedLog(self.key.verifier),))

    def event(self, topic: str, number: int = 0, *, stream: str = "") -> Event:
        """An event of the draw, or of another stream, by its topic."""
        wanted = stream or self.stream
        return [one for one in self.log if (one.topic, one.stream) == (topic, wanted)][number]

    def other(self) -> str:
        """The stream of the draw that was voided before."""
        return next(one.stream for one in self.log if one.topic == "draw.voided.v1")

    def insert(self, before: Event, event: Event) -> None:
        """Let something have been recorded just before an event."""
        self.log.insert(next(n for n, one in enumerate(self.log) if one is before), event)

    def delay(self, topic: str, until: datetime) -> None:
        """Let an event, and all behind it, have been recorded so late."""
        first = next(n for n, one in enumerate(self.log) if one is self.event(topic))
        for one in self.log[first:]:
            one.at = max(one.at, until)

    def reseed(self) -> None:
        """The seed that follows from the rules as they are now."""
        seed, rules = self.value("seed.json"), sha256(self.files["rules.json"][:-1]).digest()
        secrets = b"".join(bytes.fromhex(one["secret"]) for one in seed["reveals"])
        value = sha256(seed["public_value"].encode()).digest()
        made = sha256(b"sunlot-seed-v1\0" + rules + secrets + value)
        self.edit("seed.json", 1, lambda line: line.update(seed=made.hexdigest()))

    def retell(self) -> None:
        """Let the events name the files as they are now, and tell the changes that they hold."""
        digest = {name: sha256(data).hexdigest() for name, data in self.files.items()}
        seal = self.event("draw.sealed.v1").state["seal"]
        seal |= {"frame": digest["frame.jsonl"], "pool": digest["pool.jsonl"], "rules": digest["rules.json"]}
        seal["rules_hash"] = sha256(self.files["rules.json"][:-1]).hexdigest()
        self.event("draw.completed.v1").state["result"] = {
            field: digest[name] for field, name in RESULT.items()
        }
        for number, line in enumerate(self.lines("changes.jsonl")):
            self.event("draw.changed.v1", number).state["change"] = json.loads(line)
        self.event("draw.opened.v1").state["changes"] = digest["changes.jsonl"]

    def publish(self, folder: Path) -> tuple[Path, Path]:
        """Write bundle and exported ledger, everything signed anew; the two folders."""
        for name in [name for name in self.files if name.startswith("proofs/")]:
            del self.files[name]
        self._keep_receipts()
        entries = self._entries()
        note, nodes, tiles = self._signed(entries)
        for idx, event in enumerate(self.log):
            if event.stream == self.stream:
                self.files[f"proofs/{idx}.entry"] = entries[idx]
                self.files[f"proofs/{idx}.state"] = spell(event.state)
                receipt = make_receipt(idx, len(entries), note, nodes).encode()
                self.files[f"proofs/{idx}.tlog-proof"] = receipt
        for first in range(0, len(self.log), WIDTH):
            states = [spell(one.state) for one in self.log[first : first + WIDTH]]
            tiles[states_path(first // WIDTH)] = format_states(states)
        ledger = write(folder / "ledger", {**tiles, "checkpoint": note})
        return write(folder / "bundle", self.files), ledger

    def _keep_receipts(self) -> None:
        """The parties' receipts, made anew under the log as it is told now; their reveals name them."""
        if self.honest_receipts:
            return
        seal = next(n for n, one in enumerate(self.log) if one is self.event("draw.sealed.v1"))
        entries = self._entries()[: seal + 1]
        note, nodes, _ = self._signed(entries)
        receipt = make_receipt(seal, len(entries), note, nodes).encode()
        for event in self.log:
            if (event.stream, event.topic) == (self.stream, "draw.revealed.v1"):
                self.files[f"kept/{event.state['party']}.tlog-proof"] = receipt
                event.state["receipt"] = sha256(receipt).hexdigest()

    def _entries(self) -> list[bytes]:
        prevs: dict[str, str] = {}
        versions: dict[str, int] = {}
        entries: list[bytes] = []
        for idx, event in enumerate(self.log):
            versions[event.stream] = version = versions.get(event.stream, 0) + 1
            recorded = [(spell(event.state), event.stream, event.topic, version)]
            entries += (entry for entry, _ in chain(recorded, at=format_at(event.at), idx=idx, prevs=prevs))
        return entries

    def _signed(self, entries: list[bytes]) -> tuple[bytes, TileReader, dict[str, bytes]]:
        writer = TileWriter()
        tiles = {tile.path(): data for tile, data in writer.extend(entries)}
        tiles |= {tile.path(): data for tile, data in writer.partials()}
        checkpoint = Checkpoint(self.key.verifier.name, len(entries), writer.root())
        return (
            sign_checkpoint(checkpoint, self.key),
            TileReader(dict(tiles).__getitem__, len(entries)),
            tiles,
        )


def real_fraud(agency: Agency, source: dict[str, Any]) -> Fraud:
    """A draw of a plan's second row after a voided one of its first: opened, with a change of each kind."""
    journey = Journey(agency)
    plan = journey.prepared(plan_row(), plan_row(no="02"))
    voided = journey.announced(plan, "01", public_source=EARLIER)
    draws.ask_void_draw(journey.office, journey.call(journey.people.leader), voided, ground="公告有误")
    draws.void_draw(journey.office, journey.call(journey.people.discipline), voided)
    draw = journey.announced(plan, "02", public_source=source)
    journey.committed(draw)
    journey.revealed(draw, journey.sealed(draw))
    agency.clock.advance(days=2)
    if source["kind"] == "lottery":
        journey.observed(draw, VALUE)
        evidence, value = {"reference": "中国福利彩票网"}, VALUE
    else:
        signature = "ab" * 48
        evidence, value = {"signature": signature}, sha256(bytes.fromhex(signature)).hexdigest()
    officer = journey.people.officer
    draws.observe_value(journey.office, journey.call(officer), draw, value=value, evidence=evidence)
    draws.complete(journey.office, journey.call(officer), draw)
    _change(journey, draw)
    for assignment in journey.assignments(draw):
        journey.published(assignment)
    draws.open_draw(journey.office, journey.call(officer), draw)
    return _taken(journey, draw)


def _change(journey: Journey, draw: str) -> None:
    """A recusal, and a site that is void, as they follow."""
    loaded = journey.load(Draw, draw)
    standing = draws.standing_of(journey.office, loaded)
    first, second = standing.sites[:2]
    holder = standing.team(first).seats[0].inspector
    assert holder is not None
    act = journey.call(journey.people.leader).act
    for change in (standing.recuse(first, holder), standing.void(second)):
        loaded.change(act, change=change_json(change))
    journey.office.workflow.commit(journey.call(journey.people.leader), loaded)


def _taken(journey: Journey, draw: str) -> Fraud:
    """The auditor's bundle, and all that the log says."""
    agency = journey.agency
    call = journey.call(journey.people.auditor)
    bundle = auditors_bundle(agency.office, call, draw, reason="年度核查")
    files = {member.name: member.open().read() for member in bundle.members}
    log = [
        Event(row.stream, row.topic, parse_at(row.at), json.loads(row.state))
        for row in agency.store.recorder.rows()
    ]
    return Fraud(files, log, draw, agency.ledger.key)


def write(folder: Path, files: dict[str, bytes]) -> Path:
    """The files in a folder."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def later(event: Event, **delta: float) -> datetime:
    """A moment after an event."""
    return event.at + timedelta(**delta)
