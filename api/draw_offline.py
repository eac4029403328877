"""Verifies a draw's bundle with nothing but the standard library, `cryptography` and what of `domain/` can be
lifted out. `sunlot draw verify`, and `verify.py` in every bundle.

Exit 0: what was checked is right, and what was not is said; 1: the first thing that is wrong; 2: it cannot be
read. Whom to trust comes from the caller, never from the bundle.
"""

import argparse
import json
import sys
import tarfile
import tomllib
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final, Protocol

from api.offline import check_folder, policy_of
from domain.drawing.canonical import decode
from domain.drawing.errors import DrawingError, MissingFile
from domain.drawing.frame_line import check_told
from domain.drawing.lines import read_sample
from domain.drawing.rules import read_rules
from domain.drawing.verify import Beacon, Verdict
from domain.ledger.entry import parse_entry
from domain.ledger.errors import LedgerError
from domain.ledger.folder import states_path
from domain.ledger.policy import TrustPolicy
from domain.ledger.tiles import ENTRIES, WIDTH, Tile, parse_bundle, read_tile, tile_width
from domain.verifying.bundle import verify_draw
from domain.verifying.log import IsWorkingDay, Logged, draws_of

MEMBER_LIMIT: Final = 2**31
"""The most bytes of a file in an archive that are read: a frame of a million sites has 300 million."""

UNREADABLE: Final = (OSError, EOFError, tarfile.TarError, zlib.error, ValueError)
"""What a bundle raises that is no bundle, or one that was cut short."""

Step = Callable[[int, int], None]
"""Told how many of how many are done."""

Texts = Mapping[str, Mapping[str, Mapping[str, str]]]
"""What `api/locale/draw.toml` says: by table and code, in both languages."""


class Bundle(Protocol):
    """The files of a bundle."""

    @property
    def names(self) -> frozenset[str]:
        """Which there are, by their paths."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes of one; FileNotFoundError."""
        ...


@dataclass(frozen=True)
class FolderBundle:
    """A bundle as a folder."""

    folder: Path

    @property
    def names(self) -> frozenset[str]:
        """Which files there are, by their paths."""
        found = (file for file in self.folder.rglob("*") if file.is_file())
        return frozenset(file.relative_to(self.folder).as_posix() for file in found)

    def read(self, name: str) -> bytes:
        """The bytes of one; FileNotFoundError."""
        return (self.folder / name).read_bytes()


class ArchiveBundle:
    """A bundle as a `.tar.gz`; one folder around all does not count. Nothing is unpacked to the disk."""

    def __init__(self, file: Path) -> None:
        self._archive = tarfile.open(file, "r:*")  # noqa: SIM115  (open as long as it is read)
        members = [member for member in self._archive if member.isfile()]
        around = _common_folder([member.name for member in members])
        self._members = {member.name.removeprefix(around): member for member in members}
        if len(self._members) != len(members):
            raise ValueError("two files of one name")

    @property
    def names(self) -> frozenset[str]:
        """Which files there are, by their paths."""
        return frozenset(self._members)

    def read(self, name: str) -> bytes:
        """The bytes of one; FileNotFoundError, and ValueError for one that is too large."""
        member = self._members.get(name)
        file = self._archive.extractfile(member) if member else None
        if member is None or file is None:
            raise FileNotFoundError(name)
        if member.size > MEMBER_LIMIT:
            raise ValueError(f"{name} is larger than {MEMBER_LIMIT} bytes")
        return file.read()


def open_bundle(place: Path) -> Bundle:
    """The bundle in a folder or an archive. OSError, tarfile.TarError, ValueError."""
    return FolderBundle(place) if place.is_dir() else ArchiveBundle(place)


def judge(
    place: Path,
    *,
    policy: TrustPolicy | None = None,
    ledger: Path | None = None,
    line: Path | None = None,
    beacon: Beacon | None = None,
    is_working_day: IsWorkingDay | None = None,
    now: datetime | None = None,
    progress: Step = lambda done, size: None,
) -> Verdict:
    """The verdict on a bundle; `ledger` is an exported ledger with states, checked first, whose entries
    `progress` counts. `line` is what the service told of one site's line of the frame.

    Raises OSError, tarfile.TarError, ValueError and MissingFile for what cannot be read, LedgerWrong for a
    ledger that is not sound.
    """
    bundle = open_bundle(place)
    log = None if ledger is None or policy is None else _log(ledger, policy, progress)
    found = verify_draw(
        bundle.read,
        bundle.names,
        now=now or datetime.now(UTC),
        policy=policy,
        beacon=beacon,
        log=log,
        is_working_day=is_working_day,
    )
    return _with_line(found, bundle, line.read_bytes()) if line and found.sound else found


def _with_line(found: Verdict, bundle: Bundle, line: bytes) -> Verdict:
    """The verdict, and what is said of one site held against the same rules and sample."""
    ranks = {one.id: one.rank for one in read_sample(bundle.read("sample.jsonl"))}
    told = json.loads(line)
    try:
        check_told(read_rules(bundle.read("rules.json")), ranks, told)
    except DrawingError as error:
        return replace(found, broken=error)
    return replace(found, checked=(*found.checked, "frame-line"))


class LedgerWrong(Exception):
    """The exported ledger is not sound; the first finding's code, and its position or None."""

    def __init__(self, code: str, idx: int | None) -> None:
        super().__init__(code, idx)
        self.code, self.idx = code, idx


def _log(folder: Path, policy: TrustPolicy, progress: Step) -> Iterator[Logged]:
    """The draws and registries of a sound ledger, whose hashes have been verified."""
    report = check_folder(folder, policy, progress=progress)
    if report.first is not None:
        raise LedgerWrong(report.first.code, report.first.idx)
    return draws_of(_events(lambda path: (folder / path).read_bytes(), report.size))


