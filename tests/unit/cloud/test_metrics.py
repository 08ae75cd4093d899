"""/metrics, /livez and /readyz of a collector."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from cloud.accounts.roles import STRANGER, Principal, Right
from cloud.api import disks
from cloud.api.disks import Disks
from tests.exposition import series
from tests.unit.cloud.accounts.people_examples import Town
from tests.unit.cloud.app_examples import (
    TOKEN,
    BrokerFor,
    Streams,
    make_accounts,
    make_app,
    make_client,
    make_hub,
)
from tests.unit.cloud.live_examples import GATEWAY, PLANT, T0

OF = f'{{gateway="{GATEWAY}",plant="{PLANT}"}}'


def row(plant: str) -> Mapping[str, Any]:
    return {
        "plant": plant, "gateway": GATEWAY, "next_seq": 8, "receipted_seq": 6, "frames": 5,
        "readings": 2500, "refused": {"E-SIG": 1}, "missing": {"first": 8, "last": 11},
        "alarms": [{}, {}],
    }  # fmt: skip


@pytest.fixture
def two_plants(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: Sequence[Mapping[str, Any]] = [row(PLANT), row("maxi")]
    monkeypatch.setattr(Streams, "status", lambda _: rows)
    monkeypatch.setattr(Streams, "served", lambda _: [PLANT, "maxi"])
    monkeypatch.setattr(Streams, "amiss", lambda _: {"maxi": {"not-served": "no disk"}})


def test_what_is_told(two_plants: None) -> None:
    hub = make_hub()
    hub.on_live(PLANT, GATEWAY, b"x")
    answer = make_client(make_app(hub)).get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    told = series(answer.text)
    expected = {
        f"stackproof_stream_next_seq{OF}": 8,
        f"stackproof_stream_receipted_seq{OF}": 6,
        f"stackproof_stream_missing_objects{OF}": 4,  # 8, 9, 10 and 11
        f"stackproof_stream_alarms{OF}": 2,
        f"stackproof_stream_speaks{OF}": 1,
        f'stackproof_stream_speaks{{gateway="{GATEWAY}",plant="maxi"}}': 0,  # its frames alone came
        f"stackproof_stream_frames_total{OF}": 5,
        f"stackproof_stream_readings_total{OF}": 2500,
        f'stackproof_stream_refused_total{OF[:-1]},reason="E-SIG"}}': 1,
        f'stackproof_plant_in_order{{plant="{PLANT}"}}': 1,
        'stackproof_plant_in_order{plant="maxi"}': 0,
        "stackproof_live_viewers": 0,
        'stackproof_series_store_up{kind="influxdb"}': 0,
        "stackproof_series_waiting": 3,
        f"stackproof_series_behind_seconds{OF}": 90,
        f"stackproof_series_through_seconds{OF}": T0 // 10**9,
        f"stackproof_series_unfit_frames_total{OF}": 2,
        'stackproof_live_refused_total{reason="json"}': 1,
        'stackproof_strangers_refused_total{reason="unknown-plant"}': 3,
    }
    assert {name: told.get(name) for name in expected} == expected
    assert told["process_resident_memory_bytes"] > 0


def test_room_on_the_disks(tmp_path: Path) -> None:
    folders = {"evidence": tmp_path, "state": tmp_path / "away"}
    told = series(make_client(make_app(disks=Disks(folders))).get("/metrics").text)
    stats = os.statvfs(tmp_path)
    assert told['stackproof_disk_bytes{of="evidence"}'] == stats.f_frsize * stats.f_blocks
    free = told['stackproof_disk_free_bytes{of="evidence"}']
    assert free == pytest.approx(stats.f_frsize * stats.f_bavail, rel=0.1)
    assert 'stackproof_disk_free_bytes{of="state"}' not in told, "away is not 0"


def test_a_disk_that_hangs_hangs_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a share of a machine that is down does; it is asked once, not at each question."""
    ask, released, asked = shutil.disk_usage, Event(), list[str]()

    def hangs(folder: Path) -> Any:
        asked.append(folder.name)
        if folder.name == "away":
            assert released.wait(20)
        return ask(folder.parent)

    monkeypatch.setattr(shutil, "disk_usage", hangs)
    monkeypatch.setattr(disks, "WAIT_S", 0.05)
    client = make_client(
        make_app(disks=Disks({"state": tmp_path / "here", "archives": tmp_path / "away"}))
    )
    try:
        for _ in range(2):
            told = series(client.get("/metrics").text)
            assert told['stackproof_disk_free_bytes{of="state"}'] > 0
            assert 'stackproof_disk_free_bytes{of="archives"}' not in told
        assert sorted(asked) == ["away", "here", "here"]
    finally:
        released.set()
    monkeypatch.setattr(disks, "WAIT_S", 20.0)
    assert 'stackproof_disk_free_bytes{of="archives"}' in series(client.get("/metrics").text)


