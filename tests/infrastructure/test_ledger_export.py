"""An export checked offline: by our verifier, and by other people's tools as its VERIFY.md says."""

import io
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from api.offline import check_folder
from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.cosignature import add_signatures
from domain.ledger.errors import ExportDiffers
from domain.ledger.note import Note, SigningKey
from domain.ledger.policy import TrustPolicy
from domain.ledger.tiles import encode_bundle, parse_bundle
from domain.ledger.verify import Report
from infrastructure.database import Store
from infrastructure.ledger_export import LedgerExport, States, archive, write_archive, write_folder
from infrastructure.ledger_files import Published
from infrastructure.ledger_publisher import LedgerPublisher
from tests.infrastructure.ledger_samples import KEY, append, files_below
from tests.infrastructure.test_outside_proofs import POLICY, WITNESSES, cosigned, keep, now

GOCODE = Path("/usr/share/gocode/src/golang.org/x/mod/sumdb")
BLOCKS = ("openssl", "go", "coreutils")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def log(store: Store, folder: Path) -> Store:
    """700 published events, with a cosigned checkpoint at 300."""
    append(store, 300)
    publish(store, folder)
    keep(folder, cosigned((folder / "checkpoint").read_bytes(), now(store)))
    append(store, 400)
    publish(store, folder)
    (folder / "trust-policy").write_bytes(POLICY.encode())
    return store


@pytest.fixture
def out(log: Store, folder: Path, tmp_path: Path) -> Path:
    """An export with states."""
    place = tmp_path / "out"
    write_folder(exported(log, folder), place, nobody)
    return place


def publish(store: Store, folder: Path) -> None:
    LedgerPublisher(store.recorder, store.ledger_latch, KEY, folder).publish_once()


def exported(log: Store, folder: Path, withheld: frozenset[str] = frozenset()) -> LedgerExport:
    return LedgerExport(Published(folder), states=States(recorder=log.recorder, withheld=withheld))


def nobody(done: int, size: int) -> None:
    """Nobody listens to progress."""


def check(out: Path, policy: TrustPolicy = POLICY, *brought: Path) -> Report:
    return check_folder(out, policy, brought=brought)


def found(report: Report) -> set[tuple[str, int | None]]:
    return {(finding.code, finding.idx) for finding in report.findings}


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


def test_an_export_is_sound_by_itself_and_says_what_it_cannot_show(out: Path) -> None:
    report = check(out)
    assert report.findings == ()
    assert (report.size, report.covered, report.witnessed, report.streams) == (700, 700, 300, 7)
    assert report.unchecked == ("key-changes", "unwitnessed", "personal-data", "projections", "frames")


def test_without_states_they_are_said_not_to_be_checked(log: Store, folder: Path, tmp_path: Path) -> None:
    write_folder(LedgerExport(Published(folder)), tmp_path / "out", nobody)
    report = check(tmp_path / "out")
    assert report.sound
    assert report.unchecked[0] == "states"
    assert not (tmp_path / "out" / "states").exists()


def test_states_that_are_withheld_are_left_out_and_the_others_checked(
    log: Store, folder: Path, tmp_path: Path
) -> None:
    secret = f"sample-{3:032x}"
    write_folder(exported(log, folder, frozenset({secret})), tmp_path / "out", nobody)
    lines = (tmp_path / "out" / "states" / "000").read_bytes().split(b"\n")
    assert [nth for nth, line in enumerate(lines[:-1]) if not line] == list(range(3, 256, 7))
    report = check(tmp_path / "out")
    assert (report.sound, report.unchecked[0]) == (True, "states")


def test_a_log_that_goes_on_meanwhile_is_exported_as_of_one_checkpoint(
    log: Store, folder: Path, tmp_path: Path
) -> None:
    grown = False

    def go_on(done: int, size: int) -> None:
        nonlocal grown
        if not grown:
            grown = True
            append(log, 400)
            publish(log, folder)
            keep(folder, (folder / "checkpoint").read_bytes())

    write_folder(exported(log, folder), tmp_path / "out", go_on)
    report = check(tmp_path / "out")
    assert (report.sound, report.size, report.covered) == (True, 700, 700)


