"""A device made from its profile alone: every profile there is, within its unit and type."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from evidence.points import Role
from firmware_configs.model import BIT_TABLES, Profile
from firmware_configs.profile import list_profiles, load_profile
from simulators.encode import raw_number
from simulators.plausible import band_of, limits_of, state_of
from simulators.played import TruthLine
from simulators.profile_plant import DEVICE, ProfilePlant
from simulators.served import Readings, ServeError

AC = load_profile("stackproof/ac-meter")
RATIOS = {"ct_ratio": "800/5", "vt_ratio": "10000/100"}
SERVED = [
    n for n in list_profiles() if load_profile(n).protocol in {"modbus", "opcua", "dlt645", "hj212"}
]


def plant(
    profile: Profile = AC,
    *,
    seed: int = 1,
    fixed: Mapping[str, str] | None = None,
    ratios: Mapping[str, str] | None = None,
) -> ProfilePlant:
    return ProfilePlant(
        profile, ratios=ratios or {}, seed=seed, fixed=fixed or {}, each=2, record=lambda _: None
    )


def shown(of: ProfilePlant, steps: int) -> list[Readings]:
    found = [of.readings()[DEVICE]]
    for _ in range(steps):
        of.step()
        found.append(of.readings()[DEVICE])
    return found


@pytest.mark.parametrize("ratios", [{}, RATIOS])
@pytest.mark.parametrize("name", SERVED)
def test_every_profile_has_something_to_show(name: str, ratios: dict[str, str]) -> None:
    """What is shown can be encoded, is in the row's range, and moves where it should."""
    profile = load_profile(name)
    series = shown(plant(profile, ratios=ratios), 250)
    rows = {r.name.format(n=n): r for r in profile.registers for n in (1, 2)}
    assert set(series[0]) == set(rows)
    for row, register in rows.items():
        values = [float(reading[row]) for reading in series]
        low, high = limits_of(profile, register, ratios)
        assert low <= min(values)
        assert max(values) <= high
        if register.table not in BIT_TABLES:
            raw_number(profile, register, values[-1], ratios)
        if register.role is Role.TOTALISER:
            assert values == sorted(values)
            assert values[0] < values[-1]
        elif register.role is Role.GAUGE and register.quantity.kind != "count":
            assert len(set(values)) > 200
        else:
            assert len(set(values)) == 1


def test_same_seed_same_values_and_another_seed_others() -> None:
    assert shown(plant(seed=7), 50) == shown(plant(seed=7), 50)
    assert shown(plant(seed=7), 50) != shown(plant(seed=8), 50)


def test_a_meter_behind_transformers_is_shown_what_they_give() -> None:
    """58 V and 4.5 A behind 100:1 and 160:1 are 5.8 kV and 720 A; its range allows 12 kV."""
    assert band_of(AC, AC.register("voltage_l1"), RATIOS) == pytest.approx((5700, 5850))
    assert band_of(AC, AC.register("current_l1"), RATIOS) == pytest.approx((240, 720))


def test_what_is_set_stays() -> None:
    series = shown(plant(fixed={"power": "86.4"}), 30)
    assert {reading["power"] for reading in series} == {Decimal("86.4")}


@pytest.mark.parametrize(
    ("fixed", "sentence"),
    [
        ({"powr": "1"}, "stackproof/ac-meter has no register 'powr': current_l1 current_l2"),
        ({"power": "much"}, "power: 'much' is no number"),
    ],
)
def test_what_cannot_be_set(fixed: dict[str, str], sentence: str) -> None:
    with pytest.raises(ServeError, match=sentence):
        plant(fixed=fixed)


def test_states_in_which_nothing_is_wrong() -> None:
    """Of a gateway's pot the first that is not "unknown"."""
    gateway = load_profile("stackproof/pot-gateway")
    assert state_of(gateway.register("pot-{n:02}.state")) == 1


def test_its_truth() -> None:
    lines: list[TruthLine] = []
    of = ProfilePlant(AC, ratios={}, seed=3, fixed={}, each=1, record=lines.append)
    of.step()
    of.finish()
    assert lines == [
        {"type": "device", "profile": "stackproof/ac-meter", "revision": AC.revision, "seed": 3,
         "step_s": "0.1"},
        {"type": "end", "t_s": "0.1"},
    ]  # fmt: skip
