"""The format's reference names every code, shows what the vectors hold, and its program verifies it."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import given, settings
from hypothesis import strategies as st

import domain.ledger
from domain.ledger.errors import LedgerError
from domain.ledger.merkle import consistency_proof, inclusion_proof, leaf_hash, root_at
from domain.ledger.policy import TrustPolicy
from domain.ledger.proof import Receipt
from domain.ledger.submission import Submission
from tests.domain.ledger.examples import COSIGNED_AT, PAGE, checkpoint_of, code, made, shown
from tests.domain.ledger.trees import Nodes

CODE = re.compile(r"\"([a-z]+\.[a-z_]+)\"")
SHOWN = shown()
NODES = Nodes([leaf_hash(b"%d" % number) for number in range(300)])


def written_codes() -> set[str]:
    """The codes that the verifiers and the errors write."""
    folder = Path(str(domain.ledger.__file__)).parent
    sources = [file.read_text(encoding="utf-8") for file in folder.glob("*.py") if file.name != "errors.py"]
    errors = {error.code for error in LedgerError.__subclasses__()}
    return errors | {code for source in sources for code in CODE.findall(source)}


def test_the_page_lists_every_code_and_no_other() -> None:
    tables = PAGE.partition("## What a verifier finds")[2]
    listed = set(re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", tables, re.MULTILINE))
    assert "state.differs" in listed
    assert listed == written_codes()


def test_no_two_errors_share_a_code() -> None:
    codes = [error.code for error in LedgerError.__subclasses__()]
    assert len(codes) == len(set(codes)) > 10
    assert LedgerError.code not in codes


@pytest.mark.parametrize("title", sorted(made()))
def test_every_example_is_what_our_code_makes(title: str) -> None:
    assert SHOWN[title] == made()[title]


def test_every_example_on_the_page_is_checked() -> None:
    assert SHOWN.keys() == made().keys()


@cache
def program() -> dict[str, Any]:
    """The page's own program, which imports nothing of ours."""
    assert "domain" not in code()
    names: dict[str, Any] = {}
    exec(compile(code(), "ledger-format.md", "exec"), names)  # noqa: S102 (it is our page)
    return names


@pytest.fixture
def stranger() -> dict[str, Any]:
    return program()


def lines(title: str) -> list[str]:
    return SHOWN[title].splitlines()


def vkey(title: str) -> str:
    (line,) = lines(title)
    return line


def test_the_pages_program_comes_to_the_root_of_the_checkpoint(stranger: dict[str, Any]) -> None:
    leaves = [bytes.fromhex(line) for line in lines("leaf hashes")]
    assert stranger["leaf"](SHOWN["entry"].encode().removesuffix(b"\n")) == leaves[2]
    assert (
        stranger["root"](leaves)
        == b64decode(lines("checkpoint")[2])
        == checkpoint_of(SHOWN["checkpoint"]).root
    )
    state = stranger["sha256"](SHOWN["state"].encode().removesuffix(b"\n")).hexdigest()
    entry = json.loads(SHOWN["entry"])
    assert (entry["state"], entry["prev"]) == (state, leaves[1].hex())


def test_the_pages_program_opens_the_notes(stranger: dict[str, Any]) -> None:
    log, new, witness = vkey("vkey"), vkey("next vkey"), vkey("witness vkey")
    open_note, name = stranger["open_note"], "sunlot.example/140100"
    text = SHOWN["checkpoint"].partition("\n\n")[0] + "\n"
    cosigned = SHOWN["cosigned checkpoint"].encode()
    assert open_note(SHOWN["checkpoint"].encode(), [log]) == (text, {name: None})
    assert open_note(cosigned, [log]) == (text, {name: None})
    assert open_note(cosigned, [log, witness])[1] == {name: None, "jiwei.example/w1": COSIGNED_AT}
    for key in (log, new):
        assert open_note(SHOWN["checkpoint of two keys"].encode(), [key])[1] == {name: None}
    assert open_note(SHOWN["checkpoint"].encode(), [new])[1] == {}
    with pytest.raises(InvalidSignature):
        open_note(cosigned.replace(b"\n7\n", b"\n8\n"), [log])


def test_the_pages_program_verifies_receipt_and_consistency(stranger: dict[str, Any]) -> None:
    entry, receipt = SHOWN["entry"].encode().removesuffix(b"\n"), SHOWN["receipt"].encode()
    assert stranger["open_receipt"](receipt, entry, [vkey("vkey")]) == 7
    assert Receipt.parse(receipt).index == 2
    for changed in (entry.replace(b'"idx":2', b'"idx":3'), entry.replace(b"0014Z", b"0015Z")):
        with pytest.raises(AssertionError):
            stranger["open_receipt"](receipt, changed, [vkey("vkey")])
    told = json.loads(SHOWN["consistency"])
    roots = [bytes.fromhex(told[name]) for name in ("old_root", "new_root")]
    proof = [bytes.fromhex(digest) for digest in told["proof"]]
    assert stranger["roots_by_consistency"](told["old"], told["new"], roots[0], proof) == tuple(roots)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 300), st.data())
def test_the_pages_program_checks_proofs_of_any_size(new: int, data: st.DataObject) -> None:
    names, index, old = program(), data.draw(st.integers(0, new - 1)), data.draw(st.integers(1, new))
    proof = inclusion_proof(index, new, NODES)
    assert names["root_by_inclusion"](index, new, NODES(0, index), proof) == root_at(new, NODES)
    roots = root_at(old, NODES), root_at(new, NODES)
    extension = consistency_proof(old, new, NODES)
    assert names["roots_by_consistency"](old, new, roots[0], extension) == roots
    for wrong in ([*proof, bytes(32)], proof[:-1]):
        if wrong != proof:
            with pytest.raises(ValueError, match=r"no such proof|unpack"):
                names["root_by_inclusion"](index, new, NODES(0, index), wrong)
    for wrong in ([*extension, bytes(32)], extension[:-1]):
        if wrong != extension:
            with pytest.raises(ValueError, match=r"no such proof|unpack"):
                names["roots_by_consistency"](old, new, roots[0], wrong)


def test_the_shown_policy_accepts_the_cosigned_checkpoint_and_the_shown_submission_is_one() -> None:
    policy = TrustPolicy.parse(SHOWN["trust policy"].encode())
    assert policy.open(SHOWN["cosigned checkpoint"].encode()).cosigned == {"jiwei": COSIGNED_AT}
    submission = Submission.parse(SHOWN["submission"].encode())
    assert (submission.old, submission.note.decode()) == (3, SHOWN["checkpoint"])
