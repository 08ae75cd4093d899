"""Which point is meant, and what is said when none is called so."""

from pathlib import Path

import pytest

from edge.commissioning.target import TargetError, devices_of, point_of
from edge.site.config import Site
from tests.unit.edge.sites import METERS, site_of


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return site_of(tmp_path, METERS)


@pytest.mark.parametrize(
    ("name", "point"),
    [("ac-1", "power"), ("ac-1.power", None), ("ac-1", "ac-1.power")],
)
def test_the_same_point_by_all_its_names(site: Site, name: str, point: str | None) -> None:
    device, bound = point_of(site, name, point)
    assert (device.id, bound and bound.point.id) == ("ac-1", "ac-1.power")


def test_a_device_alone_means_all_its_points(site: Site) -> None:
    device, bound = point_of(site, "gas-1", None)
    assert (device.id, bound) == ("gas-1", None)


@pytest.mark.parametrize(
    ("name", "point", "sentence"),
    [
        ("ac-2", None, r"no device 'ac-2'; did you mean ac-1\?"),
        ("boiler", None, r"no device 'boiler'; there are ac-1 gas-1"),
        ("ac-1", "powr", r"device ac-1 has no point 'powr'; did you mean power"),
        ("ac-1.power", "power", r"write ac-1 power or ac-1\.power, not both"),
    ],
)
def test_a_name_that_is_none(site: Site, name: str, point: str | None, sentence: str) -> None:
    with pytest.raises(TargetError, match=sentence):
        point_of(site, name, point)


def test_devices_by_name_and_all_of_them(site: Site) -> None:
    assert [device.id for device in devices_of(site, ["gas-1"])] == ["gas-1"]
    assert [device.id for device in devices_of(site, [])] == ["ac-1", "gas-1"]
