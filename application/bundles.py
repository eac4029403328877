"""A draw's bundle, for auditors and for everybody: its files, its events' proofs, and how to check them.

No file is held: each is opened when it is written, so that a frame of a million sites takes no room.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from hashlib import sha256
from io import SEEK_END, BytesIO
from typing import BinaryIO, Final

import msgspec

from application.bundle_ports import BundleFacts, ProvedEvent
from application.draw_rows import row_of
from application.office import Office
from application.readings import DrawSealed, note_sealed_reading
from application.workflow import Call
from domain.draw import Draw
from domain.drawing.lines import parse_change, write_changes
from domain.drawing.source import Quicknet
from domain.errors import Unavailable

PUBLIC_FILES: Final = ("frame.jsonl", "rules.json", "sample.jsonl", "seed.json", "SHA256SUMS")
PUBLIC_STATES: Final = frozenset(
    {
        "draw.announced.v1",
        "draw.supplement-announced.v1",
        "draw.recheck-announced.v1",
        "draw.committed.v1",
        "draw.sealed.v1",
        "draw.narrow-seats-found.v1",
        "draw.revealed.v1",
        "draw.value-typed.v1",
        "draw.public-value-observed.v1",
        "draw.completed.v1",
        "draw.void-asked.v1",
        "draw.voided.v1",
        "draw.attempt-ended.v1",
    }
)
"""The steps that everybody may read word by word: they name nobody. Later ones tell of people and sites."""


class BundlesBusy(Unavailable):
    """As many public bundles as may be made at a time are being made."""

    code = "bundles-busy"


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a bundle: its path, size in bytes, SHA-256, and how to open it (the caller closes it)."""

    name: str
    size: int
    digest: str
    open: Callable[[], BinaryIO]


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle's files in the order of their names; `name` is that of the folder around them."""

    name: str
    members: tuple[Member, ...]

    @property
    def tag(self) -> str:
        """A hash over names and contents, known before a byte is packed."""
        lines = (f"{one.name} {one.size} {one.digest}\n" for one in self.members)
        return sha256("".join(lines).encode()).hexdigest()


def auditors_bundle(office: Office, call: Call, id: str, *, reason: str) -> Bundle:
    """All of a draw as far as it has come, for those entitled; the reading is recorded first.

    `PermissionMissing`, `ReadingReasonMissing`, `NotWitnessed`.
    """
    note_sealed_reading(office, call, [id], reason=reason)
    draw = office.workflow.load(Draw, id)
    digests = {**_sealed_files(draw), **_result_files(draw), **_reports(draw)}
    changes = {"changes.jsonl": changes_of(draw)} if draw.result is not None else {}
    return _bundle(office, draw, digests, changes, states=None)


def public_bundle(office: Office, id: str) -> Bundle:
    """What everybody may have of an opened draw. `DrawSealed` before, `NotWitnessed`.

    Where the plan row marks a stratum confidential, the frame stays with the auditor.
    """
    draw = opened_draw(office, id)
    hidden = () if is_frame_public(office, draw) else ("frame.jsonl",)
    files = {**_sealed_files(draw), **_result_files(draw)}
    shown = {name: digest for name, digest in files.items() if name in PUBLIC_FILES and name not in hidden}
    return _bundle(office, draw, shown, {}, states=PUBLIC_STATES)


def opened_draw(office: Office, id: str) -> Draw:
    """The draw; `DrawSealed` until it is opened."""
    draw = office.workflow.load(Draw, id)
    if draw.status != "opened":
        raise DrawSealed(draw=id)
    return draw


def is_frame_public(office: Office, draw: Draw) -> bool:
    """Whether no stratum of the draw's plan row is confidential."""
    row = row_of(office.workflow.load, draw)
    return not any(stratum.confidential for stratum in row.strata)


def changes_of(draw: Draw) -> bytes:
    """changes.jsonl as it stands."""
    return write_changes([parse_change(change) for change in draw.changes])


def _bundle(
    office: Office,
    draw: Draw,
    digests: Mapping[str, str],
    contents: Mapping[str, bytes],
    *,
    states: Collection[str] | None,
) -> Bundle:
    """`states` are the topics whose states are shown, None for all."""
    events = office.bundling.proofs(draw.id)
    kept = {f"kept/{party}.tlog-proof": digest for party, digest in draw.receipts.items()}
    written = {**contents, **dict(_proofs(events, states)), "verify.py": office.bundling.verifier()}
    names = tuple(sorted((*digests, *kept, *written)))
    facts = _facts(office, draw, names, events, public=states is not None)
    written["VERIFY.md"] = office.bundling.guide(facts)
    members = [_written(name, content) for name, content in written.items()]
    members += [_kept(office, name, digest) for name, digest in {**digests, **kept}.items()]
    return Bundle(name=facts.name, members=tuple(sorted(members, key=lambda one: one.name)))


def _facts(
    office: Office, draw: Draw, names: tuple[str, ...], events: Collection[ProvedEvent], *, public: bool
) -> BundleFacts:
    sealed = [event.idx for event in events if event.topic == "draw.sealed.v1"]
    return BundleFacts(
        name=f"draw-{draw.draw_no}-{'public' if public else 'auditor'}",
        log=draw.log,
        draw=draw.id,
        draw_no=draw.draw_no,
        attempt=draw.attempt,
        plan_row=draw.plan_row,
        public=public,
        frame_public=is_frame_public(office, draw),
        beacon=isinstance(draw.source, Quicknet),
        names=names,
        sealed=sealed[0] if sealed else None,
    )


def _proofs(events: Collection[ProvedEvent], states: Collection[str] | None) -> Iterator[tuple[str, bytes]]:
    for event in events:
        yield f"proofs/{event.idx}.entry", event.entry
        yield f"proofs/{event.idx}.tlog-proof", event.receipt
        if states is None or event.topic in states:
            yield f"proofs/{event.idx}.state", event.state


def _sealed_files(draw: Draw) -> dict[str, str]:
    if draw.frozen is None:
        return {}
    return {
        "frame.jsonl": draw.frozen.frame,
        "pool.jsonl": draw.frozen.pool,
        "rules.json": draw.frozen.rules,
    }


def _result_files(draw: Draw) -> dict[str, str]:
    if draw.result is None:
        return {}
    return {
        "seed.json": draw.result.seed,
        "sample.jsonl": draw.result.sample,
        "teams.jsonl": draw.result.teams,
        "SHA256SUMS": draw.result.sums,
    }


def _reports(draw: Draw) -> dict[str, str]:
    reports = draw.frozen.reports if draw.frozen else {}
    return {f"reports/{name}.jsonl": digest for name, digest in reports.items()}


def _written(name: str, content: bytes) -> Member:
    digest = sha256(content).hexdigest()
    return Member(name=name, size=len(content), digest=digest, open=partial(BytesIO, content))


def _kept(office: Office, name: str, digest: str) -> Member:
    with office.blobs.open(digest) as stream:
        size = stream.seek(0, SEEK_END)
    return Member(name=name, size=size, digest=digest, open=partial(office.blobs.open, digest))
