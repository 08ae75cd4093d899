"""From a person's key to the sealed month: the collector takes papers and readings, both verify it.

The collector's own thread, store and API; the verifier as its command, and the other one in Node.
"""

import asyncio
import base64
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cloud.closing.months import Months
from cloud.collector.identity import PlantIdentity, read_issued, read_root
from cloud.collector.inbox import Message
from cloud.collector.topics import Sender
from cloud.database.schema import attached, file_chunk
from cloud.database.writer import PlantWriter
from cloud.records import desk as desk_module
from cloud.records.desk import RecordDesk
from evidence import cbor, cli
from evidence.blocks import compress
from evidence.findings import Verdict
from evidence.frame import TYP_CONFIG, TYP_FRAME, encode_body
from evidence.keys import certificate_to_pem, key_sha256, write_private
from tests.independent.other import compare, verify_there
from tests.unit.cloud.app_examples import TOKEN, make_app, make_client
from tests.unit.cloud.collector.running import Running
from tests.unit.cloud.month_examples import judged
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp
from tests.unit.evidence.small_plant import MONTH

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("npm")]


RESULT = {"report": "HT-2026-0412", "report_day": "2026-06-14", "laboratory": "Huatan",
          "values": [{"name": "carbon", "basis": "ad", "value": "64.31", "unit": "%"}]}  # fmt: skip


class SmallPlant:
    """The evidence room's plant with its certificates as files, for a collector to open."""

    def __init__(self, folder: Path) -> None:
        self.collector, self.folder = sm.keys().collector, folder
        for role, certificate in sm.keys().certificates.items():
            (folder / f"{role}.crt").write_bytes(certificate_to_pem(certificate))

    def identity(self) -> PlantIdentity:
        root = self.folder / "root.crt"
        issued = [
            read_issued(self.folder / f"{role}.crt", root, role, sm.PLANT)
            for role in ("collector", "gateway")
        ]
        return PlantIdentity(sm.PLANT, read_root(root, sm.PLANT), issued[0], (issued[1],))


def stream() -> list[bytes]:
    """What the plant's gateway sends."""
    chain, config = sm.Chain(sm.keys().gateway), sm.configuration()
    chain.sign(TYP_CONFIG, compress(cbor.encode(config)))
    for body in sm.bodies(config):
        chain.sign(TYP_FRAME, encode_body(body))
    return chain.objects


