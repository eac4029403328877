"""A checkpoint that is shown again after a while proves nothing about what was stored meanwhile."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from domain.ledger.held import Held, open_held
from domain.ledger.rows import RowCheck
from infrastructure.attestation import Pace
from tests.fakes import FakeClock
from tests.infrastructure.attested import Office, office

NEVER = Pace(witnesses=86_400, authority=86_400, quorum=1.0)
RECORDED = datetime(2024, 6, 1, 0, 5, tzinfo=UTC)
"""When the first 300 events of the log have been recorded, one a second."""


def findings(one: Office) -> list[str]:
    """What the first pass of the verifier finds under the kept and the shown checkpoint."""
    notes = [one.files.kept.note(size) for size in (300, 600)]
    held = [Held(str(number), note) for number, note in enumerate(notes) if note is not None]
    expected = open_held(held, one.trusted())
    assert expected.findings == []
    rows = [(row.idx, row.entry, row.state, row.stream, row.topic, row.ver) for row in one.log.rows()]
    return [finding.code for finding in RowCheck(expected).run(rows)]


def test_what_a_witness_cosigns_at_the_start_is_not_held_against_what_came_before_it(tmp_path: Path) -> None:
    clock = FakeClock(RECORDED)
    with office(tmp_path / "ledger", clock, quorum="none") as one:
        one.log.size = 300
        first = one.open(pace=NEVER)
        one.servers[0].close()  # it is away when the checkpoint of 300 is made
        first.publish_once()
        first.close()
        one.log.size = 600  # recorded within ten minutes, and then the publisher was away for an hour
        clock.set(RECORDED + timedelta(hours=1))
        with office(tmp_path / "other", clock, quorum="none") as again:
            again.folder, again.files, again.log, again.latch = one.folder, one.files, one.log, one.latch
            second = again.open(pace=NEVER)
            second.publish_once()
            assert again.witnesses[0].seen.keys() == {300}
            second.attestation.attest(599)
            second.close()
            assert findings(again) == []
            assert again.policy.cosigners(again.files.kept.note(600) or b"").keys() == {"witness.example/1"}
