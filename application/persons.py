"""Personal data: into the vault under a commitment, out of it only with a recorded reason."""

from collections.abc import Mapping, Sequence
from datetime import date
from hashlib import sha256

import msgspec

from application.office import Office
from application.ports import Chance, VaultWrite
from application.workflow import Call
from domain.access import Access

_ENCODER = msgspec.json.Encoder(order="sorted")


def entrust(
    chance: Chance, value: Mapping[str, str], *, unique: str = "", retain_until: date | None = None
) -> tuple[VaultWrite, str]:
    """A vault row for a person's data, under a fresh reference, and the salted commitment for the event."""
    salt = chance.token(16)
    kept = {key: text for key, text in value.items() if text}
    write = VaultWrite(
        person=chance.id("person"), value=kept, salt=salt.hex(), unique=unique, retain_until=retain_until
    )
    return write, commitment_to(kept, salt)


def commitment_to(value: Mapping[str, str], salt: bytes) -> str:
    """What an event says of a vault row's value and salt.

    SHA-256 of `sunlot-person-v1`, a zero byte, the salt and the canonical JSON of the value, in hex: with
    the salt erased it says nothing about the person.
    """
    return sha256(b"sunlot-person-v1\0" + salt + _ENCODER.encode(value)).hexdigest()


def read_persons(
    office: Office, call: Call, persons: Sequence[str], *, region: str, reason: str
) -> Mapping[str, Mapping[str, str]]:
    """Read personal data of people of a region; the reading is recorded before the answer is given."""
    note_personal_reading(office, call, persons, region=region, reason=reason)
    return office.vault.read(persons)


def note_personal_reading(
    office: Office, call: Call, subjects: Sequence[str], *, region: str, reason: str
) -> None:
    """Record that somebody reads personal data of a region: of persons, or of a file that names them."""
    call.require("person.read", region)
    access = Access.note(
        call.act, id=office.chance.id("access"), kind="person", subjects=tuple(subjects), reason=reason
    )
    office.workflow.commit(call, access)
