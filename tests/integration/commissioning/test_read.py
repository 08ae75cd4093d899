"""`stackproof edge read` against servers: words, orders, neighbours, and what goes wrong."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.integration.commissioning.field import AC_WORDS, Said, edge, site_at, with_url
from tests.integration.drivers.modbus_others import libmodbus_rtu, libmodbus_tcp, modbus_serial_tcp
from tests.integration.drivers.modbus_responder import Pdu, Responder, Silence
from tests.integration.drivers.opcua_plant import NAMESPACE, Plant
from tests.unit.edge.sites import AC, GAS, HEAD, replaced, write_keys, write_site


class TestAPoint:
    """Of a site file: value, unit, the profile's own order marked, what stands beside it."""

    async def test_everything_about_it(self, tmp_path: Path, meter: Responder, said: Said) -> None:
        site = site_at(tmp_path, meter)
        assert await edge("read", site, "ac-1", "power") == 0
        text = said.out()
        assert "FC 3 unit 1 holding 0x0018 x 2; answered in" in text
        assert "words   0x0000 0xC350" in text
        assert "value   8000.00 kW   good" in text  # 0.5 kW × 800/5 × 10000/100
        assert text.count(">50000<") == 1
        lines = text.splitlines()
        assert any(line.startswith("  i32 ") and ">50000<" in line for line in lines)
        assert any("holding 0x0018" in line and line.endswith("< this one") for line in lines)

    async def test_three_reads_and_nothing_else(
        self, tmp_path: Path, meter: Responder, said: Said
    ) -> None:
        assert await edge("read", site_at(tmp_path, meter), "ac-1.power") == 0
        assert [(q.code, *q.span) for q in meter.questions] == [
            (3, 0x18, 2), (3, 0x17, 2), (3, 0x19, 2),
        ]  # fmt: skip
        assert await meter.settled() == 0

    async def test_json(self, tmp_path: Path, meter: Responder, said: Said) -> None:
        assert await edge("read", site_at(tmp_path, meter), "ac-1.power", "--json") == 0
        told = said.json()
        assert (told["point"], told["value"], told["unit"]) == ("ac-1.power", "8000.00", "kW")
        assert told["words"] == ["0000", "c350"]
        assert told["raw"] == "50c30000"
        assert [t["value"] for t in told["takings"] if t["profile"]] == [50_000]
        assert len(told["takings"]) == 16  # u32 i32 f32 bcd32, four orders each
        assert [n["address"] for n in told["neighbours"]] == [0x17, 0x19]

    async def test_an_offset_of_one_shows(
        self, tmp_path: Path, meter: Responder, said: Said
    ) -> None:
        """The device's manual counts from 1 and its profile was written as if from 0."""
        meter.words = {address - 1: word for address, word in AC_WORDS.items()}
        assert await edge("read", site_at(tmp_path, meter), "ac-1", "frequency", "--json") == 1
        told = said.json()
        assert told["verdict"] == "outside the allowed range"
        assert told["neighbours"][0]["text"] == "50.00 Hz"

    async def test_a_refused_address(self, tmp_path: Path, meter: Responder, said: Said) -> None:
        meter.illegal = {0x18}
        assert await edge("read", site_at(tmp_path, meter), "ac-1", "power") == 1
        text = said.out()
        assert "trouble refused: illegal data address (2)" in text
        assert "check address_notation, table and type of the row" in text
        assert "value   -   device refused to give a value" in text

    async def test_silence_is_asked_once(
        self, tmp_path: Path, meter: Responder, said: Said
    ) -> None:
        meter.twist = lambda _: Silence()
        assert await edge("read", site_at(tmp_path, meter), "ac-1", "power") == 1
        assert "nobody answers as unit 1: check the unit id" in said.out()
        assert len(meter.questions) == 1

    async def test_a_wrong_answer(self, tmp_path: Path, meter: Responder, said: Said) -> None:
        meter.twist = lambda _: Pdu(b"\x03\x02\x00\x00")
        assert await edge("read", site_at(tmp_path, meter), "ac-1", "power") == 1
        assert "answered 2 bytes, 4 were due" in said.out()

    async def test_nobody_there(self, tmp_path: Path, meter: Responder, said: Said) -> None:
        site = site_at(tmp_path, meter)
        await meter.stop()
        assert await edge("read", site, "ac-1", "power") == 1
        assert "check power, cable and address" in said.both()[1]

    async def test_all_points_of_a_device(
        self, tmp_path: Path, meter: Responder, said: Said
    ) -> None:
        assert await edge("read", site_at(tmp_path, meter), "ac-1") == 0
        lines = said.out().splitlines()
        assert len(lines) == 10
        assert lines[1].split() == ["ac-1.voltage_l1", "5780.0", "V", "good"]  # 57.80 × 100
        assert lines[9].split()[1:3] == ["1600000.00", "kWh"]  # 100 × 160 × 100

    async def test_before_the_rest_of_the_site_file_is_written(
        self, tmp_path: Path, meter: Responder, said: Said
    ) -> None:
        site = write_site(tmp_path, "format = 1\n" + with_url(AC, meter.port))
        assert await edge("read", site, "ac-1", "power") == 0
        out, err = said.both()
        assert "value   8000.00 kW   good" in out
        assert err == f"{site}: 4 problems elsewhere in it: stackproof edge check\n"

    async def test_before_the_other_devices_are_written(
        self, tmp_path: Path, meter: Responder, said: Said
    ) -> None:
        gas = replaced(GAS, {"modbus+tcp://127.0.0.1:15021?unit=1": "?"})
        site = write_site(tmp_path, "format = 1\n" + with_url(AC, meter.port) + gas)
        assert await edge("read", site, "ac-1.power") == 0
        assert await edge("read", site, "gas-1") == 2
        assert "device[1].url: gas-1: is still to be filled in" in said.both()[1]

    async def test_a_mistake_in_the_devices_is_told(
        self, tmp_path: Path, meter: Responder, said: Said
    ) -> None:
        text = replaced(with_url(AC, meter.port), {'ct_ratio = "800/5"\n': ""})
        assert await edge("read", write_site(tmp_path, text), "ac-1", "power") == 2
        err = said.both()[1]
        assert "ct_ratio: ac-1: is missing: stackproof/ac-meter reports secondary values" in err
        assert meter.questions == []

    async def test_unknown_names_cannot_run(
        self, tmp_path: Path, meter: Responder, said: Said
    ) -> None:
        assert await edge("read", site_at(tmp_path, meter), "ac-1", "powr") == 2
        assert "did you mean power?" in said.both()[1]


