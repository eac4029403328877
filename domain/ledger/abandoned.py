"""What was published and given up: the checkpoints below `abandoned/<size>/` that belong to that history.

The log does not go on from them and need not agree with them. But a false root must not hide there: each is
shown, by the tiles beside it, to be how the checkpoint begins that two people gave up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from domain.ledger.charter import GivenUp
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.errors import LedgerError
from domain.ledger.merkle import consistency_proof, verify_consistency
from domain.ledger.tiles import Opener, TileReader

_PLACE = re.compile(r"(abandoned/(0|[1-9][0-9]{0,18})/)checkpoints/[^/]+")


def goes_with(name: str, checkpoint: Checkpoint, given_up: Iterable[GivenUp], read: Opener) -> bool:
    """Whether a checkpoint held under that name is the beginning of one that was given up, as the tiles show
    that `read` opens below the same folder.
    """
    place = _PLACE.fullmatch(name)
    if place is None:
        return False
    size = int(place[2])
    whole = [one for one in given_up if one.size == size > checkpoint.size]
    return any(_begins(checkpoint, one, place[1], read) for one in whole)


def _begins(checkpoint: Checkpoint, whole: GivenUp, folder: str, read: Opener) -> bool:
    nodes = TileReader(lambda path: read(folder + path), whole.size)
    try:
        proof = consistency_proof(checkpoint.size, whole.size, nodes)
        verify_consistency(checkpoint.size, checkpoint.root, whole.size, bytes.fromhex(whole.root), proof)
    except (LedgerError, FileNotFoundError):
        return False
    return True
