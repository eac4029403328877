"""The revision of the store that this code expects, and how to get there."""

from typing import Final

REVISION: Final = "0002"
MIGRATE: Final = "sunlot migrate"
