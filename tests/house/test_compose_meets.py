"""The services of docker-compose.yml meet, as processes here (`tests.house.composed`)."""

import asyncio
import contextlib
import json
import os
import subprocess
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud.config import load_cloud
from edge.errors import UnmadeError
from edge.site.config import load_site
from edge.spool_reader import SpoolReader
from firmware_configs.profile import load_profile
from simulators.cli_serve import METER_PORT
from simulators.modbus_meter import ModbusMeter
from tests.house.composed import PLANTS, ROOT, SERVICES, Composed
from tests.influx_servers import BUCKET, TOKEN, Fake, Real, influxd, serving
from tests.integration.cloud.cloud_process import wait
from tests.ports import free_port


def receipted(path: Path) -> bool:
    """Whether the collector has an object of this spool, which the agent may be laying out."""
    if not path.is_file():
        return False
    try:
        spool = SpoolReader(path)
    except UnmadeError:
        return False
    try:
        return spool.receipted_seq() >= 0
    finally:
        spool.close()


@contextlib.contextmanager
def collecting(made: Composed) -> Iterator[None]:
    """Keys, broker and collector; then every gateway's certificate, once."""
    said = made.once("keys")
    assert all(f"gateway demo-{plant}/edge-1" in said for plant in PLANTS)
    keys = made.folder / "keys"
    assert {str(path.relative_to(keys)) for path in keys.rglob("*.pem")} == {
        "cloud/collector.pem", "smelter/edge-1.pem", "kiln/edge-1.pem",
    }, "no root's key is where a service runs, nor another's"  # fmt: skip
    config = load_cloud(made.folder / "config/cloud.toml")
    assert [plant.plant for plant in config.plants] == [f"demo-{plant}" for plant in PLANTS]
    with (made.folder / "broker/mosquitto.conf").open("a") as file:
        file.write("user root\n")  # as in every test: the runner may be root
    with made.running("broker"), made.running("cloud"):
        wait((made.folder / "evidence/state/ready.json").exists)
        said = made.once("enrol")
        assert all(f"demo-{plant}/edge-1: key " in said for plant in PLANTS)
        assert made.once("enrol") == "", "once"
        away = made.folder / "keys/kiln/broker.crt"
        given, ago = away.read_bytes(), time.time() - 21 * 86_400
        away.write_text("one that has ended")
        os.utime(away, (ago, ago))
        assert "demo-kiln/edge-1: key " in made.once("enrol"), "a stack that was away"
        assert away.read_bytes() == given, "asked again: the same, while that is good"
        assert "series: kept in influxdb" in made.log("cloud")
        yield


def minutes(made: Composed, plant: str, point: str) -> list[dict[str, Any]]:
    """What the collector answers of a point's minutes: it asks its store."""
    url = f"{made.page}/api/v1/plants/demo-{plant}/series?point={point}&step=60"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return list(json.load(answer)["series"])


@pytest.mark.needs("mosquitto")
def test_edges_and_the_collector_meet(tmp_path: Path) -> None:
    """Meters away; no minute is over yet, but the collector asks its store for what is there."""
    with serving(Fake()) as front:
        made = Composed(tmp_path, f"127.0.0.1:{front.server_port}")
        with collecting(made), contextlib.ExitStack() as agents:
            for plant in PLANTS:
                agents.enter_context(made.running(f"edge-{plant}"))
            for plant in PLANTS:
                site = load_site(tmp_path / f"config/edge-{plant}.toml")
                wait(lambda site=site: receipted(site.gateway.spool))
            assert minutes(made, "smelter", "ac-1.frequency") == []
            assert made.is_healthy("cloud")
            assert made.is_healthy("edge-smelter")
            agents.close()
            assert not made.is_healthy("edge-smelter")
    assert set(front.tokens) == {f"Token {TOKEN}"}


