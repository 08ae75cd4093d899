"""Which objects of a stream are missing: signed, as a later one shows, and not here. Pure.

The collector takes a stream's next seq and drops what is ahead of it, so from the first seq that
is due everything has to come again: by the gateway itself, or, from a site without a way back, as
an exported spool (`stackproof edge export SITE.toml --from FIRST --to LAST`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cloud.collector.topics import Sender

#: a gateway sends again within a minute: what is missing for longer needs people
LASTING_NS = 120_000_000_000


@dataclass(frozen=True, slots=True)
class Missed:
    """What is missing of one stream.

    Attributes:
        first: the seq that is due.
        last: the newest seq that came, with a good signature, and could not be taken.
        since_ns: when the first one ahead of `first` came, collector's wall clock.
        because: why `first` was not taken when it came; "" when it did not come.
        is_receipted: the log lost them; the gateway has receipts for them and sends them no more.
    """

    first: int
    last: int
    since_ns: int
    because: str = ""
    is_receipted: bool = False

    def sentence(self) -> str:
        """For people: what, and what to do."""
        if self.because:
            return (
                f"objects seq {self.first} to {self.last} cannot be taken, because seq "
                f"{self.first} came and was not accepted: {self.because}. Exporting them does "
                "not help: the stream goes on by a replace order of the plant's root (stackproof "
                "keys replace), see docs/deploy.md, 'A stream that is stuck'"
            )
        return (
            f"objects seq {self.first} to {self.last} are missing: where the gateway does not "
            "send them again by itself, export them from its spool (stackproof edge export "
            f"SITE.toml --from {self.first} --to {self.last}) and import the file here"
        )


class Missing:
    """What is missing of every stream. One thread changes it, any may ask."""

    def __init__(self) -> None:
        self._missed: dict[Sender, Missed] = {}
        self._blocked: dict[Sender, tuple[int, str]] = {}
        self._lacking: dict[Sender, Missed] = {}

    def block(self, sender: Sender, due: int, sentence: str) -> None:
        """What is due came, and is not to be had: sending it again does not help."""
        self._blocked[sender] = due, sentence

    def lack(self, sender: Sender, due: int, seq: int, at_ns: int) -> None:
        """A gateway that was shown more of the log than is here sent an object.

        It sends from the first one it has no receipt for: of those before it, what is not here was
        receipted. The oldest that came says so best.
        """
        known = self._lacking.get(sender)
        last = seq - 1 if known is None else min(seq - 1, known.last)
        if due <= last:
            since_ns = at_ns if known is None else known.since_ns
            self._lacking[sender] = Missed(due, last, since_ns, is_receipted=True)
        else:
            self._lacking.pop(sender, None)

    def forget(self, sender: Sender) -> None:
        """An order was taken: what was due is so no more."""
        self._lacking.pop(sender, None)
        self._missed.pop(sender, None)
        self._blocked.pop(sender, None)

    def note(self, sender: Sender, due: int, seq: int, at_ns: int) -> bool:
        """A well-signed object came ahead of what is due; True when it is the first to do so."""
        known = self._missed.get(sender)
        if known is None or known.first != due:
            self._missed[sender] = Missed(due, max(seq, known.last if known else 0), at_ns)
        elif seq > known.last:
            self._missed[sender] = replace(known, last=seq)
        return known is None

    def settle(self, sender: Sender, next_seq: int, at_ns: int) -> None:
        """The stream goes on: `next_seq` is due."""
        self._blocked.pop(sender, None)
        lacking = self._lacking.get(sender)
        if lacking is not None:
            self.lack(sender, next_seq, lacking.last + 1, lacking.since_ns)
        known = self._missed.get(sender)
        if known is None:
            return
        if next_seq > known.last:
            del self._missed[sender]
        else:
            self._missed[sender] = Missed(next_seq, known.last, at_ns)

    def of(self, sender: Sender) -> Missed | None:
        """What is missing of a stream, None when nothing is; what the log lost comes first."""
        if sender in self._lacking:
            return self._lacking[sender]
        missed = self._missed.get(sender)
        return None if missed is None else self._because(sender, missed)

    def lasting(self, now_ns: int) -> dict[Sender, Missed]:
        """What did not come for so long that people must know; the log's own loss is `anchor`."""
        found = dict(self._missed).items()
        lasting = [(sender, m) for sender, m in found if m.since_ns <= now_ns - LASTING_NS]
        return {sender: self._because(sender, m) for sender, m in lasting}

    def _because(self, sender: Sender, missed: Missed) -> Missed:
        due, sentence = self._blocked.get(sender, (None, ""))
        return replace(missed, because=sentence) if due == missed.first else missed


def missing_row(sender: Sender, missed: Missed) -> Mapping[str, Any]:
    """JSON-ready, as an alarm."""
    return {
        "gateway": sender.gateway,
        "reason": "missing",
        "count": missed.last - missed.first + 1,
        "newest_ns": missed.since_ns,
        "sentence": missed.sentence(),
        "first": missed.first,
        "last": missed.last,
    }


def confirmed_size(newest: tuple[int, tuple[int, bytes] | None] | None) -> int | None:
    """Log entries that a stream's newest object names: so much is confirmed at the plant.

    Args:
        newest: its seq and what it names; None while none was looked at since the start.

    Returns:
        0 where it names none, as at a one-way site to which no receipt was carried; None for None.
    """
    if newest is None:
        return None
    _, anchor = newest
    return 0 if anchor is None else anchor[0]
