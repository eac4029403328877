"""rules.json: all that was fixed before chance came, and the figures that must follow from the lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from domain.drawing.canonical import Json, decode, digest, encode, merkle_root, split_lines
from domain.drawing.errors import DrawingError, NotCanonical, WrongFigure, WrongShape
from domain.drawing.lines import Site
from domain.drawing.shape import (
    take_fields,
    take_flag,
    take_hex,
    take_integer,
    take_list,
    take_some_text,
    take_word,
)
from domain.drawing.source import PublicSource, parse_source, source_json

ALGORITHM: Final = "sunlot-draw-v1"
NEEDED_PARTIES: Final = ("agency", "discipline")
"""The contributors that no draw goes without; their secrets are kept by different people."""

_MAX_NUMBER: Final = 2**32 - 1
_FIELDS: Final = frozenset(
    {
        *("algorithm", "as_of", "attempt", "contributors", "draw_no", "frame", "log", "plan_row", "pool"),
        *("public_source", "strata", "supplements", "team"),
    }
)


@dataclass(frozen=True, slots=True)
class Contributor:
    """A party that adds a secret; `commitment` is hex and binds it to this draw and attempt."""

    party: str
    commitment: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The Merkle root (hex) and number of lines of a frame or a pool."""

    root: str
    size: int


@dataclass(frozen=True, slots=True)
class Stratum:
    """`size` counts all its lines, `eligible` those that can be drawn; `rate` is numerator, denominator."""

    code: str
    size: int
    eligible: int
    rate: tuple[int, int]
    sample: int


