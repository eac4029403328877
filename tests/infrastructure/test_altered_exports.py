"""Exports that an outsider altered, and what he said should be found."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from api.offline import check_folder
from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.entry import chain
from domain.ledger.finding import Finding
from domain.ledger.folder import format_states, states_path
from domain.ledger.note import SigningKey
from domain.ledger.policy import TrustPolicy
from domain.ledger.tiles import TileWriter
from domain.ledger.verify import Report
from tests.infrastructure.ledger_samples import KEY, ORIGIN, TRUST

SIZE = 600
Files = dict[str, bytes]
Event = tuple[str, bytes]


def at(second: int) -> str:
    return f"2026-11-23T01:{second // 60:02d}:{second % 60:02d}.000000Z"


def entries_of(events: list[Event], times: dict[int, int] | None = None) -> list[bytes]:
    """Entries, a second apart but where `times` says otherwise."""
    prevs: dict[str, str] = {}
    made: list[bytes] = []
    for idx, (topic, state) in enumerate(events):
        version, second = idx // 5 + 1, (times or {}).get(idx, idx)
        event = (state, f"site-{idx % 5}", topic, version)
        ((entry, _),) = chain([event], at=at(second), idx=idx, prevs=prevs)
        made.append(entry)
    return made


def plain(size: int = SIZE) -> list[Event]:
    return [("site.assessed.v1", b'{"number":%d}' % number) for number in range(size)]


def tiles_of(entries: list[bytes]) -> tuple[Files, bytes]:
    writer = TileWriter()
    files = {tile.path(): data for tile, data in writer.extend(entries)}
    return files | {tile.path(): data for tile, data in writer.partials()}, writer.root()


def signed(size: int, root: bytes, key: SigningKey = KEY) -> bytes:
    return sign_checkpoint(Checkpoint(ORIGIN, size, root), key)


def root_of(entries: list[bytes]) -> bytes:
    return tiles_of(entries)[1]


def export_of(entries: list[bytes], events: list[Event] | None = None) -> Files:
    files, root = tiles_of(entries)
    for start in range(0, len(events or ()), 256):
        states = [state for _, state in (events or [])[start : start + 256]]
        files[states_path(start // 256)] = format_states(states)
    vkey = f"{KEY.verifier.encode()}\n".encode()
    return {**files, "checkpoint": signed(len(entries), root), "vkey": vkey}


def written(folder: Path, files: Files) -> Path:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., Report]:
    def checked(files: Files, policy: TrustPolicy = TRUST) -> Report:
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        return check_folder(written(tmp_path / "out", files), policy)

    return checked


Check = Callable[..., Report]
EVENTS = plain()
ENTRIES = entries_of(EVENTS)


def found(report: Report) -> list[tuple[str, int | None]]:
    return [(one.code, one.idx) for one in report.findings]


def of(report: Report, code: str) -> list[Finding]:
    return [one for one in report.findings if one.code == code]


def test_the_sample_is_sound(check: Check) -> None:
    report = check(export_of(ENTRIES, EVENTS))
    assert (report.findings, report.size, report.unread) == ((), SIZE, ())


def test_a_size_that_the_folder_does_not_have_ends_the_walk(check: Check) -> None:
    files = export_of(ENTRIES) | {"checkpoint": signed(10**12, bytes(32))}
    report = check(files)
    assert found(report) == [("log.cut_off", 512), ("tile.missing", 512)]
    assert (report.size, "files" in report.unchecked) == (512, True)


def test_missing_bundles_are_one_finding_and_what_follows_is_read(check: Check) -> None:
    entries = entries_of(plain(1100))
    files = export_of(entries) | {"checkpoints/300": signed(300, root_of(entries[:300]))}
    for name in ("001", "002"):
        del files[f"tile/entries/{name}"]
    report = check(files)
    assert ("tile.missing", 256) in found(report)
    assert {one.code for one in report.findings} == {
        "tile.missing",
        "root.differs",
        "version.gap",
    }
    (differs,) = of(report, "root.differs")
    assert (differs.params["size"], differs.params["found"]) == (300, "")


def test_a_bundle_that_is_cut_short_belies_no_tile(check: Check) -> None:
    files = export_of(ENTRIES)
    files["tile/entries/001"] = files["tile/entries/001"][:-1]
    report = check(files)
    assert {one.code for one in report.findings} >= {"bundle.malformed", "root.differs"}
    assert not of(report, "tile.differs")
    assert of(report, "root.differs")[0].params["found"] == ""


def test_a_false_root_among_what_was_given_up(check: Check) -> None:
    files = export_of(ENTRIES)
    old = entries_of([("site.noted.v1", b"{}")] * 40)
    files |= {"abandoned/40/checkpoint": signed(40, root_of(ENTRIES[:40]))}
    assert check(files).sound
    report = check(files | {"abandoned/40/checkpoints/35": b"garbage"})
    assert [one.code for one in report.findings] == ["note.malformed"]
    report = check(files | {"abandoned/40/checkpoints/35": signed(35, root_of(old[:35]))})
    assert [(one.code, one.params["size"]) for one in report.findings] == [("root.differs", 35)]


def resumed(given_up: list[bytes], size: int = SIZE) -> tuple[list[Event], list[bytes]]:
    """A log that gave up another history after its 31st entry."""
    facts = {"size": len(given_up), "root": root_of(given_up).hex(), "reason": "a restored backup"}
    events = plain(size)
    events[31] = ("installation.resumed.v1", json.dumps(facts).encode())
    return events, entries_of(events)


def test_what_went_with_a_checkpoint_that_was_given_up_is_no_second_finding(check: Check) -> None:
    old = entries_of([*plain(30), *[("site.noted.v1", b"{}")] * 40])
    events, entries = resumed(old)
    below = {f"abandoned/70/{path}": data for path, data in tiles_of(old)[0].items()}
    files = export_of(entries, events) | below | {"abandoned/70/checkpoint": signed(70, root_of(old))}
    kept = {"abandoned/70/checkpoints/50": signed(50, root_of(old[:50]))}
    assert found(check(files | kept)) == [("log.resumed", 31)]
    false = {"abandoned/70/checkpoints/50": signed(50, b"\1" * 32)}
    assert found(check(files | false)) == [("log.resumed", 31), ("root.differs", None)]


def test_a_size_that_was_given_up_is_not_signed_again(check: Check) -> None:
    old = entries_of([*plain(30), *[("site.noted.v1", b"{}")] * 40])
    events, entries = resumed(old)
    files = export_of(entries, events) | {"checkpoints/60": signed(60, root_of(entries[:60]))}
    (finding,) = check(files).findings
    assert (finding.code, finding.idx) == ("log.signed_again", 31)
    assert finding.params == {"checkpoint": "checkpoints/60", "size": 60, "given_up": 70}


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_any_file_of_states_that_is_gone_is_missed(check: Check, gone: int) -> None:
    files = export_of(ENTRIES, EVENTS)
    del files[states_path(gone)]
    assert found(check(files)) == [("states.missing", gone * 256)]


@pytest.mark.parametrize("kind", ["0", "entries"])
@pytest.mark.parametrize("behind", [b"", b"garbage"])
def test_a_full_name_needs_a_full_file(check: Check, kind: str, behind: bytes) -> None:
    files = export_of(ENTRIES)
    files[f"tile/{kind}/002"] = files.pop(f"tile/{kind}/002.p/88") + behind
    (finding,) = check(files).findings
    assert finding.code == ("tile.differs" if kind == "0" else "bundle.malformed")
    assert finding.idx == 599


def test_the_full_tile_may_have_replaced_the_partial_one(check: Check) -> None:
    entries, files = entries_of(plain(768)), export_of(ENTRIES)
    full = tiles_of(entries)[0]
    for kind in ("0", "entries"):
        del files[f"tile/{kind}/002.p/88"]
        files[f"tile/{kind}/002"] = full[f"tile/{kind}/002"]
    assert check(files).sound


def test_one_late_entry_is_one_finding(check: Check) -> None:
    entries = entries_of(plain(), times={300: 900})
    assert found(check(export_of(entries))) == [("at.backwards", 301)]


def test_a_repeated_position_is_followed_by_no_gap(check: Check) -> None:
    entries = [*ENTRIES[:400], ENTRIES[401], ENTRIES[400], *ENTRIES[402:]]
    report = check(export_of(entries))
    assert [one for one in found(report) if one[0].startswith("idx.")] == [
        ("idx.gap", 401),
        ("idx.repeated", 400),
    ]


def test_entries_that_were_left_out_give_no_root(check: Check) -> None:
    entries = [*ENTRIES[:400], *ENTRIES[401:]]
    files = export_of(entries) | {"checkpoints/500": signed(500, root_of(ENTRIES[:500]))}
    (differs,) = of(check(files), "root.differs")
    assert (differs.params["size"], differs.params["found"]) == (500, "")


def test_every_false_root_is_told_where_a_later_one_agrees(check: Check) -> None:
    false = {f"checkpoints/{size}": signed(size, bytes([size]) * 32) for size in (50, 60, 70)}
    report = check(export_of(ENTRIES) | false)
    assert [one.params["size"] for one in of(report, "root.differs")] == [50, 60, 70]


def test_every_checkpoint_beyond_the_log_is_told(check: Check) -> None:
    beyond = {f"checkpoints/{size}": signed(size, b"\1" * 32) for size in (700, 800)}
    report = check(export_of(ENTRIES) | beyond)
    assert [one.params for one in of(report, "log.cut_off")] == [
        {"size": SIZE, "held": 800},
        {"size": SIZE, "held": 700},
    ]


def test_a_change_of_the_key_that_cannot_be_read(check: Check) -> None:
    events = [*plain(30), ("installation.key-changed.v1", b"not JSON")]
    assert found(check(export_of(entries_of(events), events))) == [("charter.unreadable", 30)]


def test_a_log_founded_under_another_name(check: Check) -> None:
    facts = {"origin": "another.example/1", "verifier_key": KEY.verifier.encode()}
    events = [("installation.founded.v1", json.dumps(facts).encode()), *plain(30)]
    report = check(export_of(entries_of(events), events))
    assert found(report) == [("checkpoint.origin_differs", None)]
    assert report.covered == 31


@pytest.mark.parametrize("name", ["vkey", "trust-policy"])
def test_a_false_key_handed_on(check: Check, name: str) -> None:
    other = SigningKey(ORIGIN, b"x" * 32).verifier
    data = other.encode().encode() + b"\n" if name == "vkey" else TrustPolicy.of_keys([other]).encode()
    report = check(export_of(ENTRIES) | {name: data})
    assert [(one.code, one.params) for one in report.findings] == [("trust.differs", {"path": name})]


def test_another_policy_than_the_checkers_is_told(check: Check) -> None:
    both = TrustPolicy.of_keys([KEY.verifier, SigningKey(ORIGIN, b"x" * 32).verifier])
    report = check(export_of(ENTRIES) | {"trust-policy": both.encode()})
    assert (report.sound, "trust-policy" in report.unchecked) == (True, True)


def test_files_that_nothing_is_compared_with_are_told(check: Check) -> None:
    strange = [
        "checkpoints/.hidden",
        "checkpoints/77.tsr",
        "checkpoints/deeper/70",
        "states/011",
        "tile/0/002.p/80",
        "tile/0/007",
        "tile/9/000",
    ]
    report = check(export_of(ENTRIES, EVENTS) | dict.fromkeys(strange, b"?"))
    assert (report.findings, sorted(report.unread)) == ((), strange)
    assert report.unchecked[-1] == "files"


def test_a_checkpoint_under_a_false_name(check: Check) -> None:
    report = check(export_of(ENTRIES) | {"checkpoints/51": signed(50, root_of(ENTRIES[:50]))})
    assert [one.code for one in report.findings] == ["checkpoint.misnamed"]


@pytest.mark.parametrize("note", [None, b"garbage"])
def test_without_a_checkpoint_nothing_is_said_to_have_been_read(check: Check, note: bytes | None) -> None:
    files = export_of(ENTRIES)
    if note is None:
        del files["checkpoint"]
    else:
        files["checkpoint"] = note
    report = check(files)
    assert (report.sound, report.size, report.unchecked[0]) == (False, 0, "entries")
