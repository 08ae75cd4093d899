"""What docker-compose.yml mounts, under the Debian programs of its kind: broker, Prometheus."""

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from ruamel.yaml import YAML

from edge.metrics import GatewayMetrics
from edge.spool import Spool
from edge.spool_reader import SpoolReader
from edge.status import status_of
from tests.integration.cloud.cloud_process import Cloud, wait
from tests.ports import free_port
from tests.unit.cloud.app_examples import make_client
from tests.unit.edge.fakes import ShiftedClock
from tests.unit.edge.sites import METERS, site_of, who

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
BOARDS = sorted((DOCKER / "grafana/dashboards").glob("*.json"))

Message = tuple[str, bytes]


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


class Mosquitto:
    """The broker of the file, with the secrets that docker/secrets.sh makes."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(DOCKER, folder, dirs_exist_ok=True)
        subprocess.run(["sh", folder / "secrets.sh"], check=True, capture_output=True)
        self.secrets = folder / "secrets"
        self.tls, self.plain = free_port(), free_port()
        text = (folder / "mosquitto.conf").read_text()
        for old, new in {
            "listener 8883": f"user root\nlistener {self.tls} 127.0.0.1",
            "listener 1883": f"listener {self.plain} 127.0.0.1",
            "/run/secrets/broker_ca": f"{self.secrets}/broker-ca.crt",
            "/run/secrets/broker_certificate": f"{self.secrets}/broker.crt",
            "/run/secrets/broker_key": f"{self.secrets}/broker.key",
            "/mosquitto/config/": f"{folder}/",
            "/mosquitto/data/": f"{folder}/",
        }.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        file = folder / "here.conf"
        file.write_text(text)
        self.process = subprocess.Popen(["mosquitto", "-c", file])
        wait(lambda: self._answers(self.tls) and self._answers(self.plain))

    def _answers(self, port: int) -> bool:
        assert self.process.poll() is None, "mosquitto does not take the file"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def certify(self, name: str, ca: str = "broker-ca") -> tuple[str, str]:
        """A client's certificate and key."""
        own = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        subject = "/CN=" + name.replace("/", "\\/")
        openssl(self.secrets, "req", *own, "-subj", subject, "-keyout", "client.key", "-out",
                "client.csr")  # fmt: skip
        openssl(self.secrets, "x509", "-req", "-in", "client.csr", "-CA", f"{ca}.crt", "-CAkey",
                f"{ca}.key", "-out", "client.crt")  # fmt: skip
        return str(self.secrets / "client.crt"), str(self.secrets / "client.key")


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    made = Mosquitto(tmp_path_factory.mktemp("broker"))
    yield made
    made.process.terminate()
    made.process.wait()


def client(port: int, ca: Path, pair: tuple[str, str] | None = None) -> paho.Client:
    made = paho.Client(CallbackAPIVersion.VERSION2)
    made.tls_set(str(ca), *(pair or (None, None)))
    made.connect("localhost", port)
    made.loop_start()
    return made


@pytest.mark.needs("mosquitto", "openssl")
def test_a_gateway_writes_to_its_own_topics_only(mosquitto: Mosquitto) -> None:
    heard: list[Message] = []
    inside = paho.Client(CallbackAPIVersion.VERSION2)
    inside.on_message = lambda *given: heard.append((given[2].topic, given[2].payload))
    inside.connect("127.0.0.1", mosquitto.plain)
    inside.subscribe("stackproof/v1/00/+/+/frames", 1)
    inside.loop_start()
    ca = mosquitto.secrets / "broker-ca.crt"
    gateway = client(mosquitto.tls, ca, mosquitto.certify("demo-kiln/edge-1"))
    own = "stackproof/v1/00/demo-kiln/edge-1/frames"
    for topic in (own.replace("kiln", "smelter"), own):
        gateway.publish(topic, b"signed", 1).wait_for_publish(20)
    wait(lambda: heard)
    gateway.loop_stop()
    inside.loop_stop()
    assert heard == [(own, b"signed")]


@pytest.mark.needs("mosquitto", "openssl")
def test_nobody_without_a_certificate_of_the_root(mosquitto: Mosquitto) -> None:
    ca = mosquitto.secrets / "broker-ca.crt"
    openssl(mosquitto.secrets, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
            "/CN=stackproof broker root", "-keyout", "other.key", "-out", "other.crt")  # fmt: skip
    assert is_welcome(mosquitto, ca, mosquitto.certify("demo-kiln/edge-1"))
    assert not is_welcome(mosquitto, ca, mosquitto.certify("demo-kiln/edge-1", ca="other"))
    assert not is_welcome(mosquitto, ca, None)


