"""`restore`: a backup into an empty installation, which is done only when its ledger verifies."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from api.bootstrap import Outside, Restored, Verdict
from api.cli.commands import operates
from api.cli.desk import Bench
from api.cli.ledger_verify import Keys, Policy, named_trust, own_key
from api.cli.options import argument, option
from api.cli.refusals import FINDING, Cannot
from api.findings import tell_finding
from domain.ledger.note import VerifierKey
from domain.ledger.policy import TrustPolicy

Backup = Annotated[
    Path | None,
    argument(
        "The backup, a folder or archive; left out with --verify: what was restored before 备份.",
        exists=True,
        metavar="BACKUP",
    ),
]
Verify = Annotated[
    bool,
    option(
        "--verify", help="Verify the ledger against what is held outside, and only then be done 恢复并核验."
    ),
]
CheckOnly = Annotated[bool, option("--check", help="Only check the backup, restore nothing 只检查备份.")]
Checkpoints = Annotated[
    list[Path] | None,
    option(
        "--checkpoint",
        help="A signed checkpoint kept outside, or a folder of them 外部保存的检查点.",
        exists=True,
    ),
]
Copy = Annotated[
    Path | None,
    option(
        "--ledger",
        help="A copy of the published ledger kept outside 外部保存的已公布账本.",
        exists=True,
        file_okay=False,
    ),
]
Known = Annotated[
    list[int] | None,
    option("--acknowledge", metavar="SIZE", help="A given-up checkpoint that you know of 已知的放弃."),
]
KeepTokens = Annotated[
    bool, option("--keep-tokens", help="Leave bearer tokens valid that were valid at the backup 保留令牌.")
]


def add_restore(app: typer.Typer) -> None:
    """Add the command."""
    operates(app, "restore")(restore)


def restore(
    bench: Bench,
    backup: Backup = None,
    verify: Verify = False,
    check: CheckOnly = False,
    vkey: Keys = None,
    policy: Policy = None,
    checkpoint: Checkpoints = None,
    ledger: Copy = None,
    acknowledge: Known = None,
    keep_tokens: KeepTokens = False,
) -> None:
    """Restore a backup into an empty installation; done (exit 0) only once its ledger verifies 恢复."""
    if check == verify and (check or backup is None):
        raise Cannot("restore-what")
    if backup is None and (check or bench.tools.backups().pending() is None):
        raise Cannot("restore-nothing-waits")
    trust = _trust(bench, vkey, policy, needed=bool(verify or checkpoint or ledger))
    outside = _outside(bench, trust, checkpoint or [], ledger, needed=verify)
    if backup is not None:
        _check_files(bench, backup)
    if check and backup is not None:
        _check_log(bench, backup, trust, outside)
        return
    restored = _restore(bench, backup, outside, keep_tokens) if backup is not None else None
    if not verify:
        _present(bench, restored, None)
        raise typer.Exit(FINDING)
    verdict = _settle(bench, trust, outside, acknowledge or [])
    _present(bench, restored, verdict)
    if not verdict.signs:
        raise typer.Exit(FINDING)


def _trust(bench: Bench, vkeys: list[str] | None, policy: Path | None, *, needed: bool) -> TrustPolicy:
    """Who was named, else our own signing key if somebody has to be believed, else nobody; never the backup's
    own.
    """
    own = [VerifierKey.parse(own_key(bench))] if needed and not (vkeys or policy) else []
    return named_trust(vkeys, policy) or TrustPolicy.of_keys(own)


def _outside(
    bench: Bench, trust: TrustPolicy, checkpoints: list[Path], ledger: Path | None, *, needed: bool
) -> Outside:
    """What is held outside; something must be where it is `needed`: a rewound log agrees with itself."""
    if not (checkpoints or ledger):
        if needed:
            raise Cannot("restore-outside-missing")
        return Outside()
    return bench.tools.backups().outside(trust, checkpoints, ledger)


def _check_files(bench: Bench, backup: Path) -> None:
    with bench.terminal.progress("checking") as step:
        bench.tools.backups().check(backup, step)


def _check_log(bench: Bench, backup: Path, trust: TrustPolicy, outside: Outside) -> None:
    """Against the checkpoints, if there is a key to believe them by."""
    manifest = bench.tools.backups().manifest(backup)
    facts: dict[str, Any] = {"backup": str(backup), "made_at": manifest.made_at, "origin": manifest.origin}
    facts |= {"size": manifest.size, "root": manifest.root, "files": manifest.files, "bytes": manifest.bytes}
    if not trust.logs:
        bench.terminal.facts({**facts, "findings": []})
        bench.terminal.warn("backup-files-sound")
        return
    with bench.terminal.progress("verifying") as step:
        report = bench.tools.backups().check_log(backup, trust, outside, step)
    findings = [msgspec.to_builtins(one) for one in report.findings.kept]
    _tell(bench, {**facts, "covered": report.covered, "findings": findings})
    if report.findings.count:
        raise typer.Exit(FINDING)


def _restore(bench: Bench, backup: Path, outside: Outside, keep_tokens: bool) -> Restored:
    with bench.terminal.progress("restoring") as step:
        return bench.tools.backups().restore(backup, outside, keep_tokens=keep_tokens, progress=step)


def _settle(bench: Bench, trust: TrustPolicy, outside: Outside, acknowledged: list[int]) -> Verdict:
    with bench.terminal.progress("verifying") as step:
        return bench.tools.backups().settle(trust, outside, step, acknowledged=acknowledged)


def _present(bench: Bench, restored: Restored | None, verdict: Verdict | None) -> None:
    facts: dict[str, Any] = {}
    if restored is not None:
        manifest = restored.manifest
        facts |= {"made_at": manifest.made_at, "origin": manifest.origin, "size": manifest.size}
        facts |= {"tokens_kept": restored.tokens_kept}
    erased = [one.erased for one in (restored, verdict) if one is not None]
    facts["erased_again"] = sum(one.persons for one in erased)
    facts["originals_again"] = sum(one.originals for one in erased)
    facts["verified"] = verdict is not None and verdict.signs
    if verdict is not None:
        facts |= _judged(verdict)
    _tell(bench, facts)
    _advise(bench, restored, verdict)


def _tell(bench: Bench, facts: dict[str, Any]) -> None:
    """Machines get all of it; people the findings as a table of sentences, and what is missing as advice."""
    terminal = bench.terminal
    if terminal.json:
        terminal.give(facts)
        return
    terminal.facts({name: value for name, value in facts.items() if name not in ("findings", "missing")})
    if facts.get("findings"):
        rows = [
            {**one, "words": tell_finding(one["code"], one["params"], terminal.language)}
            for one in facts["findings"]
        ]
        terminal.rows(rows, ("idx", "code", "words"), title=terminal.text("findings"))


def _judged(verdict: Verdict) -> dict[str, Any]:
    report = verdict.report
    found = {
        "root": report.root.hex(),
        "checkpoints": report.checkpoints,
        "covered": report.covered,
        "findings": [msgspec.to_builtins(one) for one in verdict.findings],
    }
    missing = verdict.missing
    return found | {"missing": msgspec.to_builtins(missing) if missing is not None else None}


def _advise(bench: Bench, restored: Restored | None, verdict: Verdict | None) -> None:
    if restored is not None and not restored.tokens_kept:
        bench.terminal.warn("restore-tokens")
    if verdict is None:
        bench.terminal.warn("restore-unverified")
    elif verdict.signs:
        bench.terminal.say("restore-done")
    elif verdict.held and verdict.missing is not None:
        timed = "restore-behind" if verdict.missing.first_at else "restore-behind-untimed"
        bench.terminal.warn(timed, **msgspec.to_builtins(verdict.missing))
    else:
        bench.terminal.warn("restore-wrong", found=len(verdict.findings))
