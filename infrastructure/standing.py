"""How the store stands to a checkpoint that was published: the same log, behind it, or another story.

What two people look at before they give a published checkpoint up.
"""

from itertools import islice

import msgspec

from domain.errors import Conflict, Invalid, NotFound
from domain.ledger.checkpoint import Checkpoint, open_checkpoint
from domain.ledger.errors import LedgerError
from domain.ledger.merkle import Frontier
from domain.ledger.policy import TrustPolicy
from domain.ledger.tiles import TileReader
from infrastructure.event_store.recorder import PAGE, EventRecorder
from infrastructure.ledger_files import Published


class NothingToGiveUp(Conflict):
    """The store continues this checkpoint: there is nothing to give up; facts: `size`, `stored`."""

    code = "ledger-nothing-to-give-up"


class CheckpointNotOurs(Invalid):
    """Not a checkpoint that a key of this log signed; facts: `reason`."""

    code = "ledger-checkpoint-not-ours"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A published checkpoint that the store does not continue.

    `size` and `root` (hex) are the checkpoint's, `stored` says how many events the store has, `agrees` up to
    which position store and published tiles are seen to be the same. Given up are the published entries from
    there to `size`.
    """

    size: int
    root: str
    stored: int
    stored_root: str
    agrees: int
    missing: int
    reason: str


def find_standing(
    recorder: EventRecorder, published: Published, policy: TrustPolicy, note: bytes | None = None
) -> Standing:
    """How the store stands to the published checkpoint, or to one that somebody else held.

    Raises `NothingToGiveUp`, `CheckpointNotOurs`, and `NotFound` where nothing is published.
    """
    checkpoint = _opened(published.checkpoint() if note is None else note, policy)
    head = recorder.head()
    stored = 0 if head is None else head + 1
    frontier = _frontier(recorder, min(stored, checkpoint.size))
    if stored >= checkpoint.size and frontier.root() == checkpoint.root:
        raise NothingToGiveUp(size=checkpoint.size, stored=stored)
    return Standing(
        size=checkpoint.size,
        root=checkpoint.root.hex(),
        stored=stored,
        stored_root=frontier.root().hex(),
        agrees=_agreeing(recorder, published, policy),
        missing=max(0, checkpoint.size - stored),
        reason="store-behind" if stored < checkpoint.size else "root-differs",
    )


def _opened(note: bytes | None, policy: TrustPolicy) -> Checkpoint:
    if note is None:
        raise NotFound(kind="checkpoint", id="")
    try:
        return open_checkpoint(note, policy.keys)
    except LedgerError as error:
        raise CheckpointNotOurs("/checkpoint", reason=str(error)) from error


def _frontier(recorder: EventRecorder, size: int) -> Frontier:
    """The store's tree of that size."""
    frontier, leaves = Frontier(), recorder.leaves(0, size)
    while page := [leaf for _, leaf in islice(leaves, PAGE)]:
        frontier.extend(page)
    return frontier


def _agreeing(recorder: EventRecorder, published: Published, policy: TrustPolicy) -> int:
    """The first position at which store and published tiles differ, as far as both can be read."""
    note = published.checkpoint()
    size = _opened(note, policy).size if note is not None else 0
    node = TileReader(published.read, size)
    position = -1
    try:
        for position, leaf in recorder.leaves(0, size):
            if node(0, position) != leaf:
                return position
    except (FileNotFoundError, LedgerError):
        return position
    return position + 1
