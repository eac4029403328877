"""The page of the documentation that lists every error, made from the code and the sentences.

.venv/bin/python -c "from api.reference import write_errors; write_errors()"
"""

import importlib
import pkgutil
from pathlib import Path
from typing import Any, Final

from api.rest.documents import known_problems

ERRORS: Final = Path("docs/reference/errors.md")
PACKAGES: Final = ("domain", "application", "infrastructure", "projections", "api")
_HEAD: Final = """\
# Errors

Every refusal is `application/problem+json` (RFC 9457) with `type` `/problems/<code>`. Compare `code`; the
sentences are for people, in Chinese or, with `Accept-Language: en`, in English. Braces hold facts of the
case. Rule names the rule in the rulebook, source the law, order or standard it comes from.
This page is made from the code; a test compares them.
"""


def write_errors() -> None:
    """Write the page anew, from the repository's root."""
    ERRORS.write_text(errors_page(), encoding="utf-8")


def errors_page() -> str:
    """The page as it should be."""
    import_everything()
    return _HEAD + "".join(_section(problem) for problem in known_problems())


def import_everything() -> None:
    """Import all modules, so that every class of errors is known."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if ".migrations." not in module.name:
                importlib.import_module(module.name)


def _section(problem: dict[str, Any]) -> str:
    law = [f"{name} {problem[name]}" for name in ("rule", "source") if problem[name]]
    lines = (
        f"\n## `{problem['code']}` · {problem['status']}",
        "",
        f"**{problem['en'][0]}.** {problem['en'][1]}",
        "",
        f"**{problem['zh'][0]}** {problem['zh'][1]}",
        *(("", "; ".join(law)) if law else ()),
        "",
    )
    return "\n".join(lines)
