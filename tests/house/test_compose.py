"""The Compose file and its site file, as far as they can be checked without a container engine."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

import stackproof
from cloud.config import load_cloud
from edge.config import load_site

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.yml"


@pytest.fixture(scope="module")
def services() -> Mapping[str, Any]:
    found: Mapping[str, Any] = YAML(typ="safe").load(FILE)["services"]
    return found


def test_fits_the_compose_schema() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", FILE],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.needs("docker-compose")
def test_compose_itself_accepts_it_without_an_env_file() -> None:
    program = shutil.which("docker-compose")
    assert program
    done = subprocess.run(
        [program, "-f", FILE, "config", "--services"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == {"keys", "sim", "edge", "cloud"}


def test_every_process_runs_a_command_there_is(services: Mapping[str, Any]) -> None:
    for name, service in services.items():
        command = stackproof.COMMANDS[service["command"][0]]
        assert command.module, name


def test_nobody_is_root_and_nothing_can_become_it(services: Mapping[str, Any]) -> None:
    for name, service in services.items():
        assert service["user"].split(":")[0] not in ("0", "root"), name
        assert service["cap_drop"] == ["ALL"], name
        assert "privileged" not in service, name
        assert service["read_only"] is True, name


def test_only_the_page_is_published_and_only_on_loopback(services: Mapping[str, Any]) -> None:
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert published == ["127.0.0.1:8600:8600"]


def test_mounted_files_exist(services: Mapping[str, Any]) -> None:
    mounts = [mount for service in services.values() for mount in service.get("volumes", [])]
    files = [mount.split(":")[0] for mount in mounts if mount.startswith("./")]
    assert files
    for file in files:
        assert (ROOT / file).is_file(), file


def test_image_copies_only_what_exists() -> None:
    for line in (ROOT / "docker/Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            *sources, _ = line.split()[1:]
            for source in sources:
                assert (ROOT / source).exists(), line


def keys_argument(services: Mapping[str, Any], option: str) -> str:
    command: list[str] = services["keys"]["command"]
    return command[command.index(option) + 1]


def test_site_file_is_right_and_reaches_the_services(services: Mapping[str, Any]) -> None:
    site = load_site(ROOT / "docker/site.toml")
    assert site.plant.simulated
    assert {urlsplit(device.url).hostname for device in site.devices} == {"sim"}
    assert urlsplit(site.uplink.url).hostname == "127.0.0.1"
    assert services["edge"]["network_mode"] == "service:cloud"
    assert site.plant.id == keys_argument(services, "--plant")
    assert site.gateway.id == keys_argument(services, "--gateway")


def test_collector_file_is_right_with_the_keys_that_are_made(
    services: Mapping[str, Any], tmp_path: Path
) -> None:
    made = [part.replace("/keys", str(tmp_path / "keys")) for part in services["keys"]["command"]]
    assert stackproof.main(made) == 0
    file = tmp_path / "cloud.toml"
    text = (ROOT / "docker/cloud.toml").read_text().replace("file:/keys", "file:keys")
    file.write_text(text)
    config = load_cloud(file)
    assert [plant.plant for plant in config.plants] == [keys_argument(services, "--plant")]
    assert config.broker.port == urlsplit(load_site(ROOT / "docker/site.toml").uplink.url).port
    (published,) = services["cloud"]["ports"]
    assert published.endswith(f":{config.http.port}")
    assert published.split(":")[0] in config.http.names
