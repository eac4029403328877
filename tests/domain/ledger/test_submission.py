"""What a log sends to a witness, and that a witness by these rules can never be made to tell two stories."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.cosignature import WitnessSigningKey, add_signatures
from domain.ledger.errors import (
    KeyUnknown,
    LedgerError,
    OriginUnknown,
    ProofRefused,
    RootConflict,
    SignatureInvalid,
    SignatureMissing,
    SizeConflict,
    SubmissionMalformed,
)
from domain.ledger.merkle import EMPTY_ROOT, consistency_proof, leaf_hash, root_at
from domain.ledger.note import SigningKey, sign_note
from domain.ledger.submission import PROOF_LIMIT, SIZE_LIMIT, Submission, judge, open_submission
from tests.domain.ledger.trees import Nodes

LOG = SigningKey("sunlot.example/140100", bytes(range(32)))
LOGS = {LOG.name: [LOG.verifier]}
HONEST = Nodes([leaf_hash(b"honest %d" % number) for number in range(80)])
FORKS = [
    HONEST,
    Nodes([*(HONEST(0, index) for index in range(20)), *(leaf_hash(b"fork %d" % n) for n in range(60))]),
    Nodes([leaf_hash(b"rewritten %d" % number) for number in range(80)]),
]

STANDARD = """\
old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa \
Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa \
opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
"""


def checkpoint(size: int, tree: Nodes = HONEST) -> Checkpoint:
    return Checkpoint(LOG.name, size, root_at(size, tree))


def submission(old: int, new: int, tree: Nodes = HONEST, key: SigningKey = LOG) -> Submission:
    proof = consistency_proof(old, new, tree) if old <= new else []
    return Submission(old, tuple(proof), sign_checkpoint(checkpoint(new, tree), key))


def test_the_standards_example_reads_and_is_written_again_as_it_was() -> None:
    read = Submission.parse(STANDARD.encode())
    assert (read.old, len(read.proof)) == (20_852_014, 4)
    assert read.note.startswith(b"example.com/behind-the-sofa\n20852163\n")
    assert read.encode() == STANDARD.encode()
    with pytest.raises(OriginUnknown) as refused:
        open_submission(STANDARD.encode(), LOGS)
    assert refused.value.params == {"origin": "example.com/behind-the-sofa"}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 80), st.integers(0, 80))
def test_a_submission_reads_back_and_opens(one: int, two: int) -> None:
    old, new = sorted((one, two))
    sent = submission(old, new)
    assert open_submission(sent.encode(), LOGS) == (sent, checkpoint(new))


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 8 * len(submission(20, 53).encode()) - 1))
def test_a_flipped_bit_anywhere_is_refused(bit: int) -> None:
    changed = bytearray(submission(20, 53).encode())
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(LedgerError):
        judge(*open_submission(bytes(changed), LOGS), checkpoint(20))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda body: b"", "checkpoint"),
        (lambda body: body.partition(b"\n\n")[0], "checkpoint"),
        (lambda body: body.partition(b"\n\n")[0] + b"\n\n", "checkpoint"),
        (lambda body: body.partition(b"\n\n")[2], "old"),
        (lambda body: body[:-1], "checkpoint"),
        (lambda body: body + b"\n", "checkpoint"),
        (lambda body: body + b" " * SIZE_LIMIT, "checkpoint"),
        (lambda body: b"\n" + body, "old"),
        (lambda body: body.replace(b"\n", b"\r\n"), "checkpoint"),
        (lambda body: body.replace(b"old 20", b"old  20"), "old"),
        (lambda body: body.replace(b"old 20", b"old 020"), "old"),
        (lambda body: body.replace(b"old 20", b"old -1"), "old"),
        (lambda body: body.replace(b"old 20", b"old +20"), "old"),
        (lambda body: body.replace(b"old 20", b"Old 20"), "old"),
        (lambda body: body.replace(b"old 20", b"old "), "old"),
        (lambda body: body.replace(b"old 20", b"20"), "old"),
        (lambda body: body.replace(b"old 20", b"old %d" % 2**63), "old"),
        (lambda body: body.replace(b"old 20", b"old 54"), "old"),
        (lambda body: body.replace(b"old 20", "old 2０".encode()), "proof"),
        (lambda body: body.replace(b"=\n\n", b"\n\n", 1), "proof"),
        (lambda body: body.replace(b"=\n\n", b"=\n \n\n", 1), "proof"),
        (lambda body: body.replace(b"old 20\n", b"old 20\nAAAA\n"), "proof"),
        (lambda body: body.replace(b"old 20\n", b"old 20\n" + b"A" * 43 + b"=\n" * 64), "proof"),
        (lambda body: body.replace(b"old 20\n", b"old 20\n" + (b"A" * 43 + b"=\n") * PROOF_LIMIT), "proof"),
        (lambda body: body.replace(b"\n53\n", b"\n053\n"), "checkpoint"),
    ],
)
def test_a_body_in_any_other_form_is_refused_with_the_line(
    change: Callable[[bytes], bytes], line: str
) -> None:
    with pytest.raises(SubmissionMalformed) as refused:
        open_submission(change(submission(20, 53).encode()), LOGS)
    assert refused.value.params == {"line": line}


def test_only_the_log_itself_is_heard() -> None:
    with pytest.raises(OriginUnknown):
        open_submission(submission(0, 5).encode(), {})
    with pytest.raises(KeyUnknown):
        open_submission(submission(0, 5, key=SigningKey(LOG.name, b"i" * 32)).encode(), LOGS)
    stranger = SigningKey("stranger.example", b"s" * 32)
    unsigned = Submission(0, (), sign_note(checkpoint(5).text(), stranger).encode())
    with pytest.raises(SignatureMissing):
        open_submission(unsigned.encode(), LOGS)
    false = Submission(0, (), sign_checkpoint(checkpoint(5), LOG).replace(b"\n5\n", b"\n6\n"))
    with pytest.raises(SignatureInvalid):
        open_submission(false.encode(), LOGS)


def test_after_a_rotation_either_key_is_heard_and_lines_of_others_do_not_disturb() -> None:
    new = SigningKey(LOG.name, b"n" * 32)
    logs = {LOG.name: [new.verifier, LOG.verifier]}
    for key in (LOG, new):
        assert open_submission(submission(3, 5, key=key).encode(), logs)[1] == checkpoint(5)
    sent = submission(3, 5)
    line = WitnessSigningKey("w", b"w" * 32).cosign(checkpoint(5).text(), 1)
    with_line = replace(sent, note=add_signatures(sent.note, [line]))
    assert open_submission(with_line.encode(), LOGS)[1] == checkpoint(5)


def test_the_first_checkpoint_starts_from_nothing() -> None:
    judge(submission(0, 7), checkpoint(7), None)
    judge(submission(0, 0), checkpoint(0), None)
    with pytest.raises(SizeConflict) as refused:
        judge(submission(3, 7), checkpoint(7), None)
    assert refused.value.params == {"held": 0, "old": 3}
    with pytest.raises(ProofRefused):
        judge(replace(submission(0, 7), proof=(bytes(32),)), checkpoint(7), None)
    with pytest.raises(ProofRefused):
        judge(submission(0, 0), replace(checkpoint(0), root=bytes(32)), None)


def test_a_checkpoint_that_goes_on_from_the_one_held_may_be_cosigned() -> None:
    for old, new in ((0, 0), (0, 9), (20, 20), (20, 21), (20, 64), (64, 80)):
        judge(submission(old, new), checkpoint(new), checkpoint(old))


def test_another_size_than_the_one_held_is_told_the_size_held() -> None:
    for old, new in ((0, 40), (19, 40), (21, 40), (0, 20), (5, 10)):
        with pytest.raises(SizeConflict) as refused:
            judge(submission(old, new), checkpoint(new), checkpoint(20))
        assert refused.value.params == {"held": 20, "old": old}


def test_a_second_root_of_the_size_held_is_named_as_what_it_is_wherever_it_claims_to_start() -> None:
    fork = FORKS[2]
    for old in (0, 20):
        with pytest.raises(RootConflict) as refused:
            judge(submission(old, 20, fork), checkpoint(20, fork), checkpoint(20))
        roots = {"held": checkpoint(20).root.hex(), "submitted": checkpoint(20, fork).root.hex()}
        assert refused.value.params == {"size": 20, **roots}


def test_a_proof_that_does_not_lead_there_is_refused() -> None:
    sent = submission(20, 53)
    wrong = [(), sent.proof[:-1], (*sent.proof, bytes(32)), sent.proof[::-1], submission(21, 53).proof]
    for proof in wrong:
        with pytest.raises(ProofRefused):
            judge(replace(sent, proof=proof), checkpoint(53), checkpoint(20))
    with pytest.raises(ProofRefused):
        judge(submission(30, 53, FORKS[1]), checkpoint(53, FORKS[1]), checkpoint(30))
    with pytest.raises(ProofRefused):
        judge(replace(submission(20, 20), proof=(bytes(32),)), checkpoint(20), checkpoint(20))


def test_a_rollback_that_was_not_refused_before_is_refused_by_the_judge() -> None:
    with pytest.raises(ProofRefused):
        judge(replace(submission(10, 10), old=20), checkpoint(10), checkpoint(20))


class Witness(RuleBasedStateMachine):
    """A witness that does what `judge` says, and a log whose owner tries everything to have it cosign two
    stories: three histories, any start, proofs of one history for another, replays.
    """

    def __init__(self) -> None:
        super().__init__()
        self.held: Checkpoint | None = None
        self.cosigned: list[Checkpoint] = []
        self.sent: list[bytes] = []

    def post(self, body: bytes) -> bool:
        self.sent.append(body)
        try:
            sent, claimed = open_submission(body, LOGS)
            judge(sent, claimed, self.held)
        except LedgerError:
            return False
        self.held = claimed
        self.cosigned.append(claimed)
        return True

    @rule(more=st.integers(0, 30), fork=st.sampled_from(FORKS))
    def grow(self, more: int, fork: Nodes) -> None:
        """Go on from what is held, with a history that may be another one."""
        old = self.held.size if self.held else 0
        new = min(80, old + more)
        same = self.held is None or root_at(old, fork) == self.held.root
        assert self.post(submission(old, new, fork).encode()) == same

    @rule(old=st.integers(0, 80), new=st.integers(0, 80), fork=st.sampled_from(FORKS))
    def lie_about_the_start(self, old: int, new: int, fork: Nodes) -> None:
        accepted = self.post(submission(old, new, fork).encode())
        if accepted and len(self.cosigned) > 1:
            assert old == self.cosigned[-2].size

    @rule(new=st.integers(0, 80), claimed=st.sampled_from(FORKS), proved=st.sampled_from(FORKS))
    def prove_with_another_history(self, new: int, claimed: Nodes, proved: Nodes) -> None:
        old = self.held.size if self.held else 0
        mixed = replace(submission(old, new, claimed), proof=submission(old, new, proved).proof)
        self.post(mixed.encode())

    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        if self.sent:
            self.post(data.draw(st.sampled_from(self.sent)))

    @invariant()
    def nothing_is_rolled_back(self) -> None:
        sizes = [one.size for one in self.cosigned]
        assert sizes == sorted(sizes)

    @invariant()
    def one_history_explains_all_that_was_cosigned(self) -> None:
        explained = [all(root_at(one.size, fork) == one.root for one in self.cosigned) for fork in FORKS]
        assert any(explained)


TestWitness = Witness.TestCase
TestWitness.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)


def test_the_histories_part_where_the_machine_needs_them_to() -> None:
    assert [root_at(20, fork) == root_at(20, HONEST) for fork in FORKS] == [True, True, False]
    assert root_at(21, FORKS[1]) != root_at(21, HONEST)
    assert {root_at(0, fork) for fork in FORKS} == {EMPTY_ROOT}
