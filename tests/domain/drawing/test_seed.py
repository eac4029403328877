from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from domain.drawing.bundle import read_bundle
from domain.drawing.errors import WrongSecret, WrongShape, WrongValue
from domain.drawing.rules import Rules
from domain.drawing.seed import (
    Reveal,
    check_reveal,
    check_seed,
    commit,
    derive_seed,
    make_seed,
    read_seed,
    write_seed,
)
from domain.drawing.source import (
    Dice,
    Lottery,
    PublicSource,
    Quicknet,
    check_value,
    parse_source,
    source_json,
    source_key,
    source_time,
)
from tests.domain.drawing.vectors import load_files

SIGNATURE = "ab" * 48
LOTTERY = Lottery("福彩3D", "2026123", "2026-05-08T21:15:00+08:00")
TWENTY = "01234567890123456789"


def test_the_commitment_is_the_hash_that_the_format_writes_out() -> None:
    message = b"sunlot-commit-v1\0" + "日志".encode() + b"\0\0\0\x01\x02\0\0\0\x03agency\0" + b"s" * 32
    assert commit("日志", 258, 3, "agency", b"s" * 32) == sha256(message).digest()


def test_a_secret_has_32_bytes() -> None:
    with pytest.raises(WrongSecret):
        commit("log", 1, 1, "agency", b"s" * 31)


@pytest.fixture
def rules() -> Rules:
    return read_bundle(load_files("edge").__getitem__).rules


@pytest.fixture
def reveals() -> tuple[Reveal, ...]:
    return read_bundle(load_files("edge").__getitem__).seed.reveals


def test_each_party_opens_its_own_commitment_alone(rules: Rules, reveals: tuple[Reveal, ...]) -> None:
    for reveal in reveals:
        check_reveal(rules, reveal)
    with pytest.raises(WrongSecret) as swapped:
        check_reveal(rules, Reveal(reveals[0].party, reveals[1].secret))
    with pytest.raises(WrongSecret) as stranger:
        check_reveal(rules, Reveal("stranger", reveals[1].secret))
    assert (swapped.value.rule, stranger.value.rule) == ("commitment-does-not-open", "not-a-contributor")


def test_the_seed_needs_every_reveal_once(rules: Rules, reveals: tuple[Reveal, ...]) -> None:
    for given in (reveals[:-1], (*reveals, reveals[0]), ()):
        with pytest.raises(WrongSecret):
            derive_seed(rules, given, TWENTY)
    assert derive_seed(rules, reveals[::-1], TWENTY) == derive_seed(rules, reveals, TWENTY)
    assert derive_seed(rules, reveals, TWENTY) != derive_seed(rules, reveals, TWENTY[::-1])


def test_a_seed_record_is_written_as_it_is_read_and_its_reveals_keep_their_order(
    rules: Rules, reveals: tuple[Reveal, ...]
) -> None:
    record = make_seed(rules, reveals[::-1], TWENTY, {"witnesses": 3})
    assert record.reveals == reveals
    assert read_seed(write_seed(record)) == record
    check_seed(rules, record)
    turned = read_seed(write_seed(type(record)(reveals[::-1], TWENTY, {"witnesses": 3}, record.seed)))
    with pytest.raises(WrongSecret):
        check_seed(rules, turned)


def test_a_seed_is_not_made_of_a_value_that_does_not_fit(rules: Rules, reveals: tuple[Reveal, ...]) -> None:
    with pytest.raises(WrongValue):
        make_seed(rules, reveals, TWENTY[1:], {"witnesses": 2})


@pytest.mark.parametrize("source", [Quicknet(1), Quicknet(12_345_678), Dice(20), LOTTERY])
def test_a_source_is_read_back_from_its_object(source: PublicSource) -> None:
    assert parse_source(source_json(source)) == source


@pytest.mark.parametrize(
    "value",
    [
        None,
        {"kind": "drand-quicknet", "round": 0},
        {"kind": "drand-quicknet", "round": 2**53 - 1},
        {"kind": "drand-quicknet", "round": 1, "chain": "x"},
        {"kind": "dice", "rolls": 19},
        {"kind": "dice", "rolls": "20"},
        {"kind": "lottery", "name": "3D", "issue": "1", "at": "2026-05-08T21:15:00"},
        {"kind": "lottery", "name": "3D", "issue": "1", "at": "2026-02-30T21:15:00Z"},
        {"kind": "lottery", "name": "3D", "issue": "1", "at": "9999-12-31T23:59:59-08:00"},
        {"kind": "lottery", "name": "", "issue": "1", "at": "2026-05-08T21:15:00Z"},
        {"kind": "lottery", "name": "3D", "issue": "1"},
    ],
)
def test_a_source_outside_the_format_is_refused(value: Any) -> None:
    with pytest.raises(WrongShape):
        parse_source(value)


