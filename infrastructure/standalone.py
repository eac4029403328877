"""The verifier of draws as one file that needs Python's standard library only: `verify.py` in every bundle.

Made from the very sources that the service runs, word for word, so that there is nothing else to be trusted.
"""

import ast
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("domain/drawing", "domain/ledger", "domain/verifying")
MODULES: Final = ("domain/__init__.py", "api/__init__.py")
ENTRY: Final = "api/draw_offline.py"
"""The command; what it imports of `api/` comes along, and what that imports."""

OPTIONAL: Final = ("infrastructure/__init__.py", "infrastructure/beacons.py")
"""Used where its library is there; a beacon's signature is not checked without it."""

FALLBACK: Final = "api/ed25519.py"
TEXTS: Final = "api/locale/draw.toml"

_HEAD: Final = '''#!/usr/bin/env python3
"""Verifies a draw of Sunlot {version}, offline. Needs Python 3.11 or newer and nothing else.

    python3 verify.py FOLDER_OR_TAR_GZ [--trust-policy FILE | --vkey KEY] [--ledger EXPORT] [--language en]

核验一次抽取：重算样本与检查组，核对每一步在账本中的证明。离线运行，只需 Python 3.11 及以上。
This file holds the sources of the service's own verifier, each as it is; read them below. Take the file and
the keys that you trust from somewhere else than the bundle, if you can. License: Apache-2.0.
"""

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec

SOURCES = {{}}
'''

_TAIL: Final = '''

class Embedded(MetaPathFinder, Loader):
    """Finds the modules in this file."""

    def find_spec(self, name, path=None, target=None):
        if name not in SOURCES:
            return None
        return ModuleSpec(name, self, is_package=any(one.startswith(name + ".") for one in SOURCES))

    def exec_module(self, module):
        exec(compile(SOURCES[module.__name__], module.__name__, "exec"), module.__dict__)


def without_library():
    """Stand in for `cryptography` where it is not installed: verification only."""
    names = "cryptography", "cryptography.hazmat", "cryptography.hazmat.primitives"
    SOURCES.update(dict.fromkeys((*names, "cryptography.hazmat.primitives.asymmetric"), ""))
    SOURCES["cryptography.exceptions"] = "from api.ed25519 import InvalidSignature"
    SOURCES["cryptography.hazmat.primitives.asymmetric.ed25519"] = "from api.ed25519 import *"


def beacon():
    """The check of a beacon's signature, if its library is there."""
    try:
        from infrastructure.beacons import is_quicknet_signature
    except ImportError:
        return None
    return is_quicknet_signature


if __name__ == "__main__":
    if sys.version_info < (3, 11):
        sys.exit("verify.py needs Python 3.11 or newer")
    if find_spec("cryptography") is None:
        without_library()
    sys.meta_path.insert(0, Embedded())
    import tomllib

    from api.draw_offline import main

    sys.exit(main(texts=tomllib.loads(TEXTS), beacon=beacon()))
'''


@lru_cache(maxsize=1)
def standalone_verifier() -> bytes:
    """The file. The same for one version of the service, whatever the bundle."""
    modules = [_module(file) for file in _files()]
    texts = f"\nTEXTS = {_quote((ROOT / TEXTS).read_text(encoding='utf-8'))}\n"
    return "".join((_HEAD.format(version=version("sunlot")), *modules, texts, _TAIL)).encode()


def _files() -> list[str]:
    inside = [file for package in PACKAGES for file in sorted((ROOT / package).glob("*.py"))]
    return [
        *MODULES,
        *_with_imports(ENTRY),
        *(file.relative_to(ROOT).as_posix() for file in inside),
        FALLBACK,
        *OPTIONAL,
    ]


def _with_imports(entry: str) -> list[str]:
    """The file and all of `api/` that it needs, what is imported first."""
    found: list[str] = []
    for node in ast.walk(ast.parse((ROOT / entry).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("api."):
            found += _with_imports(f"{node.module.replace('.', '/')}.py")
    return [*dict.fromkeys(found), entry]


def _module(file: str) -> str:
    name = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return f'\nSOURCES["{name}"] = {_quote((ROOT / file).read_text(encoding="utf-8"))}\n'


def _quote(source: str) -> str:
    """A literal in which the source stands as it is."""
    if "'''" in source:
        raise ValueError("a source that holds three apostrophes cannot be quoted as it is")
    return f"r'''{source}'''"
