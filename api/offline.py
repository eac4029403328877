"""Checks an exported ledger with nothing but the standard library, `cryptography` and `domain/ledger`.

`python -m api.offline FOLDER --vkey KEY` in a checkout, or `sunlot ledger verify FOLDER`. Exit 0: sound;
1: a finding; 2: it cannot be done. Whom to trust comes from elsewhere than the folder.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from api.export_files import ABANDONED, KEPT, STAMP, is_kept, unread_files
from api.findings import tell_finding
from domain.ledger.errors import LedgerError
from domain.ledger.finding import Finding
from domain.ledger.folder import CHECKPOINT, FolderTrust, verify_folder
from domain.ledger.held import Held, TokenReader, read_held
from domain.ledger.note import VerifierKey
from domain.ledger.policy import TrustPolicy
from domain.ledger.tiles import Opener
from domain.ledger.verify import Report

UNREAD: Final = 20
"""So many files that nothing was compared with are named."""

WORDS: Final = {"stamped": "time-stamped", "unchecked": "not checked", "unread": "not read"}
"""How figures are called where a person reads them, if not by their names."""

WARNING: Final = (
    "警告：信任依据取自被核验的文件夹本身，只能证明其内部一致。"
    " Warning: trust is taken from the folder itself; this only shows that it agrees with itself."
)


def check_folder(
    folder: Path,
    policy: TrustPolicy,
    *,
    brought: Sequence[Path] = (),
    read_token: TokenReader | None = None,
    acknowledged: Collection[int] = (),
    progress: Callable[[int, int], None] = lambda done, size: None,
) -> Report:
    """Check an exported ledger; `brought` are checkpoints from elsewhere, files or folders of files.

    Time-stamps are read with `read_token`, else they count as not checked. A long log is sorted in
    temporary files, about 150 bytes an entry. OSError where something cannot be read.
    """
    held = [*_in_folder(folder), *brought_checkpoints(brought)]
    trust = FolderTrust(policy=policy, held=held, read_token=read_token, acknowledged=acknowledged)
    with TemporaryFiles() as spill:
        report = verify_folder(_opener(folder), trust, spill=spill, progress=progress)
    unread = tuple(islice(unread_files(folder, report.size), UNREAD))
    return replace(report, unread=unread, unchecked=(*report.unchecked, "files")) if unread else report


def _opener(folder: Path) -> Opener:
    def read(path: str) -> bytes:
        try:
            return (folder / path).read_bytes()
        except (NotADirectoryError, IsADirectoryError) as error:
            raise FileNotFoundError(path) from error

    return read


def policy_of(lines: Iterable[str]) -> TrustPolicy:
    """The policy that trusts these verifier keys (`vkey` lines, or files of them) and asks no witness.

    Raises KeyMalformed.
    """
    return TrustPolicy.of_keys([VerifierKey.parse(key) for line in lines for key in _keys(line)])


def policy_in(folder: Path) -> TrustPolicy:
    """The policy that the folder itself names. Raises PolicyMalformed, KeyMalformed, FileNotFoundError."""
    policy = folder / "trust-policy"
    return TrustPolicy.parse(policy.read_bytes()) if policy.is_file() else policy_of([str(folder / "vkey")])


def plain(report: Report) -> dict[str, Any]:
    """A report as JSON holds it."""
    findings = [{"code": one.code, "idx": one.idx, "params": dict(one.params)} for one in report.findings]
    told = asdict(report) | {"sound": report.sound, "root": report.root.hex(), "findings": findings}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in told.items()}


class TemporaryFiles:
    """Room for sorting: a file for each bucket in a folder that goes when the block ends."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._files: dict[int, IO[bytes]] = {}
        self._folder = Path()

    def __enter__(self) -> Self:
        made = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="sunlot-verify-"))
        self._folder = Path(made)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def write(self, bucket: int, data: bytes) -> None:
        """Put this behind what is in the bucket."""
        self._file(bucket).write(data)

    def open(self, bucket: int) -> IO[bytes]:
        """The bucket from its beginning."""
        file = self._file(bucket)
        file.seek(0)
        return file

    def _file(self, bucket: int) -> IO[bytes]:
        file = self._files.get(bucket)
        if file is None:
            file = self._stack.enter_context((self._folder / str(bucket)).open("w+b"))
            self._files[bucket] = file
        return file


