"""Site orders at the collector: the newest of each gateway goes down, and again on reconnect."""

from pathlib import Path

from cloud.collector.key_desk import KeyDesk
from evidence.keys import FileSigner, generate
from evidence.site_order import SiteOrder, encode_site_order
from tests.unit.cloud.collector.running import Running
from tests.unit.cloud.evidence_examples import make_plant

TOPIC = "stackproof/v1/00/mini/edge-1/order"


async def test_the_newest_order_goes_down_and_stays_there(tmp_path: Path) -> None:
    plant, folder = make_plant(tmp_path), tmp_path / "operator"
    folder.mkdir()
    root = FileSigner(plant.root_key)

    def order(name: str, number: int, site: bytes = b"new", **other: str) -> bytes:
        fields = {"plant": "mini", "stream": "edge-1", "reason": "why"} | other
        data = encode_site_order(SiteOrder(number=number, site=site, **fields), root)
        (folder / name).write_bytes(data)
        return data

    running = Running(plant, tmp_path / "00", folder)
    told = list[tuple[str, str, int]]()
    desk = KeyDesk(running.collector, running.intake, lambda *one: told.append(one))
    link = running.link
    try:
        newest, _ = order("b.order", 12), order("a.order", 3)
        assert await desk.carry("mini") == []
        assert link.on(TOPIC) == [newest]
        assert (await desk.reload("mini")).taken == (), "it is there already"
        running.collector.resend()
        await running.until(lambda: link.on(TOPIC) == [newest, newest])
        newest = order("c.order", 13)
        news = await desk.reload("mini")
        assert (news.taken, news.problems) == (("c.order: site order 13 for edge-1, sent on",), ())
        assert link.on(TOPIC)[-1] == newest
        assert (told[0], told[-1]) == (("mini", "edge-1", 12), ("mini", "edge-1", 13))

        order("old.order", 5)
        news = await desk.reload("mini")
        said = "old.order: site order with a lower number than c.order (13), not sent on"
        assert [said in problem for problem in news.problems] == [True]
        assert (await desk.reload("mini")).problems == (), "told once, as it stays there"
        assert link.on(TOPIC)[-1] == newest

        order("d.order", 13, b"another")
        order("e.order", 14, plant="other")
        order("f.order", 14, stream="edge-7")
        root = FileSigner(generate())
        order("g.order", 14)
        (folder / "h.order").write_bytes(b"")
        problems = await desk.carry("mini")
        said = ("has the number of c.order", "is for plant other", "no certificate of a gateway",
                "the object names another key", "not a COSE_Sign1")  # fmt: skip
        assert len(problems) == len(said)
        assert all(any(words in problem for problem in problems) for words in said), problems
        assert link.on(TOPIC)[-1] == newest
    finally:
        await running.stop()
