"""Site orders at a real agent behind a real broker: taken, refused, rolled back; it reads on."""

import json
import signal
from pathlib import Path
from typing import Any

from evidence.cose import parse
from evidence.keys import FileSigner
from evidence.site_order import SiteOrder, encode_site_order
from tests.integration.edge.brokers import Broker
from tests.integration.edge.potline_meter import playing, site_text, write_profile
from tests.integration.edge.small_collector import SmallCollector
from tests.integration.edge.streams import mistakes, readings, told
from tests.integration.edge.test_agent_kills import Child
from tests.ports import free_port
from tests.unit.edge.sites import GATEWAY, PLANT, keys, replaced, write_keys, write_site
from tests.waiting import until

ROOT = FileSigner(keys().root)
CERTIFICATE = 'certificate = "file:keys/edge-1.crt"\n'


def ordered(number: int, site: str, by: FileSigner = ROOT, gateway: str = GATEWAY) -> bytes:
    order = SiteOrder(PLANT, gateway, number, site.encode(), "a test")
    return encode_site_order(order, by)


def site_that_obeys(url: str, broker: str) -> str:
    """One device, no second meter that nobody serves; a new file has two seconds."""
    text = site_text(url, broker=broker, nobody=free_port())
    first, gas, rest = text.partition('[[device]]\nid = "gas-1"')
    text = first + (gas + rest).partition("[[potline]]")[1] + rest.partition("[[potline]]")[2]
    root = CERTIFICATE + 'root = "file:keys/root.crt"\n'
    return replaced(text, {CERTIFICATE: root}) + "[remote]\norders = true\nhealthy_s = 2\n"


def answer(collector: SmallCollector) -> dict[str, Any]:
    """What the newest state message that speaks of an order says of it."""
    said = [json.loads(state) for state in list(collector.states)]
    return next((one["order"] for one in reversed(said) if "order" in one), {})


def configurations(collector: SmallCollector) -> int:
    return sum(parse(data).typ == "stackproof-config+cbor" for data in list(collector.objects))


async def test_orders(tmp_path: Path, collector: SmallCollector) -> None:
    broker = Broker("mosquitto", tmp_path / "broker")
    write_keys(tmp_path / "keys")
    write_profile(tmp_path)
    log = tmp_path / "edge.log"
    async with playing(3) as device:
        text = site_that_obeys(device.url, broker.url)
        child = Child(write_site(tmp_path, text))
        broker.start()
        collector.start(broker.port)
        try:
            await child.start()
            await child.running()
            await _order_all(text, collector, log)
            assert await child.end(signal.SIGTERM) == 0
        finally:
            if child.process is not None and child.process.returncode is None:
                await child.end(signal.SIGKILL)
            broker.stop()
    assert mistakes(collector.objects) == [], "no reading is lost but in a signed gap"
    assert {reason for _, reason in told(collector.objects).gaps} <= {"restart", "overrun"}
    assert len(readings(collector.objects)) > 10
    assert "Traceback" not in log.read_text()


async def _order_all(text: str, collector: SmallCollector, log: Path) -> None:
    good = replaced(text, {'t_merge_s = "1"': 't_merge_s = "2"'})

    async def answered(data: bytes, number: int, outcome: str, reason: str = "") -> None:
        collector.say("order", data)
        await until(
            lambda: (
                (answer(collector).get("number"), answer(collector).get("outcome"))
                == (number, outcome)
            ),
            what=lambda: f"no answer {number} {outcome}: {answer(collector)}; {log.read_text()}",
        )
        assert reason in answer(collector)["reason"]

    async def ignored(data: bytes, sentence: str) -> None:
        collector.say("order", data)
        await until(
            lambda: sentence in log.read_text(), what=lambda: f"no {sentence!r}: {log.read_text()}"
        )

    before = configurations(collector)
    await answered(ordered(1, good), 1, "in force")
    await until(lambda: configurations(collector) == before + 1)  # the change is in the stream
    await answered(ordered(3, good + "[uplink]\n"), 3, "refused", "is not TOML")
    elsewhere = replaced(good, {PLANT: "south-works"})
    await answered(ordered(4, elsewhere), 4, "refused", "no order may change plant.id")
    await answered(ordered(5, good.replace("pots.toml", "none.toml")), 5, "refused", "none.toml")
    await ignored(ordered(2, good), "site order 2 is older than 5")
    await ignored(ordered(6, good, FileSigner(keys().collector)), "does not count")
    await ignored(ordered(6, good, gateway="edge-2"), f"a site order for {PLANT}/edge-2")
    url = good.partition('url = "modbus')[2].partition('"')[0]
    dead = good.replace(url, f"+tcp://127.0.0.1:{free_port()}?unit=1")
    await answered(ordered(6, dead), 6, "rolled back", "pots answered before and has not since")
    shown = len(collector.live)
    await until(lambda: len(collector.live) > shown + 3)  # it reads on as before
