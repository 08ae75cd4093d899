"""The commissioning record: differences worked out by hand, what is asked, and the page."""

import json
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from edge.commissioning.findings import warning
from edge.commissioning.record import (
    Entry,
    OfDevice,
    Record,
    parse_face,
    parse_tolerance,
    take_device,
)
from edge.commissioning.record_html import page
from edge.commissioning.round_trip import Delivery, RoundTrip
from edge.commissioning.value import Shown
from edge.drivers.base import DeviceError, DeviceSpec, Sample
from edge.site.devices import DeviceConfig
from evidence.quality import Quality
from tests.unit.edge.sites import METERS, replaced, site_of

NOW_NS = 1_793_534_400_000_000_000  # date -ud 2026-11-01T12:00 +%s


def entry(number: str | None, face: str | None) -> Entry:
    quality = Quality.GOOD if number is not None else Quality.NO_ANSWER
    value = Shown(number, "kW", quality)
    return Entry(
        "m.p", "holding 0x0000", "", value, NOW_NS, None if face is None else Decimal(face)
    )


@pytest.mark.parametrize(
    ("number", "face", "difference", "percent"),
    [
        ("8000.00", "8000", "0.00", "0.00"),
        ("8040.00", "8000", "40.00", "0.50"),
        ("17.0", "17.2", "-0.2", "-1.16"),  # -0.2 / 17.2 = -1.1628 %
        ("1.005", "1", "0.005", "0.50"),
        (  # the largest reading beside the smallest face: the page ended, and all that was typed
            "9223372036854775807",
            "0.000000000000001",
            "9223372036854775806.999999999999999",
            "922337203685477580699999999999999900.00",
        ),
        ("5.0", "0", "5.0", None),  # nothing is a percent of nothing
        ("5.0", None, None, None),
        (None, "5", None, None),
    ],
)
def test_differences(
    number: str | None, face: str | None, difference: str | None, percent: str | None
) -> None:
    told = entry(number, face).as_map()
    assert (told["difference"], told["percent"]) == (difference, percent)


@pytest.mark.parametrize(
    ("number", "face", "tolerance", "counts", "is_within"),
    [
        ("8000.00", "8010", "0.1", "-1000", False),  # 10 kW of 8.01 allowed; 1 count = 0.01 kW
        ("8000.00", "8010", "0.125", "-1000", True),  # 10 of 10.0125
        ("8000.00", "8001", None, "-100", True),  # the display shows whole kW
        ("8000.00", "8000.5", None, "-50", False),  # it shows tenths, and half a kW is five
        ("8000", "8000.4", None, "-0.4", True),  # whole kW are read
        ("-3.0", "3.0", "100", "-60", False),  # a sign that is the wrong way round
        ("0.00", "0", None, "0", True),
        (None, "5", "1", None, None),
        ("5.0", None, None, None, None),
    ],
)
def test_counts_and_tolerance(
    number: str | None, face: str | None, tolerance: str | None, counts: str | None,
    is_within: bool | None,
) -> None:  # fmt: skip
    told = replace(entry(number, face), tolerance=tolerance and Decimal(tolerance))
    assert told.counts == (None if counts is None else Decimal(counts))
    assert told.is_within is is_within


@pytest.mark.parametrize(
    ("text", "tolerance"), [("", None), (" ", None), ("0.5", Decimal("0.5")), ("100", Decimal(100))]
)
def test_tolerances(text: str, tolerance: Decimal | None) -> None:
    assert parse_tolerance(text) == tolerance


@pytest.mark.parametrize("text", ["-1", "100.1", "1e40", "half"])
def test_what_is_no_tolerance(text: str) -> None:
    with pytest.raises(ValueError, match=r"no number|from 0 to 100"):
        parse_tolerance(text)


@pytest.mark.parametrize(
    "text",
    ["x", "1,5", "NaN", "Infinity", "1" * 41, "--1", "1e4", "1e-30", "0e999999", "１２", "1_0", ""],
)
def test_what_is_no_face_value(text: str) -> None:
    with pytest.raises(ValueError, match=r"no number|at most"):
        parse_face(text)


class Meter:
    """A meter whose current in mA rises with each read, and which can go away."""

    def __init__(self) -> None:
        self.reads: list[int] = []
        self.gone_after = 99

    def __call__(self, spec: DeviceSpec) -> Sequence[Sample]:
        self.reads.append(len(spec.points))
        if len(self.reads) > self.gone_after:
            raise DeviceError(f"device {spec.id}: no connection")
        raw = struct.pack("<H", 1000 * len(self.reads))
        return [Sample(raw, Quality.GOOD)] * len(spec.points)