def main(words: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    given = _parser().parse_args(words)
    try:
        report = check_folder(
            given.folder, _policy(given), brought=given.checkpoint, acknowledged=given.acknowledge
        )
    except (OSError, LedgerError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    print(json.dumps(plain(report), indent=2) if given.json else _told(report))  # noqa: T201
    return 0 if report.sound else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m api.offline", description=__doc__)
    parser.add_argument("folder", type=Path)
    trust = parser.add_mutually_exclusive_group(required=True)
    trust.add_argument("--vkey", action="append", help="a trusted verifier key, or a file of them")
    trust.add_argument("--policy", type=Path, help="a trust policy: keys, witnesses, quorum")
    trust.add_argument("--trust-folder", action="store_true", help="believe the folder itself")
    parser.add_argument("--checkpoint", type=Path, action="append", default=[], help="a checkpoint held")
    parser.add_argument("--acknowledge", type=int, action="append", default=[], metavar="SIZE")
    parser.add_argument("--json", action="store_true")
    return parser


def _policy(given: argparse.Namespace) -> TrustPolicy:
    if given.trust_folder:
        print(WARNING, file=sys.stderr)  # noqa: T201
        return policy_in(given.folder)
    return TrustPolicy.parse(given.policy.read_bytes()) if given.policy else policy_of(given.vkey)


def _told(report: Report) -> str:
    facts = {name: value for name, value in plain(report).items() if name != "findings"}
    lines = [f"{WORDS.get(name, name)}: {_value(value)}" for name, value in facts.items()]
    return "\n".join([*lines, *map(_line, report.findings)])


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) or "—" if isinstance(value, list) else str(value)


def _line(finding: Finding) -> str:
    where = "" if finding.idx is None else f" at {finding.idx}"
    words = " ".join(tell_finding(finding.code, finding.params, language) for language in ("zh", "en"))
    return f"{finding.code}{where}: {words} {json.dumps(dict(finding.params), ensure_ascii=False)}"


def _keys(given: str) -> list[str]:
    file = Path(given)
    text = file.read_text(encoding="utf-8") if "+" not in given or file.is_file() else given
    return [line.strip() for line in text.splitlines() if line.strip()]


def _in_folder(folder: Path) -> Iterator[Held]:
    """The checkpoints of an export: the newest, the kept ones, and those that were given up."""
    if (folder / CHECKPOINT).is_file():
        yield _held(CHECKPOINT, folder / CHECKPOINT)
    given_up = sorted(folder.glob(f"{ABANDONED}/*/{CHECKPOINT}"))
    with_them = [note for kept in sorted(folder.glob(f"{ABANDONED}/*/{KEPT}")) for note in _notes(kept)]
    for note in (*_notes(folder / KEPT), *given_up, *with_them):
        yield _held(note.relative_to(folder).as_posix(), note)


def brought_checkpoints(places: Iterable[Path]) -> Iterator[Held]:
    """The checkpoints in files, or in folders of files, that somebody brings along. OSError."""
    for place in places:
        for note in _notes(place) if place.is_dir() else [place]:
            held = _held(str(note.absolute()), note)
            yield from read_held(held.name, held.note, held.token)


def _notes(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*") if is_kept(file))


def _held(name: str, note: Path) -> Held:
    token = note.with_name(note.name + STAMP)
    return Held(name, note.read_bytes(), token.read_bytes() if token.is_file() else None)


if __name__ == "__main__":
    sys.exit(main())
