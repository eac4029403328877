"""What can be wrong with a draw, each with the rule that was broken and, where known, the file and line.

DrawingError
├── NotCanonical     the bytes are not canonical JSON, or not lines of it
├── WrongShape       a record lacks a field, has one too many, or a value outside what the format allows
├── WrongOrder       lines that are unsorted or repeated
├── WrongFigure      a root, size, count or sample size that does not follow from the lists
├── WrongSecret      a secret that does not open its commitment, or reveals that are not the contributors'
├── WrongValue       a public value or its evidence that does not fit the source
├── WrongResult      a seed, sample, team, change or sum that is not what the inputs give
├── ChangeRefused    a recusal or void that cannot be: no such site, or the inspector does not sit there
└── MissingFile      a file that the bundle needs is not there
"""

from __future__ import annotations


class DrawingError(ValueError):
    """A draw that breaks `rule`; `detail` says how.

    `file` is "" and `line` 0 where they are not known; lines count from 1.
    """

    def __init__(self, rule: str, detail: str = "", *, file: str = "", line: int = 0) -> None:
        super().__init__(rule, detail)
        self.rule, self.detail, self.file, self.line = rule, detail, file, line

    def locate(self, file: str, line: int = 0) -> None:
        """Name the place, unless a deeper caller, who knew better, has named it already."""
        if not self.file:
            self.file, self.line = file, line

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.rule, self.detail) if part)


class NotCanonical(DrawingError):
    """Bytes that are not canonical JSON."""


class WrongShape(DrawingError):
    """A record whose fields are not those of the format."""


class WrongOrder(DrawingError):
    """Lines out of order, or one of them twice."""


class WrongFigure(DrawingError):
    """A root, size, count or sample size that does not follow from the lists."""


class WrongSecret(DrawingError):
    """Secrets that do not open the sealed commitments."""


class WrongValue(DrawingError):
    """A public value or evidence that does not fit its source."""


class WrongResult(DrawingError):
    """A result that is not the one the inputs give."""


class ChangeRefused(DrawingError):
    """A recusal or a void that has nothing to act on."""


class MissingFile(DrawingError):
    """A file of the bundle that is needed and not there."""
