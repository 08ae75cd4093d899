"""What is played: the figures of one plant, read from `scenarios/<name>.toml`.

Types and loader; no physics. Every figure has limits, every error names file, key and reason,
and unknown keys are errors.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from evidence.points import exact
from firmware_configs.fields import Fields, Problem
from firmware_configs.toml import NotTomlError, parse_toml
from simulators.faults import Fault, FaultError, fault_of

#: Where the scenarios that come with the product are.
FOLDER = Path(__file__).parent / "scenarios"

FORMAT = 1
POTS_LIMITS = (3, 2000)


class ScenarioError(Exception):
    """A scenario that cannot be played; `errors` has every (file, key, reason)."""

    def __init__(self, errors: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in errors))
        self.errors = tuple(errors)


def figure(low: float, high: float) -> Any:  # noqa: ANN401 - dataclasses.field is typed so
    """A figure of a scenario within these limits."""
    return field(metadata={"limits": (low, high)})


@dataclass(frozen=True)
class LineFigures:
    """The line's current and the voltage of a pot that works well.

    Attributes:
        current_ka: set point.
        variation: largest slow deviation from the set point, fraction.
        variation_period_s: seconds between two turning points of that deviation.
        effect_dip: fraction of the current one running anode effect takes.
        effect_dip_most: fraction all running effects take together at most.
        current_efficiency: metal made over metal by Faraday's law.
        pot_v: voltage at set point and best alumina.
        reversal_v: part of it that does not follow the current (about 1.65 V).
        noise_least_mv: rms noise of the quietest pot.
        noise_most_mv: rms noise of the noisiest pot.
        busbar_v: voltage lost between two pots.
    """

    current_ka: float = figure(10, 800)
    variation: float = figure(0, 0.1)
    variation_period_s: float = figure(1, 86400)
    effect_dip: float = figure(0, 0.05)
    effect_dip_most: float = figure(0, 0.2)
    current_efficiency: float = figure(0.8, 0.97)
    pot_v: float = figure(3.5, 5)
    reversal_v: float = figure(1.2, 2)
    noise_least_mv: float = figure(0, 100)
    noise_most_mv: float = figure(0, 100)
    busbar_v: float = figure(0, 1)


@dataclass(frozen=True)
class AluminaFigures:
    """Alumina in the bath, and what its lack does.

    Attributes:
        bath_kg: bath of one pot; a small bath is what makes the demo scenario quick.
        set_percent: what the feeder holds, mass percent of the bath.
        critical_percent: below it the anode effect starts.
        best_percent: where the bath's resistance is least.
        away_v: volts a squared percent away from best.
    """

    bath_kg: float = figure(1, 50000)
    set_percent: float = figure(1, 8)
    critical_percent: float = figure(0.5, 4)
    best_percent: float = figure(1, 8)
    away_v: float = figure(0, 0.2)


@dataclass(frozen=True)
class BlockageFigures:
    """How often a feeder hole blocks, which is what starves a pot into an effect.

    Attributes:
        per_pot_day: random blockages of a producing pot a day; 0 for a rhythm instead.
        gap_least_s: rhythm, least time between two blockages in the line.
        gap_most_s: rhythm, most time between two blockages in the line.
        rest_s: a pot is left alone this long after its last effect.
    """

    per_pot_day: float = figure(0, 50)
    gap_least_s: float = figure(0.1, 86400)
    gap_most_s: float = figure(0.1, 86400)
    rest_s: float = figure(0, 86400)


@dataclass(frozen=True)
class EffectFigures:
    """An anode effect from its start to its quench.

    Attributes:
        plateau_least_v: least mean voltage of an effect.
        plateau_most_v: greatest mean voltage of an effect.
        flicker_v: largest deviation from the mean within a step.
        answer_s: the controller starts to quench this long after the start.
        quench_feed: quench feed over the line's alumina consumption at set point.
        quench_spread: fraction by which quench feeds differ.
        quenched_percent: alumina at which the effect ends.
        after_v: extra voltage right after the end.
        after_s: time in which that falls to a third.
    """

    plateau_least_v: float = figure(15, 50)
    plateau_most_v: float = figure(15, 50)
    flicker_v: float = figure(0, 10)
    answer_s: float = figure(0, 600)
    quench_feed: float = figure(1.2, 50)
    quench_spread: float = figure(0, 0.5)
    quenched_percent: float = figure(0.6, 8)
    after_v: float = figure(0, 1)
    after_s: float = figure(0.1, 600)


@dataclass(frozen=True)
class TapFigures:
    """Tapping of metal.

    Attributes:
        period_s: every producing pot is tapped once in this time.
        duration_s: how long the siphon stands in a pot.
        dip_v: the pot's voltage is lower by this meanwhile.
        start_kg: what the plant's tapping counter shows at the start.
    """

    period_s: float = figure(1, 864000)
    duration_s: float = figure(0.1, 7200)
    dip_v: float = figure(0, 1)
    start_kg: float = figure(0, 4e9)


@dataclass(frozen=True)
class StartUpFigures:
    """The pot that is being started up.

    Attributes:
        least_v: least voltage while hot.
        most_v: greatest voltage while hot.
        period_s: seconds between two turning points of that voltage.
        hot_s: how long it stays there.
        settle_s: after that, how long at `settled_v` until the pot counts as producing.
        settled_v: voltage while settling.
    """

    least_v: float = figure(6, 40)
    most_v: float = figure(6, 40)
    period_s: float = figure(1, 86400)
    hot_s: float = figure(0, 1e7)
    settle_s: float = figure(0, 1e6)
    settled_v: float = figure(4, 7)


@dataclass(frozen=True)
class ElectricityFigures:
    """The auxiliary substation behind the AC meter (not the rectifiers).

    Attributes:
        power_least_kw: least active power.
        power_most_kw: greatest active power.
        period_s: seconds between two turning points.
        voltage_v: phase to neutral, primary.
        power_factor: of all three phases.
        start_kwh: energy counter at the start, primary.
    """

    power_least_kw: float = figure(0, 1e6)
    power_most_kw: float = figure(0, 1e6)
    period_s: float = figure(1, 86400)
    voltage_v: float = figure(100, 500000)
    power_factor: float = figure(0.1, 1)
    start_kwh: float = figure(0, 1e12)


@dataclass(frozen=True)
class GasFigures:
    """Natural gas to the anode bake and cast-house burners; dry, 0 degC, 101.325 kPa.

    Attributes:
        flow_least_nm3_h: least flow.
        flow_most_nm3_h: greatest flow.
        period_s: seconds between two turning points.
        start_nm3: volume counter at the start.
    """

    flow_least_nm3_h: float = figure(0, 20000)
    flow_most_nm3_h: float = figure(0, 20000)
    period_s: float = figure(1, 86400)
    start_nm3: float = figure(0, 1e12)


@dataclass(frozen=True)
class Device:
    """One device the plant is read through.

    Attributes:
        id: as in the plant's readings, also the site file's device id.
        profile: "vendor/model".
        ratios: installation ratios by name (ct_ratio, vt_ratio) as the site file must give them.
        settings: what the device says of itself, by the profile's names.
    """

    id: str
    profile: str
    ratios: Mapping[str, str]
    settings: Mapping[str, str]


@dataclass(frozen=True)
class Scenario:
    """Everything that is played; with a seed it determines every figure of every step.

    Attributes:
        name: file name without ".toml".
        description: one line.
        seed: default seed.
        pots: default number of pots.
        step_s: length of a physical step.
        publish_steps: servers show every so manyeth step.
        totals_s: cadence of the totals lines of the truth.
        faults: what befalls its devices.
    """

    name: str
    description: str
    seed: int
    pots: int
    step_s: Decimal
    publish_steps: int
    totals_s: Decimal
    line: LineFigures
    alumina: AluminaFigures
    blockage: BlockageFigures
    effect: EffectFigures
    tap: TapFigures
    start_up: StartUpFigures
    electricity: ElectricityFigures
    gas: GasFigures
    devices: tuple[Device, ...]
    faults: tuple[Fault, ...] = ()


def list_scenarios(*, folder: Path | None = None) -> list[str]:
    """Names of all scenario files, sorted."""
    return sorted(path.stem for path in (folder or FOLDER).glob("*.toml"))


def load_scenario(name: str, *, folder: Path | None = None) -> Scenario:
    """Read and check a smelter's scenario.

    Raises:
        ScenarioError: with all that is wrong, or naming the known scenarios.
    """
    return read_scenario(name, smelter_scenario, folder=folder)


_S = TypeVar("_S")


def read_scenario(
    name: str, read: Callable[[str, Fields], _S], *, folder: Path | None = None
) -> _S:
    """Read and check a scenario with the reader of its kind of plant; errors as `load_scenario`."""
    root = folder or FOLDER
    if name not in list_scenarios(folder=root):
        known = ", ".join(list_scenarios(folder=root)) or "none"
        raise ScenarioError([Problem(name, "", f"there is no such scenario; known: {known}")])
    path = root / f"{name}.toml"
    try:
        document = parse_toml(path.read_bytes())
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
        raise ScenarioError([Problem(str(path), "", reason)]) from error
    except NotTomlError as error:
        raise ScenarioError([Problem(str(path), "", f"is not TOML: {error}")]) from None
    problems: list[Problem] = []
    scenario = read(name, Fields(document, file=str(path), prefix="", problems=problems))
    if problems:
        raise ScenarioError(problems)
    return scenario


def smelter_scenario(name: str, fields: Fields) -> Scenario:
    """A smelter's scenario; what is wrong is among the problems of `fields`."""
    scenario = Scenario(
        **common_of(name, "smelter", fields),
        pots=fields.integer("pots", *POTS_LIMITS),
        line=figures_of(fields, "line", LineFigures),
        alumina=figures_of(fields, "alumina", AluminaFigures),
        blockage=figures_of(fields, "blockage", BlockageFigures),
        effect=figures_of(fields, "effect", EffectFigures),
        tap=figures_of(fields, "tap", TapFigures),
        start_up=figures_of(fields, "start_up", StartUpFigures),
        electricity=figures_of(fields, "electricity", ElectricityFigures),
        gas=figures_of(fields, "gas", GasFigures),
    )
    fields.finish()
    return scenario