def _events(read: Callable[[str], bytes], size: int) -> Iterator[Logged]:
    for index in range(-(-size // WIDTH)):
        width = tile_width(ENTRIES, index, size)
        entries = parse_bundle(read_tile(read, Tile(ENTRIES, index, width), size), width)
        for entry, state in zip(entries, _states(read, index, width), strict=True):
            yield Logged(parse_entry(entry), state)


def _states(read: Callable[[str], bytes], index: int, width: int) -> list[Mapping[str, Any] | None]:
    try:
        lines = read(states_path(index)).split(b"\n")[:-1]
    except FileNotFoundError:
        return [None] * width
    return [_state(line) for line in lines]


def _state(line: bytes) -> Mapping[str, Any] | None:
    value = decode(line) if line else None
    return value if isinstance(value, dict) else None


def main(
    words: Sequence[str] | None = None, *, texts: Texts | None = None, beacon: Beacon | None = None
) -> int:
    """The command; its exit status."""
    given = _parser().parse_args(words)
    told = Telling(texts or read_texts(), given.language)
    try:
        policy = _policy(given)
        verdict = judge(given.bundle, policy=policy, ledger=given.ledger, line=given.line, beacon=beacon)
    except LedgerWrong as wrong:
        told.out(told.wrong_ledger(wrong))
        return 1
    except (*UNREADABLE, LedgerError) as error:
        print(told.unreadable(error), file=sys.stderr)  # noqa: T201
        return 2
    told.out(
        json.dumps(plain(verdict), ensure_ascii=False, indent=2) if given.json else told.verdict(verdict)
    )
    return 0 if verdict.sound else 1


def plain(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON holds it."""
    broken = verdict.broken
    found = broken and {
        "file": broken.file,
        "line": broken.line,
        "rule": broken.rule,
        "detail": broken.detail,
    }
    unchecked = [{"check": name, "reason": reason} for name, reason in verdict.unchecked]
    return {"sound": verdict.sound, "checked": list(verdict.checked), "unchecked": unchecked, "broken": found}


class Telling:
    """A verdict in words, Chinese or English."""

    def __init__(self, texts: Texts, language: str) -> None:
        self._texts, self._language = texts, language

    def text(self, table: str, code: str, **facts: object) -> str:
        """The sentence of a code; the code itself where there is none."""
        sentence = self._texts.get(table, {}).get(code, {}).get(self._language, code)
        return sentence.format(**facts) if facts else sentence

    def verdict(self, verdict: Verdict) -> str:
        """What was checked, what was not and why, and what is wrong."""
        lines = [self.text("words", "checked")]
        lines += [f"  ✓ {self._check(name)}" for name in verdict.checked]
        if verdict.unchecked:
            lines.append(self.text("words", "unchecked"))
            lines += [
                f"  – {self.text('checks', name)}: {self.text('reasons', reason)}"
                for name, reason in verdict.unchecked
            ]
        lines.append(self._broken(verdict.broken) if verdict.broken else self.text("words", "sound"))
        return "\n".join(lines)

    def unreadable(self, error: Exception) -> str:
        """Why nothing could be judged."""
        if isinstance(error, MissingFile):
            return self.text("words", "missing-file", file=error.file)
        return self.text("words", "unreadable", error=error)

    def wrong_ledger(self, wrong: LedgerWrong) -> str:
        """That the exported ledger is not sound."""
        return self.text("words", "ledger-wrong", finding=wrong.code, idx=wrong.idx)

    def out(self, text: str) -> None:
        """To standard output."""
        print(text)  # noqa: T201

    def _check(self, name: str) -> str:
        code, _, by = name.partition(": ")
        return f"{self.text('checks', code)}{f' ({by})' if by else ''}"

    def _broken(self, broken: DrawingError) -> str:
        place = f"{broken.file}:{broken.line}" if broken.line else broken.file
        sentence = self.text("rules", broken.rule)
        return self.text(
            "words", "broken", place=place, rule=broken.rule, sentence=sentence, detail=broken.detail
        )


def read_texts() -> Texts:
    """The sentences of `api/locale/draw.toml`."""
    return tomllib.loads((Path(__file__).parent / "locale" / "draw.toml").read_text(encoding="utf-8"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path, help="a folder or .tar.gz")
    parser.add_argument("--trust-policy", type=Path, help="whom to trust: keys, witnesses, quorum")
    parser.add_argument(
        "--vkey", action="append", help="a trusted verifier key of the log, or a file of them"
    )
    parser.add_argument("--ledger", type=Path, help="an exported ledger with states; needs a trusted key")
    parser.add_argument("--line", type=Path, help="what the service told of one site's line of the frame")
    parser.add_argument("--language", choices=("zh", "en"), default="zh")
    parser.add_argument("--json", action="store_true")
    return parser


def _policy(given: argparse.Namespace) -> TrustPolicy | None:
    if given.trust_policy:
        return TrustPolicy.parse(given.trust_policy.read_bytes())
    if given.vkey:
        return policy_of(given.vkey)
    if given.ledger:
        raise ValueError("--ledger needs --trust-policy or --vkey")
    return None


def _common_folder(names: Sequence[str]) -> str:
    """The one folder that all lie in, with its slash, or ""."""
    tops = {PurePosixPath(name).parts[0] for name in names if len(PurePosixPath(name).parts) > 1}
    flat = any(len(PurePosixPath(name).parts) == 1 for name in names)
    top = next(iter(tops), "")
    return f"{top}/" if len(tops) == 1 and not flat and top not in ("proofs", "kept") else ""


if __name__ == "__main__":
    sys.exit(main())
