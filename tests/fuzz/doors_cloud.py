"""Doors of the cloud: MQTT payloads, topics, CLOUD.toml, keys in folders, HTTP, its own files."""

import functools
import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random
from urllib.parse import quote

from cloud.accumulated.accuracy_file import read_accuracy_file
from cloud.api.guard import parse_form
from cloud.collector.identity import read_issued, read_root
from cloud.collector.judge import REASONS, Aside, Refused, judge
from cloud.collector.key_folder import read_offered
from cloud.collector.state_message import parse_state
from cloud.collector.topics import parse as parse_topic
from cloud.config import load_cloud, read_archive_dir, read_state_dir
from cloud.database.folders import PlantFolder, signed_size
from cloud.errors import CloudConfigError, CloudError, StoreError
from cloud.front.config import load_front
from cloud.live.facts import FactsError, gateway_facts
from cloud.live.hub import LiveHub
from cloud.live.message import LiveMessageError, parse_live
from cloud.plan.attached import read_plan
from cloud.plan.view import plan_row
from cloud.records.media import type_of
from cloud.records.papers import Papers, offer
from cloud.records.pdf.png import PictureError, pdf_of_png
from cloud.records.spreadsheet import read_table
from cloud.records.tables import TableError
from cloud.screening.alike import Series
from cloud.screening.alike import decode as decode_alike
from cloud.screening.alike import encode as encode_alike
from cloud.screening.kept import decode as decode_screening
from cloud.screening.kept import encode as encode_screening
from cloud.screening.kept import kept_of
from cloud.series.line_protocol import decode_answer
from cloud.series.store import SeriesAwayError
from evidence import cbor, checkpoint, merkle
from evidence.errors import EvidenceError, MalformedError
from evidence.frame import TYP_ROTATE
from evidence.keys import FileSigner, certificate_from_pem, key_sha256
from evidence.log import Entry, Kind, encode_entry
from evidence.orders import Revoke, encode_order, encode_rotate
from evidence.plan.departures import departures
from evidence.plan.due import expected, falls_due
from evidence.plan.sentences import said
from evidence.records import encode_record
from tests.fuzz.doors import Call, Door, file_door, pure
from tests.fuzz.mutating import (
    cbor_bent,
    json_bent,
    object_bent,
    package_bent,
    pem_bent,
    spoilt,
    toml_bent,
)
from tests.unit.cloud import app_examples, live_examples
from tests.unit.cloud.collector.judge_examples import NOW_NS, SENDER, View, keyring_of
from tests.unit.cloud.evidence_examples import T0_NS, ExamplePlant, make_plant
from tests.unit.cloud.front.front_examples import write_front
from tests.unit.cloud.test_cloud_config import GOOD
from tests.unit.cloud.test_papers import workbook
from tests.unit.cloud.test_record_tables import workbook as table_workbook
from tests.unit.cloud.test_scanned_pictures import png
from tests.unit.cloud.test_screening import PLOT, answer, screened
from tests.unit.edge.calc.screening.test_prints import made
from tests.unit.evidence.documents import papers as pp
from tests.unit.evidence.plan import examples as x

OURS = (EvidenceError,)
_FORMS = [b"account=li-wei&password=a+b%21&code=123456&next=", b"scopes=see&scopes=evidence"]
LIVE = [live_examples.payload(0), live_examples.payload(1, effects=[live_examples.effect(0, 5)])]


def _hub() -> Call:
    """The hub with a plant: what is no message is counted, and nothing is raised at all."""
    hub = LiveHub(live_examples.ManualClock())
    hub.on_config(live_examples.PLANT, live_examples.GATEWAY, live_examples.configuration())

    def call(payload: bytes) -> None:
        hub.on_live(live_examples.PLANT, live_examples.GATEWAY, payload)
        hub.snapshot(live_examples.PLANT)

    return call


def _facts(data: bytes) -> None:
    """A configuration that was signed, and never seen by the site file's checks."""
    gateway_facts(live_examples.GATEWAY, cbor.decode(data))


@functools.cache
def _plant() -> ExamplePlant:
    return make_plant(Path(tempfile.mkdtemp()))


