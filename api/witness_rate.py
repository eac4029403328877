"""How often one source may submit to a witness: so many at once, and then a few each second."""

import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Final

SOURCES: Final = 10_000
"""How many sources are remembered; of more, those that were quiet longest are forgotten."""


class Rate:
    """A bucket for each source: `burst` submissions at once, refilled by `each_second`.

    Used by the event loop alone. An IPv6 source is its /64, which one machine has for itself.
    """

    def __init__(
        self, *, burst: int = 60, each_second: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst, self._each, self._clock = burst, each_second, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, source: str) -> int:
        """0 if the source may submit now, which counts; else how many seconds it has to wait."""
        name, now = network_of(source), self._clock()
        left, since = self._left.pop(name, (float(self._burst), now))
        left = min(float(self._burst), left + (now - since) * self._each)
        self._left[name] = (left - 1 if left >= 1 else left, now)
        if len(self._left) > SOURCES:
            self._left.popitem(last=False)
        return 0 if left >= 1 else max(1, ceil((1 - left) / self._each))


def network_of(source: str) -> str:
    """What one machine has for itself: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        address = ip_address(source)
    except ValueError:
        return source
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or address.exploded[:19])
    return source