def noted(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[int]:
    """The threads in which something is called."""
    real, threads = getattr(owner, name), list[int]()

    def call(*given: Any, **named: Any) -> Any:
        threads.append(threading.get_ident())
        return real(*given, **named)

    monkeypatch.setattr(owner, name, call)
    return threads


async def write_papers(post: Callable[..., Any], send: Callable[..., Any]) -> None:
    """Four persons; an invoice that another one approves; a laboratory's result."""
    key = pp.spki(pp.key_of("wang")).hex()
    person = {"name": "Wang", "organisation": "Test smelter", "role": "security", "key": key}
    head = bytes.fromhex((await post("persons", {"person": "wang", **person}))["sha256"])
    for who in ("li", "zhao", "lab"):
        head = await send(pp.paper("wang", "person", who, pp.person_body(who), head))
    invoice = pp.paper("li", "invoice", "anthracite", pp.INVOICE, files=[pp.file_of(pp.SCAN)])
    await send(pp.paper("zhao", "approve", "anthracite", {}, await send(invoice, pp.SCAN)))
    report = pp.paper("lab", "sample-result", "C-1", RESULT, files=[pp.file_of(pp.SCAN)])
    await send(report, pp.SCAN)


def signed_by_the_root(folder: Path, persons: bytes) -> str:
    """What the keeper of the root makes of the exported list, by its own commands."""
    (folder / "persons.json").write_bytes(persons)
    write_private(folder / "root.pem", sm.keys().root._key)
    command = ["keys", "persons", "--list", str(folder / "persons.json"),
               "--list-sha256", sm.sha256(persons).hex(), "--root", f"file:{folder}/root.pem",
               "--root-certificate", str(folder / "root.crt"),
               "--out", str(folder / "signed")]  # fmt: skip
    assert cli.main(command) == 0
    return base64.b64encode((folder / "signed").read_bytes()).decode()


@pytest.mark.parametrize("is_certified", [True, False], ids=["certified", "not certified"])
async def test_papers_and_readings_become_a_month_that_verifies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    is_certified: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(desk_module, "FREE_BYTES_MIN", 0)
    monkeypatch.setattr("cloud.closing.months.PLANT_SIGNATURE_S", 0.1)  # the gateway is away
    writing = noted(monkeypatch, PlantWriter, "lay_files")
    naming = noted(monkeypatch, PlantWriter, "stage_record")
    plant: Any = SmallPlant(tmp_path)
    running = Running(plant, tmp_path / "00")
    records = RecordDesk(running.collector, running.intake, plant.collector)
    assert records.load() == []
    client = make_client(make_app(records=records))

    async def post(path: str, body: Any) -> dict[str, Any]:
        url, headers = f"/api/v1/plants/{sm.PLANT}/{path}", {"Authorization": f"Bearer {TOKEN}"}
        answer = await asyncio.to_thread(lambda: client.post(url, json=body, headers=headers))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def send(data: bytes, *files: bytes) -> bytes:
        in_text = [base64.b64encode(one).decode() for one in (data, *files)]
        await post("documents", {"document": in_text[0], "files": in_text[1:]})
        return sm.sha256(data)

    async def get(path: str) -> bytes:
        url, headers = f"/api/v1/plants/{sm.PLANT}/{path}", {"Authorization": f"Bearer {TOKEN}"}
        return await asyncio.to_thread(lambda: client.get(url, headers=headers).content)

    await write_papers(post, send)
    assert writing, "the scan is written beside the collector's thread"
    assert not set(writing) & set(naming)
    with running.store.database.reading() as connection:
        held = [len(connection.execute(select(table)).all()) for table in (attached, file_chunk)]
    assert held == [2, 1], "one copy of the scan"
    found = json.loads(await get("records/findings"))
    assert {"S-RESULT-WITHOUT-SAMPLE", "N-PDF-UNREAD"} <= {one["code"] for one in found["findings"]}
    if is_certified:
        await post(
            "persons/certified", {"signed": signed_by_the_root(tmp_path, await get("persons"))}
        )
    for data in stream():
        running.inbox.put(Message(Sender(sm.PLANT, sm.STREAM), data))
    reader = running.intake.plant(sm.PLANT).reader
    await running.until(lambda: reader.head(sm.STREAM).next_seq == len(stream()))
    months = Months(running.desk, tmp_path / "archives", running.clock)
    facts = await months.close(sm.PLANT, MONTH, closing="final")
    await running.stop()

    archive = Path(facts["archive"])
    capsys.readouterr()
    # 3: sound, and a minute of readings is no whole month
    assert cli.main(["verify", str(archive), "--trust", str(tmp_path / "root.crt"), "--json"]) == 3
    said = json.loads(capsys.readouterr().out)
    assert (said["counts"]["documents"], said["counts"]["attached_files"]) == (7 + is_certified, 1)
    (answer,) = verify_there([archive], [key_sha256(sm.keys().root.public_key)])
    report = judged(archive)
    assert report.verdict is Verdict.PASSED, report.findings
    assert compare(report, answer).differences() == []
    told = [f.sentence for f in report.findings if f.code == "W-PERSON"]
    # what an administrator of the collector can do alone
    names = ["Li (li, accountant)", "Zhao (zhao, engineer)", "Lab (lab, laboratory)"]
    assert [one.partition(" signed")[0] for one in told] == ([] if is_certified else names)
