"""What must hold of any log, whatever was done to it."""

from domain.ledger.entry import chain
from domain.ledger.verify import verify_log
from infrastructure.database import Store


def entries_as_the_ledger_makes_them(store: Store) -> list[tuple[bytes, bytes]]:
    """The log's entries, made again from streams, versions, topics, states and times by domain/ledger."""
    prevs: dict[str, str] = {}
    made: list[tuple[bytes, bytes]] = []
    for row in store.recorder.rows():
        made += chain([(row.state, row.stream, row.topic, row.ver)], at=row.at, idx=row.idx, prevs=prevs)
    return made


def assert_whole(store: Store) -> None:
    """Every event has its entry, byte for byte, and the ledger's verifier finds nothing."""
    rows = list(store.recorder.rows())
    assert [row.idx for row in rows] == list(range(len(rows)))
    assert [(row.entry, row.leaf) for row in rows] == entries_as_the_ledger_makes_them(store)
    report = verify_log(store.recorder.audit_rows(), store.recorder.by_stream(), [], [])
    assert report.findings == ()
    assert report.size == len(rows)