@functools.cache
def _sent() -> list[bytes]:
    """A configuration, two frames and a close, as the gateway would send them."""
    gateway = _plant().gateways["edge-1"]
    config = gateway.config()
    frames = [gateway.frame(T0_NS + i * 10**10) for i in range(2)]
    return [config, *frames, gateway.close(bytes(32))]


def _judge() -> Call:
    """Judges an object for each place of the stream: a verdict with a known reason, always."""
    keyring, views = keyring_of(_plant().identity()), []
    for count in range(len(_sent())):
        view = View()
        for data in _sent()[:count]:
            view.hold(judge(data, SENDER, keyring, view, NOW_NS))
        views.append(view)

    def call(data: bytes) -> None:
        for view in views:
            verdict = judge(data, SENDER, keyring, view, NOW_NS)
            assert not isinstance(verdict, Refused) or verdict.reason in REASONS
            assert not isinstance(verdict, Aside) or verdict.entry.kind is Kind.REJECT

    return call


def _object_bent(data: bytes, choose: Random) -> bytes:
    return object_bent(_plant().gateways["edge-1"].signer)(data, choose)


def _revoke(plant: ExamplePlant) -> bytes:
    key = key_sha256(plant.gateways["edge-1"].signer.public_key)
    order = Revoke(plant.id, "edge-1", key, None, "stolen")
    return encode_order(order, FileSigner(plant.root_key))


def _rotates(plant: ExamplePlant) -> list[bytes]:
    gateway = plant.gateways["edge-1"]
    certificate = certificate_from_pem(_certificates("edge-1.crt")[0])
    return [gateway.sign(TYP_ROTATE, encode_rotate(certificate))]


def _offered(name: str) -> Callable[[Path], Call]:
    """An operator's folder with one file: problems are sentences, and nothing is raised."""

    def opened(folder: Path) -> Call:
        identity = _plant().identity()
        keys = folder / "offered"
        keys.mkdir(exist_ok=True)

        def call(data: bytes) -> None:
            (keys / name).write_bytes(data)
            offered = read_offered(keys, identity, keyring_of(identity))
            assert all(name in problem for problem in offered.problems)

        return call

    return opened


def _order_bent(data: bytes, choose: Random) -> bytes:
    return object_bent(FileSigner(_plant().root_key))(data, choose)


def _certificates(*names: str) -> list[bytes]:
    return [(_plant().folder / name).read_bytes() for name in names]


def _cloud_seeds(folder: Path) -> list[bytes]:
    make_plant(folder)
    return [GOOD.encode(), GOOD.replace("gateways =", 'keys = "file:mini"\ngateways =').encode()]


def _front_seeds(folder: Path) -> list[bytes]:
    return [write_front(folder, {"north": "https://north.example"}, reader="grafana").read_bytes()]


def _papers() -> Call:
    """A document with its file comes to a plant whose persons are known; none of it is taken."""
    papers = Papers(pp.PLANT, [pp.key_of(pp.COLLECTOR).public_key])
    for index, data in enumerate(pp.persons()):
        papers.take(papers.judge(offer(data, []), index, T0_NS))

    def call(data: bytes) -> None:
        papers.judge(offer(data, [pp.SCAN]), 9, T0_NS)

    return call


def _folder_seeds(folder: Path) -> list[bytes]:
    """A log as collectors kept it before databases, beside its checkpoint."""
    entries = [encode_entry(Entry(Kind.ENROL, T0_NS, 1, "", None, bytes(32), n)) for n in range(3)]
    root = merkle.root_of([merkle.leaf_hash(data) for data in entries])
    by = _plant().collector
    note = checkpoint.sign(checkpoint.Checkpoint("mini", 3, root), by, by.public_key)
    (folder / "log").mkdir(exist_ok=True)
    (folder / "log/checkpoint").write_text(note)
    log = b"".join(map(encode_record, entries))
    (folder / "log/entries.seg").write_bytes(log)
    return [log]


def _folder_notes(folder: Path) -> list[bytes]:
    _folder_seeds(folder)
    return [(folder / "log/checkpoint").read_bytes()]


def _read_folder(path: Path) -> None:
    folder = path.parent.parent
    signed_size(folder)
    assert PlantFolder("mini", folder, [_plant().collector.public_key]).size == 3


