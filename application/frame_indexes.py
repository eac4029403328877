"""The frames that were asked about last, each gone through once."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Final

from application.ports import Blobs
from domain.draw_values import Result, Seal
from domain.drawing.frame_index import FrameIndex
from domain.drawing.lines import read_sample
from domain.drawing.rules import read_rules
from domain.drawing.seed import read_seed

KEPT: Final = 2
"""How many stay: one of a million lines takes some 40 MB, and some seconds to be made."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """A frame's index, and the ranks of the sites that were drawn from it."""

    index: FrameIndex
    ranks: dict[str, int]


class FrameIndexes:
    """Indexes by the content of what they were made of. Threads may share it: each is made once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, str], Indexed] = OrderedDict()

    def of(self, blobs: Blobs, seal: Seal, result: Result) -> Indexed:
        """The index of a completed draw's frame. Raises WrongFigure for one that the rules did not fix."""
        key = seal.rules, result.seed
        with self._lock:
            found = self._kept.pop(key, None) or _indexed(blobs, seal, result)
            self._kept[key] = found
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found


def _indexed(blobs: Blobs, seal: Seal, result: Result) -> Indexed:
    rules, seed = read_rules(blobs.read(seal.rules)), read_seed(blobs.read(result.seed)).seed
    ranks = {one.id: one.rank for one in read_sample(blobs.read(result.sample))}
    with blobs.open(seal.frame) as lines:
        return Indexed(FrameIndex(rules, seed, lines), ranks)
