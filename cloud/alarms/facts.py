"""What is known of a plant at an instant, as the conditions of alarms are asked of it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from cloud.accumulated.counters import CounterTold
from cloud.alarms.configured import Configured

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
#: of a normal distribution, a standard deviation is so many median absolute deviations
_MAD_SIGMA = 1.4826


@dataclass(frozen=True)
class Effect:
    """One anode effect, as the gateways' live messages told of it: an event, no evidence.

    Attributes:
        gateway, potline, pot: where.
        start_ns: UTC ns; with the three it is one effect.
        end_ns: None while it runs.
        is_lost: it ended while nobody told of it, so that its end is not known.
        polarised_ns: time above the threshold so far, ns.
        v_max: highest voltage, decimal text, V.
        cf4_kg: indicator mass by the slope method, decimal text, kg; None when not computed.
        unknown_ns: its gateway is silent since then: nobody knows whether it runs still.
    """

    gateway: str
    potline: str
    pot: str
    start_ns: int
    end_ns: int | None
    is_lost: bool
    polarised_ns: int
    v_max: str
    cf4_kg: str | None
    unknown_ns: int | None = None

    @property
    def key(self) -> tuple[str, str, str, int]:
        """Which effect it is, however it goes on."""
        return self.gateway, self.potline, self.pot, self.start_ns

    @property
    def is_running(self) -> bool:
        """True until its end is told, or lost, or its gateway falls silent."""
        return self.end_ns is None and not self.is_lost and self.unknown_ns is None


@dataclass(frozen=True)
class Heard:
    """A gateway's effects are known from one of its ticks to another, UTC ns."""

    from_ns: int
    tick_ns: int


@dataclass(frozen=True)
class Unheard:
    """A stretch of a gateway's ticks (UTC ns) whose live messages nobody heard.

    Its effects are not known until its log is read; `to_ns` is None while the silence goes on.
    """

    gateway: str
    from_ns: int
    to_ns: int | None


@dataclass(frozen=True)
class Band:
    """Between what an emission rate lies normally, t/h; `is_learned` from its own last days."""

    low: float
    high: float
    is_learned: bool


@dataclass(frozen=True)
class Level:
    """A plant's headline emission rate.

    Attributes:
        point: its id.
        mean: of the last ten minutes, in `unit`; None without a usable value in half of them.
        unit: of the point.
        band: what it is held against; None while it is learned.
    """

    point: str
    mean: float | None
    unit: str
    band: Band | None


@dataclass(frozen=True)
class Expiring:
    """A gateway's certificate that is in use, and when it ends, UTC ns."""

    gateway: str
    not_after_ns: int


@dataclass(frozen=True)
class PlantFacts:
    """All that conditions are asked of.

    Attributes:
        plant: id.
        now_ns: UTC ns.
        snapshot: of the live hub.
        effects: of the last two days, oldest first.
        ticks: gateway -> its newest tick, and the first one that this process heard of its present
            configuration, UTC ns; none of a gateway that it has not heard.
        known_from: gateway -> since which instant its effects are known without a break, UTC ns.
        level: None where the plant has no emission rate.
        certificates: of its gateways.
        months: rows of months, newest first.
        calibrations: certificates of meters that are due, as a month's checklist has them.
        broker_away_ns: since when the collector has had no broker; None while it has.
        broker_unkept_ns: since when the broker keeps nothing of what it takes; None while it does.
        broker_ends: name -> end of what broker and collector show each other, UTC ns.
        collector_ends_ns: end of the certificate by which the collector signs; None: not known.
        counters: totalisers of the months that are not closed, oldest month first.
        checks: (month, flag) of cross-checks that are outside, of the same months.
        configured: gateways whose configuration changed lately.
        is_broker_behind: brokers do not do what the register of their certificates says.
    """

    plant: str
    now_ns: int
    snapshot: Mapping[str, Any]
    effects: Sequence[Effect] = ()
    ticks: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    known_from: Mapping[str, int] = field(default_factory=dict)
    level: Level | None = None
    certificates: Sequence[Expiring] = ()
    months: Sequence[Mapping[str, Any]] = ()
    calibrations: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    broker_away_ns: int | None = None
    broker_unkept_ns: int | None = None
    broker_ends: Mapping[str, int] = field(default_factory=dict)
    collector_ends_ns: int | None = None
    is_broker_behind: bool = False
    counters: Sequence[CounterTold] = ()
    configured: Sequence[Configured] = ()
    checks: Sequence[tuple[str, str]] = ()

    @property
    def is_configured(self) -> bool:
        """A configuration of it is known: else nothing is but what the collector says itself."""
        return bool(self.snapshot["gateways"])


def effects_of(rows: Sequence[Mapping[str, Any]]) -> list[Effect]:
    """Effects as the live hub tells them."""
    return [
        Effect(
            row["gateway"], row["potline"], row["pot"], row["start_ns"], row["end_ns"],
            row["lost"], row["polarised_ns"], row["v_max"], row["cf4_kg"],
        )
        for row in rows
    ]  # fmt: skip


def lost_ones(
    kept: Sequence[Effect], told: Sequence[Effect], snapshot: Mapping[str, Any]
) -> list[Effect]:
    """Kept as running, and no more told of by a gateway that is heard: they ended unseen.

    A gateway tells an effect while it runs and ten minutes longer; the collector was away so long.
    """
    heard = {row["id"] for row in snapshot["gateways"] if row["received_ns"] is not None}
    known = {one.key for one in told}
    return [
        replace(one, is_lost=True)
        for one in kept
        if one.is_running and one.gateway in heard and one.key not in known
    ]


def learned_band(means: Sequence[float], spread_mads: float, least_percent: float) -> Band:
    """The band of ten-minute means: their median, and so many deviations on both sides.

    Args:
        means: at least one.
        spread_mads: half its width, in median absolute deviations as sigmas.
        least_percent: half its width is at least so much of the median.
    """
    middle = median(means)
    sigma = _MAD_SIGMA * median(abs(one - middle) for one in means)
    half = max(spread_mads * sigma, abs(middle) * least_percent / 100)
    return Band(middle - half, middle + half, is_learned=True)
