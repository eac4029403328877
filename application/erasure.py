"""Erasing personal data: one person asks, another approves, and what is erased is gone for good.

The approval writes the event, empties the vault's row, takes the account's login name and marks the
originals of imports that name the person, all in one append. Files are deleted after it; whoever is
killed in between leaves that to the next run of `finish_erasures`.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

from application.office import Office
from application.originals import erased_digests
from application.people_ports import Original, Standing
from application.ports import Answer, Erasure, Quiet
from application.workflow import Beside, Call
from domain.errors import BlobDamaged, NotFound, RegistryMoved, StoreUnavailable
from domain.intake import Intake
from domain.person import KINDS, Case, Need, Person, retain_until
from domain.rulebook_data import Rulebook

MATTERS = ("draw.", "assignment.", "inspection.", "violation.")
"""What may open a matter in which a person is needed: none of it between the look and the append."""

NUMBERS = ("certificate_no", "phone")
TRIES = 3


def ask_erasure(office: Office, call: Call, person: str, *, ground: str, reason: str) -> Answer:
    """Ask to erase a person's data on a ground of the law; another person decides."""
    standing = _standing(office, person)
    call.require("erasure.ask", standing.region or None)
    rules = office.rules(call.act.taken_on)
    case, need, version = _case(standing), _need(standing, rules), rules.version
    found = _asked_before(office, person)
    if found is None:
        found = Person.begin_erasure(
            call.act, id=person, case=case, ground=ground, reason=reason, need=need, rulebook=version
        )
    else:
        office.workflow.expect(call, found)
        found.ask_again(call.act, case=case, ground=ground, reason=reason, need=need, rulebook=version)
    return office.workflow.commit(call, found)


def refuse_erasure(office: Office, call: Call, person: str, *, reason: str) -> Answer:
    """Refuse what was asked; the data stays."""
    standing = _standing(office, person)
    call.require("erasure.decide", standing.region or None)
    return office.workflow.change(
        call, Person, person, lambda found: found.refuse(call.act, reason=reason, own=frozenset(standing.own))
    )


def approve_erasure(office: Office, call: Call, person: str) -> Answer:
    """Approve as the second person, and erase at once; `also` names the originals that went with it."""
    answer = _while_quiet(lambda: _erase(office, call, person))
    # What is done is done: a disk that refuses now is tried again by the next run, and `doctor` tells.
    with suppress(StoreUnavailable):
        finish_erasures(office)
    return answer


def finish_erasures(office: Office) -> int:
    """Delete the files that were erased and are still there, and the vault's bytes; how many files.

    `StoreUnavailable` where the disk refuses or readers hold the store; then it is to be run again.
    """
    removed = sum(office.blobs.remove(digest) for digest in sorted(erased_digests(office)))
    office.vault.scrub()
    return removed


def retention(rules: Rulebook) -> dict[str, int]:
    """For how many years data is kept after somebody left, by kind of person."""
    return {kind: rules.number(f"retention-{kind}") for kind in KINDS}


def _erase(office: Office, call: Call, person: str) -> Answer:
    standing = _standing(office, person)
    call.require("erasure.decide", standing.region or None)
    rules = office.rules(call.act.taken_on)
    found = office.workflow.load(Person, person)
    office.workflow.expect(call, found)
    intakes = [office.workflow.load(Intake, one.intake) for one in _naming(office, standing, person)]
    found.erase(
        call.act,
        case=_case(standing),
        need=_need(standing, rules),
        rulebook=rules.version,
        own=frozenset(standing.own),
        originals=tuple(intake.id for intake in intakes),
    )
    for intake in intakes:
        intake.erase_original(call.act, person=person, ground=found.ground)
    account = standing.holder if standing.kind == "account" else ""
    beside = Beside(erasures=(Erasure(person=person, account=account),), quiet=Quiet(standing.as_of, MATTERS))
    also = {"originals": [intake.id for intake in intakes]}
    return office.workflow.commit(call, found, *intakes, beside=beside, also=also)


def _while_quiet(erase: Callable[[], Answer]) -> Answer:
    for _ in range(TRIES - 1):
        with suppress(RegistryMoved):
            return erase()
    return erase()


def _standing(office: Office, person: str) -> Standing:
    found = office.people.standing(person)
    if found is None:
        raise NotFound(kind="person", id=person)
    return found


def _asked_before(office: Office, person: str) -> Person | None:
    with suppress(NotFound):
        return office.workflow.load(Person, person)
    return None


def _case(standing: Standing) -> Case:
    return Case(kind=standing.kind, holder=standing.holder, region=standing.region)


def _need(standing: Standing, rules: Rulebook) -> Need:
    left_on = standing.left_on
    years = retention(rules)[standing.kind]
    return Need(
        listed=left_on is None,
        retain_until=retain_until(left_on, years) if left_on else None,
        matters=standing.matters,
    )


def _naming(office: Office, standing: Standing, person: str) -> Iterator[Original]:
    """The originals that name the person: by a number, by the name where the vault has no number.

    A name alone is often somebody else's.
    """
    value = office.vault.read([person]).get(person, {})
    words = [value[key] for key in NUMBERS if key in value] or list(value.values())
    digests: dict[str, bool] = {}
    for one in standing.originals:
        if one.digest not in digests:
            digests[one.digest] = _names(office, one.digest, words)
        if digests[one.digest]:
            yield one


def _names(office: Office, digest: str, words: list[str]) -> bool:
    try:
        return office.mentions(office.blobs.read(digest), words)
    except NotFound:
        return False
    except BlobDamaged:
        return True
