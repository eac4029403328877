"""Codes of the law and of national standards: what is none is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.identifiers import (
    IndustryWrong,
    LicenceCodeWrong,
    RegionWrong,
    StreamIdWrong,
    UsccWrong,
    check_industry,
    check_licence_code,
    check_region,
    check_stream_id,
    check_uscc,
    covers,
)

VALID = ("91130200699229617X", "911302307808371268", "91350100M000100Y43")
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
DIGITS = "0123456789"


def check_digit(body: str) -> str:
    """The 18th character by GB 32100: weights 3^i mod 31, written anew from the standard."""
    total = sum(ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(body))
    return ALPHABET[-total % 31]


@st.composite
def codes(draw: st.DrawFn) -> str:
    """A well-formed code of any authority."""
    head = draw(st.text(ALPHABET, min_size=2, max_size=2))
    region = draw(st.text(DIGITS, min_size=6, max_size=6))
    body = head + region + draw(st.text(ALPHABET, min_size=9, max_size=9))
    return body + check_digit(body)


regions = st.builds(
    lambda province, city, county: f"{province:02}{city:02}{county:02}",
    st.integers(11, 82),
    st.integers(0, 99),
    st.integers(0, 99),
)


@pytest.mark.parametrize("code", VALID)
def test_a_valid_code_is_itself(code: str) -> None:
    assert check_uscc(code) == code


@settings(max_examples=50, deadline=None)
@given(codes())
def test_codes_of_every_authority_are_valid(code: str) -> None:
    assert check_uscc(code) == code


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(VALID) | codes(), st.integers(0, 17), st.characters())
def test_no_single_character_can_be_changed(code: str, place: int, character: str) -> None:
    wrong = code[:place] + character + code[place + 1 :]
    if wrong != code:
        with pytest.raises(UsccWrong) as refusal:
            check_uscc(wrong)
        assert refusal.value.facts == {"value": wrong}


@pytest.mark.parametrize("code", VALID)
def test_every_other_character_of_the_alphabet_is_found_at_every_place(code: str) -> None:
    for place in range(18):
        for character in set(ALPHABET) - {code[place]}:
            with pytest.raises(UsccWrong):
                check_uscc(code[:place] + character + code[place + 1 :])


@pytest.mark.parametrize(
    "code",
    [
        "",
        VALID[0][:-1],
        VALID[0] + "0",
        VALID[0].lower(),
        f" {VALID[0]}",
        f"{VALID[0]}\n",
        "９" + VALID[0][1:],
    ],
)
def test_what_only_looks_like_a_code_is_refused(code: str) -> None:
    with pytest.raises(UsccWrong):
        check_uscc(code)


def test_a_licence_code_belongs_to_its_enterprise() -> None:
    code = f"{VALID[0]}001P"
    assert check_licence_code(code, enterprise=VALID[0]) == code
    with pytest.raises(LicenceCodeWrong):
        check_licence_code(code, enterprise=VALID[1])


@pytest.mark.parametrize("tail", ["", "01P", "001", "001p", "0011", "001PP", "001P\n"])
def test_a_licence_code_has_three_digits_and_a_letter(tail: str) -> None:
    with pytest.raises(LicenceCodeWrong):
        check_licence_code(VALID[0] + tail, enterprise=VALID[0])


@pytest.mark.parametrize("region", ["", "14", "014010", "1401000", "14010a", "140100\n", "１40100"])
def test_a_region_has_six_digits(region: str) -> None:
    with pytest.raises(RegionWrong):
        check_region(region)


@settings(max_examples=50, deadline=None)
@given(regions)
def test_regions_are_themselves(region: str) -> None:
    assert check_region(region) == region


@pytest.mark.parametrize(
    ("industry", "right"), [("C2614", True), ("A01", True), ("U2614", False), ("C2", False)]
)
def test_an_industry_is_a_letter_and_two_to_four_digits(industry: str, right: bool) -> None:
    if right:
        assert check_industry(industry) == industry
    else:
        with pytest.raises(IndustryWrong):
            check_industry(industry)


def test_a_stream_id_is_a_kind_and_128_bits() -> None:
    stream = f"draw-{'0af1' * 8}"
    assert check_stream_id(stream) == stream
    for wrong in ("", "draw", f"draw-{'0af1' * 7}", f"Draw-{'0af1' * 8}", f"draw-{'0AF1' * 8}", f"{stream}0"):
        with pytest.raises(StreamIdWrong):
            check_stream_id(wrong)


# --- covers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("area", "region", "inside"),
    [
        ("140000", "140100", True),
        ("140000", "140105", True),
        ("140100", "140105", True),
        ("140105", "140105", True),
        ("140100", "140200", False),
        ("140100", "140000", False),
        ("140105", "140100", False),
        ("140105", "140106", False),
        ("140000", "110000", False),
    ],
)
def test_an_area_covers_what_lies_in_it(area: str, region: str, inside: bool) -> None:
    assert covers(area, region) is inside


@settings(max_examples=100, deadline=None)
@given(regions)
def test_every_region_lies_in_itself_its_city_and_its_province(region: str) -> None:
    assert covers(region, region)
    assert covers(f"{region[:4]}00", region)
    assert covers(f"{region[:2]}0000", region)


near = st.sampled_from([f"14{city}{county}" for city in ("00", "01", "02") for county in ("00", "05", "06")])


@settings(max_examples=200, deadline=None)
@given(near, near, near)
def test_what_lies_in_what_lies_in_an_area_lies_in_it(area: str, between: str, region: str) -> None:
    if covers(area, between) and covers(between, region):
        assert covers(area, region)


@settings(max_examples=200, deadline=None)
@given(near, near)
def test_no_two_regions_lie_in_each_other(one: str, other: str) -> None:
    if one != other:
        assert not (covers(one, other) and covers(other, one))
