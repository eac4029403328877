"""What can be wrong with a draw's proofs, beside what `domain/drawing` finds in its files.

DrawingError
├── WrongProof      an entry, state or receipt that does not prove what it stands for
├── WrongStep       steps of the draw that are out of order, out of time, or not what the files say
└── WrongHistory    something in the log that a draw must not have beside it
"""

from __future__ import annotations

from domain.drawing.errors import DrawingError


class WrongProof(DrawingError):
    """A proof that does not prove it."""


class WrongStep(DrawingError):
    """A step of the draw that is not as it must be."""


class WrongHistory(DrawingError):
    """The log says something of other draws, or of the registries, that this draw does not allow."""