def _http(data: bytes) -> None:
    """A path and a body: whatever they are, an answer below 500."""
    path, _, body = data.partition(b"\n")
    headers = {"Authorization": f"Bearer {app_examples.TOKEN}", "Content-Type": "application/json"}
    asked = "/" + quote(path, safe="/?&=%").lstrip("/")
    said = _client().request("POST" if body else "GET", asked, content=body, headers=headers)
    assert said.status_code < 500


def _request_bent(data: bytes, choose: Random) -> bytes:
    path, _, body = data.partition(b"\n")
    if body and choose.randint(0, 3):
        return path + b"\n" + json_bent(body, choose)
    return spoilt(path, choose) + b"\n" + body


_INVOICE = pp.paper("li", "invoice", "coal", pp.INVOICE, files=[pp.file_of(pp.SCAN)])
_client = functools.cache(app_examples.make_client)
_ANSWERS = [
    b'{"results":[{"statement_id":0}]}',
    b'{"results":[{"statement_id":0,"series":[{"name":"minute","tags":{"decimals":"3","gateway":'
    b'"edge-1","plant":"mini","point":"p.v","quantity":"{\\"kind\\":\\"voltage\\",\\"unit\\":\\"V\\"}"},'
    b'"columns":["time","count","worst","low","high","last","mean","rest"],"values":'
    b"[[1790000000,2,0,4100,4200,4200,4150,0],[1790000060,0,128,null,null,null,null,null]]}]}]}",
]
_TOPICS = [b"stackproof/v1/0f/mini/edge-1/frames", b"stackproof/v1/0f/mini/edge-1/live"]
_PATHS = [
    b"/api/v1/history?plant=mini&point=p.01.voltage", b"/api/v1/live/snapshot?plant=mini",
    b'/api/v1/months/mini/2026-09/close\n{"closing": "final", "amend": true, "reason": "x"}',
    b'/api/v1/months/mini/2026-09/seal\n{"reason": ""}',
    b'/api/v1/plants/mini/documents\n{"document": "aGVsbG8=", "files": ["aGVsbG8="]}',
    b'/api/v1/plants/mini/documents/prepare\n{"person": "li", "key": "' + b"0" * 64
    + b'", "kind": "count", "about": "x", "body": {"value": "1"}, "follows": [], "files": []}',
    b"/api/v1/plants/mini/documents?kind=count&about=x&from=3",
    b"/api/v1/plants/mini/templates/invoice?language=zh&form=csv", b"/zh/plants/mini/labels?id=s-1",
    b"/static/js/main.js", b"/p/mini?lang=zh",
]  # fmt: skip


def _plan(data: bytes) -> None:
    """A plan that is taken can be held against a month, shown, and told what it asks for."""
    plan = read_plan(data)
    for departure in departures(plan, [x.configuration()], x.certificates(), "2026-06"):
        assert all(said(departure, "zh"))
    falls_due(plan, x.certificates(), date(2026, 11, 2))
    expected(plan, "2026-06", x.certificates())
    json.dumps(plan_row(plan))


_TABLES = [
    table_workbook('<row r="1"><c r="B1" t="s"><v>1</v></c><c s="3"><v>46296.5</v></c></row>'),
    "源流,数值\ncoal,12.50\n".encode("gb18030"), b'a;"b ""c"""\r\n1;2\r\n',
]  # fmt: skip


_KEPT = replace(
    kept_of(screened(answer("gas.flow", plot=PLOT), answer("b")), "x.tar"),
    prints=made([(8 * n, n % 5, n) for n in range(9)]), makers=[("author", "Wei")],
)  # fmt: skip
_ALIKE = encode_alike(Series(1, "ab", 2, _KEPT.out, 0))