@dataclass(frozen=True, slots=True)
class SeatRule:
    """A seat of every team: `lead` asks for a lead inspector, `skilled` for a skill that the site needs."""

    seat: str
    lead: bool
    skilled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The contents of rules.json; `supplements` is the draw whose unfilled seats this one fills."""

    log: str
    draw_no: int
    attempt: int
    plan_row: str
    as_of: int
    contributors: tuple[Contributor, ...]
    public_source: PublicSource
    frame: Listing
    pool: Listing
    strata: tuple[Stratum, ...]
    team: tuple[SeatRule, ...]
    supplements: int | None = None


def sample_size(size: int, eligible: int, rate: tuple[int, int]) -> int:
    """`min(eligible, ⌈size·num/den⌉)` in integers; `size` counts the whole stratum, with the closed."""
    numerator, denominator = rate
    return min(eligible, -(-size * numerator // denominator))


def list_lines(data: bytes, file: str = "") -> Listing:
    """Root and size of a frame.jsonl or pool.jsonl."""
    lines = split_lines(data, file)
    return Listing(merkle_root(lines).hex(), len(lines))


def form_strata(sites: Iterable[Site], rates: Mapping[str, tuple[int, int]]) -> tuple[Stratum, ...]:
    """The strata of `rates` with their counts, sorted by code.

    Raises WrongFigure for a site whose stratum has no rate.
    """
    sizes: Counter[str] = Counter()
    eligible: Counter[str] = Counter()
    for site in sites:
        sizes[site.stratum] += 1
        eligible[site.stratum] += site.eligible
    if unruled := sorted(sizes.keys() - rates.keys()):
        raise WrongFigure("stratum-without-a-rule", unruled[0], file="frame.jsonl")
    return tuple(_form_stratum(code, sizes[code], eligible[code], rates[code]) for code in sorted(rates))


def check_frame(rules: Rules, data: bytes, sites: Sequence[Site]) -> None:
    """Raises WrongFigure if frame.jsonl, whose lines are `sites`, is not the frame that `rules` fixed."""
    codes = {stratum.code for stratum in rules.strata}
    for number, site in enumerate(sites, start=1):
        if site.stratum not in codes:
            raise WrongFigure("stratum-without-a-rule", site.stratum, file="frame.jsonl", line=number)
    _check_listing("frame", rules.frame, data)
    formed = form_strata(sites, {stratum.code: stratum.rate for stratum in rules.strata})
    for ruled, counted in zip(rules.strata, formed, strict=True):
        _check_stratum(ruled, counted)


def check_pool(rules: Rules, data: bytes) -> None:
    """Raises WrongFigure if pool.jsonl is not the pool that `rules` fixed."""
    _check_listing("pool", rules.pool, data)


def write_rules(rules: Rules) -> bytes:
    """rules.json with its final newline. Raises WrongShape for rules that could not be read back."""
    value = _rules_json(rules)
    _parse_rules(value)
    return encode(value) + b"\n"


def read_rules(data: bytes) -> Rules:
    """The rules in rules.json.

    Raises NotCanonical, WrongShape, or WrongFigure where the figures contradict each other.
    """
    try:
        return _parse_rules(read_document(data))
    except DrawingError as error:
        error.locate("rules.json", 1)
        raise


def read_document(data: bytes) -> Json:
    """The value of a file that is one canonical object and a final newline."""
    if not data.endswith(b"\n"):
        raise NotCanonical("no-final-newline")
    return decode(data[:-1])


def hash_rules(rules: Rules) -> bytes:
    """`H(rules.json without its final newline)`: what the event `sealed` holds and the seed is made from."""
    return digest(write_rules(rules)[:-1])


def _form_stratum(code: str, size: int, eligible: int, rate: tuple[int, int]) -> Stratum:
    if rate[1] <= 0:
        raise WrongShape("not-in-range", f"the rate of {code} must have a denominator above 0")
    return Stratum(code, size, eligible, rate, sample_size(size, eligible, rate))


def _check_listing(name: str, fixed: Listing, data: bytes) -> None:
    found = list_lines(data, f"{name}.jsonl")
    if found.size != fixed.size:
        raise WrongFigure(
            f"{name}-size", f"{found.size} lines, rules.json says {fixed.size}", file=f"{name}.jsonl"
        )
    if found.root != fixed.root:
        raise WrongFigure(f"{name}-root", f"{found.root}, rules.json says {fixed.root}", file=f"{name}.jsonl")


def _check_stratum(ruled: Stratum, counted: Stratum) -> None:
    for name in ("size", "eligible", "sample"):
        said, found = getattr(ruled, name), getattr(counted, name)
        if said != found:
            raise WrongFigure(
                f"stratum-{name}", f"{ruled.code}: {said} instead of {found}", file="rules.json", line=1
            )


def _rules_json(rules: Rules) -> dict[str, Any]:
    return {
        "algorithm": ALGORITHM,
        "as_of": rules.as_of,
        "attempt": rules.attempt,
        "contributors": [{"commitment": one.commitment, "party": one.party} for one in rules.contributors],
        "draw_no": rules.draw_no,
        "frame": {"root": rules.frame.root, "size": rules.frame.size},
        "log": rules.log,
        "plan_row": rules.plan_row,
        "pool": {"root": rules.pool.root, "size": rules.pool.size},
        "public_source": source_json(rules.public_source),
        "strata": [_stratum_json(stratum) for stratum in rules.strata],
        "supplements": rules.supplements,
        "team": [{"lead": rule.lead, "seat": rule.seat, "skilled": rule.skilled} for rule in rules.team],
    }


def _stratum_json(stratum: Stratum) -> dict[str, Any]:
    counts = {"size": stratum.size, "eligible": stratum.eligible, "sample": stratum.sample}
    return {"code": stratum.code, "rate": list(stratum.rate), **counts}


def _parse_rules(value: Json) -> Rules:
    line = take_fields(value, _FIELDS)
    if line["algorithm"] != ALGORITHM:
        raise WrongShape("unknown-algorithm", f"{line['algorithm']!r}")
    rules = Rules(
        log=take_some_text(line["log"], "log"),
        draw_no=take_integer(line["draw_no"], "draw_no", 0, _MAX_NUMBER),
        attempt=take_integer(line["attempt"], "attempt", 1, _MAX_NUMBER),
        plan_row=take_some_text(line["plan_row"], "plan_row"),
        as_of=take_integer(line["as_of"], "as_of"),
        contributors=tuple(
            _parse_contributor(one) for one in take_list(line["contributors"], "contributors")
        ),
        public_source=parse_source(line["public_source"]),
        frame=_parse_listing(line["frame"]),
        pool=_parse_listing(line["pool"]),
        strata=tuple(_parse_stratum(one) for one in take_list(line["strata"], "strata")),
        team=tuple(_parse_seat(one) for one in take_list(line["team"], "team")),
        supplements=_parse_supplements(line["supplements"]),
    )
    _check_together(rules)
    return rules


def _parse_supplements(value: Json) -> int | None:
    return None if value is None else take_integer(value, "supplements", 0, _MAX_NUMBER)


def _parse_contributor(value: Json) -> Contributor:
    line = take_fields(value, {"commitment", "party"})
    return Contributor(take_word(line["party"], "party"), take_hex(line["commitment"], "commitment", 32))


def _parse_listing(value: Json) -> Listing:
    line = take_fields(value, {"root", "size"})
    return Listing(take_hex(line["root"], "root", 32), take_integer(line["size"], "size"))


def _parse_seat(value: Json) -> SeatRule:
    line = take_fields(value, {"lead", "seat", "skilled"})
    lead, skilled = take_flag(line["lead"], "lead"), take_flag(line["skilled"], "skilled")
    return SeatRule(take_word(line["seat"], "seat"), lead, skilled)


def _parse_stratum(value: Json) -> Stratum:
    line = take_fields(value, {"code", "eligible", "rate", "sample", "size"})
    size, eligible, sample = (take_integer(line[name], name) for name in ("size", "eligible", "sample"))
    stratum = Stratum(take_word(line["code"], "code"), size, eligible, _parse_rate(line["rate"]), sample)
    if eligible > size:
        raise WrongFigure("stratum-eligible", f"{stratum.code}: more eligible than there are")
    _check_stratum(stratum, _form_stratum(stratum.code, size, eligible, stratum.rate))
    return stratum


def _parse_rate(value: Json) -> tuple[int, int]:
    rate = take_list(value, "rate")
    if len(rate) != 2:
        raise WrongShape("wrong-rate", "a rate is a numerator and a denominator")
    return take_integer(rate[0], "numerator"), take_integer(rate[1], "denominator", 1)


def _check_together(rules: Rules) -> None:
    _check_unique("contributors", [one.party for one in rules.contributors])
    _check_unique("commitments", [one.commitment for one in rules.contributors])
    _check_unique("seats", [rule.seat for rule in rules.team])
    codes = [stratum.code for stratum in rules.strata]
    _check_unique("strata", codes)
    if codes != sorted(codes):
        raise WrongShape("unsorted-list", "strata must be sorted by code")
    for party in NEEDED_PARTIES:
        if all(one.party != party for one in rules.contributors):
            raise WrongShape("contributor-missing", f"no draw without the {party}")
    if sum(stratum.size for stratum in rules.strata) != rules.frame.size:
        raise WrongFigure("frame-size", "the sizes of the strata do not add up to the frame's")
    if rules.supplements is not None and any(stratum.rate != (1, 1) for stratum in rules.strata):
        raise WrongShape("supplement-rate", "a supplementary draw takes all its sites, at the rate 1/1")


def _check_unique(name: str, words: Sequence[str]) -> None:
    for word, count in Counter(words).items():
        if count > 1:
            raise WrongShape("repeated", f"{name}: {word}")
