"""Whether a kept table names somebody: any sheet, any cell, any comment, however the file spells it."""

import re
from collections.abc import Collection, Iterator
from html import unescape
from io import BytesIO
from typing import Final
from zipfile import BadZipFile, ZipFile

_TAGS: Final = re.compile(r"<[^>]*>")
_SPACES: Final = re.compile(r"\s+")
_NUMBER: Final = re.compile(r"<v>([0-9]+(?:\.[0-9]+)?[eE]\+?[0-9]{1,2}|[0-9]+\.0+)</v>")


def mentions(content: bytes, words: Collection[str]) -> bool:
    """Whether one of the words stands in the file (XLSX, CSV), spaces and formatting left aside.

    A file that cannot be read is taken to mention everybody: nothing shows that it does not.
    """
    wanted = {_SPACES.sub("", word) for word in words if word.strip()}
    try:
        return any(word in text for text in _texts(content) for word in wanted)
    except (BadZipFile, OSError, ValueError):
        return bool(wanted)


def _texts(content: bytes) -> Iterator[str]:
    if content.startswith(b"PK\x03\x04"):
        with ZipFile(BytesIO(content)) as archive:
            for part in archive.infolist():
                yield from _of_markup(_decoded(archive.read(part)))
    else:
        yield _SPACES.sub("", _decoded(content))


def _of_markup(text: str) -> Iterator[str]:
    # A text may be cut into runs of different fonts, so tags are taken out without a trace.
    yield _SPACES.sub("", unescape(_TAGS.sub("", text)))
    yield from (str(int(float(number))) for number in _NUMBER.findall(text))


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")
