"""Where a store is: its URL, and the files an embedded one consists of."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

STORE_FILE = "store.db"


def is_sqlite(url: str) -> bool:
    """Whether the URL names an embedded store."""
    return url.startswith("sqlite:")


def store_file(url: str) -> Path:
    """The file of an embedded store.

    `sqlite:///var` is the folder `var` (with `store.db` in it), `sqlite:////srv/x.db` the file itself.
    ValueError for a URL without a path; a store in memory is none.
    """
    path = unquote(urlsplit(url).path).removeprefix("/")
    if not is_sqlite(url) or not path:
        raise ValueError(f"not the URL of an embedded store: {url}")
    file = Path(path)
    return file if file.suffix == ".db" else file / STORE_FILE
