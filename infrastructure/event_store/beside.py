"""What an append carries beside its events, in the form in which the engines write it."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from eventsourcing.persistence import StoredEvent

from application.ports import Append, CredentialWrite, Erasure, TokenWrite, VaultWrite
from domain.errors import EventRefused
from domain.ledger.entry import format_at

encode_json = msgspec.json.Encoder(order="sorted").encode

# Printable ASCII without quotation mark and backslash: what an entry written by SQL needs not escape.
_NAME = re.compile(r"[!#-\[\]-~]{1,255}")


def check_names(events: Sequence[StoredEvent]) -> None:
    """EventRefused for a stream or topic that cannot stand in an entry, or a version below 1."""
    for event in events:
        if not _NAME.fullmatch(str(event.originator_id)):
            raise EventRefused(topic=event.topic, field="originator_id", why="not plain printable ASCII")
        if not _NAME.fullmatch(event.topic):
            raise EventRefused(topic=event.topic, field="topic", why="not plain printable ASCII")
        if event.originator_version < 1:
            raise EventRefused(topic=event.topic, field="originator_version", why="below 1")


def keeps_nothing(append: Append) -> bool:
    """Whether the append has events only; an answer without a retry key is kept by nobody."""
    return not (
        append.retry
        or append.quiet
        or append.claims
        or append.vault
        or append.erasures
        or append.credentials
        or append.tokens
    )


def answer_text(append: Append) -> str:
    """The answer as it is kept; its position stands beside it."""
    return encode_json(append.answer).decode()


def answer_position(append: Append, events: int, first: int) -> int:
    """The position the kept answer names: the last event's, or the answer's own where there is no event."""
    if events:
        return first + events - 1
    return append.answer.position if append.answer else -1


def vault_row(write: VaultWrite) -> dict[str, Any]:
    """A row of the vault."""
    return {
        "person": write.person,
        "value": encode_json(write.value).decode(),
        "salt": write.salt,
        "unique_key": write.unique or None,
        "retain_until": write.retain_until.isoformat() if write.retain_until else None,
    }


def erasure_row(write: Erasure) -> dict[str, Any]:
    """A row of the vault that loses what it holds, as PostgreSQL's function reads it among the others."""
    return {"person": write.person, "erased": True, "account": write.account}


def credential_row(write: CredentialWrite) -> dict[str, Any]:
    """A row of the credentials."""
    return {"account": write.account, "login": write.login, "password_hash": write.password_hash}


def token_row(write: TokenWrite) -> dict[str, Any]:
    """A row of the tokens."""
    return {
        "token": write.token,
        "account": write.account,
        "digest": write.digest,
        "expires_at": format_at(write.expires_at),
        "revoked": write.revoked,
    }