def test_each_source_has_its_own_time() -> None:
    assert source_time(Quicknet(1)) == datetime(2023, 8, 23, 15, 9, 27, tzinfo=UTC)
    assert source_time(Quicknet(1201)) == datetime(2023, 8, 23, 16, 9, 27, tzinfo=UTC)
    assert source_time(LOTTERY) == datetime(2026, 5, 8, 13, 15, tzinfo=UTC)
    assert source_time(Dice(20)) is None


def test_what_serves_one_draw_has_one_key() -> None:
    other_hour = Lottery(LOTTERY.name, LOTTERY.issue, "2026-05-08T22:15:00+08:00")
    assert source_key(LOTTERY) == source_key(other_hour) != source_key(Quicknet(1)) != source_key(Quicknet(2))
    assert source_key(Dice(20)) == ""


@pytest.mark.parametrize(
    ("name", "issue"), [("福彩3d", "2024098"), ("福彩 ３Ｄ", "2024098 "), ("福彩-3D", "02024-098")]
)
def test_however_it_is_written_a_lottery_s_issue_serves_one_draw(name: str, issue: str) -> None:
    at = "2024-04-09T21:15:00+08:00"
    assert source_key(Lottery(name, issue, at)) == source_key(Lottery("福彩3D", "2024098", at))
    assert source_key(Lottery(name, issue, at)) != source_key(Lottery("福彩3D", "2024099", at))
    assert source_key(Lottery(name, issue, at)) != source_key(Lottery("体彩3D", "2024098", at))


def test_values_that_fit_their_source_are_accepted() -> None:
    check_value(Quicknet(1), sha256(bytes.fromhex(SIGNATURE)).hexdigest(), {"signature": SIGNATURE})
    check_value(Dice(20), TWENTY, {"witnesses": 2})
    check_value(LOTTERY, "407", {"reference": "http://www.cwl.gov.cn/"})


@pytest.mark.parametrize(
    ("source", "value", "evidence", "rule"),
    [
        (Dice(20), TWENTY + "0", {"witnesses": 2}, "wrong-public-value"),
        (Dice(20), TWENTY[:-1], {"witnesses": 2}, "wrong-public-value"),
        (Dice(20), TWENTY[:-1] + "x", {"witnesses": 2}, "wrong-public-value"),
        (Dice(20), TWENTY[:-1] + "٣", {"witnesses": 2}, "wrong-public-value"),
        (Dice(20), TWENTY + "\n", {"witnesses": 2}, "wrong-public-value"),
        (Dice(20), TWENTY, {"witnesses": 1}, "wrong-witnesses"),
        (Dice(20), TWENTY, {"witnesses": True}, "wrong-witnesses"),
        (Dice(20), TWENTY, {}, "wrong-evidence"),
        (Dice(20), TWENTY, {"witnesses": 2, "note": ""}, "wrong-evidence"),
        (LOTTERY, "", {"reference": "x"}, "wrong-public-value"),
        (LOTTERY, "4 0 7", {"reference": "x"}, "wrong-public-value"),
        (LOTTERY, "407", {"reference": ""}, "wrong-reference"),
        (
            Quicknet(1),
            sha256(bytes.fromhex(SIGNATURE)).hexdigest(),
            {"signature": SIGNATURE.upper()},
            "wrong-signature",
        ),
        (
            Quicknet(1),
            sha256(bytes.fromhex(SIGNATURE)).hexdigest(),
            {"signature": SIGNATURE[2:]},
            "wrong-signature",
        ),
        (Quicknet(1), SIGNATURE[:64], {"signature": SIGNATURE}, "wrong-public-value"),
    ],
)
def test_values_that_do_not_fit_are_refused_by_name(
    source: PublicSource, value: str, evidence: dict[str, Any], rule: str
) -> None:
    with pytest.raises(WrongValue) as refused:
        check_value(source, value, evidence)
    assert refused.value.rule == rule
