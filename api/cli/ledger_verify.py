"""`ledger verify`: the whole log checked, of the live store or of an exported folder, against all that is
held of it.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from api.cli.commands import operates
from api.cli.desk import Bench
from api.cli.files import read_text
from api.cli.ledger_reach import held_by_checker
from api.cli.options import argument, option
from api.cli.refusals import FINDING, Cannot
from api.findings import tell_finding
from api.offline import check_folder, policy_in
from domain.errors import CertificateUnusable, KeyUnusable
from domain.ledger.finding import LIMIT, Findings
from domain.ledger.held import TokenReader
from domain.ledger.note import VerifierKey
from domain.ledger.policy import TrustPolicy
from domain.ledger.verify import Report

Step = Callable[[int, int], None]
Keys = Annotated[
    list[str] | None,
    option(
        "--vkey",
        help="A trusted verifier key, or a file with one a line; not taken from the ledger 信任的验证公钥.",
    ),
]
Policy = Annotated[
    Path | None,
    option("--policy", help="A trust policy: keys, witnesses, quorum 信任策略.", exists=True, dir_okay=False),
]
Certificates = Annotated[
    Path | None,
    option(
        "--tsa", help="Certificates (PEM) that time-stamps lead to 时间戳证书.", exists=True, dir_okay=False
    ),
]
Folder = Annotated[
    Path | None,
    argument("An exported folder; none: the live store 导出的文件夹.", exists=True, file_okay=False),
]
Brought = Annotated[
    list[Path] | None,
    option("--checkpoint", help="A checkpoint that you hold, or a folder of them 持有的检查点.", exists=True),
]
Known = Annotated[
    list[int] | None,
    option("--acknowledge", metavar="SIZE", help="A given-up checkpoint that you know of 已知的放弃."),
]
Resume = Annotated[
    Path | None,
    option("--resume", help="Keep the progress in this file, and go on from it 断点文件.", dir_okay=False),
]
TrustFolder = Annotated[
    bool, option("--trust-folder", help="Believe the folder's own keys: proves little 信任文件夹自带的公钥.")
]

LogOnly = Annotated[
    bool, option("--log-only", help="Leave out what replaying the log would show 只核验账本，不重放.")
]
REPLAYED: Final = frozenset({"personal-data", "projections", "frames"})
"""What replaying the log looks at, as `Report.unchecked` names it."""


UNCHECKED: Final = {
    "states": "unchecked-states",
    "key-changes": "unchecked-key-changes",
    "entries": "unchecked-entries",
    "tokens": "unchecked-tokens",
    "unwitnessed": "unchecked-unwitnessed",
    "trust-policy": "unchecked-trust-policy",
    "files": "unchecked-files",
    "personal-data": "unchecked-personal-data",
    "projections": "unchecked-projections",
    "frames": "unchecked-frames",
}
"""What is said of each thing that was not looked at."""


def add_verify(ledger: typer.Typer) -> None:
    """Add the command."""
    operates(ledger, "verify")(verify)


def verify(
    bench: Bench,
    folder: Folder = None,
    vkey: Keys = None,
    policy: Policy = None,
    checkpoint: Brought = None,
    tsa: Certificates = None,
    acknowledge: Known = None,
    resume: Resume = None,
    trust_folder: TrustFolder = False,
    log_only: LogOnly = False,
) -> None:
    """Check every state, entry, tile and checkpoint, and that replaying gives what is stored 核验账本."""
    trust = trusted_folder(bench, folder, vkey, policy) if trust_folder else trusted(bench, vkey, policy)
    held, known = checkpoint or [], acknowledge or []
    read_token = token_reader(bench, tsa)
    with bench.terminal.progress("verifying") as step:
        if folder is None:
            report = bench.tools.audit().check(
                trust, step, brought=held, certificates=tsa, acknowledged=known, resume=resume
            )
        else:
            _refuse_resume(resume)
            report = check_folder(
                folder,
                trust,
                brought=held,
                read_token=read_token,
                acknowledged=known,
                progress=step,
            )
    if folder is None and not log_only:
        with bench.terminal.progress("replaying") as step:
            report = _joined(report, bench.tools.audit().check_replay(step))
    reach = held_by_checker(held, trust, report, known)
    _show(bench, report, reach)
    for size in known:
        bench.terminal.say("acknowledged", size=size)
    if not report.sound:
        raise typer.Exit(FINDING)


def _joined(report: Report, found: Findings) -> Report:
    """The report with what another check found behind it, as many as it keeps."""
    findings = (*report.findings, *found.kept)[:LIMIT]
    unchecked = tuple(name for name in report.unchecked if name not in REPLAYED)
    return replace(report, findings=findings, found=report.found + found.count, unchecked=unchecked)


def token_reader(bench: Bench, certificates: Path | None) -> TokenReader | None:
    """Reads time-stamps that lead to the certificates that the caller named; None without any."""
    try:
        return bench.tools.audit().token_reader(certificates)
    except CertificateUnusable as error:
        raise Cannot("tsa-unusable", file=str(certificates)) from error


def trusted(bench: Bench, vkeys: list[str] | None, policy: Path | None) -> TrustPolicy:
    """Whom the caller trusts: a policy (with keys beside it, if it names none), keys, or our own signing key
    with our witnesses; never what the ledger shows.
    """
    return named_trust(vkeys, policy) or bench.tools.audit().own_policy(own_key(bench))


def named_trust(vkeys: list[str] | None, policy: Path | None) -> TrustPolicy | None:
    """The trust that was named: a policy, or keys, or a policy without keys and these; None for none."""
    lines = [line for one in vkeys or [] for line in _lines(one)]
    keyed = TrustPolicy.of_keys([VerifierKey.parse(line) for line in lines])
    if policy is not None:
        written = TrustPolicy.parse(policy.read_bytes())
        if written.logs and keyed.logs:
            raise Cannot("trust-twice")
        if not written.logs and not keyed.logs:
            raise Cannot("policy-without-log", file=str(policy))
        return written if written.logs else replace(written, logs=keyed.logs)
    return keyed if keyed.logs else None


def own_key(bench: Bench) -> str:
    """The verifier key of our own signing key."""
    try:
        return bench.tools.verifier_key()
    except KeyUnusable as error:
        raise Cannot("vkey-missing", reason=error.facts["reason"]) from error


def trusted_folder(
    bench: Bench, folder: Path | None, vkeys: list[str] | None, policy: Path | None
) -> TrustPolicy:
    """The policy that an exported folder names, with a warning of how little that proves."""
    if folder is None or vkeys or policy is not None:
        raise Cannot("trust-twice")
    bench.terminal.warn("trust-folder")
    return policy_in(folder)


def _refuse_resume(resume: Path | None) -> None:
    if resume is not None:
        raise Cannot("resume-live-only")


def _lines(given: str) -> list[str]:
    file = Path(given)
    text = read_text(file) if "+" not in given or file.is_file() else given
    return [line.strip() for line in text.splitlines() if line.strip()]


def _show(bench: Bench, report: Report, reach: int) -> None:
    language = bench.terminal.language
    findings: list[dict[str, Any]] = [
        {**msgspec.to_builtins(one), "words": tell_finding(one.code, one.params, language)}
        for one in report.findings
    ]
    counts = {
        "sound": report.sound,
        "size": report.size,
        "streams": report.streams,
        "checkpoints": report.checkpoints,
        "covered": report.covered,
        "held_by_you": reach,
        "witnessed": report.witnessed,
        "stamped": report.stamped,
        "root": report.root.hex(),
        "found": report.found,
    }
    if bench.terminal.json:
        lists = {"unchecked": report.unchecked, "unread": report.unread, "findings": findings}
        bench.terminal.give({**counts, **lists})
        return
    bench.terminal.facts(counts)
    if findings:
        bench.terminal.rows(findings, ("idx", "code", "words"), title=bench.terminal.text("findings"))
    last = report.size - 1
    if report.covered < report.size:
        bench.terminal.say("not-covered", first=report.covered, last=last)
    for name in report.unchecked:
        places = {"first": report.witnessed, "last": last, "files": ", ".join(report.unread)}
        bench.terminal.say(UNCHECKED[name], **places)
    if not reach:
        bench.terminal.say("nothing-held")
    bench.terminal.say("ledger-sound" if report.sound else "ledger-wrong", found=report.found)
