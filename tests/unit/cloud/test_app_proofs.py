"""Log, proofs, receipts, quarantine and keys over HTTP, from a running collector's evidence.

Trees and paths are made here from the leaves by the definitions of RFC 6962 §2.1.
"""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Executable, delete, update

from cloud.collector.desk import EvidenceDesk
from cloud.collector.key_desk import KeyDesk
from cloud.database.schema import entry, stored
from evidence import checkpoint
from evidence.errors import KeyFileError
from evidence.frame import TYP_FRAME, encode_body
from evidence.inclusion_receipt import verify_inclusion
from evidence.keys import FileSigner, generate, key_sha256, load_private
from evidence.log import Kind, decode_entry
from evidence.orders import Revoke, encode_order
from tests.unit.cloud.app_examples import TOKEN, make_app, make_client
from tests.unit.cloud.collector.running import Running
from tests.unit.cloud.evidence_examples import SECOND_NS, T0_NS, Gateway, body, make_plant
from tests.unit.cloud.kept import full
from tests.unit.cloud.rfc6962 import path, proof, tree


class Site:
    """A running collector with ten objects, and its API."""

    def __init__(self, folder: Path) -> None:
        self.plant, self.keys = make_plant(folder), folder / "operator"
        self.keys.mkdir()
        self.gateway: Gateway = self.plant.gateways["edge-1"]
        self.running = Running(self.plant, folder / "00", self.keys)
        desk = KeyDesk(self.running.collector, self.running.intake)
        self.client = make_client(make_app(evidence=self.running.desk, keys=desk))

    async def send(self, *objects: bytes) -> None:
        self.running.send(*objects)
        await asyncio.wrap_future(self.running.collector.submit(self.running.collector.commit))

    async def get(self, path: str, **params: Any) -> Any:
        url = f"/api/v1/plants/mini/{path}"
        return await asyncio.to_thread(self.client.get, url, params=params)

    async def reload(self, token: str = TOKEN) -> Any:
        url, headers = "/api/v1/plants/mini/keys/reload", {"Authorization": f"Bearer {token}"}
        return await asyncio.to_thread(lambda: self.client.post(url, headers=headers))

    async def leaves(self) -> list[bytes]:
        answer = (await self.get("log/entries", **{"from": 0})).json()
        return [base64.b64decode(entry) for entry in answer["entries"]]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site(tmp_path)
    frames = (made.gateway.frame(T0_NS + n * SECOND_NS) for n in range(9))
    await made.send(made.gateway.config(), *frames)
    yield made
    await made.running.stop()


async def test_the_checkpoint_is_of_the_entries(site: Site) -> None:
    answer = await site.get("log/checkpoint")
    assert answer.headers["content-type"].startswith("text/plain")
    note = checkpoint.verify(answer.text, site.plant.collector.public_key)
    leaves = await site.leaves()
    assert (note.plant, note.size, note.root) == ("mini", 13, tree(leaves))
    assert [decode_entry(leaf).kind for leaf in leaves[:4]] == [*[Kind.ENROL] * 3, Kind.CONFIG]


async def test_entries_come_in_pieces_and_end_with_the_log(site: Site) -> None:
    leaves = await site.leaves()
    piece = (await site.get("log/entries", **{"from": 4, "count": 2})).json()
    assert [base64.b64decode(entry) for entry in piece["entries"]] == leaves[4:6]
    assert (piece["from"], piece["size"]) == (4, 13)
    assert (await site.get("log/entries", **{"from": 2**62})).json()["entries"] == []
    assert (await site.get("log/entries", **{"from": 0, "count": 1_001})).status_code == 422


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 13), (7, 8), (12, 13), (5, 11)])
async def test_inclusion_is_proved_as_the_rfc_defines(site: Site, index: int, size: int) -> None:
    leaves = (await site.leaves())[:size]
    answer = (await site.get("log/proof/inclusion", index=index, size=size)).json()
    assert answer["root"] == tree(leaves).hex()
    assert answer["path"] == [h.hex() for h in path(index, leaves)]


@pytest.mark.parametrize(("old", "new"), [(1, 13), (8, 13), (7, 12), (13, 13), (6, 8)])
async def test_consistency_is_proved_as_the_rfc_defines(site: Site, old: int, new: int) -> None:
    leaves = await site.leaves()
    answer = (await site.get("log/proof/consistency", **{"from": old, "to": new})).json()
    assert answer["from_root"] == tree(leaves[:old]).hex()
    assert answer["to_root"] == tree(leaves[:new]).hex()
    assert answer["path"] == [h.hex() for h in proof(old, leaves[:new])]


