"""“Was I in the drum, with what chance?”: the frame's line of one site, proved, or its absence, proved.

Public where the frame is. Where a stratum is confidential, an enterprise sees its own line, and those who may
read draws see any.
"""

import msgspec

from application.authorisation import may
from application.bundles import is_frame_public, opened_draw
from application.office import Office
from application.workflow import Call
from domain.draw import Draw
from domain.drawing.frame_index import FrameIndex
from domain.drawing.frame_line import LineProof, proof_json, verify_line
from domain.drawing.shape import take_word
from domain.errors import Forbidden, NotFound


class FrameConfidential(Forbidden):
    """A stratum of the draw is confidential: its frame's lines are not for everybody; facts: `draw`."""

    code = "frame-confidential"


class ShownLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the frame as it was sealed, its place from 0, and the hashes (hex) from it to the root."""

    index: int
    line: str
    path: tuple[str, ...]


class ShownChance(msgspec.Struct, frozen=True, kw_only=True):
    """With what chance a site was to be drawn: an exact fraction in lowest terms, and in percent."""

    numerator: int
    denominator: int
    percent: str


class FrameLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a draw's frame has of one site.

    `root` and `size` are the frame's in rules.json, whose hash `rules_hash` the sealed event at position
    `sealed` holds. `line` is None for a site that is not in the frame; then `before` and `after` are the
    neighbours of its place, where they may be shown. `drawn` is its rank in its stratum if it was drawn,
    `reserve` its place in the reserve if it was not.
    """

    draw: str
    site: str
    size: int
    root: str
    rules_hash: str
    sealed: int
    line: ShownLine | None = None
    before: ShownLine | None = None
    after: ShownLine | None = None
    chance: ShownChance | None = None
    drawn: int | None = None
    reserve: int | None = None


def public_line(office: Office, id: str, site: str) -> FrameLine:
    """What the public frame of an opened draw has of a site; `DrawSealed`, `FrameConfidential`."""
    draw = opened_draw(office, id)
    if not is_frame_public(office, draw):
        raise FrameConfidential(draw=id)
    return _line(office, draw, site, neighbours=True)


def own_line(office: Office, call: Call, id: str, site: str) -> FrameLine:
    """The same of a confidential frame too, for the site's enterprise and for who may read draws there.

    The neighbours of a missing line are other enterprises': only who may read draws sees them.
    """
    draw = opened_draw(office, id)
    reads = may(call.actor, "draw.read", draw.region, on=call.act.day)
    public = is_frame_public(office, draw)
    if not (public or reads or _is_own(office, call, site)):
        raise FrameConfidential(draw=id)
    return _line(office, draw, site, neighbours=public or reads)


def _is_own(office: Office, call: Call, site: str) -> bool:
    enterprise = office.registries.enterprises([site]).get(site)
    return bool(call.actor.enterprise) and enterprise is not None and enterprise.uscc == call.actor.enterprise


def _line(office: Office, draw: Draw, site: str, *, neighbours: bool) -> FrameLine:
    if draw.frozen is None or draw.result is None:
        raise NotFound(kind="frame", id=draw.id)
    indexed = office.indexes.of(office.blobs, draw.frozen, draw.result)
    index, ranks = indexed.index, indexed.ranks
    rules = index.rules
    found = FrameLine(
        draw=draw.id,
        site=take_word(site, "site"),
        size=rules.frame.size,
        root=rules.frame.root,
        rules_hash=draw.frozen.rules_hash,
        sealed=_sealed_at(office, draw),
    )
    with office.blobs.open(draw.frozen.frame) as stream:

        def read(offset: int, length: int) -> bytes:
            stream.seek(offset)
            return stream.read(length)

        proof = index.find(site, read)
        if proof is not None:
            return _told(found, index, proof, ranks)
        if not neighbours:
            return found
        before, after = index.neighbours(site, read)
        return msgspec.structs.replace(found, before=_shown(before), after=_shown(after))


def _told(found: FrameLine, index: FrameIndex, proof: LineProof, ranks: dict[str, int]) -> FrameLine:
    site = verify_line(index.rules, proof)
    chance = index.chance(site)
    return msgspec.structs.replace(
        found,
        line=_shown(proof),
        chance=ShownChance(
            numerator=chance.numerator, denominator=chance.denominator, percent=chance.percent
        ),
        drawn=ranks.get(site.id),
        reserve=index.reserve_place(site),
    )


def _shown(proof: LineProof | None) -> ShownLine | None:
    return None if proof is None else msgspec.convert(proof_json(proof), ShownLine)


def _sealed_at(office: Office, draw: Draw) -> int:
    for event in office.workflow.events.get(draw.id):
        if isinstance(event, Draw.Sealed):
            return office.bundling.position(draw.id, event.originator_version)
    raise NotFound(kind="event", id=draw.id)
