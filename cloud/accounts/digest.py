"""What a plant's evidence log is told of the security log, and how the two are compared. Pure.

A plant is told of the accounts that are for it: how often what happened, and number and hash of the
security log's newest row. The hash is over every row before, so nobody who owns the disk can write
the security log anew without contradicting logs that gateways and witnesses know too.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cloud.accounts.roles import Profile
from cloud.accounts.rows import DAY_NS
from cloud.accounts.security_log import KEPT_NS, KEPT_ROWS, Event, LogRow, broken_at, chained
from cloud.clock import instant

#: what changes who may be trusted with what
TRUST = frozenset(
    {"invited", "link-renewed", "link-used", "role-changed", "ended"}
    | {"broker-key-approved", "broker-key-revoked"}
)
#: about no account, but a gateway of the plant that `detail` begins with
GATEWAYS = frozenset({"broker-key-approved", "broker-certificate-renewed", "broker-key-revoked"})
#: of these so many a day are told at once; further ones together, an hour apart
AT_ONCE, HOUR_NS = 24, DAY_NS // 24


@dataclass
class Tally:
    """What happened to the accounts of a plant.

    Attributes:
        events: what -> how often.
        from_ns, to_ns: instants of the rows, to exclusive, by the clock of accounts.
    """

    events: Counter[str] = field(default_factory=Counter)
    from_ns: int = 0
    to_ns: int = 0

    def add(self, row: LogRow) -> None:
        """One more row."""
        self.from_ns = min(self.from_ns, row.at_ns) if self.events else row.at_ns
        self.to_ns = max(self.to_ns, row.at_ns + 1)
        self.events[row.event] += 1

    def merge(self, other: "Tally") -> None:
        """Those of another as well."""
        self.from_ns = min(self.from_ns, other.from_ns) if self.events else other.from_ns
        self.to_ns = max(self.to_ns, other.to_ns)
        self.events.update(other.events)

    def body(self, newest: LogRow) -> dict[str, Any]:
        """Of the document that tells it.

        Args:
            newest: row of the security log; those counted are not behind it.
        """
        told = [{"what": name, "times": times} for name, times in sorted(self.events.items())]
        return {
            "number": newest.seq, "chain": bytes.fromhex(newest.hash), "events": told,
            "from_ns": self.from_ns, "to_ns": self.to_ns,
        }  # fmt: skip


@dataclass(frozen=True)
class Anchor:
    """What a document in a plant's log says of the security log.

    Attributes:
        plant: whose log.
        index: of its entry.
        received_ns: of it, by the collector's clock.
        number, chain: of the row that was the newest; the hash in hex.
        to_ns: instants of the rows counted lie before it, by the clock of accounts.
    """

    plant: str
    index: int
    received_ns: int
    number: int
    chain: str
    to_ns: int

    @classmethod
    def of(cls, plant: str, index: int, received_ns: int, body: Mapping[str, Any]) -> "Anchor":
        """The anchor in a document's body."""
        return cls(
            plant, index, received_ns, body["number"], body["chain"].hex(), body["to_ns"]
        )  # fmt: skip

    def __str__(self) -> str:
        """As sentences name it."""
        return f"entry {self.index} of plant {self.plant}'s log ({instant(self.received_ns)})"


def counted(
    rows: Iterable[LogRow],
    profile_of: Callable[[str], Profile | None],
    regions: Mapping[str, str],
    since: Mapping[str, int],
) -> dict[str, Tally]:
    """What happened to the accounts of each plant, and to its gateways' broker certificates.

    An account counts for the plants that it was for then; a new role for those before and after.

    Args:
        rows: of the security log, newest first, to its end.
        profile_of: account id -> what it is for after all of them, None where nobody has the id.
        regions: plant -> its GB/T 2260 code.
        since: plant -> number of the newest row that it was told of.
    """
    # thousands of plants are told of one administrator: rows are added up once for all plants that
    # see them, and apart between the rows up to which plants were told
    marks = sorted({0, *since.values()})
    piles, profiles = dict[tuple[frozenset[str], int], Tally](), dict[str, Profile | None]()

    @cache
    def plants_of(profile: Profile | None) -> frozenset[str]:
        return frozenset(p for p, r in regions.items() if profile and profile.sees(p, r))

    for row in rows:
        if row.account not in profiles:
            profiles[row.account] = profile_of(row.account)
        plants = plants_of(profiles[row.account])
        if row.event in GATEWAYS:
            plants = frozenset(regions.keys() & {row.detail.partition("/")[0]})
        if row.event == "role-changed":
            before = Profile.of_told(row.detail.partition(" -> ")[0])
            profiles[row.account] = before
            plants |= plants_of(before)
        if plants:
            piles.setdefault((plants, bisect_left(marks, row.seq)), Tally()).add(row)
    tallies = dict[str, Tally]()
    for (plants, place), pile in piles.items():
        for plant in plants:
            if place > bisect_left(marks, since.get(plant, 0)):
                tallies.setdefault(plant, Tally()).merge(pile)
    return tallies


