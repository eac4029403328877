"""The table of claims against what the events claim and give back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from domain.ledger.finding import Finding, Findings
from infrastructure.event_store.database import Session
from infrastructure.replay_check.replay import Difference, Seen, differences, pages
from infrastructure.replay_check.scratch import Scratch
from projections.view import write_json

_NAME: Final = "kind TEXT, key TEXT, idx INTEGER, PRIMARY KEY (kind, key)"
_TABLES: Final = (
    f"CREATE TABLE claims (stream TEXT, {_NAME}) WITHOUT ROWID",
    f"CREATE TABLE released ({_NAME}) WITHOUT ROWID",
)
_STORED: Final = "SELECT kind, key, stream FROM claims WHERE (kind, key) > (?, ?) ORDER BY kind, key LIMIT ?"
_REBUILT: Final = "SELECT kind, key, stream, idx FROM claims ORDER BY kind, key"
_HELD: Final = (
    "SELECT c.kind, c.key, c.stream, c.idx FROM json_each(?) AS j "
    "JOIN claims AS c ON c.kind = json_extract(j.value, '$[0]') AND c.key = json_extract(j.value, '$[1]')"
)

Name = tuple[str, str]
Held = tuple[str, int]
"""The stream that holds a claim, and the event by which it does."""


class ClaimsFold:
    """Who holds which claim, as the events say; and events that take or give back what they could not.

    `claim.taken-twice`: an event takes what another event holds, so the claim was missing when it was
    appended. `claim.not-held`: an event gives back what its stream does not hold.
    """

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self.findings = Findings()
        for table in _TABLES:
            scratch.change(table)

    def take(self, events: Sequence[Seen]) -> None:
        """Fold a batch."""
        moves = list(_moves(events))
        before = self._held({name for name, *_ in moves})
        held, released = dict(before), dict[Name, int]()
        for name, stream, idx, given_back in moves:
            self.findings.add(_impossible(name, stream, idx, given_back, held.get(name)))
            if given_back:
                held.pop(name, None)
                released[name] = idx
            else:
                held[name] = stream, idx
        self._keep(before, held, released)

    def differences(self, session: Session) -> Findings:
        """Compare with the store's table, which must stand at the same position.

        `claim.missing`, `claim.unknown`, `claim.differs`, each with the last event that took or gave back
        the claim.
        """
        stored = pages(session.fetch, _STORED, ("", ""))
        findings = Findings()
        for found in differences(stored, self._scratch.each(_REBUILT), 2, same=3):
            findings.add([self._finding(found)])
        return findings

    def _held(self, names: Iterable[Name]) -> Mapping[Name, Held]:
        rows = self._scratch.fetch(_HELD, (write_json(list(names)),))
        return {(kind, key): (stream, idx) for kind, key, stream, idx in rows}

    def _keep(
        self, before: Mapping[Name, Held], held: Mapping[Name, Held], released: Mapping[Name, int]
    ) -> None:
        gone = [name for name in before if name not in held]
        new = [(*name, *found) for name, found in held.items() if before.get(name) != found]
        given = [(*name, idx) for name, idx in released.items()]
        self._scratch.change_many("DELETE FROM claims WHERE kind = ? AND key = ?", gone)
        self._scratch.change_many(
            "INSERT OR REPLACE INTO claims (kind, key, stream, idx) VALUES (?, ?, ?, ?)", new
        )
        self._scratch.change_many("INSERT OR REPLACE INTO released (kind, key, idx) VALUES (?, ?, ?)", given)

    def _finding(self, found: Difference) -> Finding:
        kind, key = found.key
        if found.rebuilt is None:
            rows = self._scratch.fetch("SELECT idx FROM released WHERE kind = ? AND key = ?", (kind, key))
            holder = (found.stored or ("", "", ""))[2]
            return Finding(
                "claim.unknown", rows[0][0] if rows else None, {"kind": kind, "key": key, "holder": holder}
            )
        expected, idx = found.rebuilt[2:]
        if found.stored is None:
            return Finding("claim.missing", idx, {"kind": kind, "key": key, "expected": expected})
        params = {"kind": kind, "key": key, "expected": expected, "holder": found.stored[2]}
        return Finding("claim.differs", idx, params)


def _moves(events: Sequence[Seen]) -> Iterator[tuple[Name, str, int, bool]]:
    for row, event in events:
        for claim in event.claims() if event else ():
            yield (claim.kind, claim.key), row.stream, row.idx, claim.released


def _impossible(
    name: Name, stream: str, idx: int, given_back: bool, holder: Held | None
) -> Iterator[Finding]:
    params = {"kind": name[0], "key": name[1], "holder": holder[0] if holder else ""}
    if given_back and (holder is None or holder[0] != stream):
        yield Finding("claim.not-held", idx, params)
    elif holder is not None and not given_back:
        yield Finding("claim.taken-twice", idx, {**params, "first": holder[1]})
