"""One influxd for all tests of this folder; each finds it empty."""

from collections.abc import Iterator

import pytest

from tests.influx_servers import Engine, Fake, Front, Real, influxd, serving

#: of an engine: what stands for InfluxDB 2, and a 1.x
INFLUX = ["fake", pytest.param("influxd", marks=pytest.mark.needs("influxd"))]


@pytest.fixture(scope="session")
def running_influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    with influxd(tmp_path_factory.mktemp("influx") / "d") as real:
        yield real


def engine_of(request: pytest.FixtureRequest, kind: str) -> Engine:
    """One of `INFLUX`, empty."""
    if kind == "fake":
        return Fake()
    real: Real = request.getfixturevalue("running_influxd")
    assert real.empty() == 200
    return real


@pytest.fixture(params=INFLUX)
def engine(request: pytest.FixtureRequest) -> Engine:
    return engine_of(request, request.param)


@pytest.fixture
def influx(engine: Engine) -> Iterator[Front]:
    """A server before each engine."""
    with serving(engine) as front:
        yield front
