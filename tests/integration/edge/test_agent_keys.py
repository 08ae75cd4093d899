"""A gateway's key changes hands, or its device is lost: the stream goes on without a hole."""

import asyncio
from pathlib import Path

import pytest

from edge.errors import SpoolError
from edge.identity import Continuation
from evidence import cose
from evidence.frame import TYP_ROTATE, header_of
from evidence.keys import FileSigner, certificate_to_der, generate, key_sha256
from evidence.orders import Replace
from tests.integration.edge.conftest import Plant
from tests.integration.edge.small_collector import SmallCollector
from tests.integration.edge.streams import frames, mistakes, readings, told
from tests.unit.edge.sites import GATEWAY, PLANT, certificate, keys, who


def kids(objects: list[bytes]) -> list[bytes]:
    return [cose.parse(data).kid for data in objects]


async def test_new_key_takes_over_between_two_runs(plant: Plant, collector: SmallCollector) -> None:
    await plant.run(0.6)
    old, new = keys().signer, FileSigner(generate("p256"))
    plant.own = who(signer=new, certificate=certificate(new.public_key))
    with pytest.raises(SpoolError, match="previous_key is missing"):
        await plant.agent().run(asyncio.Event())
    plant.own = who(signer=new, certificate=certificate(new.public_key), previous=old)
    await asyncio.sleep(0.3)
    await plant.run(0.6)
    objects = plant.kept()
    assert all(collector.take(data) for data in objects), "signatures and chain hold"
    assert mistakes(objects) == []
    rotates = [h.seq for h in map(header_of, map(cose.parse, objects)) if h.typ == TYP_ROTATE]
    (at,) = rotates
    assert kids(objects) == [old.kid] * (at + 1) + [new.kid] * (len(objects) - at - 1)
    assert told(objects).events == ["start", "stopped", "start", "stopped"]
    assert [reason for _, reason in told(objects).gaps] == ["restart"]


async def test_new_device_goes_on_from_what_the_collector_has(
    plant: Plant, collector: SmallCollector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lost device had signed more than it could deliver: that is gone, and the gap says so."""
    await plant.run(1.4)
    made = plant.kept()
    assert len(made) >= 4
    delivered = made[:-1]
    assert all(collector.take(data) for data in delivered)
    *_, (_, newest) = frames(delivered)
    through_ns = int(newest.sections[0].ticks_ns()[-1])
    new = FileSigner(generate())
    order = Replace(
        PLANT, GATEWAY, key_sha256(keys().gateway.public_key()),
        certificate_to_der(certificate(new.public_key)), seq=collector.head.next_seq - 1,
        head=collector.head.hash, through_ns=through_ns, reason="lightning",
    )  # fmt: skip
    (tmp_path / "new").mkdir()
    other = Plant(tmp_path / "new", text=plant.text, devices=plant.devices)
    other.own = who(signer=new, continues=Continuation(order, bytes(32)))
    await asyncio.sleep(0.3)
    await other.run(0.6)
    await other.run(0.3)  # and once more, with the order still in the site file
    collector.gateway_key = new.public_key
    assert all(collector.take(data) for data in other.kept())
    objects = collector.objects
    assert mistakes(objects) == []
    assert told(objects).gaps[0][1] == "replaced"
    assert [reason for _, reason in told(objects).gaps[1:]] in ([], ["restart"])
    lost = readings(made[-1:])
    assert not set(lost) & set(readings(objects)), "what was lost is not invented"
