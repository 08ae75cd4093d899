"""The files of docker-compose.yml on this machine: its edge and its collector meet over TLS.

Its scripts and TOML files as they stand, but for where folders and services are; Debian's mosquitto
with the configuration that keys.sh has the product write. Nobody answers for InfluxDB and meters.
"""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from cloud.config import load_cloud
from edge.errors import UnmadeError
from edge.site.config import load_site
from edge.spool_reader import SpoolReader
from tests.integration.cloud.cloud_process import wait
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
SERVICES = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]
FOLDERS = ("keys", "register", "broker", "evidence", "spool", "config", "run/secrets")


class Composed:
    """A folder in place of the volumes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in (*FOLDERS, "keys/smelter", "keys/kiln", "bin"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.broker, page, metrics = free_port(), free_port(), free_port()
        self.ports = {":8600/": f":{page}/", ":9464/": f":{metrics}/"}
        moved = {
            "//broker:8883": f"//localhost:{self.broker}",
            "influxdb:8086": f"localhost:{free_port()}",
            "port = 8600": f"port = {page}",
            "0.0.0.0:9464": f"127.0.0.1:{metrics}",
            "--listen 0.0.0.0": f"--listen 127.0.0.1 --port {self.broker}",
            "//kiln:": "//127.0.0.1:",
            "in smelter kiln;": "in kiln;",  # one is enough here
        }
        for path in (*DOCKER.glob("*.toml"), *DOCKER.glob("*.sh")):
            text = re.sub(
                rf"(?<=[\s\":=])/({'|'.join(FOLDERS)})\b", rf"{folder}/\1", path.read_text()
            )
            for old, new in moved.items():
                text = text.replace(old, new)
            (folder / "config" / path.name).write_text(text)
        (folder / "run/secrets/influxdb_token").write_text("a-token\n")
        program = folder / "bin/stackproof"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/stackproof.py" "$@"\n')
        program.chmod(0o755)
        self.environment = {
            **os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}", "BROKER_NAME": "localhost",
        }  # fmt: skip

    def once(self, service: str) -> str:
        """Run a service that ends; what it says."""
        (_, script) = SERVICES[service]["entrypoint"]
        done = subprocess.run(
            ["sh", f"{self.folder}{script}"], env=self.environment, check=False, text=True,
            capture_output=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextlib.contextmanager
    def running(self, service: str) -> Iterator[None]:
        """Run a service until the end of the block."""
        command = [
            part.replace("/config/site.toml", f"/config/{service}.toml")
            for part in SERVICES[service]["command"]
        ]
        program = command if service == "broker" else ["stackproof", *command]
        moved = [f"{self.folder}{part}" if part.startswith("/") else part for part in program]
        with (self.folder / f"{service}.log").open("w") as log:
            process = subprocess.Popen(moved, env=self.environment, stdout=log, stderr=log)
            try:
                yield
            finally:
                process.terminate()
                process.wait(20)

    def is_healthy(self, service: str) -> bool:
        """What the service's own health check says."""
        _, program, *rest = SERVICES[service]["healthcheck"]["test"]
        assert program == "python"
        for old, new in self.ports.items():
            rest = [part.replace(old, new) for part in rest]
        done = subprocess.run([sys.executable, *rest], check=False, capture_output=True, timeout=30)
        return done.returncode == 0

    def log(self, service: str) -> str:
        return (self.folder / f"{service}.log").read_text()


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


@pytest.mark.needs("mosquitto")
def test_an_edge_and_the_collector_meet(tmp_path: Path) -> None:
    made = Composed(tmp_path)
    assert "gateway demo-kiln/edge-1" in made.once("keys")
    config = load_cloud(tmp_path / "config/cloud.toml")
    assert [plant.plant for plant in config.plants] == ["demo-smelter", "demo-kiln"]
    with (tmp_path / "broker/mosquitto.conf").open("a") as file:
        file.write("user root\n")  # as in every test: the runner may be root
    with made.running("broker"), made.running("cloud"):
        wait((tmp_path / "evidence/state/ready.json").exists)
        assert "demo-kiln/edge-1: key " in made.once("enrol")
        assert made.once("enrol") == "", "once"
        site = load_site(tmp_path / "config/edge-kiln.toml")
        with made.running("edge-kiln"):
            wait(lambda: receipted(site.gateway.spool))
            assert made.is_healthy("cloud")
            assert made.is_healthy("edge-kiln")
        assert not made.is_healthy("edge-kiln")
    assert "series: kept in influxdb" in made.log("cloud")


def test_influxdb_maps_the_bucket_that_the_collector_asks(tmp_path: Path) -> None:
    """What its image runs, as docs/series.md says; the program is never run here."""
    (tmp_path / "influx").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "influx").chmod(0o755)
    (mounted,) = [v for v in SERVICES["influxdb"]["volumes"] if "entrypoint-initdb" in v]
    told = SERVICES["influxdb"]["environment"]
    done = subprocess.run(
        [ROOT / mounted.split(":")[0]], check=True, capture_output=True, text=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "DOCKER_INFLUXDB_INIT_BUCKET_ID": "BUCKET"},
    )  # fmt: skip
    names = {"--db": told["DOCKER_INFLUXDB_INIT_BUCKET"], "--bucket-id": "BUCKET"}
    words = done.stdout.split()
    assert words[:3] == ["v1", "dbrp", "create"]
    assert "--default" in words
    assert {name: words[words.index(name) + 1] for name in names} == names
