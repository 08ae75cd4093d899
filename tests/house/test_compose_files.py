"""What docker-compose.yml mounts for Prometheus and Grafana, under the Debian program."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from cloud.front.prometheus import FrontMetrics
from edge.metrics import GatewayMetrics
from edge.relay.status import figures
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


#: what `edge.relay.status.status_of` tells, as far as figures are made of it
RELAY = {
    "certificate_not_after_ns": 1, "broker_shown": {"ends_ns": 1}, "counts": {},
    "disk_free_bytes": 1,
    "streams": [{"plant": "p", "gateway": "g", "objects": 0, "bytes": 0, "bytes_max": 1,
                 "receipted_seq": -1, "missing": [], "not_believed": [], "unanswered": False,
                 "online": True, "full_s": 1, "unreadable": ""}],
}  # fmt: skip


def names_there_are(folder: Path) -> set[str]:
    """Of every series that agent and collector have, whether they show it just then or not."""
    page = make_client().get("/metrics").text
    names = set(re.findall(r"^# TYPE (\S+) ", page, re.MULTILINE))
    site = site_of(folder, METERS)
    Spool(site.gateway.spool, bytes_max=2**30).close()
    metrics = GatewayMetrics(site, who(), ShiftedClock(), [])
    for family in metrics.collect():
        names.add(family.name + ("_total" if family.type == "counter" else ""))
    names |= {family.name for family in FrontMetrics(()).collect()}
    names |= {f"stackproof_relay_{name}" for name, *_ in figures(RELAY)}
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


OF = 'plant="a", gateway="g"'
DAY_S = 86_400
#: alert -> what is so from minute 0 on ("": nothing), and at which minute it is told and not before
FIRES = {
    "ProgramAway": ('up{job="edge"}', "0", 2),
    "LogStands": ('stackproof_plant_in_order{plant="a"}', "0", 1),
    "BrokerAway": ("stackproof_broker_up", "0", 2),
    "BrokerKeepsNothing": ("stackproof_broker_unkept_seconds", "12", 3),
    "ObjectsMissing": (f"stackproof_stream_missing_objects{{{OF}}}", "1", 10),
    # as the collector shows a reason: not at all, until it has refused one for it
    "ObjectsRefused": (f"stackproof_stream_refused_total{{{OF}}}", "_ _ 1x60", 2),
    "ReceiptsLate": (f"stackproof_gateway_oldest_unsent_seconds{{{OF}}}", "3600+60x60", 1),
    "GatewayAlarm": (f'stackproof_gateway_alarm{{{OF}, alarm="fork"}}', "1", 10),
    "CertificateEnds": (
        f"stackproof_gateway_certificate_not_after_seconds{{{OF}}}", str(30 * DAY_S + 60), 2
    ),
    "RelayAway": (f"stackproof_relay_online{{{OF}}}", "0", 10),
    "RelayMissing": (f"stackproof_relay_missing_objects{{{OF}}}", "3", 60),
    "RelayUnanswered": (f"stackproof_relay_unanswered{{{OF}}}", "1", 10),
    "RelayNotBelieved": (f"stackproof_relay_not_believed_objects{{{OF}}}", "1", 60),
    "RelayUnreadable": (f"stackproof_relay_queue_unreadable{{{OF}}}", "1", 10),
    "RelayFullSoon": (f"stackproof_relay_queue_full_seconds{{{OF}}}", str(2 * DAY_S - 1), 10),
    "RelayCertificateEnds": (
        "stackproof_relay_broker_certificate_not_after_seconds", str(14 * DAY_S + 60), 2
    ),
    "DiskFilling": ('stackproof_disk_free_bytes{of="state"}', "1999999999", 10),
    "StreamAlarm": (f"stackproof_stream_alarms{{{OF}}}", "_ 1x60", 1),
    "BrokerOwnCertificateEnds": (
        'stackproof_broker_certificate_not_after_seconds{certificate="server"}',
        str(30 * DAY_S + 60), 2
    ),
    "BrokerRegisterBehind": ("stackproof_broker_register_in_order", "0", 5),
    "CollectorCertificateEnds": (
        'stackproof_collector_certificate_not_after_seconds{plant="a"}', str(30 * DAY_S + 60), 2
    ),
    "SeriesAway": ('stackproof_series_store_up{kind="influxdb"}', "0", 10),
    "SeriesBehind": (f"stackproof_series_behind_seconds{{{OF}}}", "3601", 30),
    "SliceUnheard": ('stackproof_front_collector_up{collector="n"}', "0", 5),
    "PlantTwice": ("stackproof_front_plants_twice", "1", 5),
}  # fmt: skip
#: of two series each
OF_TWO = {
    "SpoolFilling": {"stackproof_gateway_spool_bytes": "79+1x60",
                     "stackproof_gateway_spool_max_bytes": "100x60"},
    "RelayQueueFilling": {"stackproof_relay_queue_bytes": "79+1x60",
                          "stackproof_relay_queue_max_bytes": "100x60"},
    # a rate is there from its second sample on, and stands for 5 min then
    "NothingArrives": {"stackproof_stream_frames_total": "7x60",
                       "stackproof_stream_speaks": "1x60"},
    "NothingIsCarried": {"stackproof_stream_frames_total": "7x150",
                         "stackproof_stream_speaks": "0x150"},
    "NothingLeaves": {"stackproof_gateway_left_seq": "7x150",
                      "stackproof_gateway_head_seq": "8+1x150"},
    "DeviceSilent": {"stackproof_device_answers_total": "7x60",
                     "stackproof_device_polls_total": "0+60x60"},
    # asked each 30 minutes: in vain at 0, 30 and 60
    "DeviceSilent by the hour": {"stackproof_device_answers_total": "7x200",
                                 "stackproof_device_polls_total": "0x29 1x29 2x29 3x29 4x60"},
    # of 100 minutes: told when fewer than 20 are left
    "BrokerCertificateEnds": {"stackproof_gateway_broker_certificate_not_before_seconds": "0x90",
                              "stackproof_gateway_broker_certificate_not_after_seconds": "6000x90"},
}  # fmt: skip
TOLD_AT = {
    "SpoolFilling": 2,
    "DeviceSilent": 2,
    "BrokerCertificateEnds": 81,
    "RelayQueueFilling": 2,
    "NothingArrives": 6,
    "NothingIsCarried": 125,
    "NothingLeaves": 125,
    "DeviceSilent by the hour": 61,
}


@pytest.mark.needs("promtool")
def test_each_rule_is_told_when_it_is_so_and_not_before(tmp_path: Path) -> None:
    named = {name.split()[0] for name in (*FIRES, *OF_TWO)}
    assert {rule["alert"] for rule in rules()} == named
    cases = [(name, {series: f"{value}x60" if value.isdecimal() else value}, at)
             for name, (series, value, at) in FIRES.items()]  # fmt: skip
    cases += [(name, {f"{one}{{{OF}}}": said for one, said in series.items()}, TOLD_AT[name])
              for name, series in OF_TWO.items()]  # fmt: skip
    blocks = [
        {
            "interval": "1m", "name": name,
            "input_series": [{"series": one, "values": said} for one, said in series.items()],
            "promql_expr_test": [
                {"expr": f'count(ALERTS{{alertname="{name.split()[0]}", alertstate="firing"}})',
                 "eval_time": f"{minute}m",
                 "exp_samples": [{"labels": "{}", "value": 1}] if minute == at else []}
                for minute in (at - 1, at)
            ],
        }
        for name, series, at in cases
    ]  # fmt: skip
    file = {
        "rule_files": [str(DOCKER / "prometheus/rules.yml")], "evaluation_interval": "1m",
        "tests": blocks,
    }  # fmt: skip
    (tmp_path / "test.json").write_text(json.dumps(file))
    done = subprocess.run(
        ["promtool", "test", "rules", tmp_path / "test.json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
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
