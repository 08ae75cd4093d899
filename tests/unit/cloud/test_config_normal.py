"""[[plant.normal]] of CLOUD.toml: who says what is normal, since when, and every mistake in it."""

from pathlib import Path

from tests.unit.cloud.evidence_examples import make_plant
from tests.unit.cloud.test_cloud_config import GOOD, load, problems

NORMAL = """[[plant.normal]]
figure = "plant.co2e_t_h"
low_t_h = "118"
high_t_h = "131.5"
by = "Wang Li"
on = 2026-11-02
source = "steady days"
"""


def test_a_plant_says_what_is_normal_who_said_so_and_when(tmp_path: Path) -> None:
    make_plant(tmp_path)
    (band,) = load(tmp_path, GOOD + NORMAL).normal["mini"]
    assert band.as_map() == {
        "figure": "plant.co2e_t_h", "low_t_h": "118", "high_t_h": "131.5", "by": "Wang Li",
        "on": "2026-11-02", "source": "steady days",
    }  # fmt: skip
    assert load(tmp_path, GOOD).normal == {"mini": ()}
    for old, new, key, said in (
        ('"118"', '"140"', "high_t_h", "above low_t_h"),
        ("2026-11-02", '"soon"', "on", "on = 2026-11-02"),
        ("plant.co2e_t_h", "plant.power", "figure", "one of"),
        ('by = "Wang Li"\n', "", "by", "who stated it"),
    ):
        found = problems(tmp_path, GOOD + NORMAL.replace(old, new))
        assert any(k.endswith(key) and said in why for k, why in found.items()), found
    twice = problems(tmp_path, GOOD + NORMAL + NORMAL)
    assert any("twice" in why for why in twice.values())
