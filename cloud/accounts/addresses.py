"""Tries at signing in that one address has left, whichever accounts it names. In memory; no I/O.

The lanes of an account (`cloud.accounts.waiting`) bound the tries at one account. This bounds who
tries a few common passwords at each of many accounts. A browser that signed in to the account
before is not counted here: whoever shares its address cannot keep its owner out.
"""

import ipaddress
from collections import OrderedDict
from threading import Lock

from cloud.accounts.waiting import SECOND_NS

#: wrong tries at once, and how long until each is given back: 480 a day. Source: none (unverified);
#: a shift that shares one address mistypes less often, and NIST SP 800-63B-4 sets no number
FREE, EVERY_NS = 20, 180 * SECOND_NS
#: addresses that are remembered, some 2 MB: whoever has more could use each for `FREE` tries anyway
ADDRESSES_MAX = 10_000
#: one customer of a provider has all of it (RFC 6177)
IPV6_PREFIX = 64


class AddressTries:
    """The tries of every address; any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        #: address -> when it has all its tries again, ns; the one that tried longest ago first
        self._whole_ns = OrderedDict[str, int]()

    def __len__(self) -> int:
        return len(self._whole_ns)

    def take(self, address: str, now_ns: int) -> int:
        """Count a try.

        Args:
            address: it comes from there, as the server believes it.
            now_ns: wall clock.

        Returns:
            0 where the try may be made, else for how many ns the address has to wait.
        """
        key = _key(address)
        with self._lock:
            # a clock that was set back must not make anybody wait for longer
            whole_ns = min(max(self._whole_ns.get(key, 0), now_ns), now_ns + FREE * EVERY_NS)
            pause_ns = whole_ns + EVERY_NS - FREE * EVERY_NS - now_ns
            if pause_ns > 0:
                return pause_ns
            self._whole_ns[key] = whole_ns + EVERY_NS
            self._whole_ns.move_to_end(key)
            if len(self._whole_ns) > ADDRESSES_MAX:
                self._whole_ns.popitem(last=False)
            return 0

    def give_back(self, address: str) -> None:
        """A counted try was right."""
        key = _key(address)
        with self._lock:
            if key in self._whole_ns:
                self._whole_ns[key] -= EVERY_NS


def _key(address: str) -> str:
    """An IPv4 address, the network of an IPv6 one, or whatever else a server calls its peer."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False))