def test_an_earlier_export_is_brought_up_to_date(log: Store, folder: Path, out: Path) -> None:
    full = out / "tile" / "0" / "000"
    written = full.stat().st_mtime_ns
    append(log, 400)
    publish(log, folder)
    write_folder(exported(log, folder), out, nobody)
    assert (check(out).sound, check(out).size) == (True, 1100)
    assert full.stat().st_mtime_ns == written
    assert not list(out.glob("tile/0/002.p/*"))
    fresh = out.with_name("fresh")
    write_folder(exported(log, folder), fresh, nobody)
    assert files_below(out) == files_below(fresh)


def test_an_export_of_another_log_is_not_written_over(log: Store, folder: Path, out: Path) -> None:
    before = files_below(out)
    other = sign_checkpoint(Checkpoint(KEY.name, 700, b"\1" * 32), KEY)
    (out / "checkpoint").write_bytes(other)
    with pytest.raises(ExportDiffers):
        write_folder(exported(log, folder), out, nobody)
    assert files_below(out) == before | {"checkpoint": other}


def test_an_archive_holds_the_same_files(log: Store, folder: Path, out: Path, tmp_path: Path) -> None:
    file = tmp_path / "made" / "export.tar.gz"
    write_archive(exported(log, folder), file, nobody)
    with tarfile.open(file) as tar:
        tar.extractall(tmp_path / "unpacked", filter="data")
    assert files_below(tmp_path / "unpacked" / "ledger-700") == files_below(out)
    assert b"".join(archive(exported(log, folder))) == file.read_bytes()


def test_an_archive_comes_in_pieces_and_keeps_nothing(log: Store, folder: Path) -> None:
    chunks = list(archive(exported(log, folder)))
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
        assert tar.getnames()[-1] == "ledger-700/checkpoint"


def test_an_export_that_was_cut_short_is_seen_to_be_none(log: Store, folder: Path, tmp_path: Path) -> None:
    def stop(done: int, size: int) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_folder(exported(log, folder), tmp_path / "out", stop)
    assert "checkpoint.missing" in codes(check(tmp_path / "out"))
    write_folder(exported(log, folder), tmp_path / "out", nobody)
    assert check(tmp_path / "out").sound


# --- what somebody may have done to an export -----------------------------------------------------


