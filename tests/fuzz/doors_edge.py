"""Doors of edge and device profiles: what collector and meters say, and the operator's files."""

import atexit
import contextlib
import functools
import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cbor2

from edge.calc.cli import main as calc
from edge.commands.plan import read_plan
from edge.commissioning.site_part import read_part
from edge.custody import judge_close_request, judge_receipt
from edge.drivers._blueprint.question import decode_answer
from edge.drivers.address import parse_address
from edge.drivers.base import DeviceError
from edge.drivers.dlt645.frame import WrongAnswerError, find_frame, judge_answer
from edge.drivers.hj212.message import Assembler, parse_segment
from edge.drivers.hj212.packet import Hj212Error, Splitter
from edge.drivers.modbus.tcp import find_pdu
from edge.drivers.opcua.bounds import AnswerError, Chunks
from edge.drivers.opcua.decode import Value, decode_value
from edge.errors import EdgeError, NotOursError, SiteConfigError
from edge.one_way.datagram import Reassembly, fragments, parse_fragment
from edge.pipeline import Layout, decode_tick
from edge.receipt_files import receipts_of
from edge.relay.config import RelayStream, load_relay
from edge.relay.outer import judge_relayed, read_outer
from edge.remote.folder import read_state
from edge.remote.state import Answer, Given, Trial
from edge.remote.state import State as OrderState
from edge.site.config import load_site
from evidence.archive.export import write_receipts
from evidence.errors import EvidenceError
from evidence.points import Dtype
from evidence.receipt import encode_close_request
from evidence.recompute import Recomputation
from firmware_configs.csv_import import import_csv
from firmware_configs.left_out import load_left_out
from firmware_configs.profile import FOLDER, ProfileError, load_profile
from tests.fuzz.doors import Call, Door, file_door, pure
from tests.fuzz.mutating import (
    cbor_bent,
    json_bent,
    lines_bent,
    object_bent,
    records_bent,
    spoilt,
    toml_bent,
)
from tests.unit.edge import sites
from tests.unit.edge.calc import smelter_month
from tests.unit.edge.calc.test_calc_cli import HEAD_ROW, ROWS, STATEMENT
from tests.unit.edge.drivers.hj212_packets import packet, rtd, segment
from tests.unit.edge.drivers.specs import register, spec
from tests.unit.edge.stream_rig import Rig, collector, opened
from tests.unit.edge.test_pipeline import PLAIN, T0
from tests.unit.edge.ticks import rows, tick
from tests.unit.evidence.plan import examples as x
from tests.unit.firmware_configs import profile_texts
from tests.unit.firmware_configs.test_csv_import import HEAD, TABLE

_COLLECTOR = object_bent(sites.keys().collector_signer)


def _left_out(_: Path) -> list[bytes]:
    return [(FOLDER / "left-out.toml").read_bytes()[:2_000].rpartition(b"\n\n")[0]]


def _site(path: Path) -> None:
    """A site file that is taken gives a configuration that can be calculated with."""
    config = sites.config_of(load_site(path))
    Recomputation().configure(b"x", config)


def _site_seeds(folder: Path) -> list[bytes]:
    sites.write_keys(folder / "keys")
    return [sites.SITE.encode()]


def _profiles(_: Path) -> list[bytes]:
    shipped = [path.read_bytes() for path in sorted(FOLDER.glob("*/*.toml"))]
    texts = profile_texts.MODBUS, profile_texts.OPCUA, profile_texts.FULL
    return [*(text.encode() for text in texts), *shipped]


def _url(data: bytes) -> None:
    device = spec(data.decode("utf-8", "replace"), register("word", Dtype.U16))
    parse_address(device, port=502, options=("unit", "mode"))


_URLS = [
    b"modbus+tcp://10.0.0.7:1502?unit=3", b"opc.tcp://gw:4840/a/b?mode=read",
    b"modbus+tcp://[::1]:1502",
]  # fmt: skip


def _datagram(data: bytes) -> None:
    """An object that is put together is the one its pieces name."""
    fragment = parse_fragment(data)
    whole = Reassembly().take(fragment)
    assert whole is None or hashlib.sha256(whole).digest() == fragment.sha256


_RELAY = b"""\
format = 1
[relay]
folder = "inbox"
udp = "127.0.0.1:5514"
broker = "mqtt://127.0.0.1:1883"
[[stream]]
plant = "north-works"
gateway = "edge-1"
collector = "file:keys/collector.crt"
"""