def is_due(tally: Tally, told_ns: Sequence[int], now_ns: int) -> bool:
    """Is a plant told now?

    Args:
        tally: what there is to tell: something.
        told_ns: when it was told before, oldest first.
        now_ns: by the same clock, which may have been set since.
    """
    today = [at_ns for at_ns in told_ns if abs(now_ns - at_ns) < DAY_NS]
    if not today:
        return True
    if TRUST.isdisjoint(tally.events):
        return False
    return len(today) < AT_ONCE or abs(now_ns - today[-1]) >= HOUR_NS


def agrees(anchor: Anchor, row: LogRow | None) -> bool:
    """Does the security log still say what an anchor says? True where it has forgotten the row.

    Args:
        anchor: it.
        row: the oldest row that is kept from the anchor's number on, None where there is none.
    """
    return row is not None and (row.seq > anchor.number or row.hash == anchor.chain)


@dataclass(frozen=True)
class Comparison:
    """The security log beside what the evidence logs say of it.

    Attributes:
        finding: what does not agree, one sentence; "" when all does.
        newest: number of the newest row.
        compared: anchors whose row is kept, and is the same.
    """

    finding: str
    newest: int
    compared: int


def compared(rows: Iterable[LogRow], anchors: Collection[Anchor], now_ns: int) -> Comparison:
    """Compare the two; ends at the first thing that does not agree.

    Args:
        rows: every row that is kept, oldest first.
        anchors: of all plants; read before the rows.
        now_ns: by the clock of accounts.
    """
    at = dict[int, list[Anchor]]()
    for anchor in anchors:
        at.setdefault(anchor.number, []).append(anchor)
    oldest, before, same = 0, None, 0
    for row in rows:
        if before is None:
            oldest = row.seq
        finding = _amiss(row, before, at)
        if finding:
            return Comparison(finding, row.seq, same)
        same += len(at.get(row.seq, ()))
        before = row
    newest = before.seq if before else 0
    for number in sorted(at, reverse=True):
        finding = _missing(at[number][0], oldest, newest, now_ns)
        if finding:
            return Comparison(finding, newest, same)
    return Comparison("", newest, same)


def _amiss(row: LogRow, before: LogRow | None, at: Mapping[int, Sequence[Anchor]]) -> str:
    """What is wrong with a row: it does not follow the one before, or was another one once."""
    if before is not None:
        if broken_at((before, row)):
            return f"row {row.seq} does not follow row {before.seq}: one of the two was changed"
    elif not _is_itself(row, at):
        return f"row {row.seq}, the first, was changed"
    for anchor in at.get(row.seq, ()):
        if not agrees(anchor, row):
            return (
                f"row {row.seq} of the security log is not the one that {anchor} names: "
                "the security log was edited, or replaced by another or an older copy"
            )
    return ""


def _is_itself(row: LogRow, at: Mapping[int, Sequence[Anchor]]) -> bool:
    """Does the first row have its own hash? True where nobody knows what it followed."""
    known = at.get(row.seq - 1)
    if row.seq > 1 and not known:
        return True
    event = Event(row.event, row.account, row.by, row.address, row.detail)
    return row == chained(known[0].chain if known else "", row.seq, row.at_ns, event)


def _missing(anchor: Anchor, oldest: int, newest: int, now_ns: int) -> str:
    """Why an anchor's row should be there and is not, "" where it is, or was kept long enough."""
    if anchor.number > newest:
        return (
            f"the security log ends with row {newest}, and {anchor} names row {anchor.number}: its "
            "end was cut off, or it was replaced by another or an older copy"
        )
    is_old = anchor.number <= newest - KEPT_ROWS and anchor.to_ns <= now_ns - KEPT_NS
    if anchor.number < oldest and not is_old:
        return (
            f"the security log begins with row {oldest}, and {anchor} names row {anchor.number}: "
            f"rows were taken away before their {KEPT_NS // DAY_NS} days were over"
        )
    return ""
