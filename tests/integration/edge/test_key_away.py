"""A gateway's key is away for longer than frames last: no reading is lost, and all are signed."""

import asyncio
import json
import logging
import shutil
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from edge.spool import Spool
from edge.spool_reader import SpoolReader
from evidence.errors import KeyFileError
from evidence.keys import FileSigner, certificate_to_pem
from evidence.signers import open_signer
from tests.integration.edge.conftest import Plant
from tests.integration.edge.potline_meter import playing, site_text, write_profile
from tests.integration.edge.small_collector import SmallCollector
from tests.integration.edge.streams import mistakes, readings, told
from tests.integration.edge.test_agent_kills import Child
from tests.integration.softhsm import PIN, uri
from tests.ports import free_port
from tests.system.watching import Seen
from tests.unit.edge.sites import certificate, keys, replaced, write_keys, write_site
from tests.waiting import until


async def test_readings_go_on_while_the_key_is_away(
    plant: Plant,
    collector: SmallCollector,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Away for three frames of half a second; ten ticks a second go on."""
    is_away, signs = False, FileSigner.sign

    def sign(signer: FileSigner, message: bytes) -> bytes:
        if is_away and signer.kid == keys().signer.kid:
            raise KeyFileError("no token in the slot")
        return signs(signer, message)

    monkeypatch.setattr(FileSigner, "sign", sign)
    monkeypatch.setattr("edge.recorder.KEY_AGAIN_NS", 200_000_000)
    with caplog.at_level(logging.WARNING):
        async with plant.running() as agent:
            await asyncio.sleep(0.6)
            is_away = True
            await asyncio.sleep(1.6)
            signed = len(plant.beside())
            assert "key-away" in agent._alarms.names
            is_away = False
            await asyncio.sleep(1.0)
            assert agent._alarms.names == ()
            assert len(plant.beside()) >= signed + 4
    objects = plant.kept()
    assert mistakes(objects) == []
    assert all(collector.take(data) for data in objects)
    assert told(objects).gaps == [], "no tick was missed"
    assert told(objects).events == ["start", "key-away", "stopped"]
    ticks = [tick_ns for _, tick_ns in readings(objects)]
    assert ticks == list(range(ticks[0], ticks[-1] + 1, 10**8))
    said = [r.getMessage() for r in caplog.records if r.name == "stackproof.edge"]
    assert len([s for s in said if "key does not sign: no token" in s]) == 1, "said once"
    assert "alarm is over: key-away" in said


async def test_stop_while_the_key_is_away(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it could not sign, the last words too, is signed by the next process."""

    def refuse(*_: object) -> bytes:
        raise KeyFileError("no token in the slot")

    async with plant.running():
        await asyncio.sleep(0.3)
        away = pytest.MonkeyPatch()
        away.setattr(FileSigner, "sign", refuse)
        await asyncio.sleep(0.8)
    away.undo()
    assert plant.in_spool(Spool.open_ticks) == []
    assert plant.in_spool(Spool.usage).unsigned >= 2
    await asyncio.sleep(0.2)
    await plant.run(0.5)
    objects = plant.kept()
    assert mistakes(objects) == []
    assert plant.in_spool(Spool.unsigned) is None
    events = told(objects).events
    assert [e for e in events if e != "key-away"] == ["start", "stopped", "start", "stopped"]
    assert [reason for _, reason in told(objects).gaps] == ["restart"]


# -- a real token, a real process -----------------------------------------------------------------


def beside(child: Child) -> tuple[int, int]:
    """Frames that wait for the key, and objects, in a running agent's spool."""
    spool = SpoolReader(child.spool)
    try:
        return spool.usage().unsigned, spool.head().next_seq
    finally:
        spool.close()


async def status(site: Path) -> dict[str, object]:
    run = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "stackproof", "edge", "status", str(site), "--json",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await run.communicate()
    told = json.loads(out)
    assert isinstance(told, dict)
    return told


def where_the_pin_is(folder: Path, **others: Iterable[bytes]) -> list[str]:
    """Where somebody else could read it (all secrets: `tests/system/test_secrets.py`)."""
    files = {str(path): [path.read_bytes()] for path in folder.rglob("*") if path.is_file()}
    said = {**files, **others}
    return [at for at, texts in said.items() if any(PIN.encode() in text for text in texts)]


@pytest.mark.needs("softhsm2-util")
async def test_token_pulled_and_the_agent_killed_meanwhile(
    tmp_path: Path, token: Path, collector: SmallCollector
) -> None:
    write_keys(tmp_path / "keys")
    write_profile(tmp_path)
    reference = uri("p256", pin=str(token / "pin"))
    held = open_signer(reference, token)
    pem = certificate_to_pem(certificate(held.public_key))
    (tmp_path / "keys" / "edge-1.crt").write_bytes(pem)
    slot = token / "tokens"
    async with playing(7) as device:
        text = site_text(device.url, broker="mqtt://nobody", nobody=free_port())
        changes = {
            '"file:keys/edge-1.pem"': f'"{reference}"',
            'url = "mqtt://nobody"': 'mode = "one-way"',
        }
        child = Child(write_site(tmp_path, replaced(text, changes)))
        await child.start()
        await child.running()
        await until(lambda: beside(child)[1] >= 1)
        (seen := Seen()).look(child.process.pid)  # type: ignore[union-attr] # it runs
        shutil.move(slot, token / "pulled")
        try:
            for waiting in (1, 2, 3):
                await asyncio.sleep(0.3)
                child.process.send_signal(signal.SIGUSR1)  # type: ignore[union-attr] # it runs
                await until(lambda waiting=waiting: beside(child)[0] >= waiting)  # type: ignore[misc] # bound now
            told_beside = await status(child.site)
            alarms = {a["name"]: a["sentence"] for a in told_beside["alarms"]}  # type: ignore[attr-defined] # JSON
            assert "frames wait for it, the oldest of" in alarms["key-away"]
            await asyncio.sleep(0.3)
            await child.end(signal.SIGKILL)
            assert child.look(collector) > 0, "ticks of an open frame beside those that wait"
            waiting = beside(child)[0]
            assert waiting >= 3
            # back from the power cut before its token: it reads on, and knows which key it has not
            await child.start()
            await child.running()
            await until(lambda: beside(child)[0] > waiting)
        finally:
            shutil.move(token / "pulled", slot)
        await until(lambda: beside(child)[0] == 0)
        # once more without a kill: the module begins anew, and the same process signs again
        shutil.move(slot, token / "pulled")
        try:
            child.process.send_signal(signal.SIGUSR1)  # type: ignore[union-attr] # it runs
            await until(lambda: beside(child)[0] >= 1)
        finally:
            shutil.move(token / "pulled", slot)
        await until(lambda: beside(child)[0] == 0)
        assert await child.end(signal.SIGTERM) == 0
    log = (tmp_path / "edge.log").read_text()
    assert "Traceback" not in log
    assert where_the_pin_is(tmp_path, ps=seen.shown, status=[repr(told_beside).encode()]) == []
    spool = Spool(child.spool, bytes_max=2**30)
    objects = [stored.data for stored in spool.objects(0, 1000)]
    spool.close()
    collector.gateway_key = held.public_key
    assert all(collector.take(data) for data in objects)
    assert mistakes(objects) == []
    found = readings(objects)
    assert [key for key, groups in child.committed.items() if found.get(key) != groups] == []
    assert [reason for _, reason in told(objects).gaps if reason != "overrun"] == ["restart"]