def _relay_seeds(folder: Path) -> list[bytes]:
    sites.write_keys(folder / "keys")
    return [_RELAY]


class _Spooled:
    """A spool with three objects, and what a collector that has them says."""

    def __init__(self, folder: Path) -> None:
        self.spool, stream = opened(folder / "spool.sqlite")
        atexit.register(self.spool.close)
        rig = Rig(self.spool, stream, collector())
        rig.made(3)
        self.objects = [stored.data for stored in self.spool.objects(0, 9)]
        self.receipt = rig.collector.receipt()
        request = rig.collector.close_request()
        self.request = encode_close_request(request, sites.keys().collector_signer)


_spooled = functools.cache(_Spooled)


def _judging(judge: Callable[[bytes, Any, Any], object]) -> Callable[[Path], Call]:
    return lambda folder: lambda data: judge(data, _spooled(folder).spool, sites.who())


def _packets(data: bytes) -> None:
    found = find_pdu(data[3:], int.from_bytes(data[:2], "big"), int.from_bytes(data[2:3], "big"))
    assert found in data


def _blueprint(data: bytes) -> None:
    """A sample of either kind of point, whatever the device says; never an error."""
    for dtype in (Dtype.F32, Dtype.I16):
        sample = decode_answer(data, register("flow", dtype, address=None))
        assert sample.raw is None or len(sample.raw) == dtype.size
        assert sample.raw is not None or not sample.quality.usable


def _hj212_stream(data: bytes) -> None:
    """Whole segments, or errors that are handed out; never one that is raised."""
    for found in Splitter().feed(data):
        assert isinstance(found, bytes | Hj212Error)


def _hj212_segment(data: bytes) -> None:
    Assembler().take(parse_segment(data))


_HJ212_SEGMENTS = [
    rtd("a05001-Rtd=12.5,a05001-Flag=N;a19001-Rtd=8.1,a19001-Flag=M").encode(),
    rtd("a05001-Rtd=12.5", flag=7, extra="PNUM=2;PNO=1;RF=1;").encode(),
    segment("", cn=9015).encode(),
]
_DLT645 = [
    bytes.fromhex("FEFE 68 129078563412 68 91 08 33333433 AB896745 CC 16"),
    bytes.fromhex("68 129078563412 68 D1 01 39 91 16"),
]


def _dlt645(data: bytes) -> None:
    """Every frame in it is one we asked for, or passed over, or a wrong answer."""
    frame, rest = find_frame(data)
    while frame is not None:
        judge_answer(frame, bytes.fromhex("129078563412"), 0x00010000)
        frame, rest = find_frame(rest)


_LAYOUT = Layout(PLAIN)
_TICK = tick(0, T0, {0: rows([1, 2], "<u2")}, devices=2).encode()


def _opcua(data: bytes) -> None:
    """Whatever a server puts into a variant: a sample, with a quality."""
    try:
        content = cbor2.loads(data)
    except (cbor2.CBORError, ValueError, TypeError):
        return
    for dtype in Dtype:
        value = Value.of(register("node", dtype, node="ns=2;s=N"))
        assert decode_value(content, value, status=0, source_time=None).quality is not None


def _opcua_chunks(data: bytes) -> None:
    """Whatever a server sends: chunks as it sent them, and never more held than an answer has."""
    chunks = Chunks(64)
    whole = b"".join(chunk for byte in data for chunk in chunks.take(bytes([byte])))
    assert data.startswith(whole)
    assert len(data) - len(whole) <= 64


def _calculated(path: Path) -> None:
    """`stackproof calc statement`: exit 0, or 2 with sentences on standard error."""
    _calc("statement", str(path), good={0})


def _shared_out(path: Path) -> None:
    """`stackproof calc pots` likewise, and a month against a table with nothing in it."""
    _calc("pots", str(path), good={0})
    _calc("statement", str(path), "--as", "ipcc-2006", good={0})
    table = path.with_name("nothing.csv")
    table.write_text("pot,start,duration_s\n")
    _calc("effects", str(path), str(table), "--time-s", "5", "--volts", "2", good={0, 1})


def _held_against(path: Path) -> None:
    """`stackproof calc effects` of a whole month; 1 where they do not agree."""
    month = path.with_name("statement.json")
    month.write_text(json.dumps(smelter_month.statement()))
    _calc("effects", str(month), str(path), "--time-s", "5", "--volts", "2", good={0, 1})


