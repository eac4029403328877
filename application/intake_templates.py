"""The tables that people fill in: one template for each kind of import."""

from collections.abc import Mapping
from typing import Final

from application.plan_templates import ITEMS, PLAN
from application.registry_templates import INSPECTORS, SITES
from application.tables import Template
from domain.errors import Invalid


class ImportKindUnknown(Invalid):
    """There is no such kind of import; facts: `kind`, `allowed`."""

    code = "import-kind-unknown"


TEMPLATES: Final[Mapping[str, Template]] = {one.name: one for one in (SITES, INSPECTORS, ITEMS, PLAN)}


def template_of(kind: str) -> Template:
    """The template of a kind of import; `ImportKindUnknown`."""
    if kind not in TEMPLATES:
        raise ImportKindUnknown("/kind", kind=kind, allowed=tuple(TEMPLATES))
    return TEMPLATES[kind]