@pytest.mark.parametrize(
    ("route", "params"),
    [
        ("log/proof/inclusion", {"index": 13, "size": 13}),
        ("log/proof/inclusion", {"index": 0, "size": 14}),
        ("log/proof/inclusion", {"index": -1, "size": 3}),
        ("log/proof/inclusion", {"index": 0, "size": 2**63}),
        ("log/proof/inclusion", {"index": "x", "size": 3}),
        ("log/proof/consistency", {"from": 0, "to": 3}),
        ("log/proof/consistency", {"from": 3, "to": 14}),
        ("log/proof/consistency", {"from": 5, "to": 3}),
        ("log/entries", {"from": -1}),
        ("log/receipt", {"stream": "Edge", "seq": 1}),
        ("log/receipt", {"stream": "edge-1", "seq": -1}),
        ("quarantine/xyz", {}),
    ],
)
async def test_what_cannot_be_proved_is_refused(
    site: Site, route: str, params: dict[str, Any]
) -> None:
    assert (await site.get(route, **params)).status_code == 422


async def test_a_receipt_of_inclusion_proves_an_objects_entry(site: Site) -> None:
    answer = await site.get("log/receipt", stream="edge-1", seq=4)
    assert answer.headers["content-type"] == "application/cose"
    leaves = await site.leaves()
    seen = verify_inclusion(answer.content, leaves[7], site.plant.collector.public_key)
    assert (seen.size, seen.index, seen.root) == (13, 7, tree(leaves))
    assert decode_entry(leaves[7]).sha256 == hashlib.sha256(site.gateway.objects[4]).digest()
    for stream, seq in (("edge-1", 10), ("edge-2", 0)):
        assert (await site.get("log/receipt", stream=stream, seq=seq)).status_code == 404


class Counting(FileSigner):
    """Counts what it signs; signs nothing while it is away."""

    def __init__(self, key: Any) -> None:
        super().__init__(key)
        self.count, self.away = 0, False

    def sign(self, message: bytes) -> bytes:
        if self.away:
            raise KeyFileError("the token is away")
        self.count += 1
        return super().sign(message)