DOORS: list[Door] = [
    pure("live message", lambda d: parse_live(d, live_examples.PLANT, live_examples.GATEWAY), LIVE,
         json_bent, (LiveMessageError,), "cloud.live.message.parse_live"),
    pure("screening kept", decode_screening, [encode_screening(_KEPT)],
         json_bent, (MalformedError,), "cloud.screening.kept.decode"),
    pure("answer of InfluxDB", decode_answer, _ANSWERS, json_bent, (SeriesAwayError,),
         "cloud.series.line_protocol.decode_answer"),
    pure("series alike", decode_alike, [_ALIKE], json_bent, (MalformedError,),
         "cloud.screening.alike.decode"),
    pure("live hub", _hub(), LIVE, json_bent, ()),
    pure("facts of a configuration", _facts, [cbor.encode(live_examples.configuration())],
         cbor_bent, (FactsError, EvidenceError)),
    pure("state", parse_state, [
        b'{"online": true, "order": {"number": 4, "outcome": "refused", "reason": "x"}}',
        b'{"online": false}'], json_bent, (),
         "cloud.collector.state_message.parse_state"),
    pure("topic", lambda d: parse_topic(d.decode("utf-8", "replace"), "0f"), _TOPICS, spoilt, (),
         "cloud.collector.topics.parse"),
    Door("object from a gateway", ("cloud.collector.judge.judge",), lambda _: _sent(),
         lambda _: _judge(), _object_bent, (), weight=2),
    Door("order in the folder", ("cloud.collector.keyring.read_order",),
         lambda _: [_revoke(_plant())], _offered("some.cose"), _order_bent, (), weight=2),
    Door("rotate object kept", ("cloud.collector.keyring.read_rotation",),
         lambda _: _rotates(_plant()), lambda _: keyring_of(_plant().identity()).read_rotation,
         _object_bent, OURS, weight=2),
    Door("certificate in the folder", (), lambda _: _certificates("edge-1.crt", "root.crt"),
         _offered("some.crt"), pem_bent, (), weight=2),
    file_door("root's certificate", lambda path: read_root(path, "mini"),
              lambda _: _certificates("root.crt"), pem_bent, OURS,
              "cloud.collector.identity.read_root"),
    file_door("collector's certificate",
              lambda path: read_issued(path, _plant().folder / "root.crt", "collector", "mini"),
              lambda _: _certificates("collector.crt"), pem_bent, OURS,
              "cloud.collector.identity.read_issued"),
    file_door("CLOUD.toml", load_cloud, _cloud_seeds, toml_bent, (CloudConfigError,),
              "cloud.config.load_cloud", "cloud.config_file.parse_file", file="CLOUD.toml"),
    file_door("FRONT.toml", load_front, _front_seeds, toml_bent, (CloudConfigError,),
              "cloud.front.config.load_front", file="FRONT.toml"),
    file_door("accuracy of meters", read_accuracy_file,
              lambda _: [b'[[meter]]\npoint = "a.total"\npercent = "1"\nmeans = "standard"\n',
                         b'[[factor]]\nof = "fuel.coke.ncv"\npercent = "1"\nmeans = "limits"\n'],
              toml_bent, (CloudError,), "cloud.accumulated.accuracy_file.read_accuracy_file"),
    file_door("CLOUD.toml's state folder", read_state_dir, lambda _: [GOOD.encode()],
              toml_bent, (CloudConfigError,), "cloud.config.read_state_dir", file="CLOUD.toml"),
    file_door("CLOUD.toml's archive folder", read_archive_dir, lambda _: [GOOD.encode()],
              toml_bent, (CloudConfigError,), "cloud.config.read_archive_dir", file="CLOUD.toml"),
    file_door("log of a folder of before", _read_folder, _folder_seeds, spoilt, (StoreError,),
              file="log/entries.seg"),
    file_door("checkpoint of a folder of before", _read_folder, _folder_notes, spoilt,
              (StoreError,), file="log/checkpoint"),
    pure("form of a page", parse_form, _FORMS, spoilt, (ValueError,), "cloud.api.guard.parse_form"),
    Door("document of a person", (), lambda _: [_INVOICE], lambda _: _papers(),
         object_bent(pp.key_of("li")), OURS, weight=2),
    pure("attached file", type_of,
         [pp.SCAN, b"a,b\r\n", workbook("[Content_Types].xml", "xl/workbook.xml")], spoilt, ()),
    pure("control plan", _plan, [x.text().encode()], toml_bent, OURS,
         "cloud.plan.attached.read_plan", weight=2),
    pure("table of an import", read_table, _TABLES, package_bent, (TableError,),
         "cloud.records.spreadsheet.read_table", "cloud.records.tables.read_csv",
         "cloud.records.workbook.read_workbook"),
    pure("scanned PNG", pdf_of_png, [png(8, 6, ("00000000", "400000ff")), png(1, 3, ("0", "1"))],
         spoilt, (PictureError,)),
    pure("HTTP", _http, _PATHS, _request_bent, (), weight=6),
]  # fmt: skip