def change_bundle(out: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    place = out / "tile" / "entries" / "000"
    place.write_bytes(encode_bundle(change(parse_bundle(place.read_bytes(), 256))))


def test_a_changed_byte_of_a_state(out: Path) -> None:
    place = out / "states" / "001"
    place.write_bytes(place.read_bytes().replace(b'"number":300', b'"number":301', 1))
    assert found(check(out)) == {("state.differs", 300)}


def test_a_changed_byte_of_an_entry(out: Path) -> None:
    def change(entries: list[bytes]) -> list[bytes]:
        return [*entries[:9], entries[9].replace(b"noted", b"noteb"), *entries[10:]]

    change_bundle(out, change)
    report = check(out)
    assert {("prev.differs", 16), ("tile.differs", 9)} <= found(report)
    assert "root.differs" in codes(report)


def test_two_entries_swapped(out: Path) -> None:
    change_bundle(out, lambda entries: [*entries[:9], entries[10], entries[9], *entries[11:]])
    assert {("idx.gap", 10), ("idx.repeated", 9), ("root.differs", None)} <= found(check(out))


def test_a_tile_that_differs_and_one_that_is_gone(out: Path) -> None:
    place = out / "tile" / "0" / "001"
    place.write_bytes(place.read_bytes()[:-1] + b"?")
    (out / "tile" / "1" / "000.p" / "2").unlink()
    assert found(check(out)) == {("tile.differs", 511), ("tile.missing", 0)}


def test_bytes_behind_a_bundle_and_a_bundle_that_is_cut_short(out: Path) -> None:
    behind, short = out / "tile" / "entries" / "000", out / "tile" / "entries" / "001"
    behind.write_bytes(behind.read_bytes() + b"\0")
    assert codes(check(out)) == {"bundle.malformed"}
    short.write_bytes(short.read_bytes()[:-1])
    report = check(out)
    assert {("bundle.malformed", 0), ("bundle.malformed", 511)} <= found(report)


def test_a_bundle_that_is_gone(out: Path) -> None:
    (out / "tile" / "entries" / "001").unlink()
    report = check(out)
    assert {("tile.missing", 256), ("root.differs", None)} <= found(report)


def test_states_that_are_gone_or_too_few(out: Path) -> None:
    (out / "states" / "001").unlink()
    place = out / "states" / "002"
    place.write_bytes(place.read_bytes().split(b"\n", 1)[1])
    assert found(check(out)) == {("states.missing", 256), ("states.malformed", 512)}


def test_a_checkpoint_that_is_held_elsewhere(out: Path, tmp_path: Path) -> None:
    brought = tmp_path / "brought"
    brought.write_bytes(sign_checkpoint(Checkpoint(KEY.name, 700, b"\1" * 32), KEY))
    assert codes(check(out, POLICY, brought)) == {"checkpoint.conflict"}
    brought.write_bytes(sign_checkpoint(Checkpoint(KEY.name, 900, b"\1" * 32), KEY))
    assert found(check(out, POLICY, brought)) == {("log.cut_off", 700)}
    brought.write_bytes(sign_checkpoint(Checkpoint(KEY.name, 400, b"\1" * 32), KEY))
    assert codes(check(out, POLICY, brought)) == {"root.differs"}


def test_a_folder_signed_by_a_stranger_under_the_logs_name(out: Path) -> None:
    stranger = SigningKey(KEY.name, b"s" * 32)
    note = Note.parse((out / "checkpoint").read_bytes())
    (out / "checkpoint").write_bytes(Note(note.text, (stranger.sign(note.text.encode()),)).encode())
    report = check(out)
    assert codes(report) == {"key.unknown"}
    assert (report.size, report.covered) == (700, 300)


def test_a_size_that_a_stranger_made_up_is_not_counted_to(out: Path) -> None:
    stranger = SigningKey(KEY.name, b"s" * 32)
    (out / "checkpoint").write_bytes(sign_checkpoint(Checkpoint(KEY.name, 2**60, b"\1" * 32), stranger))
    assert {"key.unknown", "log.cut_off"} == codes(check(out))


def test_recorded_times_against_a_cosignature(log: Store, out: Path) -> None:
    note = (out / "checkpoints" / "300").read_bytes()
    early = WITNESSES[0].cosign(Note.parse(note).text, int((now(log) - timedelta(hours=1)).timestamp()))
    plain = Note(Note.parse(note).text, Note.parse(note).signatures[:1]).encode()
    (out / "checkpoints" / "300").write_bytes(add_signatures(plain, [early]))
    assert found(check(out)) == {("at.after_proof", 0)}


def test_a_base64_that_is_not_canonical(out: Path) -> None:
    note = bytearray((out / "checkpoint").read_bytes())
    assert note.endswith(b"=\n")
    note[-3] += 1
    (out / "checkpoint").write_bytes(bytes(note))
    assert "note.malformed" in codes(check(out))


# --- other people's tools ---------------------------------------------------------------------------


def blocks(out: Path) -> dict[str, str]:
    page = (out / "VERIFY.md").read_text(encoding="utf-8")
    return dict(zip(BLOCKS, re.findall(r"^```bash\n(.*?)^```$", page, re.DOTALL | re.MULTILINE), strict=True))


def run(out: Path, tool: str) -> subprocess.CompletedProcess[str]:
    """A block of the page, exactly as written."""
    if tool == "go" and not (shutil.which("go") and GOCODE.is_dir()):
        if os.environ.get("CI"):
            pytest.fail("golang-go and golang-golang-x-mod-dev are not installed")
        pytest.skip("needs golang-go and golang-golang-x-mod-dev")
    return subprocess.run(
        ["bash", "-c", blocks(out)[tool]], cwd=out, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("tool", BLOCKS)
def test_the_page_runs_as_written(out: Path, tool: str) -> None:
    done = run(out, tool)
    assert done.returncode == 0, done.stderr
    expected = {
        "openssl": ["./checkpoint: 700 events, signed", "cosigned by witness.example/a"],
        "go": ["700 entries are the leaves", "2 checkpoints, each goes on"],
        "coreutils": ['"idx":699', "leaf ", "state "],
    }
    assert all(text in done.stdout for text in expected[tool]), done.stdout


@pytest.mark.parametrize(("tool", "file"), [("openssl", "checkpoint"), ("coreutils", "tile/0/002.p/188")])
def test_a_block_pasted_into_a_terminal_leaves_the_terminal_as_it_was(
    out: Path, tool: str, file: str
) -> None:
    flip(out / file, 25 if tool == "openssl" else -10)
    typed = f'before=$-\n{blocks(out)[tool]}echo "status $?"; [ "$-" = "$before" ] && echo unchanged\n'
    done = subprocess.run(["bash"], input=typed, cwd=out, capture_output=True, text=True, check=False)
    assert "WRONG" in done.stdout
    assert done.stdout.endswith("status 1\nunchanged\n")


def test_the_page_says_that_a_time_stamp_was_not_checked(out: Path) -> None:
    (out / "checkpoint.tsr").write_bytes(b"whatever it is")
    done = run(out, "openssl")
    assert (done.returncode, done.stdout.count("NOT CHECKED")) == (0, 1)
    (out / "tsa.pem").write_bytes(b"")
    assert "WRONG: the time-stamp" in run(out, "openssl").stdout


def flip(place: Path, at: int = -10) -> None:
    content = bytearray(place.read_bytes())
    content[at] ^= 1
    place.write_bytes(content)


@pytest.mark.parametrize(
    ("tool", "file", "at"),
    [
        ("openssl", "checkpoint", 25),
        ("openssl", "checkpoints/300", -30),
        ("go", "checkpoint", 25),
        ("go", "checkpoints/300", 25),
        ("go", "tile/0/001", 7),
        ("go", "tile/1/000.p/2", 7),
        ("go", "tile/entries/001", 50),
        ("coreutils", "tile/entries/002.p/188", -10),
        ("coreutils", "tile/0/002.p/188", -10),
        ("coreutils", "states/002", -10),
    ],
)
def test_the_page_finds_one_changed_byte(out: Path, tool: str, file: str, at: int) -> None:
    flip(out / file, at)
    done = run(out, tool)
    assert done.returncode != 0, done.stdout


def test_receipts_are_checked_by_the_program_in_go(out: Path, folder: Path) -> None:
    (out / "receipts").mkdir()
    (out / "receipts" / "5.tlog-proof").write_bytes(Published(folder).receipt(5))
    done = run(out, "go")
    assert "1 receipts" in done.stdout
    flip(out / "receipts" / "5.tlog-proof", 60)
    assert run(out, "go").returncode == 1


def test_a_witness_whose_line_was_forged_is_named_by_openssl(out: Path, log: Store) -> None:
    note = Note.parse((out / "checkpoint").read_bytes())
    forged = WITNESSES[0].cosign("another text\n", int(now(log).timestamp()))
    (out / "checkpoint").write_bytes(Note(note.text, (*note.signatures, forged)).encode())
    done = run(out, "openssl")
    assert done.returncode == 1
    assert "WRONG" in done.stdout