CEMS_HEAD = "hour,minutes,co2_percent,flow_m3_h,temperature_c,pressure_pa,moisture_percent"
CEMS_ROWS = [
    f"2026-06-01T{hour:02}:00,{mark * 60},{co2},311250,118.2,99860,9.12"
    for hour, mark, co2 in ((0, "N", "12.5"), (1, "D", "-"), (2, "F", ""), (3, "N", "11"))
]


def _cems(path: Path) -> None:
    """`stackproof calc cems`, with calibrations that are the same file: refused, or 1 outside."""
    known = ["--stacks", "1", "--gas-of", "fuel", "--basis", "wet", "--flow-basis", "wet"]
    for rules in ("hj-75-2017", "us-part-75"):
        _calc("cems", str(path), "--rule-set", rules, *known, "--maximum-potential", "9", good={0})
    _calc("cems", str(path), "--rule-set", "us-part-75", *known, "--calibrations", str(path),
          good=set())  # fmt: skip


def _calc(*arguments: str, good: set[int]) -> None:
    said, complained = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
        code = calc(arguments)
    assert code in good or (code == 2 and complained.getvalue())


def _statement_json(_: Path) -> Sequence[bytes]:
    return [
        json.dumps({
            "rule_set": "us-40cfr98-f", "month": "2026-06", "anode": {"net_t": "4"},
            "paste": {"metal_t": "1", "paste_t": "0.5", "technology": "HSS", "paste": "wet"},
            "baking": [{"green_t": "12", "baked_t": "10", "furnace": "riedhammer"}],
            "pfc": [
                {"metal_t": "9", "technology": "VSS", "aem_min_per_cell_day": "1", "gwp": "ar4"},
                {"metal_t": "9", "technology": "X", "aeo_mv": "2", "source": "own",
                 "current_efficiency_percent": "95", "overvoltage": "1", "c2f6_fraction": "0.1",
                 "collection_efficiency_percent": "98"},
            ],
        }).encode(),
        json.dumps({
            "rule_set": "cets-ag-04.01-v01-2024", "month": "2026-06",
            "fuel": [{"kind": "natural-gas", "quantity": "12.50"}], "anode": {"gross_t": "469.00"},
            "pfc": {"metal_t": "1000.00"}, "output": {"aluminium_t": "1000.00"},
        }).encode(),
        json.dumps({
            "rule_set": "cets-ag-03.01-v01-2024", "month": "2026-06",
            "fuel": [{
                "kind": "coke", "opening": "20", "purchased": "100", "closing": "10",
                "uncertainty": [
                    {"parameter": "purchased", "percent": "0.5", "means": "limits", "common": "w"},
                    {"parameter": "closing", "absolute": "1", "means": "expanded", "k": "2"},
                    {"parameter": "ncv", "percent": "1", "means": "standard", "dof": "9"},
                    {"parameter": "carbon_content", "means": "convention"},
                ],
            }],
        }).encode(),
    ]  # fmt: skip


_ORDER_STATES = [
    OrderState(),
    OrderState(7, Given(5, "ab"), Trial(Given(7, "ab"), True, ("ac-1",), True),
               Answer(7, "on trial"), Answer(6, "refused", "why")),
]  # fmt: skip

