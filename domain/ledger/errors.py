"""What the ledger's formats refuse. A code for machines, parameters for a sentence; no sentence here.

LedgerError (ValueError)
├── EntryMalformed, EntryTooLarge, PrevUnknown, ClockBehind       entry.py
├── KeyMalformed, NoteMalformed                                   note.py
├── SignatureInvalid, SignatureMissing, KeyUnknown                note.py
├── CheckpointMalformed, OriginDiffers                            checkpoint.py
├── TileMalformed, BundleMalformed                                tiles.py
├── FrontierMalformed, ProofRefused                               merkle.py
├── ReceiptMalformed, ReceiptDiffers                              proof.py
├── PolicyMalformed, QuorumMissing                                policy.py
├── SubmissionMalformed, OriginUnknown, SizeConflict, RootConflict    submission.py
├── TokenInvalid                              checked outside, by who can read RFC 3161
├── ResumeRefused                             a check that was interrupted and cannot go on
└── ExportDiffers                             an earlier export that cannot be gone on with
"""

from __future__ import annotations

from typing import ClassVar


class LedgerError(ValueError):
    """Something that is not what the ledger's formats say. `code` is stable, `params` are its particulars."""

    code: ClassVar[str] = "ledger.invalid"

    def __init__(self, **params: str | int) -> None:
        self.params = params
        particulars = ", ".join(f"{name}={value}" for name, value in params.items())
        super().__init__(f"{self.code} ({particulars})" if particulars else self.code)


class EntryMalformed(LedgerError):
    """The bytes or fields are not a canonical entry."""

    code = "entry.malformed"


class EntryTooLarge(LedgerError):
    """The entry does not fit an entry bundle's two-byte length."""

    code = "entry.too_large"


class PrevUnknown(LedgerError):
    """An entry was asked for whose stream's previous entry is not known."""

    code = "entry.prev_unknown"


class ClockBehind(LedgerError):
    """The clock lies too far before the last recorded time to go on."""

    code = "clock.behind"


class KeyMalformed(LedgerError):
    """Not a verifier key or signing key, or its key id does not belong to it."""

    code = "key.malformed"


class NoteMalformed(LedgerError):
    """Not a signed note."""

    code = "note.malformed"


class SignatureInvalid(LedgerError):
    """A signature under a known key does not verify."""

    code = "signature.invalid"


class SignatureMissing(LedgerError):
    """No signature line names a trusted key's name."""

    code = "signature.missing"


class KeyUnknown(LedgerError):
    """Signed under a trusted name, but by a key that is not the trusted one."""

    code = "key.unknown"


class CheckpointMalformed(LedgerError):
    """A signed note whose text is not a checkpoint."""

    code = "checkpoint.malformed"


class OriginDiffers(LedgerError):
    """A checkpoint of another log than the key's."""

    code = "checkpoint.origin_differs"


class TileMalformed(LedgerError):
    """A tile's path or length is not what the tree's size asks for."""

    code = "tile.malformed"


class BundleMalformed(LedgerError):
    """An entry bundle is cut short, too long, or holds another number of entries."""

    code = "bundle.malformed"


class FrontierMalformed(LedgerError):
    """A saved frontier that cannot have been saved by us."""

    code = "frontier.malformed"


class ProofRefused(LedgerError):
    """A Merkle proof that does not prove it."""

    code = "proof.refused"


class ReceiptMalformed(LedgerError):
    """Not a C2SP tlog-proof v1."""

    code = "receipt.malformed"


class ReceiptDiffers(LedgerError):
    """A receipt for another entry than the one it was held against."""

    code = "receipt.differs"


class PolicyMalformed(LedgerError):
    """Not a trust policy; `line` counts from 1, 0 stands for the whole file."""

    code = "policy.malformed"


class QuorumMissing(LedgerError):
    """Fewer witnesses have cosigned a checkpoint than the trust policy asks for."""

    code = "quorum.missing"


class SubmissionMalformed(LedgerError):
    """Not the body of an add-checkpoint request."""

    code = "submission.malformed"


class OriginUnknown(LedgerError):
    """A checkpoint of a log that the witness does not know."""

    code = "origin.unknown"


class SizeConflict(LedgerError):
    """A submission that starts from another size than the witness holds."""

    code = "size.conflict"


class RootConflict(LedgerError):
    """A second root at a size that the witness has cosigned: proof that the log told two stories."""

    code = "root.conflict"


class TokenInvalid(LedgerError):
    """A time-stamp (RFC 3161) that does not prove the checkpoint's text under a trusted certificate."""

    code = "token.invalid"


class ResumeRefused(LedgerError):
    """A check cannot go on from what was saved of another one: `reason` says why."""

    code = "resume.refused"


class ExportDiffers(LedgerError):
    """An earlier export is of another log, or of one that this log does not go on from."""

    code = "export.differs"
