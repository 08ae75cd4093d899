"""Whether what this gateway signs comes back under the collector's receipt. I/O: reads the spool.

No object is made for it: the running agent's next one is watched. It is signed after somebody
asked, and its receipt was seen here, so the collector's stamp on it lies between two readings of
this machine's clock: that is all that is known here of the collector's clock, and it is exact.
"""

import threading
from dataclasses import dataclass
from typing import Any

from edge.clock import Clock
from edge.errors import EdgeError
from edge.identity import Problems, open_collector, open_gateway_certificate
from edge.site.config import Site
from edge.spool_reader import SpoolReader
from edge.status import status_of
from edge.trouble import SET_BACK, UNANSWERED

PATIENCE_S = 30.0  # frames close after 10 s at the latest, receipts come within one
AGAIN_S = 0.2
NS = 1_000_000_000


@dataclass(frozen=True)
class Delivery:
    """How the stream stood at one look.

    Attributes:
        is_running: an agent works on the spool.
        mode: "mqtt" or how else what is signed leaves.
        signed_seq: newest object of the spool; -1 before the first.
        receipted_seq: newest one under the collector's receipt; -1 before the first.
        log_size: entries of the collector's log at that receipt; 0 before the first.
        received_ns: the collector's stamp on it, UTC nanoseconds; None before the first.
        before_ns, after_ns: this machine's clock around the look.
        unanswered: the alarm that no receipt comes; "" while none stands.
        trouble: why nothing is known; "" when something is.
    """

    is_running: bool
    mode: str
    signed_seq: int
    receipted_seq: int
    log_size: int
    received_ns: int | None
    before_ns: int
    after_ns: int
    unanswered: str = ""
    trouble: str = ""

    @property
    def age_s(self) -> float | None:
        """Since the newest receipted object was taken, by two clocks; None before the first."""
        return None if self.received_ns is None else (self.after_ns - self.received_ns) / NS


@dataclass(frozen=True)
class RoundTrip:
    """An object that was signed after somebody asked, until its receipt was seen here.

    Attributes:
        began: the look when somebody asked.
        unsigned: the last look before it was signed.
        seen: the last look.
    """

    began: Delivery
    unsigned: Delivery
    seen: Delivery

    @classmethod
    def of(cls, now: Delivery) -> "RoundTrip":
        """One that has just begun."""
        return cls(now, now, now)

    def after(self, now: Delivery) -> "RoundTrip":
        """The same with one look more."""
        is_signed = now.signed_seq > self.began.signed_seq
        return RoundTrip(self.began, self.unsigned if is_signed else now, now)

    @property
    def is_done(self) -> bool:
        """What was signed after `began` is under receipt."""
        return not self.seen.trouble and self.seen.receipted_seq > self.began.signed_seq

    @property
    def waited_s(self) -> float:
        """From asking to the last look, this machine's clock."""
        return (self.seen.after_ns - self.began.before_ns) / NS

    @property
    def took_s(self) -> float:
        """From signature to receipt at most, this machine's clock."""
        return (self.seen.after_ns - self.unsigned.before_ns) / NS

    @property
    def collector_ahead_s(self) -> tuple[float, float] | None:
        """By how much the collector's clock is ahead of this one: at least, at most."""
        stamp = self.seen.received_ns
        if not self.is_done or stamp is None:
            return None
        return (stamp - self.seen.after_ns) / NS, (stamp - self.unsigned.before_ns) / NS

    def as_map(self) -> dict[str, Any]:
        """For programs."""
        seen, ahead = self.seen, self.collector_ahead_s
        return {
            "done": self.is_done,
            "running": seen.is_running,
            "mode": seen.mode,
            "began_ns": self.began.before_ns,
            "took_s_max": f"{self.took_s:.3f}" if self.is_done else None,
            "seen_ns": seen.after_ns,
            "signed_seq_before": self.began.signed_seq,
            "receipted_seq": seen.receipted_seq,
            "received_ns": seen.received_ns,
            "log_size": seen.log_size,
            "collector_ahead_s": None if ahead is None else [f"{s:.3f}" for s in ahead],
            "trouble": seen.trouble or None,
        }


def look_at_delivery(site: Site, clock: Clock) -> Delivery:
    """How the stream stands now; what keeps it from being known is told, not raised."""
    before_ns = clock.wall_ns()
    problems = Problems(site.path)
    certificate = open_gateway_certificate(site, problems)
    collector = open_collector(site, problems)
    try:
        if certificate is None or collector is None or problems:
            return _unknown(site, before_ns, "; ".join(f"{p.key}: {p.reason}" for p in problems))
        spool = SpoolReader(site.gateway.spool)
        try:
            told = status_of(site, spool, clock, certificate=certificate, collector=collector)
        finally:
            spool.close()
    except EdgeError as error:
        return _unknown(site, before_ns, str(error))
    receipt = told["receipt"] or {}
    return Delivery(
        is_running=told["running"],
        mode=told["mode"],
        signed_seq=told["spool"]["head_seq"],
        receipted_seq=receipt.get("seq", -1),
        log_size=receipt.get("log_size", 0),
        received_ns=receipt.get("received_ns"),
        before_ns=before_ns,
        after_ns=clock.wall_ns(),
        unanswered=next(
            (a["sentence"] for a in told["alarms"] if a["name"] in (SET_BACK, UNANSWERED)), ""
        ),
        trouble=receipt.get("problem", ""),
    )


def _unknown(site: Site, before_ns: int, why: str) -> Delivery:
    mode = site.uplink.mode
    return Delivery(False, mode, -1, -1, 0, None, before_ns, before_ns, trouble=why)


def watch_next(
    site: Site, clock: Clock, end: threading.Event, patience_s: float = PATIENCE_S
) -> RoundTrip:
    """Wait for the receipt of what is signed from now on, up to `patience_s` or `end`."""
    began = look_at_delivery(site, clock)
    trip = RoundTrip.of(began)
    until_ns = clock.monotonic_ns() + int(patience_s * NS)
    while not (trip.is_done or began.trouble or not trip.seen.is_running):
        if clock.monotonic_ns() >= until_ns or end.wait(AGAIN_S):
            break
        trip = trip.after(look_at_delivery(site, clock))
    return trip
