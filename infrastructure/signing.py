"""The keys that sign: the ledger's (a file or an environment secret, outside the database), a witness's.

No function here logs, prints or repeats the secret; the file is for its owner's eyes only.
"""

import secrets
import stat
from pathlib import Path

from domain.errors import KeyUnusable
from domain.ledger.cosignature import WitnessSigningKey
from domain.ledger.errors import LedgerError
from domain.ledger.note import SigningKey
from infrastructure.files import disk_errors, make_folder, part_file, sync_folder

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def keygen(path: Path, origin: str) -> str:
    """Make a signing key for the log `origin` in a new file (mode 0600); the verifier key to be published.

    `KeyUnusable` for a file that exists, which is never replaced, or an impossible origin.
    """
    return _keygen(SigningKey, path, origin)


def witness_keygen(path: Path, name: str) -> str:
    """Make a witness's key of this name in a new file (mode 0600); the verifier key to be given away.

    `KeyUnusable` for a file that exists, which is never replaced, or an impossible name.
    """
    return _keygen(WitnessSigningKey, path, name)


def witness_key(file: Path) -> WitnessSigningKey:
    """A witness's key from its file. `KeyUnusable`: missing, exposed, unreadable, malformed."""
    try:
        return WitnessSigningKey.parse(_read_secret(file).strip())
    except LedgerError:
        raise KeyUnusable(path=str(file), reason="malformed") from None


def ledger_key(*, file: Path | None, secret: str | None, origin: str) -> SigningKey:
    """The ledger's key, from the secret if there is one, else from the file.

    `KeyUnusable` with the reason: missing, exposed (the file is open to group or others), unreadable,
    malformed, other-origin (the key is named after another log).
    """
    path = "" if secret or file is None else str(file)
    line = secret or (_read_secret(file) if file is not None else "")
    if not line:
        raise KeyUnusable(path=path, reason="missing")
    try:
        key = SigningKey.parse(line.strip())
    except LedgerError:
        raise KeyUnusable(path=path, reason="malformed") from None
    if key.name != origin:
        raise KeyUnusable(path=path, reason="other-origin", found=key.name, expected=origin)
    return key


def next_key_file(file: Path) -> Path:
    """Where the key waits that is to follow the one in the file."""
    return file.with_name(f"{file.name}.next")


def next_key(file: Path, origin: str) -> str:
    """The verifier key of the one that is to follow the key in the file, made if it is not there.

    `KeyUnusable`.
    """
    following = next_key_file(file)
    if not following.exists():
        return keygen(following, origin)
    return ledger_key(file=following, secret=None, origin=origin).verifier.encode()


def former_key(file: Path, secret: str | None, origin: str) -> SigningKey | None:
    """The key that is handed over: the ledger's, None where it has been put aside already. `KeyUnusable`."""
    if secret is None and not file.exists():
        return None
    return ledger_key(file=file, secret=secret, origin=origin)


def switch_keys(file: Path) -> None:
    """Put the key in the file aside, as `<file>.former-<key id>`, and the next one in its place.

    A kill between the two leaves the file missing; done again, the rest is done. `StoreUnavailable`.
    """
    following = next_key_file(file)
    with disk_errors():
        if following.exists() and file.exists():
            former = SigningKey.parse(_read_secret(file).strip()).verifier.id.hex()
            file.rename(file.with_name(f"{file.name}.former-{former}"))
        if following.exists():
            following.rename(file)
        sync_folder(file.parent)


def _keygen(kind: type[SigningKey] | type[WitnessSigningKey], path: Path, name: str) -> str:
    try:
        key = kind(name, secrets.token_bytes(32))
    except LedgerError as error:
        raise KeyUnusable(path=str(path), reason="origin-impossible") from error
    try:
        _write_secret(path, key)
    except FileExistsError as error:
        raise KeyUnusable(path=str(path), reason="exists") from error
    return key.verifier.encode()


def _write_secret(path: Path, key: SigningKey | WitnessSigningKey) -> None:
    with disk_errors(passing=FileExistsError):
        make_folder(path.parent)
        with part_file(path.parent) as part:
            part.stream.write(f"{key.encode()}\n".encode())
            part.keep(path, replace=False)


def _read_secret(path: Path) -> str:
    try:
        if path.stat().st_mode & _OTHERS:
            raise KeyUnusable(path=str(path), reason="exposed")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise KeyUnusable(path=str(path), reason="missing") from error
    except (OSError, UnicodeDecodeError):
        raise KeyUnusable(path=str(path), reason="unreadable") from None
