"""docker-compose.yml without a container engine: its services as processes of this machine.

Its scripts, TOML files, commands and health checks as they stand, but for where folders and
services are: a folder for each volume, an address of loopback for each simulated plant, another
port for whatever is published. Broker, InfluxDB and Prometheus are Debian's.
"""

import contextlib
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ruamel.yaml import YAML

from tests.influx_servers import TOKEN
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
SERVICES = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]
PLANTS = ("smelter", "kiln")
ANYWHERE = "0.0.0.0"  # noqa: S104 - what stands in the files, and is replaced here
#: folders that services share under one name
SHARED = (
    "made",
    "keys",
    "register",
    "broker",
    "evidence",
    "config",
    "run/secrets",
    "etc/prometheus",
)
#: folders that two services have under one name, each its own
OWN = ("truth", "spool", "prometheus")


class Composed:
    """A folder in place of the volumes.

    Args:
        folder: an empty one.
        influxdb: host and port of what answers for InfluxDB.

    Attributes:
        page: address of the collector's pages.
        address: loopback address of a simulated plant, of its agent, and of the collector.
    """

    def __init__(self, folder: Path, influxdb: str) -> None:
        self.folder = folder
        for name in (*SHARED, "keys/smelter", "keys/kiln", "bin"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        broker, page = free_port(), free_port()
        self.page = f"http://127.0.0.1:{page}"
        draw = random.SystemRandom()  # ports are those of the file: nobody else has the addresses
        net = f"127.{draw.randrange(16, 250)}.{draw.randrange(1, 250)}"
        self._moved = {
            "//broker:8883": f"//localhost:{broker}",
            "influxdb:8086": influxdb,
            "port = 8600": f"port = {page}",
            "127.0.0.1:8600": f"127.0.0.1:{page}",
            "cloud:8600": f"127.0.0.1:{page}",
            "--listen 0.0.0.0": f"--listen 127.0.0.1 --port {broker}",
        }
        self.address = {"cloud": "127.0.0.1"}
        for number, plant in enumerate(PLANTS, 2):
            self.address |= {plant: f"{net}.{number}", f"edge-{plant}": f"{net}.{number}"}
            self._moved |= {f"//{plant}:": f"//{net}.{number}:"}
            self._moved |= {f"edge-{plant}:9464": f"{net}.{number}:9464"}
        for path in (*DOCKER.glob("*.toml"), *DOCKER.glob("*.sh")):
            text = self._here(path.read_text(), path.stem)
            (folder / "config" / path.name).write_text(text)
        for path in (DOCKER / "prometheus").iterdir():
            text = self._here(path.read_text(), "prometheus")
            (folder / "etc/prometheus" / path.name).write_text(text)
        (folder / "run/secrets/influxdb_token").write_text(f"{TOKEN}\n")
        program = folder / "bin/stackproof"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/stackproof.py" "$@"\n')
        program.chmod(0o755)
        (folder / "bin/python").symlink_to(sys.executable)
        self.environment = {
            **os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}", "BROKER_NAME": "localhost",
        }  # fmt: skip

    def _here(self, text: str, service: str) -> str:
        """What a service's file or command says, with folders and services where they are here."""
        own = rf"\1{self.folder}/{service}/\2"
        text = re.sub(rf"(^|[\s\":=]|:///)/({'|'.join(OWN)})\b", own, text)
        text = re.sub(rf"(^|[\s\":=]|:///)/({'|'.join(SHARED)})\b", rf"\1{self.folder}/\2", text)
        for old, new in self._moved.items():
            text = text.replace(old, new)
        if service in self.address:
            text = text.replace(ANYWHERE, self.address[service])
        return text

    def once(self, service: str) -> str:
        """Run a service that ends; what it says."""
        (_, script) = SERVICES[service]["entrypoint"]
        done = subprocess.run(
            ["sh", self._here(script, service)], env=self.environment, check=False, text=True,
            capture_output=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextlib.contextmanager
    def running(self, service: str, *command: str) -> Iterator[None]:
        """Run a service until the end of the block.

        Args:
            service: of the file.
            command: instead of the file's.
        """
        told = command or [
            part.replace("/config/site.toml", f"/config/{service}.toml")
            for part in SERVICES[service]["command"]
        ]
        is_ours = SERVICES[service]["image"].startswith("stackproof:")
        (self.folder / service).mkdir(exist_ok=True)
        moved = [self._here(part, service) for part in (["stackproof", *told] if is_ours else told)]
        with (self.folder / f"{service}.log").open("w") as log:
            process = subprocess.Popen(moved, env=self.environment, stdout=log, stderr=log)
            try:
                yield
            finally:
                process.terminate()
                process.wait(20)

    def log(self, service: str) -> str:
        return (self.folder / f"{service}.log").read_text()

    def is_healthy(self, service: str) -> bool:
        """What the service's health check says of it."""
        kind, *test = SERVICES[service]["healthcheck"]["test"]
        assert kind == "CMD"
        own = self.address.get(service, "127.0.0.1")
        moved = [self._here(part, service).replace("'127.0.0.1'", f"'{own}'")
                 .replace("127.0.0.1:9464", f"{own}:9464") for part in test]  # fmt: skip
        done = subprocess.run(moved, env=self.environment, check=False, capture_output=True)
        return done.returncode == 0
