"""The anode-effect state machine of one pot: every rule about what an effect is lives here.

States of a pot that is not quiet:

    candidate only ── start voltage held for t_start ──▶ running ── below v_end for t_end ──▶ hold
    hold ── new candidate before end + t_merge, confirmed ──▶ running again (same effect)
    hold ── end + t_merge reached, no candidate ──▶ final
    running ── gap > t_merge ──▶ final at the last sample ("gap")
    running ── pot leaves producing ──▶ final at that sample ("state-change")

A sample's voltage stands for the time until the next usable sample (left rectangle). Polarised
time counts the intervals whose earlier sample was at or above v_end; a dip inside an effect, and
the hold, do not count. The integral over target is that of the same intervals (mode "positive"), or
of all from the effect's start until end + t_merge, below target too (mode "algebraic").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from edge.calc.errors import PlantError
from evidence.points import exact

_SECOND_NS = 1_000_000_000
POSITIVE, ALGEBRAIC = "positive", "algebraic"
_KEYS = {"v_start_v", "t_start_s", "v_end_v", "t_end_s", "t_merge_s", "mode", "target_v"}


@dataclass(frozen=True)
class Rules:
    """The signed rules of one potline, as integers.

    Attributes:
        v_start, v_end, target: counts of the voltage points.
        t_start_ns, t_end_ns, t_merge_ns: times.
        hole_ns: consecutive samples further apart than this are flagged.
        is_algebraic: what is below target inside an effect is subtracted from its integral.
    """

    v_start: int
    v_end: int
    target: int
    t_start_ns: int
    t_end_ns: int
    t_merge_ns: int
    hole_ns: int
    is_algebraic: bool = False

    @classmethod
    def from_config(cls, fields: Mapping[str, str], decimals: int, interval_ns: int) -> "Rules":
        """The rules of a potline's "anode_effect" map.

        Args:
            fields: decimal strings.
            decimals: of the voltage points.
            interval_ns: nominal distance of the voltage samples.

        Raises:
            PlantError: a key is missing or unknown, a value is not exact, or the rules contradict
                each other.
        """
        if set(fields) != _KEYS:
            wrong = " ".join(sorted(set(fields) ^ _KEYS))
            raise PlantError(f"anode_effect: missing or unknown keys: {wrong}")
        if fields["mode"] not in {POSITIVE, ALGEBRAIC}:
            raise PlantError(
                f"anode_effect.mode: {fields['mode']!r}; known: {POSITIVE} {ALGEBRAIC}"
            )
        step = 10**decimals
        rules = cls(
            v_start=_whole(fields, "v_start_v", step),
            v_end=_whole(fields, "v_end_v", step),
            target=_whole(fields, "target_v", step),
            t_start_ns=_whole(fields, "t_start_s", _SECOND_NS),
            t_end_ns=_whole(fields, "t_end_s", _SECOND_NS),
            t_merge_ns=_whole(fields, "t_merge_s", _SECOND_NS),
            hole_ns=interval_ns * 3 // 2,
            is_algebraic=fields["mode"] == ALGEBRAIC,
        )
        if not 0 < rules.target < rules.v_end <= rules.v_start:
            raise PlantError("anode_effect: needs 0 < target_v < v_end_v <= v_start_v")
        if min(rules.t_start_ns, rules.t_end_ns) < 0 or 2 * rules.t_merge_ns < 3 * interval_ns:
            raise PlantError("anode_effect: times must not be negative, t_merge_s >= 1.5 samples")
        if rules.is_algebraic and rules.t_end_ns > rules.t_merge_ns:
            # the integral goes on to end + t_merge: not over before the end is certain
            raise PlantError("anode_effect: mode algebraic needs t_end_s <= t_merge_s")
        return rules


def _whole(fields: Mapping[str, str], key: str, step: int) -> int:
    value: Fraction = exact(fields[key]) * step
    if value.denominator != 1:
        raise PlantError(f"anode_effect.{key}: {fields[key]} is finer than 1/{step} of its unit")
    return value.numerator


@dataclass(frozen=True)
class Effect:
    """One anode effect.

    Attributes:
        pot: index in the potline.
        start_ns: first sample at or above the start voltage.
        end_ns: first sample of the final dip, or None while it runs.
        polarised_ns: time at or above the end voltage.
        integral: voltage over target × time, count·ns, over the same intervals or, by the rules,
            all of the effect's.
        v_max: highest voltage, counts.
        crossings: times the voltage rose (1 + merged re-crossings).
        flags: "gap", "hole", "state-change", "month-cut", "running".
    """

    pot: int
    start_ns: int
    end_ns: int | None
    polarised_ns: int
    integral: int
    v_max: int
    crossings: int
    flags: tuple[str, ...]

    def as_list(self) -> list[Any]:
        """The effect for a snapshot."""
        return [
            self.pot, self.start_ns, self.end_ns, self.polarised_ns, self.integral, self.v_max,
            self.crossings, list(self.flags),
        ]  # fmt: skip

    @classmethod
    def from_list(cls, fields: Sequence[Any]) -> "Effect":
        """The effect `as_list` was made of."""
        pot, start_ns, end_ns, polarised_ns, integral, v_max, crossings, flags = fields
        return cls(pot, start_ns, end_ns, polarised_ns, integral, v_max, crossings, tuple(flags))


class Step(NamedTuple):
    """What one sample changed."""

    polarised_ns: int = 0
    started: int = 0
    finished: Effect | None = None


@dataclass
class _Sums:
    """What is summed over a candidate or an effect."""

    start_ns: int
    v_max: int
    polarised_ns: int = 0
    integral: int = 0
    hole: bool = False

    def absorb(self, other: "_Sums") -> None:
        self.v_max = max(self.v_max, other.v_max)
        self.polarised_ns += other.polarised_ns
        self.integral += other.integral
        self.hole |= other.hole


_NOTHING = Step()


class PotState:
    """One pot from its first sample at the start voltage until it is quiet again.

    Attributes:
        rules: of its potline.
    """

    def __init__(self, rules: Rules, pot: int) -> None:
        self.rules = rules
        self._pot = pot
        self._last_ns: int | None = None
        self._last_v = 0
        self._candidate: _Sums | None = None
        self._effect: _Sums | None = None
        self._crossings = 0
        self._below_ns: int | None = None  # running: start of the dip the voltage is in
        self._end_ns: int | None = None  # hold: where the effect ended

    @property
    def running(self) -> bool:
        """An effect runs (it is confirmed and has not ended)."""
        return self._effect is not None and self._end_ns is None

    @property
    def quiet(self) -> bool:
        """Nothing to remember: no candidate, no effect."""
        return self._effect is None and self._candidate is None

    def step(self, t: int, volts: int, producing: bool) -> Step:
        """Take one usable sample."""
        result = _NOTHING
        if self._last_ns is not None:
            dt_ns = t - self._last_ns
            if not 0 < dt_ns <= self.rules.t_merge_ns:
                result = self._interrupt(self._last_ns, "gap")
            elif not self.quiet:
                result = self._elapse(dt_ns)
        if not producing:
            ended = self._interrupt(t, "state-change")
            result = Step(result.polarised_ns, 0, ended.finished or result.finished)
        elif self.running:
            result = self._step_running(t, volts, result)
        else:
            result = self._step_waiting(t, volts, result)
        self._last_ns, self._last_v = t, volts
        return result

    def _elapse(self, dt_ns: int) -> Step:
        """Give the interval that ends now to what was going on at its earlier sample."""
        over = (self._last_v - self.rules.target) * dt_ns
        if self.rules.is_algebraic and self._effect is not None and self._counts_in_hold():
            self._effect.integral += over
            over = 0  # whether a candidate is confirmed or not
        part = self._effect if self.running else self._candidate
        if part is None:
            return _NOTHING
        part.hole |= dt_ns > self.rules.hole_ns
        is_polarised = self._last_v >= self.rules.v_end
        if is_polarised or self.rules.is_algebraic:
            part.integral += over
        if not is_polarised:
            return _NOTHING
        part.polarised_ns += dt_ns
        return Step(dt_ns) if self.running else _NOTHING

    def _counts_in_hold(self) -> bool:
        """The earlier sample lies in the hold."""
        ended_ns, last_ns = self._end_ns, self._last_ns
        return (
            ended_ns is not None
            and last_ns is not None
            and last_ns < ended_ns + self.rules.t_merge_ns
        )

    def _interrupt(self, end_ns: int, flag: str) -> Step:
        """End a running effect here, drop a candidate, close a hold."""
        self._candidate = None
        if self._effect is None:
            return _NOTHING
        if self.running:
            self._end_ns = end_ns
            return Step(finished=self._finish(flag))
        return Step(finished=self._finish())

    def _step_running(self, t: int, volts: int, so_far: Step) -> Step:
        effect = self._effect
        assert effect is not None  # noqa: S101 - `running` says so
        effect.v_max = max(effect.v_max, volts)
        if volts >= self.rules.v_end:
            self._below_ns = None
            return so_far
        if self._below_ns is None:
            self._below_ns = t
        if t - self._below_ns < self.rules.t_end_ns:
            return so_far
        self._end_ns, self._below_ns = self._below_ns, None
        return Step(so_far.polarised_ns, 0, self._finish_if_over(t))

    def _step_waiting(self, t: int, volts: int, so_far: Step) -> Step:
        """Quiet, candidate, or hold."""
        finished = so_far.finished
        if volts < self.rules.v_start:
            self._candidate = None
            return Step(finished=finished or self._finish_if_over(t))
        if self._candidate is None:
            finished = finished or self._finish_if_over(t)
            self._candidate = _Sums(t, volts)
        self._candidate.v_max = max(self._candidate.v_max, volts)
        if t - self._candidate.start_ns < self.rules.t_start_ns:
            return Step(finished=finished)
        started, polarised_ns = self._confirm(self._candidate)
        return Step(polarised_ns, started, finished)

    def _confirm(self, candidate: _Sums) -> tuple[int, int]:
        """The candidate is an effect, or the same effect again. Returns (new effects, ns)."""
        self._candidate, self._end_ns = None, None
        self._crossings += 1
        if self._effect is not None:
            self._effect.absorb(candidate)
            return 0, candidate.polarised_ns
        self._effect = candidate
        return 1, candidate.polarised_ns

    def _finish_if_over(self, t: int) -> Effect | None:
        if self._end_ns is None or t < self._end_ns + self.rules.t_merge_ns:
            return None
        return self._finish()

    def _finish(self, *flags: str) -> Effect:
        effect = self._report(self._end_ns, *flags)
        self._effect, self._end_ns, self._below_ns, self._crossings = None, None, None, 0
        return effect

    def _report(self, end_ns: int | None, *flags: str) -> Effect:
        sums = self._effect
        assert sums is not None  # noqa: S101 - only called with an effect
        every = (*flags, "hole") if sums.hole else flags
        return Effect(
            self._pot, sums.start_ns, end_ns, sums.polarised_ns, sums.integral, sums.v_max,
            self._crossings, tuple(sorted(every)),
        )  # fmt: skip

    def as_it_stands(self, now_ns: int, cut: str | None = None) -> Effect | None:
        """The effect that is not final, if any; see `Detector.open_effects`."""
        if self._effect is None or self._last_ns is None:
            return None
        if not self.running:
            return self._report(self._end_ns)
        if cut is not None:
            return self._report(self._last_ns, cut)
        if now_ns - self._last_ns > self.rules.t_merge_ns:
            return self._report(self._last_ns, "gap")
        return self._report(None, "running")

    def snapshot(self) -> dict[str, Any]:
        """The state as integers and lists; None stands for nothing."""
        return {
            "pot": self._pot, "last": [self._last_ns, self._last_v],
            "candidate": _plain(self._candidate), "effect": _plain(self._effect),
            "crossings": self._crossings, "below": self._below_ns, "end": self._end_ns,
        }  # fmt: skip

    @classmethod
    def restored(cls, rules: Rules, fields: Mapping[str, Any]) -> "PotState":
        """The state a snapshot was taken of."""
        state = cls(rules, fields["pot"])
        state._last_ns, state._last_v = fields["last"]
        state._candidate, state._effect = _sums(fields["candidate"]), _sums(fields["effect"])
        state._crossings = fields["crossings"]
        state._below_ns, state._end_ns = fields["below"], fields["end"]
        return state


def _plain(sums: _Sums | None) -> list[int] | None:
    if sums is None:
        return None
    return [sums.start_ns, sums.v_max, sums.polarised_ns, sums.integral, int(sums.hole)]


def _sums(fields: list[int] | None) -> _Sums | None:
    if fields is None:
        return None
    start_ns, v_max, polarised_ns, integral, hole = fields
    return _Sums(start_ns, v_max, polarised_ns, integral, bool(hole))
