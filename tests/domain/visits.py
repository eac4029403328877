"""What happens at a site, with one thing set: steps of an inspection for its tests."""

from typing import Any

from tests.builders import (
    CHEN,
    LEADER,
    RECORDER,
    WANG,
    ZHAO,
    act,
    deadline,
    digest,
    evidence,
    later,
    record,
)
from tests.stages import (
    evidence_added,
    found,
    identified,
    notified,
    visit_approved,
)

AT_SITE = (visit_approved, notified, identified)
READY = (*AT_SITE, evidence_added, found)


def showing(inspector: str = CHEN, certified: Any = (CHEN, WANG), **told: Any) -> Any:
    """Officers show certificates and tell purpose and rights."""
    said = {"rights_told": True, "purpose_told": True, **told}
    return lambda inspection: inspection.show_identity(
        act(RECORDER), inspector=inspector, certified=certified, **said
    )


def finding(**fields: Any) -> Any:
    """A problem with one field set."""
    facts = {
        "inspector": CHEN,
        "item": "SX-01",
        "category": "permit",
        "description": "自行监测频次不足",
        "disposal": "rectifying",
        "evidence": [digest()],
        **fields,
    }
    return lambda inspection: inspection.record_finding(act(RECORDER), **facts)


def adding(inspector: str = CHEN, **fields: Any) -> Any:
    """A photo with one field set."""
    return lambda inspection: inspection.add_evidence(
        act(RECORDER), inspector=inspector, evidence=evidence(**fields)
    )


def withdrawing(no: int = 1, reason: str = "误记", inspector: str = WANG) -> Any:
    """A finding is taken back."""
    return lambda inspection: inspection.withdraw_finding(
        act(RECORDER), inspector=inspector, no=no, reason=reason
    )


def concluding(inspector: str = CHEN, at: Any = None, **fields: Any) -> Any:
    """A record with some fields set."""
    return lambda inspection: inspection.conclude(
        at or later(RECORDER, hours=3),
        inspector=inspector,
        record=record(**fields),
        publication=deadline(),
    )


def seat_changed(inspector: str | None = ZHAO, seat: str = "lead") -> Any:
    """A granted recusal gives the seat to somebody else."""
    return lambda inspection: inspection.change_seat(act(LEADER), seat=seat, inspector=inspector)
