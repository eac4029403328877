"""From the contributors' secrets and the public value to the seed: nobody has it until all have given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from domain.drawing.canonical import Json, be32, digest, encode
from domain.drawing.errors import DrawingError, WrongResult, WrongSecret, WrongShape
from domain.drawing.rules import Contributor, Rules, hash_rules, read_document
from domain.drawing.shape import take_fields, take_hex, take_list, take_text, take_word
from domain.drawing.source import check_value

SECRET_BYTES: Final = 32

_COMMIT: Final = b"sunlot-commit-v1\0"
_SEED: Final = b"sunlot-seed-v1\0"


@dataclass(frozen=True, slots=True)
class Reveal:
    """A contributor's secret, 32 raw bytes."""

    party: str
    secret: bytes


@dataclass(frozen=True, slots=True)
class SeedRecord:
    """The contents of seed.json: what the seed was made of, and the seed itself, 32 raw bytes."""

    reveals: tuple[Reveal, ...]
    public_value: str
    evidence: Mapping[str, Any]
    seed: bytes


def commit(log: str, draw_no: int, attempt: int, party: str, secret: bytes) -> bytes:
    """The commitment, 32 raw bytes, of a party's secret to one attempt of one draw.

    Raises WrongSecret unless it has 32 bytes.
    """
    if len(secret) != SECRET_BYTES:
        raise WrongSecret("secret-length", f"a secret is {SECRET_BYTES} random bytes")
    numbers = be32(draw_no) + be32(attempt)
    return digest(_COMMIT, log.encode(), b"\0", numbers, party.encode(), b"\0", secret)


def check_reveal(rules: Rules, reveal: Reveal) -> None:
    """Raises WrongSecret unless `reveal` opens the commitment that its party sealed."""
    for contributor in rules.contributors:
        if contributor.party == reveal.party:
            return _check_opens(rules, contributor, reveal.secret)
    raise WrongSecret("not-a-contributor", reveal.party)


def derive_seed(rules: Rules, reveals: Sequence[Reveal], public_value: str) -> bytes:
    """The seed, 32 raw bytes.

    Raises WrongSecret unless each contributor's reveal is there, once, in any order, and opens.
    """
    secrets = {reveal.party: reveal.secret for reveal in reveals}
    parties = [contributor.party for contributor in rules.contributors]
    if len(secrets) != len(reveals) or secrets.keys() != set(parties):
        raise WrongSecret("wrong-contributors", f"expected one reveal of each of {parties}")
    for reveal in reveals:
        check_reveal(rules, reveal)
    given = b"".join(secrets[party] for party in parties)
    return digest(_SEED, hash_rules(rules), given, digest(public_value.encode()))


def make_seed(
    rules: Rules, reveals: Sequence[Reveal], public_value: str, evidence: Mapping[str, Any]
) -> SeedRecord:
    """The seed with all that it was made of.

    Raises WrongSecret or, where the value does not fit the source, WrongValue.
    """
    check_value(rules.public_source, public_value, evidence)
    seed = derive_seed(rules, reveals, public_value)
    order = {contributor.party: number for number, contributor in enumerate(rules.contributors)}
    ordered = tuple(sorted(reveals, key=lambda reveal: order[reveal.party]))
    return SeedRecord(ordered, public_value, dict(evidence), seed)


def check_seed(rules: Rules, record: SeedRecord) -> None:
    """Raises unless seed.json follows from `rules`: reveals in their order, a fitting value, a right seed."""
    if [reveal.party for reveal in record.reveals] != [
        contributor.party for contributor in rules.contributors
    ]:
        raise WrongSecret(
            "wrong-contributors", "reveals stand in the order of the contributors", file="seed.json", line=1
        )
    try:
        made = make_seed(rules, record.reveals, record.public_value, record.evidence)
    except DrawingError as error:
        error.locate("seed.json", 1)
        raise
    if made.seed != record.seed:
        raise WrongResult(
            "wrong-seed", f"{record.seed.hex()} instead of {made.seed.hex()}", file="seed.json", line=1
        )


def write_seed(record: SeedRecord) -> bytes:
    """seed.json with its final newline."""
    reveals = [{"party": reveal.party, "secret": reveal.secret.hex()} for reveal in record.reveals]
    value = {"evidence": dict(record.evidence), "public_value": record.public_value, "reveals": reveals}
    return encode({**value, "seed": record.seed.hex()}) + b"\n"


def read_seed(data: bytes) -> SeedRecord:
    """The contents of seed.json; whether they follow from the rules is for `check_seed`.

    Raises NotCanonical or WrongShape.
    """
    try:
        return _parse_seed(read_document(data))
    except DrawingError as error:
        error.locate("seed.json", 1)
        raise


def _check_opens(rules: Rules, contributor: Contributor, secret: bytes) -> None:
    made = commit(rules.log, rules.draw_no, rules.attempt, contributor.party, secret)
    if made.hex() != contributor.commitment:
        raise WrongSecret("commitment-does-not-open", contributor.party)


def _parse_seed(value: Json) -> SeedRecord:
    line = take_fields(value, {"evidence", "public_value", "reveals", "seed"})
    if not isinstance(line["evidence"], dict):
        raise WrongShape("not-an-object", "evidence must be an object")
    reveals = tuple(_parse_reveal(one) for one in take_list(line["reveals"], "reveals"))
    seed = bytes.fromhex(take_hex(line["seed"], "seed", 32))
    return SeedRecord(reveals, take_text(line["public_value"], "public_value"), line["evidence"], seed)


def _parse_reveal(value: Json) -> Reveal:
    line = take_fields(value, {"party", "secret"})
    return Reveal(
        take_word(line["party"], "party"), bytes.fromhex(take_hex(line["secret"], "secret", SECRET_BYTES))
    )
