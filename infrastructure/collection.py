"""Python's collector of cycles, paused where a great many objects pass through and none of them makes one."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """Look for no cycles meanwhile: among thousands of rows read at once that costs up to a quarter of the
    time and finds nothing. What nobody refers to is freed as ever.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
