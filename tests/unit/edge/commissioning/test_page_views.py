"""Pages of the commissioning page from what was seen, without a device: words, clocks, doctor."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from edge.commissioning.findings import LAYERS, Check, State, failed, fine, warning
from edge.commissioning.look import Look, Neighbour
from edge.commissioning.page.answers import shown
from edge.commissioning.page.request import Asked, UnaskableError
from edge.commissioning.page.seen import DeviceSeen, PointSeen
from edge.commissioning.page.session import Session
from edge.commissioning.round_trip import Delivery, RoundTrip
from edge.commissioning.site_part import read_part
from edge.commissioning.value import Shown
from evidence.quality import Quality
from tests.unit.edge.fakes import ShiftedClock
from tests.unit.edge.sites import METERS, write_site

NOW_NS = 1_793_534_400_000_000_000  # date -ud 2026-11-01T12:00 +%s
S = 1_000_000_000
HOSTILE = "<script>alert('北')</script>"


@pytest.fixture
def session(tmp_path: Path) -> Session:
    path = write_site(tmp_path, METERS)
    return Session(path, read_part(path), ShiftedClock(), 0)


def text(session: Session, page: str, name: str = "", language: str = "en") -> str:
    body = shown(session, "T", Asked(language, page, name)).body.decode()
    assert "<script" not in body
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def seen(look: Look) -> PointSeen:
    return PointSeen(NOW_NS, look, "")


def test_a_node_with_what_its_server_says(session: Session) -> None:
    said = {"status": "Good", "source time": "12:00", "data type": "Float", "sent as": "Float",
            "display name": HOSTILE}  # fmt: skip
    value = Shown("12.5", "t/h", Quality.GOOD, source_ns=NOW_NS)
    look = Look("ac-1.power", "ac-1", "ns=2;s=Flow", raw=b"\x00\x48", shown=value, said=said)
    session.points["ac-1.power"] = seen(look)
    told = text(session, "point", "ac-1.power")
    assert "Display name &lt;script&gt;alert(&#x27;北&#x27;)&lt;/script&gt;" in told
    assert "Raw bytes, least significant first 0048" in told
    assert "every type and order" not in told
    assert "源时间 12:00" in text(session, "point", "ac-1.power", "zh")
    assert "2026-11-01 20:00:00 (UTC+08:00)" in told  # noon UTC in Shanghai


def test_bits_and_what_is_refused(session: Session) -> None:
    value = Shown("1", "1", Quality.DEVICE_REFUSED, name="open")
    look = Look(
        "ac-1.power", "ac-1", "coil", table="coil", address=17, words=(1,), shown=value,
        neighbours=(Neighbour(16, (0,), "0"), Neighbour(18, (), "refused")), trouble=HOSTILE,
        advice="look into the manual",
    )  # fmt: skip
    session.points["ac-1.power"] = seen(look)
    told = text(session, "point", "ac-1.power")
    assert "Raw words 1 " in told
    assert "coil 0x0012 +1 – refused" in told
    assert "look into the manual" in told
    assert "设备拒绝" in text(session, "point", "ac-1.power", "zh")


def test_a_point_out_of_reach(session: Session) -> None:
    session.points["ac-1.power"] = PointSeen(NOW_NS, None, HOSTILE)
    assert "out of reach" in text(session, "point", "ac-1.power")
    with pytest.raises(UnaskableError):
        text(session, "point", "ac-1")


@pytest.mark.parametrize("layer", LAYERS)
def test_the_lowest_layer_that_fails_is_named_with_what_to_do(session: Session, layer: str) -> None:
    checks = (failed("ac-1", "value", "odd", "look"), failed("ac-1", layer, HOSTILE, "mend it"))
    session.devices["ac-1"] = DeviceSeen(NOW_NS, 1.0, checks, ())
    worst = session.devices["ac-1"].failed
    assert worst is not None
    assert worst.layer == layer
    assert "Do: mend it" in text(session, "devices")
    assert "no value: see above" in text(session, "devices")
    assert text(session, "devices", language="zh").count("处理：") == 4


@pytest.mark.parametrize(
    ("stamp_s", "verdict"),
    [
        # taken between 1 s and 2 s by this clock, as the collector's clock said
        (1.5, "at most 0.5 s apart"),
        (6.0, "at most 5.0 s apart"),
        (6.5, "took too long to tell"),  # 4.5 s or 5.5 s ahead
        (7.5, "the two clocks differ"),  # 5.5 s ahead at least
        (-6.0, "the two clocks differ"),
    ],
)
def test_what_a_receipt_tells_of_the_collectors_clock(
    session: Session, stamp_s: float, verdict: str
) -> None:
    asked = Delivery(True, "mqtt", 4, 4, 9, NOW_NS, NOW_NS, NOW_NS)
    waits = replace(asked, before_ns=NOW_NS + S, after_ns=NOW_NS + S)
    stamp_ns = NOW_NS + int(stamp_s * S)
    back = Delivery(True, "mqtt", 5, 5, 10, stamp_ns, NOW_NS + 2 * S, NOW_NS + 2 * S)
    session.trip = RoundTrip.of(asked).after(waits).after(back)
    assert verdict in text(session, "clock")
    told = text(session, "round-trip")
    assert "signed here, and under the collector" in told
    assert "First object signed after that seq 5" in told
    assert "From signature to receipt at most 1.0 s" in told


def test_a_receipt_that_does_not_come(session: Session) -> None:
    asked = Delivery(True, "mqtt", 4, 4, 9, NOW_NS, NOW_NS, NOW_NS)
    session.trip = RoundTrip.of(asked).after(replace(asked, after_ns=NOW_NS + 30 * S))
    assert "Within 30 s nothing" in text(session, "round-trip")
    assert "not known yet" in text(session, "clock")


@pytest.mark.parametrize(
    ("checks", "stamp_s", "told"),
    [
        ((), None, "nothing to check tells no time of its own"),
        ((), -2.0, "fine its newest source time is 2.0 s before the read here"),
        ((), 9.0, "warning its newest source time is 9.0 s ahead"),
        ((warning("ac-1", "clock", "9 s behind", "set it"),), 0.0, "warning 9 s behind"),
        ((failed("ac-1", "tcp", "refused", "look"),), None, "does not work: network connection"),
        ((fine("ac-1", "unit", "answers"),), None, "nothing to check tells no time of its own"),
    ],
)
def test_clocks_of_devices(
    session: Session, checks: tuple[Check, ...], stamp_s: float | None, told: str
) -> None:
    source_ns = None if stamp_s is None else NOW_NS + int(stamp_s * S)
    look = Look("ac-1.power", "ac-1", "", shown=Shown("1", "kW", Quality.GOOD, "", source_ns))
    session.devices["ac-1"] = DeviceSeen(NOW_NS, 1.0, checks, (look,))
    assert f"ac-1 {told}" in text(session, "clock")


def test_every_state_has_a_word(session: Session) -> None:
    checks = tuple(Check("ac-1", "clock", state, state.name, "look") for state in State)
    session.devices["ac-1"] = DeviceSeen(NOW_NS, 1.0, checks, ())
    for language, word in (("en", "not looked at"), ("zh", "未检查")):
        assert word in text(session, "devices", language=language)
