"""How long a lane waits after failures. Pure.

A lane is one way to one account: a browser that has signed in there before has its own, all
strangers to an account share another. So who does not know the password can make strangers wait,
and never somebody at a browser of theirs; nor for longer than `PAUSE_LAST_NS` at a time, nor those
who get a new link from the security administrator.
"""

import hashlib
import secrets
from dataclasses import dataclass

SECOND_NS = 1_000_000_000
#: failures without a pause; SP 800-63B-4 section 3.2.2 allows a hundred in all
FREE = 5
PAUSE_FIRST_NS, PAUSE_LAST_NS = 30 * SECOND_NS, 900 * SECOND_NS
#: after this without a try it is as if there had been none
FORGOTTEN_NS = 86_400 * SECOND_NS
#: ids that nobody has share so many lanes, and cannot fill the disk. They look like others: one
#: that waits because of another would be known for nobody's, so which two share a lane is known
#: to nobody, until the next start, and there are more than strangers can keep waiting at once
NOBODYS_LANES = 65_536
_KEY = secrets.token_bytes(32)


@dataclass(frozen=True)
class Lane:
    """Tries since the last that was right.

    Attributes:
        id: of the lane.
        owner: account, "" for an id that nobody has.
        tries: how many.
        newest_ns: when the newest was.
    """

    id: str
    owner: str
    tries: int = 0
    newest_ns: int = 0

    @property
    def is_browser(self) -> bool:
        """Is it of a browser that signed in before?"""
        return bool(self.id.partition("/")[2])

    def pause_ns(self, now_ns: int) -> int:
        """How long it has to wait still, ns."""
        if self.tries < FREE:
            return 0
        pause = min(PAUSE_FIRST_NS << min(self.tries - FREE, 16), PAUSE_LAST_NS)
        # a clock that was set back must not make anybody wait for longer
        return max(0, min(self.newest_ns + pause - now_ns, pause))

    def after_try(self, now_ns: int) -> "Lane":
        """With one more: counted before it is judged, so that many at once are not one."""
        is_old = now_ns - self.newest_ns > FORGOTTEN_NS
        return Lane(self.id, self.owner, 1 if is_old else self.tries + 1, now_ns)


def lane_of(account: str, device: str, *, is_known: bool) -> str:
    """The lane of a try.

    Args:
        account: the id as typed.
        device: of a browser that signed in to this account before, "" for strangers.
        is_known: somebody has that id.
    """
    if is_known:
        return f"{account}/{device}"
    typed = account.encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(typed, key=_KEY, digest_size=8).digest()
    return f"?{int.from_bytes(digest) % NOBODYS_LANES}"
