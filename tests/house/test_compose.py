"""The Compose file and its site file, as far as they can be checked without a container engine."""

import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

import simulators.cli
import stackproof
from edge.site.config import load_site
from simulators.plants import load_any

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
        [program, "-f", FILE, "--profile", "observe", "config", "--services"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == {
        "keys", "smelter", "kiln", "edge-smelter", "edge-kiln", "cloud", "broker", "enrol",
        "influxdb", "prometheus", "grafana",
    }  # fmt: skip


def test_every_process_runs_a_command_there_is(services: Mapping[str, Any]) -> None:
    ours = [s for s in services.values() if s["image"].startswith("stackproof:")]
    run = [service["command"] for service in ours if "command" in service]
    assert len(run) == 5
    for command in run:
        assert stackproof.COMMANDS[command[0]].module, command
        if command[0] == "sim":
            assert load_any(simulators.cli._parser().parse_args(command[1:]).scenario).devices


def test_a_service_that_goes_on_sees_its_own_keys_alone(services: Mapping[str, Any]) -> None:
    seen = {
        name: {mount.split(":")[0] for mount in service.get("volumes", [])}
        & {"made", "register", "keys-cloud", "keys-smelter", "keys-kiln"}
        for name, service in services.items()
        if service.get("restart") != "no"
    }
    assert {name: keys for name, keys in seen.items() if keys} == {
        "cloud": {"keys-cloud", "register"},
        "edge-smelter": {"keys-smelter"}, "edge-kiln": {"keys-kiln"},
    }  # fmt: skip


def test_the_collector_reaches_what_its_register_says_it_wrote(services: Mapping[str, Any]) -> None:
    """Held against the register each ten minutes: without, `broker-behind` stood from the start."""
    (out,) = re.findall(r"broker config .* --out (\S+)", (ROOT / "docker/keys.sh").read_text())
    (volume,) = [v for v in services["keys"]["volumes"] if v.endswith(f":{out}")]
    assert volume in services["cloud"]["volumes"]
    assert f"{volume}:ro" in services["broker"]["volumes"]


def test_nobody_is_root_and_nothing_can_become_it(services: Mapping[str, Any]) -> None:
    for name, service in services.items():
        assert service["user"].split(":")[0] not in ("0", "root"), name
        assert service["cap_drop"] == ["ALL"], name
        assert "privileged" not in service, name
        assert service["read_only"] is True, name
        assert "no-new-privileges:true" in service["security_opt"], name


def test_what_runs_on_is_looked_after(services: Mapping[str, Any]) -> None:
    """Each has a check; `test_compose_meets.py` runs those of our own program."""
    for name, service in services.items():
        if service["restart"] != "no":
            assert service["healthcheck"]["test"][0] == "CMD", name


def test_each_has_the_bounds_that_its_unit_has(services: Mapping[str, Any]) -> None:
    """Of memory, processes, and seconds to stop in: those of other makers have some, too."""
    bounds = {name: (one["mem_limit"], one["pids_limit"]) for name, one in services.items()}
    for name, unit in (("cloud", "cloud"), ("edge-smelter", "edge"), ("edge-kiln", "edge")):
        text = (ROOT / f"packaging/systemd/stackproof-{unit}.service").read_text()
        told = dict(re.findall(r"^(MemoryMax|TasksMax|TimeoutStopSec)=(\S+)$", text, re.MULTILINE))
        assert bounds[name] == (told["MemoryMax"].lower(), int(told["TasksMax"])), name
        assert services[name]["stop_grace_period"] == f"{told['TimeoutStopSec']}s", name


def test_evidence_waits_for_nothing_that_is_made_of_it(services: Mapping[str, Any]) -> None:
    """As all else: a store of series that is away holds up nobody."""
    needed, more = set[str](), ["edge-smelter", "edge-kiln"]
    while more:
        needed.add(name := more.pop())
        more += set(services[name].get("depends_on", ())) - needed
    assert needed == {"edge-smelter", "edge-kiln", "enrol", "cloud", "broker", "keys"}


def test_images_are_named_to_the_last_place(services: Mapping[str, Any]) -> None:
    """By tag: whoever can ask the registry pins the digest too, which a tag does not do."""
    froms = re.findall(r"^FROM (\S+)", (ROOT / "docker/Dockerfile").read_text(), re.MULTILINE)
    assert len(froms) == 3
    for image in [*(service["image"] for service in services.values()), *froms]:
        name, _, rest = image.partition(":")
        assert re.fullmatch(r"[\w./-]+", name), image
        assert re.fullmatch(r"v?\d+\.\d+\.\d+(-[a-z]+)*(@sha256:[0-9a-f]{64})?", rest), image


def test_secrets_are_files_that_one_script_makes(tmp_path: Path) -> None:
    script = shutil.copy(ROOT / "docker/secrets.sh", tmp_path)
    told = YAML(typ="safe").load(FILE)["secrets"]
    files = [tmp_path / "secrets" / Path(secret["file"]).name for secret in told.values()]
    files[0].parent.mkdir()
    files[0].write_text("")  # as a disk that was full leaves it
    mounted = tmp_path / "prometheus/rules.yml"
    mounted.parent.mkdir(0o700)
    mounted.touch(0o600)  # as a checkout has it whose owner shows others nothing
    kept = []
    for _ in range(2):
        subprocess.run(["sh", script], check=True, capture_output=True)
        kept.append([file.read_text() for file in files])
    assert all(re.fullmatch(r"[0-9a-f]{48}\n", text) for text in kept[0])
    assert kept[0] == kept[1]
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (mounted.parent, mounted, *files)]
    assert modes == [0o755, 0o644, *[0o644] * len(files)]
    assert "/docker/secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_little_is_published_and_only_on_loopback(services: Mapping[str, Any]) -> None:
    published = {port for service in services.values() for port in service.get("ports", [])}
    own = {f"127.0.0.1:{port}:{port}" for port in (8600, 8883, 3000)}
    assert published == own


def test_mounted_files_exist(services: Mapping[str, Any]) -> None:
    mounts = [mount for service in services.values() for mount in service.get("volumes", [])]
    files = [mount.split(":")[0] for mount in mounts if mount.startswith("./")]
    assert files
    for file in files:
        assert (ROOT / file).exists(), file


def test_image_copies_only_what_exists() -> None:
    for line in (ROOT / "docker/Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            *sources, _ = line.split()[1:]
            for source in sources:
                assert (ROOT / source).exists(), line


PLANTS = ("smelter", "kiln")


@pytest.mark.parametrize("name", PLANTS)
def test_site_files_are_right_and_reach_the_services(
    name: str, services: Mapping[str, Any]
) -> None:
    site = load_site(ROOT / f"docker/edge-{name}.toml")
    assert site.plant.simulated
    assert (site.plant.id, site.gateway.id) == (f"demo-{name}", "edge-1")
    assert {urlsplit(device.url).hostname for device in site.devices} == {name}
    assert urlsplit(site.uplink.url).hostname == "broker"
    assert site.metrics is not None
    health = services[f"edge-{name}"]["healthcheck"]["test"][-1]
    assert f":{site.metrics.port}/livez'" in health
