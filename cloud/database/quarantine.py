"""Objects kept aside: signed by a key that is or was enrolled, but not what the log may accept.

A fork of a stream, or signed by a key that does not count at its place. Each is kept once,
verbatim, by its hash; the log says so in a REJECT entry. A bounded
number a plant: whoever has a gateway's key could make any number of them, and whoever reaches the
broker any number under a key that nobody certified; these get half of the room. Pure: which and
how many; `cloud.database.writer` writes them.
"""

from evidence.log import Entry, Kind
from evidence.log_details import FORK, KEPT_ASIDE

FILES_MAX = 1_000

#: verdicts of the REJECT entries whose object is kept
KEPT_VERDICTS = KEPT_ASIDE | {FORK}


def is_kept(entry: Entry) -> bool:
    """True for an entry whose object is in the quarantine."""
    return entry.kind is Kind.REJECT and entry.verdict in KEPT_VERDICTS


def room_for(entry: Entry) -> int:
    """How many objects may be there for one more to be taken in."""
    return FILES_MAX if entry.certificate is not None else FILES_MAX // 2
