from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.cosignature import WitnessSigningKey, add_signatures
from domain.ledger.errors import (
    KeyUnknown,
    NoteMalformed,
    PolicyMalformed,
    QuorumMissing,
    SignatureInvalid,
    SignatureMissing,
)
from domain.ledger.note import Note, SigningKey
from domain.ledger.policy import ITEM_LIMIT, NONE, Group, TrustedLog, TrustedWitness, TrustPolicy, Witnessed

LOG = SigningKey("sunlot.example/140100", bytes(range(32)))
FORMER = SigningKey(LOG.name, b"f" * 32)
WITNESSES = {
    name: WitnessSigningKey(f"{name}.example/w", sha256(name.encode()).digest())
    for name in ("X1", "X2", "X3", "Y1", "Y2", "Y3")
}
VKEYS = {name: key.verifier.encode() for name, key in WITNESSES.items()}
CHECKPOINT = Checkpoint(LOG.name, 7, bytes(32))
NOTE = sign_checkpoint(CHECKPOINT, LOG)
TEXT = CHECKPOINT.text()
AT = 1_795_480_923

STANDARD = f"""\
log {LOG.verifier.encode()}

witness X1 {VKEYS["X1"]}
witness X2 {VKEYS["X2"]}
witness X3 {VKEYS["X3"]}
group X-witnesses 2 X1 X2 X3

witness Y1 {VKEYS["Y1"]}
witness Y2 {VKEYS["Y2"]}
witness Y3 {VKEYS["Y3"]}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""
W = f"witness X1 {VKEYS['X1']}\nwitness X2 {VKEYS['X2']}\n"


def policy(text: str) -> TrustPolicy:
    return TrustPolicy.parse(text.encode())


def refusal(data: str | bytes) -> tuple[str | int, str]:
    with pytest.raises(PolicyMalformed) as refused:
        TrustPolicy.parse(data.encode() if isinstance(data, str) else data)
    return refused.value.params["line"], str(refused.value.params["reason"])


def cosigned(*names: str) -> bytes:
    return add_signatures(NOTE, [WITNESSES[name].cosign(TEXT, AT + n) for n, name in enumerate(names)])


def test_the_standards_example_reads_as_it_says() -> None:
    read = policy(STANDARD)
    assert read.keys == (LOG.verifier,)
    assert [one.name for one in read.witnesses] == list(WITNESSES)
    assert read.witness_keys == tuple(key.verifier for key in WITNESSES.values())
    assert read.groups == (
        Group("X-witnesses", 2, ("X1", "X2", "X3")),
        Group("Y-witnesses", 1, ("Y1", "Y2", "Y3")),
        Group("X-and-Y", 2, ("X-witnesses", "Y-witnesses")),
    )
    assert read.quorum == "X-and-Y"


def test_the_standards_example_is_met_by_two_of_x_and_one_of_y() -> None:
    read = policy(STANDARD)
    for count in range(7):
        for names in combinations(WITNESSES, count):
            x, y = sum(name[0] == "X" for name in names), sum(name[0] == "Y" for name in names)
            assert read.is_met(names) == (x >= 2 and y >= 1)


def test_a_checkpoint_of_the_quorum_opens_and_names_who_saw_it_when() -> None:
    read = policy(STANDARD)
    assert read.open(cosigned("Y2", "X1", "X3")) == Witnessed(
        CHECKPOINT, {"Y2": AT, "X1": AT + 1, "X3": AT + 2}
    )
    with pytest.raises(QuorumMissing) as refused:
        read.open(cosigned("X2", "X1", "X3"))
    assert refused.value.params == {"size": 7, "quorum": "X-and-Y", "cosigned": "X1, X2, X3"}


def test_the_quorum_does_not_replace_the_logs_own_signature() -> None:
    read, impostor = policy(STANDARD), SigningKey(LOG.name, b"i" * 32)
    lines = [WITNESSES[name].cosign(TEXT, AT) for name in WITNESSES]
    with pytest.raises(KeyUnknown):
        read.open(add_signatures(sign_checkpoint(CHECKPOINT, impostor), lines))
    with pytest.raises(SignatureMissing):
        read.open(Note(TEXT, tuple(lines)).encode())


def test_a_false_cosignature_of_a_trusted_witness_is_refused_by_name() -> None:
    false = WITNESSES["X1"].cosign(TEXT.replace("7", "8"), AT)
    note = add_signatures(cosigned("X2", "X3", "Y1"), [false])
    with pytest.raises(SignatureInvalid) as refused:
        policy(STANDARD).open(note)
    assert refused.value.params["name"] == WITNESSES["X1"].name
    with pytest.raises(NoteMalformed):
        policy(STANDARD).cosigners(b"no note")


def test_without_a_quorum_the_logs_signature_is_enough_and_witnesses_are_told_all_the_same() -> None:
    read = policy(STANDARD.replace("quorum X-and-Y", "quorum none"))
    assert read.open(NOTE) == Witnessed(CHECKPOINT, {})
    assert read.open(cosigned("Y1")).cosigned == {"Y1": AT}
    assert TrustPolicy.of_keys([LOG.verifier]).open(NOTE).checkpoint == CHECKPOINT


def test_after_a_rotation_both_keys_are_trusted() -> None:
    read = TrustPolicy.of_keys([LOG.verifier, FORMER.verifier])
    for key in (LOG, FORMER):
        assert read.open(sign_checkpoint(CHECKPOINT, key)).checkpoint == CHECKPOINT
    assert TrustPolicy.parse(read.encode()) == read


def test_a_single_witness_may_be_the_quorum_and_logs_may_be_left_out() -> None:
    read = policy(f"{W}quorum X2\n")
    assert read.keys == ()
    assert (read.is_met(["X2"]), read.is_met(["X1"]), read.is_met([])) == (True, False, False)
    with pytest.raises(SignatureMissing):
        read.open(cosigned("X2"))


def test_spaces_tabs_empty_lines_and_comments_mean_nothing() -> None:
    loose = f"\t # who sees it\n \n\twitness  \t X1 {VKEYS['X1']}  https://w.example \t\n#\n \t quorum\tX1 \n"
    assert policy(loose) == policy(f"witness X1 {VKEYS['X1']} https://w.example\nquorum X1\n")


def test_the_quorum_may_stand_before_lines_that_it_does_not_need() -> None:
    read = policy(
        f"witness X1 {VKEYS['X1']}\nquorum X1\nwitness X2 {VKEYS['X2']}\nlog {LOG.verifier.encode()}\n"
    )
    assert (len(read.witnesses), len(read.logs)) == (2, 1)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 0, "no quorum line"),
        (f"log {LOG.verifier.encode()}\n", 0, "no quorum line"),
        ("quorum none", 1, "no line end"),
        ("quorum none\n\nquorum none\n", 3, "there is one quorum line"),
        ("quorum\n", 1, "there is one quorum line"),
        ("quorum none none\n", 1, "there is one quorum line"),
        ("quorum X1\n", 1, "X1 is not defined before"),
        (f"quorum X1\n{W}", 1, "X1 is not defined before"),
        ("Quorum none\n", 1, "unknown keyword"),
        ("quorum none # said\n", 1, "there is one quorum line"),
        ("threshold 2\nquorum none\n", 1, "unknown keyword"),
        ("log\nquorum none\n", 1, "too few or too many items"),
        (f"log {LOG.verifier.encode()} https://a https://b\nquorum none\n", 1, "too few or too many items"),
        ("log no-key\nquorum none\n", 1, "key.malformed"),
        (f"log {VKEYS['X1']}\nquorum none\n", 1, "another type of key"),
        (f"witness X1 {LOG.verifier.encode()}\nquorum none\n", 1, "another type of key"),
        (f"witness {VKEYS['X1']}\nquorum none\n", 1, "too few or too many items"),
        (f"witness X1 {VKEYS['X1']} https://a https://b\nquorum none\n", 1, "too few or too many items"),
        (f"witness none {VKEYS['X1']}\nquorum none\n", 1, "the name none is taken"),
        (f"{W}witness X1 {VKEYS['Y1']}\nquorum none\n", 3, "the name X1 is taken"),
        (f"{W}group X1 any X2\nquorum none\n", 3, "the name X1 is taken"),
        (f"{W}group none any X2\nquorum none\n", 3, "the name none is taken"),
        (f"{W}group G any X1\nwitness G {VKEYS['Y1']}\nquorum none\n", 4, "the name G is taken"),
        (f"{W}group G any G\nquorum none\n", 3, "G is not defined before"),
        (f"{W}group G any none\nquorum none\n", 3, "none is not defined before"),
        (f"{W}group G any Y1\nwitness Y1 {VKEYS['Y1']}\nquorum none\n", 3, "Y1 is not defined before"),
        (f"{W}group G any H\ngroup H any X1\nquorum G\n", 3, "H is not defined before"),
        (f"{W}group G any X1 X1\nquorum none\n", 3, "X1 is a member twice"),
        (f"{W}group G any X1\ngroup H any X1 X2\nquorum none\n", 4, "X1 is a member twice"),
        (f"{W}group G any X1\ngroup H any G\ngroup I all G X2\nquorum none\n", 5, "G is a member twice"),
        (f"{W}group G any\nquorum none\n", 3, "a group needs a name, a number and members"),
        (f"{W}group G X1 X2\nquorum none\n", 3, "X1 of 1 members cannot be needed"),
        *(
            (f"{W}group G {needed} X1 X2\nquorum none\n", 3, f"{needed} of 2 members cannot be needed")
            for needed in ("0", "3", "02", "+2", "-1", "1.0", "ALL", "２", "2000000000000")
        ),
        (
            f"log {LOG.verifier.encode()}\nlog {LOG.verifier.encode()}\nquorum none\n",
            2,
            "the same public key",
        ),
        (f"witness X1 {VKEYS['X1']}\nwitness X2 {VKEYS['X1']}\nquorum none\n", 2, "the same public key"),
    ],
)
def test_what_the_standard_does_not_allow_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    assert (refusal(text)[0], reason in refusal(text)[1]) == (line, True), refusal(text)


def test_a_key_under_another_name_is_the_same_key() -> None:
    renamed = SigningKey("other.example/log", LOG.seed).verifier
    assert refusal(f"log {LOG.verifier.encode()}\nlog {renamed.encode()}\nquorum none\n")[0] == 2
    again = WitnessSigningKey("other.example/w", WITNESSES["X1"].seed).verifier
    assert refusal(f"{W}witness Y1 {again.encode()}\nquorum none\n")[0] == 3


def test_no_message_repeats_a_key_that_may_be_a_secret() -> None:
    assert LOG.encode()[-20:] not in refusal(f"log {LOG.encode()}\nquorum none\n")[1]


@pytest.mark.parametrize("octet", [*range(0x09), *range(0x0B, 0x20), 0x7F])
def test_no_other_control_character_may_stand_anywhere_even_in_a_comment(octet: int) -> None:
    assert refusal(b"# " + bytes([octet]) + b"\nquorum none\n") == (1, "control character")
    assert refusal(f"quorum{chr(octet)}none\n")[1] == "control character"


def test_names_are_octets_whatever_they_mean_elsewhere() -> None:
    kelvin, letter = b"\xe2\x84\xaa", b"K"
    data = (
        b"witness %b %b\nwitness %b %b\nwitness \xff\xfe %b https://\xe6\x99\xb4.example\nquorum \xff\xfe\n"
        % (kelvin, VKEYS["X1"].encode(), letter, VKEYS["X2"].encode(), VKEYS["X3"].encode())
    )
    read = TrustPolicy.parse(data)
    assert len({one.name for one in read.witnesses}) == 3
    assert read.encode() == data
    assert read.cosigners(cosigned("X3")) == {read.quorum: AT}
    assert refusal(b"quorum \xff\n") == (1, "\\xff is not defined before")
    assert refusal(b"log \xff+00000000+AQ==\nquorum none\n")[0] == 1


def test_octets_that_look_like_spaces_or_line_ends_elsewhere_are_part_of_names() -> None:
    for name in ("a\u00a0b", "a\u2003b", "a\u2028b", "a\u0085b"):
        read = policy(f"witness {name} {VKEYS['X1']}\nquorum {name}\n")
        assert read.quorum == read.witnesses[0].name == name


def test_a_refusal_can_be_printed_whatever_octets_it_names() -> None:
    read = TrustPolicy.parse(
        b"log %b\nwitness \xff %b\nquorum \xff\n" % (LOG.verifier.encode().encode(), VKEYS["X1"].encode())
    )
    with pytest.raises(QuorumMissing) as refused:
        read.open(NOTE)
    assert "\\xff" in str(refused.value).encode().decode()


def test_limits_are_far_above_what_the_standard_asks_for_and_hold() -> None:
    keys = [WitnessSigningKey("w", sha256(b"%d" % number).digest()) for number in range(40)]
    lines = [f"witness w{number} {key.verifier.encode()}\n" for number, key in enumerate(keys)]
    groups = [f"group g{number} any w{number}\n" for number in range(40)]
    members = " ".join(f"g{number}" for number in range(40))
    read = policy("".join((*lines, *groups, f"group all 33 {members}\nquorum all\n")))
    assert read.is_met([f"w{number}" for number in range(33)])
    assert not read.is_met([f"w{number}" for number in range(32)])


def test_a_policy_may_be_as_long_as_the_limit_and_no_longer() -> None:
    chain = [f"group g{number} any g{number - 1}\n" for number in range(1, ITEM_LIMIT - 1)]
    begin = f"witness X1 {VKEYS['X1']}\ngroup g0 any X1\n"
    full = begin + "".join(chain)
    assert policy(full + f"quorum g{ITEM_LIMIT - 2}\n").is_met(["X1"])
    assert refusal(full + "group one-more any X1\nquorum none\n")[0] == ITEM_LIMIT + 1
    assert refusal(b"#" * 1_000_001) == (0, "too large")


@pytest.mark.parametrize(
    "unreadable",
    [
        TrustPolicy((), quorum="nobody"),
        TrustPolicy((TrustedLog(LOG.verifier, "two words"),)),
        TrustPolicy((TrustedLog(LOG.verifier, "line\nend"),)),
        TrustPolicy((TrustedLog(LOG.verifier), TrustedLog(LOG.verifier))),
        TrustPolicy((), (TrustedWitness("a b", WITNESSES["X1"].verifier),)),
        TrustPolicy((), (TrustedWitness("", WITNESSES["X1"].verifier, "https://w.example"),)),
        TrustPolicy((), (), (Group("g", 1, ()),)),
        replace(policy(f"{W}group G 1 X1 X2\nquorum G\n"), groups=(Group("G", 3, ("X1", "X2")),)),
    ],
)
def test_a_policy_that_could_not_be_read_back_is_not_written(unreadable: TrustPolicy) -> None:
    with pytest.raises(PolicyMalformed):
        unreadable.encode()


URLS = st.sampled_from(["", "https://w.example/", "https://晴.example/~a"])


@st.composite
def policies(draw: st.DrawFn) -> TrustPolicy:
    """Policies over up to six witnesses and four groups, each name a member of one group at most."""
    names = draw(st.lists(st.sampled_from(sorted(WITNESSES)), unique=True, max_size=6))
    witnesses = tuple(TrustedWitness(name, WITNESSES[name].verifier, draw(URLS)) for name in names)
    free, groups = list(names), list[Group]()
    while free and len(groups) < 4 and draw(st.booleans()):
        members = draw(st.lists(st.sampled_from(free), unique=True, min_size=1))
        groups.append(Group(f"g{len(groups)}", draw(st.integers(1, len(members))), tuple(members)))
        free = [name for name in free if name not in members] + [groups[-1].name]
    logs = draw(st.lists(st.sampled_from([LOG.verifier, FORMER.verifier]), unique=True))
    quorum = draw(st.sampled_from([NONE, *names, *(group.name for group in groups)]))
    return TrustPolicy(tuple(TrustedLog(key, draw(URLS)) for key in logs), witnesses, tuple(groups), quorum)


@settings(max_examples=150, deadline=None)
@given(policies())
def test_a_policy_reads_back(written: TrustPolicy) -> None:
    data = written.encode()
    assert TrustPolicy.parse(data) == written
    assert TrustPolicy.parse(data).encode() == data


@settings(max_examples=150, deadline=None)
@given(policies())
def test_the_quorum_is_met_exactly_where_its_definition_says_so(written: TrustPolicy) -> None:
    names = [one.name for one in written.witnesses]
    judge = by_definition(written)
    for present in subsets(names):
        assert written.is_met(present) == judge(present)


@settings(max_examples=60, deadline=None)
@given(policies(), st.data())
def test_one_more_cosignature_never_loses_a_quorum(written: TrustPolicy, data: st.DataObject) -> None:
    names = sorted(WITNESSES)
    present = data.draw(st.lists(st.sampled_from(names), unique=True))
    if written.is_met(present):
        assert all(written.is_met([*present, more]) for more in names)


def by_definition(read: TrustPolicy) -> Callable[[frozenset[str]], bool]:
    """The quorum from the top down, as the standard words it: a name has witnessed if k of its members
    have.
    """
    groups = {group.name: group for group in read.groups}

    def has_witnessed(name: str, present: frozenset[str]) -> bool:
        if name not in groups:
            return name in present
        group = groups[name]
        return sum(has_witnessed(member, present) for member in group.members) >= group.needed

    return lambda present: read.quorum == "none" or has_witnessed(read.quorum, present)


def subsets(names: list[str]) -> Iterator[frozenset[str]]:
    for count in range(len(names) + 1):
        yield from map(frozenset, combinations(names, count))