def common_of(name: str, plant: str, fields: Fields) -> dict[str, Any]:
    """The fields that every plant's scenario has, by name."""
    fields.integer("format", FORMAT, FORMAT)
    fields.choice("plant", [plant])
    return {
        "name": name,
        "description": fields.text("description"),
        "seed": fields.integer("seed", 0, 2**63 - 1),
        "step_s": seconds_of(fields, "step_s"),
        "publish_steps": fields.integer("publish_steps", 1, 100),
        "totals_s": seconds_of(fields, "totals_s"),
        "devices": tuple(device_of(row) for row in fields.children("device")),
        "faults": tuple(faults_of(fields)),
    }


def seconds_of(fields: Fields, key: str) -> Decimal:
    """Seconds above zero, as decimal text."""
    text = fields.text(key, why="seconds as decimal text")
    value = fields.decimal(key, default="1") if text else "1"
    if exact(value) <= 0:
        fields.complain(key, f"{value} must be greater than zero")
        return Decimal(1)
    return Decimal(value)


_T = TypeVar("_T")


def figures_of(fields: Fields, key: str, kind: type[_T]) -> _T:
    """A table of figures, each within its limits."""
    table = fields.child(key)
    values: dict[str, float] = {}
    for item in dataclasses.fields(kind):  # type: ignore[arg-type]  # kind is always a dataclass
        low, high = item.metadata["limits"]
        values[item.name] = table.number(item.name, low, high)
    for name, low_value in values.items():
        high_name = name.replace("_least_", "_most_")
        if high_name != name and low_value > values[high_name]:
            table.complain(name, f"{low_value} is more than {high_name} {values[high_name]}")
    table.finish()
    return kind(**values)


def device_of(fields: Fields) -> Device:
    """A `[[device]]`."""
    ratios = {key: fields.text(key) for key in ("ct_ratio", "vt_ratio") if fields.has(key)}
    for key, ratio in ratios.items():
        try:
            positive = exact(ratio) > 0
        except ValueError as error:
            fields.complain(key, str(error))
        else:
            if not positive:
                fields.complain(key, f"{ratio} must be greater than zero")
    said = fields.child("settings") if fields.has("settings") else None
    named = fields.raw("settings")
    settings = {name: said.text(name) for name in named} if said and isinstance(named, dict) else {}
    device = Device(fields.text("id"), fields.text("profile"), ratios, settings)
    fields.finish()
    return device


def faults_of(fields: Fields) -> list[Fault]:
    """The `[[fault]]` tables: keys as on the command line, all of them texts."""
    found = []
    for row in fields.children("fault") if fields.has("fault") else ():
        told = {key: row.text(key) for key in ("at", "for", "kind", "on", "by") if row.has(key)}
        try:
            if all(isinstance(row.raw(key), str) for key in told):
                found.append(fault_of(told))
        except FaultError as error:
            row.complain("", str(error))
        row.finish()
    return found