class Person:
    """Types these lines, and keeps what was shown."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.shown: list[str] = []

    def __call__(self, prompt: str) -> str:
        self.shown.append(prompt)
        return next(self._lines) + "\n"


@pytest.fixture
def device(tmp_path: Path) -> DeviceConfig:
    """Three currents through a transformer of 800/5, in A."""
    rows = 'ct_ratio = "800/5"\npoints = ["current_l1", "current_l2", "current_l3"]'
    text = replaced(METERS, {'ct_ratio = "800/5"': rows})
    text = text.partition("[[statement.auxiliary]]")[0]
    return site_of(tmp_path, text).devices[0]


def now_ns() -> int:
    return NOW_NS


class TestTaking:
    """What is read, what is asked."""

    def test_without_a_person_it_is_read_once(self, device: DeviceConfig) -> None:
        meter = Meter()
        made = take_device(device, meter, now_ns, None)
        assert meter.reads == [3]
        assert [e.shown.text for e in made.entries] == ["160.00 A"] * 3  # 1.000 A × 160
        assert (made.instrument, made.trouble) == ("", "")

    def test_a_point_is_read_again_at_the_moment_it_is_typed(self, device: DeviceConfig) -> None:
        meter, person = Meter(), Person(["panel A12", "318", "", "479.5"])
        made = take_device(device, meter, now_ns, person)
        assert meter.reads == [3, 1, 1]
        told = [(e.shown.number, e.face, e.difference) for e in made.entries]
        assert told == [
            ("320.00", Decimal(318), Decimal("2.00")),
            ("160.00", None, None),
            ("480.00", Decimal("479.5"), Decimal("0.50")),
        ]
        assert made.instrument == "panel A12"
        assert person.shown[1] == (
            "ac-1.current_l1: reads 160.00 A, good; face value in A (Enter: none, q: no more): "
        )

    def test_what_is_no_number_is_asked_for_again(self, device: DeviceConfig) -> None:
        person = Person(["", "three", "3", "q"])
        made = take_device(device, Meter(), now_ns, person)
        assert person.shown[2].startswith("'three' is no number; write digits")
        assert [e.face for e in made.entries] == [Decimal(3), None, None]

    def test_a_device_that_is_away(self, device: DeviceConfig) -> None:
        meter, person = Meter(), Person([])
        meter.gone_after = 0
        made = take_device(device, meter, now_ns, person)
        assert (made.trouble, person.shown) == ("no connection", [])
        assert {e.shown.text for e in made.entries} == {"-"}

    def test_one_that_goes_meanwhile(self, device: DeviceConfig) -> None:
        meter = Meter()
        meter.gone_after = 1
        made = take_device(device, meter, now_ns, Person(["", "160", "q"]))
        first = made.entries[0]
        assert (first.shown.number, first.face, first.difference) == (None, Decimal(160), None)


RECORD = Record(
    plant="north",
    plant_name="North <works> & sons",
    gateway="edge-1",
    simulated=False,
    time_zone="Asia/Shanghai",
    site_sha256="ab" * 32,
    software="stackproof test",
    by="</script><b>",
    made_ns=NOW_NS,
    devices=(
        OfDevice("m", "modbus+tcp://10.0.0.7", "a/b revision 1", "manual", "bench", {},
                 (entry("17.0", "17.2"), entry(None, None))),
    ),
)  # fmt: skip


class TestPage:
    """One file, in both languages, that runs nothing and fetches nothing."""

    def test_values_and_both_languages(self) -> None:
        text = page(RECORD)
        assert '<td class="n">17.0 kW</td>' in text
        assert '<td class="n">-0.2</td><td class="n">-1.16</td>' in text
        assert text.count('<td class="blank"></td>') == 4
        assert "no <span" in text  # 17.0 against 17.2: two in the last digit
        assert 'device did not answer in time <span lang="zh">设备未按时应答</span>' in text
        assert "2026-11-01 20:00:00 +0800" in text  # noon UTC in Shanghai

    def test_clocks_and_the_way_back(self) -> None:
        """Signed after 2 s, receipted 1 s later by a clock that is 0.5 s ahead at most."""
        second = 1_000_000_000
        idle = Delivery(True, "mqtt", 6, 6, 9, NOW_NS - 9 * second, NOW_NS, NOW_NS)
        waits = replace(idle, before_ns=NOW_NS + 2 * second, after_ns=NOW_NS + 2 * second)
        seen = Delivery(
            True, "mqtt", 8, 7, 10, NOW_NS + 5 * second // 2, NOW_NS + 3 * second,
            NOW_NS + 3 * second,
        )  # fmt: skip
        trip = RoundTrip.of(idle).after(waits).after(seen)
        assert (trip.is_done, trip.waited_s, trip.took_s) == (True, 3.0, 1.0)
        assert trip.collector_ahead_s == (-0.5, 0.5)
        checks = (warning("m", "clock", "ahead by <9 s>", "set it"),)
        text = page(replace(RECORD, checks=checks, trip=trip))
        assert "seq 7: 1.0 s; -0.5 s … +0.5 s" in text
        assert "ahead by &lt;9 s&gt;" in text

    def test_whatever_it_is_given_stays_text(self) -> None:
        text = page(RECORD)
        assert "North &lt;works&gt; &amp; sons" in text
        assert text.count("<script") == text.count("</script>") == 1
        assert "<b>" not in text
        assert "http" not in text

    def test_the_data_is_in_it(self) -> None:
        (block,) = re.findall(r'id="record">(.*?)</script>', page(RECORD), flags=re.DOTALL)
        assert json.loads(block) == json.loads(json.dumps(RECORD.as_map()))

    def test_a_simulation_says_so(self) -> None:
        assert "模拟数据" not in page(RECORD)
        assert "Simulated data" in page(replace(RECORD, simulated=True))