async def test_a_simulated_plant_is_healthy_only_while_its_first_meter_answers(
    tmp_path: Path,
) -> None:
    """The meter alone: the whole plants are run by the long test."""
    made = Composed(tmp_path, "127.0.0.1:9")
    host = made.address["kiln"]

    async def healthy() -> bool:
        return await asyncio.to_thread(made.is_healthy, "kiln")

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    assert not await healthy()
    server = await asyncio.start_server(hang_up, host, METER_PORT)
    assert not await healthy(), "a port that is open is no meter"
    server.close()
    await server.wait_closed()
    profile = load_profile("stackproof/weigh-feeder")
    meter = ModbusMeter(profile, host=host, port=METER_PORT, ratios={})
    await meter.start()
    assert await healthy()
    await meter.stop()


#: plant -> a meter over Modbus and one over OPC UA, and what the scenario's figures allow of each:
#: 50 Hz; 460 kA within 1 %, and 3 % below that in an effect; 330 to 350 t/h, a meter wrong by 1.5 %
METERS = {
    "smelter": {"ac-1.frequency": (49.9, 50.1), "pot-gateway.line_current": (440, 465)},
    "kiln": {"kiln-feed.feed": (325, 356)},
}


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.needs("mosquitto", "influxd", "prometheus")
def test_values_of_both_plants_meters_come_into_influxdb(tmp_path: Path) -> None:
    """Everything of the file that Debian has a program for; Prometheus sees all three of ours."""
    port = free_port()
    prometheus = (
        "prometheus", "--config.file=/etc/prometheus/prometheus.yml", "--log.level=error",
        "--storage.tsdb.path=/prometheus", f"--web.listen-address=127.0.0.1:{port}",
    )  # fmt: skip

    def up() -> str:
        done = subprocess.run(
            ["promtool", "query", "instant", f"http://127.0.0.1:{port}", "sum by (job) (up)"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout

    with influxd(tmp_path / "influxd") as real, serving(real) as front:
        made = Composed(tmp_path, f"127.0.0.1:{front.server_port}")
        with collecting(made), contextlib.ExitStack() as services:
            for plant in PLANTS:
                services.enter_context(made.running(plant))
                wait(lambda plant=plant: made.is_healthy(plant))
                wait((tmp_path / plant / "truth/truth-start.json").exists)
                services.enter_context(made.running(f"edge-{plant}"))
            services.enter_context(made.running("prometheus", *prometheus))
            for plant, points in METERS.items():
                for point, (least, most) in points.items():
                    (told,) = wait(
                        lambda plant=plant, point=point: minutes(made, plant, point), 240
                    )
                    assert told["count"][0] > 0
                    assert least < float(told["min"][0]) <= float(told["max"][0]) < most
            for service in ("cloud", "edge-smelter", "edge-kiln"):
                assert made.is_healthy(service), made.log(service)
            wait(lambda: '{job="collector"} => 1 @' in up() and '{job="edge"} => 2 @' in up())
            assert kept(real) == {"demo-smelter", "demo-kiln"}


def kept(real: Real) -> set[str]:
    """Plants of which the InfluxDB itself has minutes."""
    question = {"db": BUCKET, "q": 'SHOW TAG VALUES FROM "minute" WITH KEY = "plant"'}
    (series,) = real.query(question)[1]["results"][0]["series"]
    return {value for _, value in series["values"]}


def test_influxdb_maps_the_bucket_that_the_collector_asks(tmp_path: Path) -> None:
    """What its image runs, as docs/series.md says; no InfluxDB 2 is here to run it."""
    (tmp_path / "influx").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "influx").chmod(0o755)
    (mounted,) = [v for v in SERVICES["influxdb"]["volumes"] if "entrypoint-initdb" in v]
    told = SERVICES["influxdb"]["environment"]
    done = subprocess.run(
        [ROOT / mounted.split(":")[0]], check=True, capture_output=True, text=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "DOCKER_INFLUXDB_INIT_BUCKET_ID": "BUCKET"},
    )  # fmt: skip
    series = tomllib.loads((ROOT / "docker/cloud.toml").read_text())["series"]
    assert series["bucket"] == told["DOCKER_INFLUXDB_INIT_BUCKET"]
    assert series["org"] == told["DOCKER_INFLUXDB_INIT_ORG"]
    names = {"--db": series["bucket"], "--bucket-id": "BUCKET"}  # its name is the database's too
    words = done.stdout.split()
    assert words[:3] == ["v1", "dbrp", "create"]
    assert "--default" in words
    assert {name: words[words.index(name) + 1] for name in names} == names