def test_a_reviewer_sees_its_region(two_plants: None) -> None:
    reviewer = Principal("", frozenset({Right.EVIDENCE}), region="3707")
    ends = {PLANT: 1_900_000_000 * 10**9, "maxi": 1_800_000_000 * 10**9}
    app = make_app(accounts=make_accounts(unsigned=reviewer), collector_ends=ends)
    page = make_client(app).get("/metrics").text
    name = f'stackproof_collector_certificate_not_after_seconds{{plant="{PLANT}"}}'
    assert series(page)[name] == 1_900_000_000
    assert "maxi" not in page


def test_a_program_without_a_token_is_refused_and_not_shown_a_form() -> None:
    answer = make_client(make_app(accounts=make_accounts(unsigned=STRANGER))).get("/metrics")
    assert (answer.status_code, "location" in answer.headers) == (401, False)


def test_alive_and_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    client = make_client()
    assert [client.get(path).status_code for path in ("/livez", "/readyz")] == [200, 200]
    monkeypatch.setattr(Streams, "amiss", lambda _: {"maxi": {"not-served": "no disk"}})
    assert [client.get(path).status_code for path in ("/livez", "/readyz")] == [200, 503]
    assert "maxi" not in client.get("/readyz").text
    monkeypatch.setattr(Streams, "hangs", lambda _: "its disk hangs")
    assert (client.get("/livez").status_code, client.get("/livez").text) == (503, "hangs\n")


def test_a_broker_that_is_away_is_told_and_no_reason_to_start_anew() -> None:
    client = make_client(make_app(broker=BrokerFor(90.4)))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.text) == (200, "ready\nbroker away for 90 s\n")
    assert client.get("/api/v1/health").json()["broker_away_s"] == 90.4
    there, away = (series(one.get("/metrics").text) for one in (make_client(), client))
    assert not any(
        name.startswith("stackproof_broker_certificate")
        for name in series(client.get("/metrics").text)
    )
    ending = make_client(make_app(broker_ends=lambda: {"server": 1_900_000_000 * 10**9}))
    name = 'stackproof_broker_certificate_not_after_seconds{certificate="server"}'
    assert series(ending.get("/metrics").text)[name] == 1_900_000_000
    assert "stackproof_broker_register_in_order" not in there, "there is no register"
    names = "stackproof_broker_up", "stackproof_broker_away_seconds"
    assert [[told[name] for name in names] for told in (there, away)] == [[1, 0], [0, 90.4]]


def test_a_broker_that_keeps_nothing_is_told_and_no_reason_to_start_anew() -> None:
    """As on a full disk: it is there, and of what gateways send nothing comes to anybody."""
    name = "stackproof_broker_unkept_seconds"
    assert series(make_client().get("/metrics").text)[name] == 0
    client = make_client(make_app(broker_unkept_s=lambda: 12.4))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.text) == (200, "ready\nbroker keeps nothing for 12 s\n")
    assert client.get("/api/v1/health").json()["broker_unkept_s"] == 12.4
    assert series(client.get("/metrics").text)[name] == 12.4


def test_a_broker_that_does_not_do_what_the_register_says_is_told() -> None:
    for trouble, value in (("", 1), ("/etc/nats/nats.conf is not as the register says", 0)):
        app = make_app(transport=SimpleNamespace(trouble=trouble))
        client = make_client(app)
        assert series(client.get("/metrics").text)["stackproof_broker_register_in_order"] == value
        program = {"Authorization": f"Bearer {TOKEN}"}
        told = client.get("/api/v1/health", headers=program).json()["broker_register"]
        assert told == trouble.replace("/etc/nats/", "")


def test_what_brokers_do_not_do_names_gateways_of_other_plants_to_no_works() -> None:
    """It is of every plant's gateways: who sees one hears that something is wrong, and no name."""
    town = Town()
    transport = SimpleNamespace(trouble="maxi/edge-7 key ab12 was revoked, and is let in")
    for role, is_named in (("operator", False), ("reviewer", False), ("system", True)):
        client = town.client(town.join(role), transport=transport)
        told = client.get("/api/v1/health").json()["broker_register"]
        assert told
        assert ("edge-7" in told) is is_named, role
