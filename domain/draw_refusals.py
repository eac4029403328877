"""What a draw refuses: each step that does not fit, and why."""

from domain.errors import Conflict, Forbidden, Invalid


class ContributorsWrong(Invalid):
    """A draw needs `agency` and `discipline`, each party once, in printable ASCII; facts: `parties`."""

    code = "contributors-wrong"


class CustodyShared(Invalid):
    """Two parties' secrets lie with one person; facts: `account`."""

    code = "custody-shared"
    rule = "separation.secret-holders"


class SourceWrong(Invalid):
    """The public source or its value is not what `sunlot-draw-v1` allows; facts: `reason`."""

    code = "source-wrong"


class SourceKnown(Conflict):
    """The public source's time is not in the future: its value could be known; facts: `time`."""

    code = "source-known"


class SourceEarly(Conflict):
    """The public source's time has not come yet; facts: `time`."""

    code = "source-early"


class SourceTimePassed(Conflict):
    """The public source's time has passed; this step had to come before it; facts: `time`."""

    code = "source-time-passed"


class DrawStatusWrong(Conflict):
    """The step does not fit the draw's status; facts: `status`, `needed`."""

    code = "draw-status-wrong"


class NotContributor(Forbidden):
    """Only the party's own custodian may do this; facts: `party`."""

    code = "not-contributor"


class AlreadyDone(Conflict):
    """The party has done this already; facts: `party`, `step`."""

    code = "already-done"


class CommitmentWrong(Invalid):
    """Not a commitment: 64 lower-case hexadecimal digits; facts: `party`."""

    code = "commitment-wrong"


class SecretWrong(Invalid):
    """The secret does not open the party's commitment; facts: `party`."""

    code = "secret-wrong"


class ReceiptMissing(Invalid):
    """The party must hand in the receipt of the seal that it kept; facts: `party`."""

    code = "receipt-missing"


class ValueExists(Conflict):
    """The public value exists: the draw is completed whatever happens, and cannot be voided."""

    code = "value-exists"


class ValuesDiffer(Conflict):
    """The persons who typed the public value do not agree; facts: `parties`."""

    code = "values-differ"


class DrawGroundMissing(Invalid):
    """A draw is voided on a ground, which is public."""

    code = "draw-ground-missing"


class SecondPersonNeeded(Forbidden):
    """A void needs two people."""

    code = "second-person-needed"
    rule = "separation.void"


class BeaconForged(Invalid):
    """The signature is not the beacon's for this round; facts: `round`."""

    code = "beacon-forged"


class NarrowSeatsUnapproved(Conflict):
    """Seats have too few who may sit, and no second person has approved of it; facts: `seats`."""

    code = "narrow-seats-unapproved"
    rule = "draw.narrow-seats"


class SupplementWrong(Invalid):
    """A supplementary draw fills seats of the row's team, of a draw that is none itself; facts: `draw_no`,
    `seats`.
    """

    code = "supplement-wrong"


class WideningReasonMissing(Invalid):
    """Officers of further areas come in for a reason, which is public with the draw."""

    code = "widening-reason-missing"


class NothingNarrow(Conflict):
    """Every seat has enough who may sit: there is nothing to approve."""

    code = "nothing-narrow"


class SealerApproves(Forbidden):
    """Whoever sealed the draw does not approve of its narrow seats."""

    code = "sealer-approves"
    rule = "separation.narrow-seats"


class NarrowReasonMissing(Invalid):
    """Narrow seats are approved with a reason."""

    code = "narrow-reason-missing"