def is_welcome(mosquitto: Mosquitto, ca: Path, pair: tuple[str, str] | None) -> bool:
    """True when the broker says so; False when it hangs up."""
    stranger, said = paho.Client(CallbackAPIVersion.VERSION2), list[bool]()
    stranger.on_connect = lambda *given: said.append(not given[3].is_failure)
    stranger.tls_set(str(ca), *(pair or (None, None)))
    try:
        stranger.connect("localhost", mosquitto.tls)
        until_s = time.monotonic() + 20
        while not said and time.monotonic() < until_s:
            if stranger.loop(0.1) != paho.MQTT_ERR_SUCCESS:
                return False
    except OSError:
        return False
    return said == [True]


# ---------------------------------------------------------------- Prometheus and its pages


def names_there_are(folder: Path) -> set[str]:
    """Of every series that agent and collector have, whether they show it just then or not."""
    page = make_client().get("/metrics").text
    names = set(re.findall(r"^# TYPE (\S+) ", page, re.MULTILINE))
    site = site_of(folder, METERS)
    Spool(site.gateway.spool, bytes_max=2**30).close()
    metrics = GatewayMetrics(site, who(), ShiftedClock(), [])
    for family in metrics.collect():
        names.add(family.name + ("_total" if family.type == "counter" else ""))
    spool = SpoolReader(site.gateway.spool)
    own = {"certificate": who().certificate, "collector": who().collector}
    told = status_of(site, spool, ShiftedClock(), **own)
    spool.close()
    return names | {f"stackproof_gateway_{figure[0]}" for figure in metrics._figures(told)}


def asked_for(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:stackproof|process)_[a-z_]+", expression))


def rules() -> list[dict[str, Any]]:
    groups = YAML(typ="safe").load(DOCKER / "prometheus/rules.yml")["groups"]
    return [rule for group in groups for rule in group["rules"]]


def queries() -> list[str]:
    """Every expression of the dashboards, for all plants."""
    found = []
    for board in BOARDS:
        for panel in json.loads(board.read_text())["panels"]:
            assert panel["datasource"] == {"type": "prometheus", "uid": "prometheus"}
            found += [target["expr"].replace("$plant", ".*") for target in panel["targets"]]
    return found


def test_every_expression_asks_for_what_there_is(tmp_path: Path) -> None:
    expressions = [*queries(), *(rule["expr"] for rule in rules())]
    assert len(expressions) > 20
    there_are = names_there_are(tmp_path)
    assert set().union(*map(asked_for, expressions)) - there_are == set()


def test_dashboards_are_provided_and_their_source_too() -> None:
    (source,) = YAML(typ="safe").load(DOCKER / "grafana/provisioning/datasources/prometheus.yml")[
        "datasources"
    ]
    assert (source["uid"], source["type"]) == ("prometheus", "prometheus")
    (folder,) = YAML(typ="safe").load(DOCKER / "grafana/provisioning/dashboards/files.yml")[
        "providers"
    ]
    assert folder["options"]["path"] == "/etc/stackproof-dashboards"
    for board in BOARDS:
        panels = json.loads(board.read_text())["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        assert all(panel["title"] and panel["fieldConfig"]["defaults"]["unit"] for panel in panels)


@pytest.mark.needs("promtool")
def test_prometheus_takes_its_files_and_the_dashboards_questions(tmp_path: Path) -> None:
    recorded = {"groups": [{"name": "boards", "rules": [
        {"record": f"q{n}", "expr": query} for n, query in enumerate(queries())
    ]}]}  # fmt: skip
    (tmp_path / "boards.yml").write_text(json.dumps(recorded))
    for words in (
        ("config", DOCKER / "prometheus/prometheus.yml"),
        ("rules", tmp_path / "boards.yml"),
    ):
        done = subprocess.run(
            ["promtool", "check", *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.needs("prometheus")
def test_a_real_prometheus_scrapes_a_running_collector(tmp_path: Path) -> None:
    (tmp_path / "cloud").mkdir()
    cloud = Cloud(tmp_path / "cloud")
    ready = cloud.start()
    shutil.copytree(DOCKER / "prometheus", tmp_path / "prometheus")
    file = tmp_path / "prometheus/prometheus.yml"
    text = file.read_text().replace('"cloud:8600"', f'"{ready["http"].removeprefix("http://")}"')
    file.write_text(text.replace("scrape_interval: 15s", "scrape_interval: 1s"))
    port = free_port()
    program = subprocess.Popen(
        ["prometheus", f"--config.file={file}", f"--storage.tsdb.path={tmp_path}/tsdb",
         f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"],
    )  # fmt: skip

    def value() -> str:
        done = subprocess.run(
            ["promtool", "query", "instant", f"http://127.0.0.1:{port}",
             'stackproof_plant_in_order{plant="mini"}'],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout.strip()

    try:
        assert "=> 1 @" in wait(value)
    finally:
        program.terminate()
        program.wait()
        cloud.end()
