"""A device alone, made from nothing but its profile: something to practise on.

Gauges move slowly within what is ordinary for their unit, totalisers count up, states and
identities stand still; what is set by hand stays so. Pure: steps are counted, no I/O, no clock.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

import numpy as np

from evidence.points import Role
from firmware_configs.model import Profile, Register
from simulators.plausible import band_of, gain_of, limits_of, state_of
from simulators.played import TruthLine
from simulators.served import Readings, ServeError
from simulators.waves import SlowWave

#: The device's id, where a fault names it.
DEVICE = "device"

_STEP_S = Decimal("0.1")
_PERIOD_S = 20.0
#: nothing says that a number without a unit moves: serial numbers, firmware, constants
_STILL = ("count", "state")


class ProfilePlant:
    """One device; `step_s` 0.1 s, shown at each step."""

    def __init__(
        self,
        profile: Profile,
        *,
        ratios: Mapping[str, str],
        seed: int,
        fixed: Mapping[str, str],
        each: int,
        record: Callable[[TruthLine], None],
    ) -> None:
        """At step 0.

        Args:
            profile: any that has registers to be served.
            ratios: of the installation, by name; a missing one is 1.
            seed: of everything that moves.
            fixed: values by register name, primary units, that stay.
            each: how many "{n}" of a profile with such rows stands for.
            record: takes the truth.

        Raises:
            ServeError: a name of `fixed` that the profile has not, or no number.
        """
        self.step_s, self.publish_steps = _STEP_S, 1
        self.step_number = 0
        self._record = record
        self._show: dict[str, Callable[[], float | Decimal]] = {}
        self.shown: dict[str, str] = {}  # what each register shows, in words
        rows = [
            (register.name.format(n=n), register)
            for register in profile.registers
            for n in (range(1, each + 1) if "{n" in register.name else [0])
        ]
        known = {name for name, _ in rows}
        for name in fixed:
            if name not in known:
                listed = " ".join(sorted(known))
                raise ServeError(f"{profile.id} has no register {name!r}: {listed}")
        for (name, register), child in zip(
            rows, np.random.SeedSequence(seed).spawn(len(rows)), strict=True
        ):
            rng = np.random.default_rng(child)
            if name in fixed:
                self._fix(name, register, fixed[name])
            else:
                self._move(name, profile, register, ratios, rng)
        self._now = {name: show() for name, show in self._show.items()}
        record({"type": "device", "profile": profile.id, "revision": profile.revision,
                "seed": seed, "step_s": str(_STEP_S)})  # fmt: skip

    def step(self) -> None:
        """One step."""
        self.step_number += 1
        self._now = {name: show() for name, show in self._show.items()}

    def finish(self) -> None:
        """The last line of the truth."""
        self._record({"type": "end", "t_s": str(self.step_number * _STEP_S)})

    def readings(self) -> dict[str, Readings]:
        """What the device shows now."""
        return {DEVICE: self._now}

    def _fix(self, name: str, register: Register, text: str) -> None:
        try:
            value = Decimal(text)
        except ArithmeticError:
            raise ServeError(f"{name}: {text!r} is no number") from None
        self._show[name] = lambda: value
        self.shown[name] = f"{text} {register.quantity.unit}, set"

    def _move(
        self, name: str, profile: Profile, register: Register, ratios: Mapping[str, str],
        rng: np.random.Generator,
    ) -> None:  # fmt: skip
        unit = register.quantity.unit
        if register.role is Role.STATE or register.quantity.kind in _STILL:
            value = self._still(profile, register, ratios, rng)
            self._show[name] = lambda: value
            self.shown[name] = dict(register.states).get(int(value), str(value))
        elif register.role is Role.TOTALISER:
            gain = gain_of(profile, register, ratios)
            most = limits_of(profile, register, ratios)[1]
            start = float(rng.integers(1, 1000)) * gain
            counter = _Counter(start if start < most else 0.0, gain, rng)
            self._show[name] = counter.next
            self.shown[name] = f"from {counter.total:g} {unit}, about {gain:g} an hour"
        else:
            low, high = band_of(profile, register, ratios)
            steps = round(_PERIOD_S / float(_STEP_S))
            self._show[name] = SlowWave(rng, low=low, high=high, period_steps=steps).next
            self.shown[name] = f"{low:.6g} to {high:.6g} {unit}"

    def _still(
        self, profile: Profile, register: Register, ratios: Mapping[str, str],
        rng: np.random.Generator,
    ) -> int:  # fmt: skip
        if register.role is Role.STATE:
            return state_of(register)
        low, high = limits_of(profile, register, ratios)
        return int(rng.integers(max(1, int(low)), max(2, min(int(high), 99_999))))


class _Counter:
    """Counts up at a rate that moves by a tenth."""

    def __init__(self, total: float, gain: float, rng: np.random.Generator) -> None:
        self.total = total
        self._gain = gain * float(_STEP_S) / 3600.0
        steps = round(_PERIOD_S / float(_STEP_S))
        self._pace = SlowWave(rng, low=0.9, high=1.1, period_steps=steps)
        self._shown = False

    def next(self) -> float:
        if self._shown:
            self.total += self._gain * self._pace.next()
        self._shown = True
        return self.total
