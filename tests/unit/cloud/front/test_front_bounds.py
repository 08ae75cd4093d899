"""What one collector, however hostile, takes of a front's memory and time."""

import asyncio
import gc
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from cloud.collector.missing import Missing
from cloud.collector.topics import Sender
from cloud.front.config import load_front
from cloud.front.process import run_front
from cloud.front.shapes import STREAMS
from evidence import cbor
from tests.unit.cloud.fake_collector import FakeCollector
from tests.unit.cloud.front.front_examples import over, write_front

SUMMARY = {"headline": None, "trusted": None, "gateways": {"all": 1, "offline": 0, "silent": 0}}

STREAM = {"plant": "mini", "gateway": "edge-1", "next_seq": 0, "receipted_seq": None,
          "missing": None, "refused": {}, "alarms": []}  # fmt: skip


@pytest.mark.parametrize(
    ("part", "body"),
    [
        ("overview", {"plants": [{"plant": {"id": f"p{n}"}, **SUMMARY} for n in range(5_001)]}),
        ("plants", [{"id": f"p{n}"} for n in range(5_001)]),
        ("health", {"status": "ok", "served": [f"p{n}" for n in range(5_001)], "amiss": {}}),
        ("alarms", {"standing": [], "cleared": [{"plant": "mini", "number": 1}] * 100_001,
                    "unacknowledged": 0, "new_in_last_hour": 0}),
        ("streams", [STREAM] * 20_001),
    ],
)  # fmt: skip
def test_a_list_of_more_rows_than_a_country_has_is_none(
    tmp_path: Path, strange: FakeCollector, *, part: str, body: Any
) -> None:
    """Of 400,000 plants that one claimed, each /metrics of the front took 3.5 s of its loop."""
    strange.answer(part, body)
    fronted = over(tmp_path, strange)
    (told,) = fronted.get("collectors")
    assert told["parts"][part]["amiss"]["why"] == "strange"
    lists = [body] if isinstance(body, list) else body.values()
    max(lists, key=lambda one: len(one) if isinstance(one, list) else 0).pop()
    strange.answer(part, body)
    fronted.look()
    (told,) = fronted.get("collectors")
    assert told["parts"][part]["amiss"] is None


def test_no_seq_that_one_gateway_signs_hides_a_collectors_streams() -> None:
    """One far ahead, with a good signature, had a front refuse all streams of a collector."""
    gateway, missing = Sender("mini", "edge-1"), Missing()
    missing.note(gateway, 31, cbor.decode(cbor.encode(2**64 - 1)), 0)
    missed = missing.of(gateway)
    assert missed is not None
    (seen,) = STREAMS.validate_python([STREAM | {"missing": asdict(missed)}])
    assert seen.missing is not None
    assert seen.missing.last == 18_446_744_073_709_551_615


def test_all_answers_of_a_collector_have_memory_for_one(
    tmp_path: Path, strange: FakeCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight of which each is in its bounds took 3 GB together: the front ended, for all slices."""
    more = [0] * 1_000  # each at least a comma, at 96 bytes, and 12 of text: 108,000 bytes
    monkeypatch.setattr("cloud.front.listener.BYTES_MAX", 200_000)
    health = {"status": "ok", "served": [], "amiss": {}}
    strange.answer("health", {**health, "more": more})
    strange.answer("plants", [{"id": "mini", "more": more}])
    fronted = over(tmp_path, strange)

    def wrong() -> list[str]:
        (told,) = fronted.get("collectors")
        return [name for name, part in told["parts"].items() if part["amiss"]]

    assert wrong() == ["plants"]
    strange.answer("health", health)
    fronted.look()
    assert wrong() == [], "there is room again"


async def test_what_collectors_said_is_not_searched_for_cycles_while_a_front_runs(
    tmp_path: Path,
) -> None:
    """Of 39,000 rows of one collector each search held up every viewer for a second."""
    config = load_front(write_front(tmp_path, {"north": "http://127.0.0.1:9"}))
    config.path.write_text(config.path.read_text() + "[http]\nport = 0\n")
    stop, before = asyncio.Event(), len(gc.callbacks)
    running = asyncio.create_task(run_front(load_front(config.path), stop, lambda _: None))
    async with asyncio.timeout(30):
        while len(gc.callbacks) == before:
            assert not running.done()
            await asyncio.sleep(0.01)
    assert gc.callbacks[-1].__module__ == "cloud.settled"
    stop.set()
    await asyncio.wait_for(running, 30)
    assert len(gc.callbacks) == before
