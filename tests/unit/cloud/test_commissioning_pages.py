"""The collector's commissioning pages: what is signed of a device, and faces beside the log."""

import re

import pytest

from evidence.frame import TYP_FRAME, Body, Clock, encode_body
from tests.unit.cloud.drill_examples import BEGIN_NS, VOLUME
from tests.unit.cloud.evidence_examples import SECOND_NS
from tests.unit.cloud.test_drill_pages import Plant, plant  # noqa: F401 - a fixture

BASE = "/en/plants/mini/commissioning"


def text_of(html: str) -> str:
    """What a page says, without tags and runs of blanks."""
    return " ".join(re.sub(r"<[^>]*>", " ", html.replace("&#39;", "'")).split())


async def test_every_device_stands_under_its_gateway_with_its_newest_frame(
    plant: Plant,  # noqa: F811 - the fixture
) -> None:
    answer = await plant.see("li", BASE)
    assert answer.status_code == 200, answer.text
    told = text_of(answer.text)
    assert "gas-1 test:gas-1 test/one 1 2" in told
    # 18 frames of ten seconds from 16:00:00 on, the configuration before them
    assert "Newest frame 18 · SHA-256" in told
    assert "Its newest reading 2026-09-21 16:02:59.000 (UTC+8)" in told
    assert "Gateway's clock NTP, within 3 ms" in told
    assert (await plant.see("far", BASE)).status_code == 404
    # a heartbeat has no readings: the newest ones are those of before
    gateway = plant.plant.gateways["edge-1"]
    beat = Body(BEGIN_NS + 180 * SECOND_NS, Clock("ntp", 3, 180, bytes(16)))
    plant.running.send(gateway.append(gateway.sign(TYP_FRAME, encode_body(beat))))
    evidence = plant.running.desk.evidence("mini")
    await plant.running.until(lambda: evidence.hash_at("edge-1", 19) is not None)
    for path in (BASE, f"{BASE}/edge-1/gas-1"):
        assert "Newest frame 18 · SHA-256" in text_of((await plant.see("li", path)).text), path


async def test_a_register_stands_as_it_is_signed_with_its_newest_reading(
    plant: Plant,  # noqa: F811 - the fixture
) -> None:
    told = text_of((await plant.see("li", f"{BASE}/edge-1/gas-1")).text)
    # second 179: 1,000,000 + 5 * 179 tenths; the flow is 1,800 and 179 mod 7
    assert f"{VOLUME} holding 0x0010 u32 raw_decimals 1 1 s 1000895 100,089.5 Nm³ 0 · good" in told
    assert "1,804.00 Nm³/h 0 · good 2026-09-21 16:02:59.000 (UTC+8)" in told
    assert "k · stated[1] 0.25, as built" in told
    for path in ("edge-2/gas-1", "edge-1/gas-2"):
        assert (await plant.see("li", f"{BASE}/{path}")).status_code == 404


async def test_what_the_display_shows_is_held_against_the_log(
    plant: Plant,  # noqa: F811 - the fixture
) -> None:
    async def told(face: str, at: str) -> str:
        query = f"face.{VOLUME}={face}&at.{VOLUME}={at}"
        answer = await plant.see("li", f"{BASE}/edge-1/gas-1?{query}")
        assert answer.status_code == 200, answer.text
        return text_of(answer.text)

    # as a reviewer's visit does: test_a_face_is_compared_with_the_minute_of_the_plants_clock
    assert "Agrees: signed reading 100,045.0 Nm³" in await told("100061", "2026-09-21 16:01")
    assert "DIFFERS: signed reading 100,045.0 Nm³" in await told("100062", "2026-09-21 16:01")
    assert "No usable signed reading of that minute" in await told("1", "2026-09-21 17:30")
    for face, at in (("1,5", "2026-09-21 16:01"), ("1", "soon"), ("<b>", "2026-09-21 16:01")):
        assert "Not compared: a face value is digits" in await told(face, at)


async def test_so_many_faces_at_a_time_are_refused(
    plant: Plant,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cloud.api.commissioning_pages.FACES_MAX", 1)
    query = f"face.{VOLUME}=1&face.gas-1.flow=1"
    answer = await plant.see("li", f"{BASE}/edge-1/gas-1?{query}")
    assert answer.status_code == 422
    assert "At most 20 displays" in answer.text
