"""The rulebook of a day: adopted in the log by its SHA-256, read from the files at hand."""

from datetime import date

from application.ports import Claims
from application.workflow import Workflow
from domain.errors import RulebookMissing
from domain.installation import Installation
from domain.rulebook_data import Rulebook
from infrastructure.rulebooks import Rulebooks


class AdoptedRulebooks:
    """Port Rulebooks. A file that was changed after its adoption is not found by its digest any more."""

    def __init__(self, files: Rulebooks, workflow: Workflow, claims: Claims) -> None:
        self._files = files
        self._workflow = workflow
        self._claims = claims

    def in_force(self, day: date) -> Rulebook:
        """The rulebook of the day; `RulebookMissing` if none is adopted for it, or its file is gone."""
        stream = self._claims.holder("installation", "1")
        if stream is None:
            raise RulebookMissing(wanted=day.isoformat())
        adopted = self._workflow.load(Installation, stream).in_force(day)
        if adopted is None:
            raise RulebookMissing(wanted=day.isoformat())
        return self._files.digest(adopted.digest).rulebook
