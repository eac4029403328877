"""Where the public value comes from: three kinds of chance that nobody can know when the draw is sealed.

The rules here are about shape; that a beacon's signature is genuine is for a verifier with a beacon library
to say.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final, TypeAlias

from domain.drawing.canonical import Json
from domain.drawing.errors import WrongShape, WrongValue
from domain.drawing.shape import take_fields, take_integer, take_some_text

QUICKNET_CHAIN: Final = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
"""The chain hash of drand's quicknet, the only beacon that `sunlot-draw-v1` knows."""

QUICKNET_GENESIS: Final = datetime.fromtimestamp(1692803367, UTC)
QUICKNET_PERIOD: Final = timedelta(seconds=3)
SIGNATURE_BYTES: Final = 48
LEAST_ROLLS: Final = 20
LEAST_WITNESSES: Final = 2

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]+")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_SIGNATURE: Final = re.compile(rf"[0-9a-f]{{{2 * SIGNATURE_BYTES}}}")
_LAST_ROUND: Final = (datetime.max.replace(tzinfo=UTC) - QUICKNET_GENESIS) // QUICKNET_PERIOD


@dataclass(frozen=True, slots=True)
class Quicknet:
    """A round of drand's quicknet; the value is SHA-256 of its signature, in hex."""

    round: int


@dataclass(frozen=True, slots=True)
class Dice:
    """At least 20 rolls of a ten-sided die before witnesses; the value is the digits."""

    rolls: int


@dataclass(frozen=True, slots=True)
class Lottery:
    """A public lottery's issue, drawn `at` (RFC 3339 with zone); its digits in order are the value."""

    name: str
    issue: str
    at: str


PublicSource: TypeAlias = Quicknet | Dice | Lottery


def source_json(source: PublicSource) -> dict[str, Any]:
    """The object that stands for the source in rules.json."""
    match source:
        case Quicknet(number):
            return {"kind": "drand-quicknet", "round": number}
        case Dice(rolls):
            return {"kind": "dice", "rolls": rolls}
        case Lottery(name, issue, at):
            return {"kind": "lottery", "name": name, "issue": issue, "at": at}


def parse_source(value: Json) -> PublicSource:
    """The source that rules.json names. Raises WrongShape."""
    match value.get("kind") if isinstance(value, dict) else None:
        case "drand-quicknet":
            return Quicknet(
                take_integer(take_fields(value, {"kind", "round"})["round"], "round", 1, _LAST_ROUND)
            )
        case "dice":
            return Dice(take_integer(take_fields(value, {"kind", "rolls"})["rolls"], "rolls", LEAST_ROLLS))
        case "lottery":
            line = take_fields(value, {"kind", "name", "issue", "at"})
            name, issue = take_some_text(line["name"], "name"), take_some_text(line["issue"], "issue")
            return Lottery(name, issue, _take_time(line["at"]))
        case _:
            raise WrongShape("unknown-source", "the public source is drand-quicknet, dice or lottery")


def source_time(source: PublicSource) -> datetime | None:
    """The source's own time, in UTC, before which nobody can know the value.

    None for dice: their time is when the last contributor has revealed.
    """
    match source:
        case Quicknet(number):
            return QUICKNET_GENESIS + (number - 1) * QUICKNET_PERIOD
        case Lottery(at=at):
            return datetime.fromisoformat(at).astimezone(UTC)
        case Dice():
            return None


def check_text(source: PublicSource, value: str) -> None:
    """Raises WrongValue unless the value looks as the source gives it; evidence is another matter."""
    match source:
        case Quicknet():
            if not _HASH.fullmatch(value):
                raise WrongValue("wrong-public-value", "the value must be 64 lower-case hexadecimal digits")
        case Dice(rolls):
            _check_digits(value, rolls)
        case Lottery():
            _check_digits(value)


def check_value(source: PublicSource, value: str, evidence: Mapping[str, Any]) -> None:
    """Raises WrongValue unless the value has the shape that the source gives and the evidence its fields.

    Of a beacon it checks that the value is the hash of the signature, not that the signature is the beacon's.
    """
    check_text(source, value)
    match source:
        case Quicknet():
            _check_beacon(value, _take_evidence(evidence, "signature"))
        case Dice():
            _check_witnesses(_take_evidence(evidence, "witnesses"))
        case Lottery():
            _check_reference(_take_evidence(evidence, "reference"))


def source_key(source: PublicSource) -> str:
    """What a log may use once: two draws with the same key would share their chance.

    "" for dice: rolled anew. However the name and issue of a lottery are written, it is one lottery.
    """
    match source:
        case Quicknet(number):
            return f"drand-quicknet/{number}"
        case Lottery(name, issue):
            return f"lottery/{_plain(name)}/{_plain(issue).lstrip('0')}"
        case Dice():
            return ""


def _plain(text: str) -> str:
    """A text without what people write differently: width and case of letters, spaces and signs."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


def _take_time(value: Json) -> str:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise WrongShape("not-a-time", "at must be an RFC 3339 time with its zone")
    try:
        datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise WrongShape("not-a-time", f"at: {error}") from error
    return value


def _take_evidence(evidence: Mapping[str, Any], name: str) -> Any:
    if evidence.keys() != {name}:
        raise WrongValue("wrong-evidence", f"the evidence of this source is its {name}, and nothing else")
    return evidence[name]


def _check_beacon(value: str, signature: Any) -> None:
    if not isinstance(signature, str) or not _SIGNATURE.fullmatch(signature):
        raise WrongValue(
            "wrong-signature", f"the signature must be {SIGNATURE_BYTES} bytes in lower-case hex"
        )
    if value != sha256(bytes.fromhex(signature)).hexdigest():
        raise WrongValue("wrong-public-value", "the value must be SHA-256 of the signature")


def _check_digits(value: str, count: int | None = None) -> None:
    if not _DIGITS.fullmatch(value) or (count is not None and len(value) != count):
        raise WrongValue("wrong-public-value", f"the value must be {count or 'its'} digits and nothing else")


def _check_witnesses(witnesses: Any) -> None:
    if type(witnesses) is not int or witnesses < LEAST_WITNESSES:
        raise WrongValue("wrong-witnesses", f"dice are rolled before at least {LEAST_WITNESSES} witnesses")


def _check_reference(reference: Any) -> None:
    if not isinstance(reference, str) or not reference:
        raise WrongValue("wrong-reference", "the reference must say where the lottery published its digits")
