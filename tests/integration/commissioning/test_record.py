"""`stackproof edge record`: the file, its hash, what is typed, and what cannot be written."""

import hashlib
import io
import re
import sys
from pathlib import Path

import pytest

from tests.integration.commissioning.field import Said, edge, site_at, with_url
from tests.integration.drivers.modbus_responder import Responder
from tests.unit.edge.sites import AC, write_site


async def test_a_record_to_be_filled_in_by_hand(
    tmp_path: Path, meter: Responder, said: Said
) -> None:
    site, out = site_at(tmp_path, meter), tmp_path / "record.html"
    assert await edge("record", site, "ac-1", "--by", "Li Wei", "--out", out) == 0
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    assert said.out() == f"{out}: SHA-256 {digest}\n"
    text = out.read_text()
    assert "Li Wei" in text
    assert hashlib.sha256(site.read_bytes()).hexdigest() in text
    assert '<td class="n">8000.00 kW</td>' in text
    assert "模拟数据" in text  # the site says that its plant is simulated
    assert text.count('<td class="blank"></td>') == 4 * 10


async def test_face_values_that_are_typed(
    tmp_path: Path, meter: Responder, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = "panel\n100000\n5778\nq\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    out = tmp_path / "record.html"
    site = site_at(tmp_path, meter)
    command = ("record", site, "ac-1", "--by", "Li Wei", "--ask", "--out", out, "--json")
    assert await edge(*command) == 0
    told = said.json()
    assert told["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    serial, voltage, third = told["record"]["devices"][0]["points"][:3]
    assert (serial["value"], serial["face"], serial["difference"]) == ("100000", "100000", "0")
    # 57.80 V × 100 read, 5778 V on the panel: 2 V or 0.03 % more
    assert (voltage["value"], voltage["difference"], voltage["percent"]) == (
        "5780.0", "2.0", "0.03",
    )  # fmt: skip
    assert third["face"] is None
    assert (voltage["within"], voltage["tolerance_percent"]) == (False, None)
    assert voltage["face_ns"] <= voltage["read_ns"]
    assert told["record"]["round_trip"] is None  # nothing was ever signed here
    assert [check["layer"] for check in told["record"]["checks"]] == ["clock"]


async def test_a_device_that_is_away_is_in_the_record(
    tmp_path: Path, meter: Responder, said: Said
) -> None:
    out = tmp_path / "record.html"
    assert await edge("record", site_at(tmp_path, meter), "--by", "Li Wei", "--out", out) == 1
    assert "gas-1: " in said.both()[1]
    assert "未能读取" in out.read_text()


async def test_nothing_is_overwritten(tmp_path: Path, meter: Responder, said: Said) -> None:
    out = tmp_path / "record.html"
    out.write_text("signed already")
    site = site_at(tmp_path, meter)
    assert await edge("record", site, "ac-1", "--by", "Li Wei", "--out", out) == 2
    assert "is there already; name another file" in said.both()[1]
    assert out.read_text() == "signed already"
    assert meter.questions == []


async def test_a_folder_that_is_not_there(tmp_path: Path, meter: Responder, said: Said) -> None:
    site, out = site_at(tmp_path, meter), tmp_path / "none" / "record.html"
    assert await edge("record", site, "ac-1", "--by", "Li Wei", "--out", out) == 2
    assert "cannot be written: No such file or directory" in said.both()[1]


async def test_by_default_it_is_named_for_plant_gateway_and_time(
    tmp_path: Path, meter: Responder, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert await edge("record", site_at(tmp_path, meter), "ac-1", "--by", "Li Wei") == 0
    name, _, _ = said.out().partition(":")
    assert re.fullmatch(r"commissioning-north-works-edge-1-\d{8}T\d{6}Z\.html", name)
    assert (tmp_path / name).exists()


async def test_from_a_site_file_with_nothing_but_a_device(
    tmp_path: Path, meter: Responder, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    site = write_site(tmp_path, "format = 1\n" + with_url(AC, meter.port))
    assert await edge("record", site, "--by", "Li Wei", "--json") == 0
    told = said.json()
    assert told["record"]["unwritten"] == ["plant", "gateway", "uplink", "statement"]
    assert told["file"].startswith("commissioning-plant-gateway-")
    page = (tmp_path / told["file"]).read_text()
    assert "<dd>plant, gateway, uplink, statement</dd>" in page