async def test_receipts_of_inclusion_cost_one_signature_a_stream_and_tree(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may ask, of any entry, at once and again: the key is the one gateways wait for."""
    signer = Counting(load_private(site.plant.folder / "collector.pem"))
    monkeypatch.setattr(type(site.running.desk), "signer", property(lambda _: signer))
    ask = [site.get("log/receipt", stream="edge-1", seq=seq) for seq in (*range(10), *range(10))]
    answers = await asyncio.gather(*ask)
    assert signer.count == 1
    leaves, key = await site.leaves(), site.plant.collector.public_key
    for seq, answer in enumerate(answers):
        seen = verify_inclusion(answer.content, leaves[3 + seq % 10], key)
        assert (seen.index, seen.root) == (3 + seq % 10, tree(leaves))
    await site.send(site.gateway.frame(T0_NS + 9 * SECOND_NS))
    signer.away = True
    refused = await site.get("log/receipt", stream="edge-1", seq=4)
    assert (refused.status_code, "token is away" in refused.json()["detail"]) == (503, True)
    signer.away = False
    answer = await site.get("log/receipt", stream="edge-1", seq=4)
    assert verify_inclusion(answer.content, leaves[7], key).size == 14
    assert signer.count == 2


async def test_a_plant_that_is_not_here_is_not_found(site: Site) -> None:
    for route in ("log/checkpoint", "quarantine", "streams/edge-1", f"quarantine/{'0' * 64}"):
        url = f"/api/v1/plants/maxi/{route}"
        assert (await asyncio.to_thread(site.client.get, url)).status_code == 404
    assert (await site.get("streams/edge-2")).status_code == 404
    assert (await site.get(f"quarantine/{'0' * 64}")).status_code == 404


async def test_a_stream_says_what_a_replace_order_must_say(site: Site) -> None:
    key = key_sha256(site.gateway.signer.public_key)
    answer = (await site.get("streams/edge-1")).json()
    assert answer["seq"] == 9
    assert answer["head"] == hashlib.sha256(site.gateway.objects[9]).hexdigest()
    assert answer["through_ns"] == T0_NS + 8 * SECOND_NS
    assert (answer["key"], answer["revoked"]) == (key.hex(), {})
    (certificate,) = answer["certificates"]
    assert certificate["key"] == key.hex()
    assert certificate["not_before"] == "2026-01-01T00:00:00+00:00"


async def test_what_is_put_aside_is_listed_and_given_out_as_it_came(site: Site) -> None:
    stranger = Gateway("mini", "edge-1", FileSigner(generate()), site.gateway.objects[:])
    odd = stranger.sign(TYP_FRAME, encode_body(body(T0_NS + 20 * SECOND_NS)))
    forged = bytearray(odd)
    forged[8] ^= 1
    await site.send(odd, b"junk")
    listed = (await site.get("quarantine")).json()
    (kept,) = listed["kept"]
    sha256 = hashlib.sha256(odd).hexdigest()
    assert kept == {
        "gateway": "edge-1", "reason": "unknown-key", "seq": 10, "sha256": sha256,
        "bytes": len(odd), "received_ns": T0_NS, "key": None,
    }  # fmt: skip
    assert {(r["reason"], r["count"]) for r in listed["reasons"]} == {
        ("unknown-key", 1), ("malformed", 1),
    }  # fmt: skip
    answer = await site.get(f"quarantine/{sha256}")
    assert answer.content == odd
    assert answer.headers["content-disposition"] == f'attachment; filename="{sha256[:16]}.cose"'
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_new_keys_are_looked_for_on_order(site: Site) -> None:
    key = key_sha256(site.gateway.signer.public_key)
    order = Revoke("mini", "edge-1", key, 9, "stolen")
    (site.keys / "1.cose").write_bytes(encode_order(order, FileSigner(site.plant.root_key)))
    (site.keys / "2.cose").write_bytes(b"junk")
    assert (await site.reload("wrong")).status_code == 401
    answer = (await site.reload()).json()
    assert [text.startswith("1.cose: revoke: ") for text in answer["taken"]] == [True]
    assert ["2.cose" in text for text in answer["problems"]] == [True]
    assert (await site.get("streams/edge-1")).json()["revoked"] == {key.hex(): 9}
    assert decode_entry((await site.leaves())[-1]).kind is Kind.REVOKE


async def test_a_month_logs_what_waits_in_the_folder_before_it_is_closed(site: Site) -> None:
    key = key_sha256(site.gateway.signer.public_key)
    order = Revoke("mini", "edge-1", key, 9, "stolen")
    (site.keys / "1.cose").write_bytes(encode_order(order, FileSigner(site.plant.root_key)))
    (site.keys / "2.cose").write_bytes(b"junk")
    desk: EvidenceDesk = site.running.desk
    assert ["2.cose" in text for text in await desk.look_for_keys("mini")] == [True]
    assert decode_entry((await site.leaves())[-1]).kind is Kind.REVOKE
    with pytest.raises(LookupError, match="plant maxi"):
        await desk.look_for_keys("maxi")


@pytest.mark.parametrize(
    ("damaged", "row", "route", "params"),
    [
        (delete(entry).where(entry.c.number == 4), "mini/entries 0 to 12: a row is missing",
         "log/proof/consistency", {"from": 8, "to": 13}),
        (delete(entry).where(entry.c.number == 4), "mini/entries 0 to 12: a row is missing",
         "log/proof/inclusion", {"index": 3, "size": 13}),
        (update(entry).where(entry.c.number == 4).values(data=b"altered"),
         "mini/entries 0 to 12: are damaged", "log/entries", {"from": 0}),
        (delete(stored).where(stored.c.seq == 3), "mini/edge-1/3: its row is missing",
         "log/receipt", {"stream": "edge-1", "seq": 3}),
    ],
)  # fmt: skip
async def test_a_database_that_has_lost_something_is_told_in_a_sentence(
    site: Site, tmp_path: Path, *, damaged: Executable, row: str, route: str, params: dict[str, Any]
) -> None:
    with site.running.store.database.writing() as connection:
        connection.execute(damaged)
    answer = await site.get(route, **params)
    assert answer.status_code == 503
    assert answer.json()["detail"] == row
    assert str(tmp_path) not in answer.text


async def test_a_disk_that_refuses_new_keys_is_told(site: Site) -> None:
    key = key_sha256(site.gateway.signer.public_key)
    order = Revoke("mini", "edge-1", key, 9, "stolen")
    (site.keys / "1.cose").write_bytes(encode_order(order, FileSigner(site.plant.root_key)))
    with full(site.running.store.database):
        answer = await site.reload()
    assert answer.status_code == 503
    assert "evidence cannot be written" in answer.json()["detail"]