DOORS: list[Door] = [
    file_door("site file", _site, _site_seeds, toml_bent, (SiteConfigError,),
              "edge.site.config.load_site", "edge.site.config.read_site", file="site.toml",
              weight=4),
    file_door("site file of devices", read_part, _site_seeds, toml_bent, (SiteConfigError,),
              "edge.commissioning.site_part.read_part", file="site.toml"),
    file_door("device profile", lambda path: load_profile(str(path)), _profiles,
              toml_bent, (ProfileError,), "firmware_configs.profile.load_profile",
              "firmware_configs.toml.parse_toml", file="some.toml"),
    pure("register table as CSV", lambda data: import_csv(data, "map.csv", HEAD), [TABLE.encode()],
         lines_bent, (ProfileError,), "firmware_configs.profile.read_profile"),
    file_door("devices left out", load_left_out, _left_out, toml_bent, (ProfileError,),
              "firmware_configs.left_out.load_left_out", file="left-out.toml"),
    file_door("control plan in a file", read_plan, lambda _: [x.text().encode()], toml_bent,
              (EdgeError, EvidenceError), "edge.commands.plan.read_plan", file="PLAN.toml"),
    file_door("state of site orders", lambda path: read_state(path.parent),
              lambda _: [json.dumps(asdict(one)).encode() for one in _ORDER_STATES], json_bent,
              (EdgeError,), "edge.remote.folder.read_state", "edge.remote.folder.parse_state",
              file="state.json"),
    pure("device URL", _url, _URLS, spoilt, (DeviceError,), "edge.drivers.address.parse_address"),
    Door("receipt at the gateway", ("edge.custody.judge_receipt",),
         lambda folder: [_spooled(folder).receipt], _judging(judge_receipt), _COLLECTOR,
         (NotOursError,)),
    Door("close request at the gateway", ("edge.custody.judge_close_request",),
         lambda folder: [_spooled(folder).request], _judging(judge_close_request), _COLLECTOR,
         (NotOursError,)),
    Door("receipt at the relay", ("edge.relay.outer.judge_relayed",),
         lambda folder: [_spooled(folder).receipt],
         lambda _: lambda data: judge_relayed(
             data, RelayStream(sites.PLANT, sites.GATEWAY, "00", sites.keys().collector_key)),
         _COLLECTOR, (NotOursError,)),
    Door("object at the relay", ("edge.relay.outer.read_outer",),
         lambda folder: _spooled(folder).objects, lambda _: read_outer,
         object_bent(sites.keys().signer), (EvidenceError,)),
    pure("datagram at the relay", _datagram,
         [*fragments(b"x" * 2_000, 1, 2), *fragments(b"y", 3, 4)], spoilt, (EvidenceError,),
         "edge.one_way.datagram.parse_fragment"),
    file_door("relay file", load_relay, _relay_seeds, toml_bent, (SiteConfigError,),
              "edge.relay.config.load_relay", file="RELAY.toml"),
    file_door("receipt file at the gateway", receipts_of,
              lambda _: [write_receipts([b"one", b"two"])],
              records_bent(spoilt), (NotOursError,), "edge.receipt_files.receipts_of"),
    pure("open tick", lambda d: decode_tick(_LAYOUT, d), [_TICK], cbor_bent, (EvidenceError,),
         "edge.pipeline.decode_tick"),
    pure("Modbus packets", _packets,
         [b"\0\7\1\0\6\0\0\0\3\1\3\2\0\7\0\0\0\5\1\3\2\0\1"], spoilt, (),
         "edge.drivers.modbus.tcp.find_pdu"),
    pure("blueprint's answer", _blueprint,
         [b"VALUE flow 123.5", b"VALUE flow -7", b"ERROR flow off"], spoilt, (),
         "edge.drivers._blueprint.question.decode_answer"),
    pure("HJ 212 stream", _hj212_stream, [packet(s) for s in _HJ212_SEGMENTS], spoilt, (),
         "edge.drivers.hj212.packet.Splitter.feed"),
    pure("HJ 212 segment", _hj212_segment, _HJ212_SEGMENTS, spoilt, (Hj212Error,),
         "edge.drivers.hj212.message.parse_segment"),
    pure("DL/T 645 frames", _dlt645, _DLT645, spoilt, (WrongAnswerError,),
         "edge.drivers.dlt645.frame.find_frame"),
    pure("OPC UA value", _opcua, [cbor2.dumps(v) for v in (True, 7, -1, 2.5, "x", [1], b"")],
         cbor_bent, (), "edge.drivers.opcua.decode.decode_value"),
    pure("OPC UA chunks", _opcua_chunks,
         [b"MSGC\x10\0\0\0" + bytes(8) + b"MSGF\x11\0\0\0" + bytes(9)], spoilt, (AnswerError,)),
    file_door("month as TOML", _calculated, lambda _: [STATEMENT.encode()], toml_bent,
              (), file="month.toml"),
    file_door("month as JSON", _calculated, _statement_json, json_bent, (), file="month.json"),
    file_door("a sealed month's statement", _shared_out,
              lambda _: [json.dumps(smelter_month.statement()).encode()], json_bent, (),
              file="statement.json"),
    file_door("hours of a CEMS", _cems, lambda _: ["\n".join((CEMS_HEAD, *CEMS_ROWS)).encode()],
              lines_bent, (), file="hours.csv"),
    file_door("a controller's anode effects", _held_against,
              lambda _: ["\n".join((HEAD_ROW, *ROWS)).encode()], lines_bent, (),
              file="effects.csv", weight=4),
]  # fmt: skip
