"""How long what the other side of a TLS connection has shown is good. Pure."""

from typing import NamedTuple

from evidence.custody import validity_ns
from evidence.errors import MalformedError
from evidence.keys import certificate_from_der

DAY_NS = 86_400 * 10**9
#: as the alarms of other certificates
SOON_NS = 30 * DAY_NS


class Life(NamedTuple):
    """From when to when a certificate is good, UTC ns."""

    begins_ns: int
    ends_ns: int

    def left_days(self, now_ns: int) -> int:
        """Whole days until it ends; below 0 afterwards."""
        return (self.ends_ns - now_ns) // DAY_NS

    def ends_soon(self, now_ns: int) -> bool:
        """Within thirty days, or a quarter of its life where that is less; or it has ended."""
        return self.ends_ns - now_ns <= min(SOON_NS, (self.ends_ns - self.begins_ns) // 4)


def shown_life(der: bytes | None) -> Life | None:
    """Of what `getpeercert(binary_form=True)` gives; None for nothing that can be read."""
    if not der:
        return None
    try:
        return Life(*validity_ns(certificate_from_der(der)))
    except MalformedError:
        return None