class TestAPlace:
    """Before there is a site file: a URL and an address."""

    async def test_all_widths_are_shown(self, meter: Responder, said: Said) -> None:
        meter.words |= {3000: 0x449A, 3001: 0x5000}
        assert await edge("read", meter.url, "43001", "--json") == 0
        told = said.json()
        assert (told["table"], told["address"]) == ("holding", 3000)
        values = {(t["type"], t["order"]): t["value"] for t in told["takings"]}
        assert values["u16", "AB"] == 0x449A
        assert values["f32", "ABCD"] == 1234.5
        assert len(values) == 3 * 2 + 4 * 4 + 4 * 4

    @pytest.mark.parametrize("asked", ["f32", "FLOAT32"])
    async def test_a_type_is_looked_for_beside_the_place_too(
        self, asked: str, meter: Responder, said: Said
    ) -> None:
        """The manual said 3002: the number stands one lower, its low word first."""
        meter.words |= {3000: 0x5000, 3001: 0x449A}
        assert await edge("read", meter.url, "holding:3001", asked, "--json") == 0
        told = said.json()
        assert told["words"] == ["449a", "0bba"]  # what nobody set is its address
        lower, higher = told["neighbours"]
        assert {t["type"] for n in (told, lower, higher) for t in n["takings"]} == {"f32"}
        assert [t["order"] for t in lower["takings"] if t["value"] == 1234.5] == ["CDAB"]
        assert [q.span for q in meter.questions] == [(3001, 2), (3000, 2), (3002, 2)]

    @pytest.mark.parametrize(
        ("place", "asked", "sentence"),
        [
            ("holding:3000", "f33", "'f33' is no type of a register; write one of u16 i16 bcd16 "),
            ("coil:0", "u16", "a cell of table coil is a bit: leave 'u16' out"),
        ],
    )
    async def test_what_is_no_type(
        self, place: str, asked: str, sentence: str, meter: Responder, said: Said
    ) -> None:
        assert await edge("read", meter.url, place, asked) == 2
        assert sentence in said.both()[1]
        assert meter.questions == []

    async def test_the_last_register_of_a_device(self, meter: Responder, said: Said) -> None:
        meter.illegal = {201}
        assert await edge("read", meter.url, "input:200") == 0
        text = said.out()
        assert "input 0x00c8 x 1; answered" in text
        assert "input 0x00c9" in text
        assert "refused: illegal data address (2)" in text
        assert [q.span for q in meter.questions] == [
            (200, 4), (200, 2), (200, 1), (199, 4), (199, 2), (201, 4), (201, 2), (201, 1),
        ]  # fmt: skip

    async def test_a_url_without_its_protocol(self, said: Said) -> None:
        assert await edge("read", "127.0.0.1:502", "40001") == 2
        assert said.both()[1] == (
            "stackproof edge: 127.0.0.1:502 is no site file; a device's url is such as "
            "modbus+tcp://127.0.0.1:502\n"
        )

    async def test_a_name_nobody_knows(self, said: Said) -> None:
        assert await edge("read", "modbus+tcp://meter.invalid:502", "40001") == 1
        assert "(the name 'meter.invalid' is not known here)" in said.both()[1]

    async def test_a_bit(self, meter: Responder, said: Said) -> None:
        meter.bits = {17}
        assert await edge("read", meter.url, "coil:17", "--json") == 0
        told = said.json()
        assert told["words"] == ["0001"]
        assert [n["text"] for n in told["neighbours"]] == ["0", "0"]

    @pytest.mark.parametrize(
        ("url", "place", "sentence"),
        [
            ("URL", "3000", "write TABLE:ADDRESS as on the wire"),
            ("modbus+tcp://127.0.0.1:1?unit=300", "holding:1", "unit '300' is not in 0..255"),
            ("hj212://127.0.0.1:9000", "holding:1", "for other protocols write the device into"),
        ],
    )
    async def test_what_cannot_be_asked(
        self, meter: Responder, said: Said, url: str, place: str, sentence: str
    ) -> None:
        assert await edge("read", meter.url if url == "URL" else url, place) == 2
        assert sentence in said.both()[1]
        assert meter.questions == []


