"""Voiding a drawn site: what is refused, so that one person alone drops no site."""

from domain.errors import Conflict, Forbidden, Invalid


class VoidGroundWrong(Invalid):
    """Not a ground for a void site, or no evidence of it; facts: `ground`."""

    code = "void-ground-wrong"


class VoidPending(Conflict):
    """Somebody has asked already to void the site, and it is not decided."""

    code = "void-pending"


class VoidNotAsked(Conflict):
    """Nobody has asked to void the site, or it was refused."""

    code = "void-not-asked"


class VoidNeedsTwo(Forbidden):
    """Who asked to void a site does not decide on it: one person alone drops no site."""

    code = "void-needs-two"
    rule = "separation.void-site"


class VoidReasonMissing(Invalid):
    """A void is refused with reasons."""

    code = "void-reason-missing"
