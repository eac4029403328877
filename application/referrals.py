"""Referrals to the department whose matter a violation is."""

from application.evidence import require_blobs
from application.office import Office
from application.ports import Answer
from application.workflow import Call
from domain.referral import Letter, Referral
from domain.violation import Violation


def refer_violation(office: Office, call: Call, *, violation: str, letter: Letter) -> Answer:
    """Refer a violation to another department; its disposal becomes `referred` in the same append."""

    def decide() -> Answer:
        found = office.workflow.load(Violation, violation)
        call.require("referral.send", found.matter.region)
        require_blobs(office, [letter.document], "/document")
        referral = Referral.send(call.act, id=office.chance.id("referral"), violation=found, letter=letter)
        if found.disposal != "referred":
            found.dispose(call.act, disposal="referred", reason=letter.reason)
        return office.workflow.commit(call, referral, found)

    return office.workflow.again(decide)


def receive_referral(office: Office, call: Call, id: str, *, receipt: str) -> Answer:
    """Record the other department's signed receipt."""

    def decide(referral: Referral) -> None:
        call.require("referral.record", referral.region)
        require_blobs(office, [receipt], "/receipt")
        referral.receive(call.act, receipt=receipt)

    return office.workflow.change(call, Referral, id, decide)


def record_reply(office: Office, call: Call, id: str, *, accepted: bool, note: str) -> Answer:
    """Record the other department's reply."""

    def decide(referral: Referral) -> None:
        call.require("referral.record", referral.region)
        referral.reply(call.act, accepted=accepted, note=note)

    return office.workflow.change(call, Referral, id, decide)
