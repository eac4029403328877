"""Credentials, lock-out and bearer tokens: the secret side of accounts, kept outside the log."""

from datetime import datetime

from application.people_ports import Credential, Token
from domain.ledger.entry import format_at, parse_at
from infrastructure.event_store.database import Database


class StoredCredentials:
    """Reads credentials and tokens, and counts failed sign-ins. Setting them travels with an append."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_login(self, login: str) -> Credential | None:
        """The credential of a login name, or None."""
        sql = "SELECT account, password_hash, failures, locked_until FROM credentials WHERE login = ?"
        rows = self._database.fetch(sql, (login,))
        if not rows:
            return None
        account, password_hash, failures, locked = rows[0]
        return Credential(account, password_hash, failures, parse_at(locked) if locked else None)

    def failed(self, account: str, *, locked_until: datetime | None) -> None:
        """Count one failed sign-in, and lock the account until then if given."""
        sql = (
            "UPDATE credentials SET failures = failures + 1, locked_until = coalesce(?, locked_until) "
            "WHERE account = ?"
        )
        self._database.change(sql, (format_at(locked_until) if locked_until else None, account))

    def succeeded(self, account: str) -> None:
        """Set failures to nought and lift the lock; writes nothing where there is neither."""
        sql = (
            "UPDATE credentials SET failures = 0, locked_until = NULL "
            "WHERE account = ? AND (failures <> 0 OR locked_until IS NOT NULL)"
        )
        self._database.change(sql, (account,))

    def token(self, digest: str) -> Token | None:
        """The token whose SHA-256 this is, or None."""
        sql = "SELECT token, account, expires_at, revoked FROM tokens WHERE digest = ?"
        rows = self._database.fetch(sql, (digest,))
        if not rows:
            return None
        token, account, expires, revoked = rows[0]
        return Token(token, account, parse_at(expires), bool(revoked))