Served = Callable[[Path, Path, list[str]], AbstractContextManager[str]]


@pytest.mark.parametrize("serve", [libmodbus_tcp, libmodbus_rtu, modbus_serial_tcp])
async def test_servers_of_others(serve: Served, tmp_path: Path, said: Said) -> None:
    """What libmodbus and modbus-serial wrote in their own orders is found where they say."""
    lines = ["holding 20 u16 ABCD 42609", "holding 22 u32 CDAB 305419896",
             "holding 30 f32 DCBA 1234.5"]  # fmt: skip
    with serve(tmp_path, tmp_path, lines) as url:
        found = {}
        for place in ("holding:20", "holding:22", "holding:30"):
            assert await edge("read", url, place, "--json") == 0
            found[place] = {(t["type"], t["order"]): t["value"] for t in said.json()["takings"]}
    assert found["holding:20"]["u16", "AB"] == 42609
    assert found["holding:22"]["u32", "CDAB"] == 305419896
    assert found["holding:30"]["f32", "DCBA"] == 1234.5


class TestANode:
    """OPC UA: value, type, status, source time."""

    async def test_a_node_without_a_site_file(self, plant: Plant, said: Said) -> None:
        await plant.put("Flow", 12.5)
        node = f"ns={plant.index};s=Flow"
        assert await edge("read", plant.url, node) == 0
        text = said.out()
        assert "status        Good" in text
        assert "data type     Float" in text
        assert "value         12.5" in text

    async def test_one_that_is_not_there(self, plant: Plant, said: Said) -> None:
        assert await edge("read", plant.url, f"ns={plant.index};s=Flaw") == 1
        text = said.out()
        assert "the server says BadNodeIdUnknown" in text
        assert "stackproof edge scan lists those there are" in text

    async def test_one_that_is_none(self, plant: Plant, said: Said) -> None:
        assert await edge("read", plant.url, "Flow") == 2
        assert "write ns=2;s=name or ns=2;i=1001" in said.both()[1]

    async def test_a_point_whose_namespace_is_another_servers(
        self, plant: Plant, tmp_path: Path, said: Said
    ) -> None:
        write_keys(tmp_path / "keys")
        text = HEAD + replaced(_POTS, {"URL": plant.url})
        site = write_site(tmp_path, text)
        assert await edge("read", site, "pot-gateway", "line_current") == 1
        assert "the server has no namespace" in said.both()[1]
        assert NAMESPACE not in text


_POTS = """\
[[device]]
id = "pot-gateway"
url = "URL"
profile = "stackproof/pot-gateway"
provenance = "via-control-system"
each = "1-3"
[statement.metal]
point = "pot-gateway.metal_tapped"
[statement.anode]
gross_kg_per_t = "469"
source = "typed in a test"
"""
