"""One line of a frame: proved to be in it, or not to be in it, and with what chance and outcome.

`rules.json` holds the frame's root, so a line of three hundred bytes and a path of twenty hashes show an
enterprise that it was in the drum, without the million other lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import gcd
from typing import Final, NamedTuple

from domain.drawing.canonical import Json, decode
from domain.drawing.errors import DrawingError, WrongFigure, WrongShape
from domain.drawing.lines import Site, parse_site
from domain.drawing.rules import Rules
from domain.drawing.select import split_certain
from domain.drawing.shape import take_fields, take_hex, take_integer, take_list, take_text, take_word
from domain.drawing.tree import leaf_of, root_by

FRAME: Final = "frame.jsonl"
_LONGEST_PATH: Final = 64


class LineProof(NamedTuple):
    """A line of the frame without its newline, its place from 0, and the hashes from it to the root."""

    place: int
    line: bytes
    path: tuple[bytes, ...]


class Chance(NamedTuple):
    """An exact fraction in lowest terms; 0/1 for what cannot be drawn, 1/1 for what is certain."""

    numerator: int
    denominator: int

    @property
    def percent(self) -> str:
        """In percent with two places, rounded to the nearest, the half upwards."""
        hundredths = (20_000 * self.numerator + self.denominator) // (2 * self.denominator)
        return f"{hundredths // 100}.{hundredths % 100:02}"


def verify_line(rules: Rules, proof: LineProof) -> Site:
    """The site of a line that is proved to stand in the frame that the rules fixed.

    Raises WrongFigure line-not-in-frame, and NotCanonical or WrongShape for what is no line of a frame.
    """
    root = root_by(leaf_of(proof.line), proof.place, rules.frame.size, proof.path)
    if root is None or root.hex() != rules.frame.root:
        raise WrongFigure("line-not-in-frame", f"place {proof.place}", file=FRAME, line=proof.place + 1)
    try:
        return parse_site(decode(proof.line))
    except DrawingError as error:
        error.locate(FRAME, proof.place + 1)
        raise


def verify_absence(rules: Rules, id: str, before: LineProof | None, after: LineProof | None) -> None:
    """That no line is of this site: the frame is sorted, and between these two neighbours is no place.

    `before` is None if the frame begins behind the id, `after` if it ends before it. Raises WrongFigure
    absence-not-proved, and what `verify_line` raises.
    """
    left = -1 if before is None else before.place
    right = rules.frame.size if after is None else after.place
    early = before is None or verify_line(rules, before).id < id
    late = after is None or verify_line(rules, after).id > id
    if right - left != 1 or not early or not late:
        raise WrongFigure("absence-not-proved", id, file=FRAME)


def chance_of(site: Site, sample: int, weights: Mapping[int, int]) -> Chance:
    """With what chance the site is drawn, as intended: certain, else m·w/W.

    `sample` is the sample size of its stratum, `weights` how many eligible sites of it have each weight.
    Pareto order sampling keeps the intention very nearly, exactly so with equal weights.
    """
    rounds, total, left = split_certain(weights, sample)
    if not site.eligible or not sample:
        return Chance(0, 1)
    if any(site.weight in sure for sure in rounds):
        return Chance(1, 1)
    share = left * site.weight
    common = gcd(share, total)
    return Chance(share // common, total // common)


def check_told(rules: Rules, ranks: Mapping[str, int], told: Json) -> None:
    """What was told of a site, `{"site","line","before","after","drawn",…}`, against rules and sample.

    `ranks` are those of the drawn sites. Raises WrongFigure line-not-in-frame, line-of-another-site,
    line-differs-drawn, absence-not-proved, and WrongShape.
    """
    if not isinstance(told, dict) or not {"site", "line", "before", "after", "drawn"} <= told.keys():
        raise WrongShape("not-a-frame-line", "an answer about one site was expected")
    site = take_word(told["site"], "site")
    line, before, after = (told[name] and read_proof(told[name]) for name in ("line", "before", "after"))
    if line is None:
        verify_absence(rules, site, before, after)
    elif verify_line(rules, line).id != site:
        raise WrongFigure("line-of-another-site", site, file=FRAME, line=line.place + 1)
    if told["drawn"] != ranks.get(site):
        raise WrongFigure("line-differs-drawn", f"{told['drawn']} instead of {ranks.get(site)}")


def read_proof(value: Json) -> LineProof:
    """A proof as JSON holds it: `{"index","line","path"}`, hashes in hex. Raises WrongShape."""
    fields = take_fields(value, {"index", "line", "path"})
    path = take_list(fields["path"], "path")
    if len(path) > _LONGEST_PATH:
        raise WrongShape("not-in-range", "a path is not as long")
    hashes = tuple(bytes.fromhex(take_hex(one, "path", 32)) for one in path)
    return LineProof(
        take_integer(fields["index"], "index"), take_text(fields["line"], "line").encode(), hashes
    )


def proof_json(proof: LineProof) -> dict[str, int | str | Sequence[str]]:
    """The same the other way round."""
    return {"index": proof.place, "line": proof.line.decode(), "path": [one.hex() for one in proof.path]}
