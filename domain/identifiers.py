"""Identifiers that the law or a national standard defines, and our own stream ids."""

import re
from operator import mul
from typing import Final

from domain.errors import Invalid

_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_VALUES: Final = {char: value for value, char in enumerate(_USCC_ALPHABET)}
_USCC_WEIGHTS: Final = tuple(3**place % 31 for place in range(17))
_USCC = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")
_STREAM = re.compile(r"[a-z][a-z-]{1,30}-[0-9a-f]{32}")
_LICENCE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}[0-9]{3}[A-Z]")
_REGION = re.compile(r"[1-9][0-9]{5}")
_INDUSTRY = re.compile(r"[A-T][0-9]{2,4}")


class UsccWrong(Invalid):
    """Not a unified social credit code (GB 32100): 18 characters, check digit mod 31."""

    code = "uscc-wrong"
    source = "GB 32100-2015"


class LicenceCodeWrong(Invalid):
    """Not a licence or source code (HJ 608-2017): the enterprise's USCC, 3 digits, 1 letter."""

    code = "licence-code-wrong"
    source = "HJ 608-2017"


class RegionWrong(Invalid):
    """Not a region code (GB/T 2260): six digits."""

    code = "region-wrong"
    source = "GB/T 2260"


class IndustryWrong(Invalid):
    """Not an industry code (GB/T 4754): a letter A–T and two to four digits."""

    code = "industry-wrong"
    source = "GB/T 4754-2017"


class StreamIdWrong(Invalid):
    """Not a stream id: a kind, a hyphen and 32 hexadecimal digits."""

    code = "stream-id-wrong"


def check_uscc(value: str) -> str:
    """The unified social credit code itself, or `UsccWrong`; small letters and spaces are refused."""
    if not _USCC.fullmatch(value) or uscc_check_digit(value[:-1]) != value[-1]:
        raise UsccWrong(value=value)
    return value


def uscc_check_digit(body: str) -> str:
    """The check digit of 17 characters of a unified social credit code (GB 32100-2015, modulus 31).

    Ours, because stdnum's takes longer than all else that a row of an import needs; a test compares them.
    """
    total = sum(map(mul, _USCC_WEIGHTS, map(_USCC_VALUES.__getitem__, body)))
    return _USCC_ALPHABET[-total % 31]


def check_licence_code(value: str, *, enterprise: str) -> str:
    """The licence or source code itself, or `LicenceCodeWrong` if it is not one of this enterprise."""
    if not _LICENCE.fullmatch(value) or not value.startswith(enterprise):
        raise LicenceCodeWrong(value=value, uscc=enterprise)
    return value


def check_region(value: str) -> str:
    """The region code itself, or `RegionWrong`."""
    if not _REGION.fullmatch(value):
        raise RegionWrong(value=value)
    return value


def check_industry(value: str) -> str:
    """The industry code itself, or `IndustryWrong`."""
    if not _INDUSTRY.fullmatch(value):
        raise IndustryWrong(value=value)
    return value


def check_stream_id(value: str) -> str:
    """The stream id itself, or `StreamIdWrong`."""
    if not _STREAM.fullmatch(value):
        raise StreamIdWrong(value=value)
    return value


def covers(area: str, region: str) -> bool:
    """Whether `region` lies in `area` (GB/T 2260: 140000 is a province, 140100 a city in it)."""
    if area.endswith("0000"):
        return region[:2] == area[:2]
    if area.endswith("00"):
        return region[:4] == area[:4]
    return region == area
