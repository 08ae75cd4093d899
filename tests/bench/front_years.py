"""A front over one collector of ten years of plants: seconds, memory, how long loops stand still.

    ./run bench front_years [--plants N] [--months N] [--looks N] [--json]

The collector has rows of months as a month book makes them of a plant whose months are all sealed
and verified, each with a decision of the nation; making them is not measured (`many_plants` does).
It serves by its own routes, in a process of its own. The front asks it as it does each minute,
while its page of months and a part of its list are asked for without a pause. "held" is the longest
time in which a loop took no turn, by the clock: a busy machine makes it long.
"""

import argparse
import asyncio
import http.client
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from cloud.app import create_app
from cloud.front.app import create_front, front_of
from cloud.front.config import load_front
from cloud.front.parts import SLOW_S
from cloud.http_server import listen, make_server
from cloud.live.hub import LiveHub
from cloud.month.book import MonthBook
from cloud.settled import settled
from tests.bench import many_plants
from tests.bench.many_plants import held
from tests.unit.cloud.app_examples import Months, make_services
from tests.unit.cloud.evidence_examples import ManualClock
from tests.unit.cloud.front.front_examples import READ, SomeStreams, somebody, write_front
from tests.unit.cloud.live_examples import GATEWAY, configuration
from tests.unit.cloud.month.month_facts import NOW_NS, NoCollector, Planned

PLANTS, MONTHS, LOOKS = 1_500, 120, 3
VERIFIED = {"verdict": "passed", "code": "", "substituted_percent": "1.25", "version": "1.0.0",
            "at_ns": NOW_NS}  # fmt: skip
ASKED = ("/en/months", "/en/reviews", "/api/v1/months?count=1000", "/api/v1/reviews?count=1000")


class Years(Months):
    """Rows of months that are there, of plants that are all alike."""

    def __init__(self, plants: Sequence[str], months: int) -> None:
        super().__init__()
        many_plants.MONTHS = months
        with tempfile.TemporaryDirectory(prefix="stackproof-bench-") as name:
            folder = Path(name)
            facts = many_plants.make(folder, plants[:1])
            book = MonthBook(
                facts, NoCollector(plants[:1]), Planned(), folder / "archives", lambda _: VERIFIED
            )
            rows = book.rows(plants[0], NOW_NS)
        self._rows = {plant: [{**row, "plant": plant} for row in rows] for plant in plants}

    def rows(self, plant: str) -> list[Mapping[str, Any]]:
        return self._rows[plant]

    def count(self, _: str) -> int:
        """Documents of a plant that the collector has."""
        return 1

    def reviews_in_brief(self, plant: str) -> list[Mapping[str, Any]]:
        """What the nation decided of each."""
        return [
            {"kind": "review-decision", "about": row["month"], "ended_by": None, "index": 7,
             "body": {"level": "nation", "decision": "approve", "openings": "recorded",
                      "archive_sha256": one["sha256"], "statement_sha256": one["statement_sha256"]}}
            for row in self._rows[plant] for one in row["archives"]
        ]  # fmt: skip


def collector(plants: Sequence[str], months: int, pipe: Connection) -> None:
    """Serve until something comes through the pipe; then what it took goes back."""
    hub, years = LiveHub(ManualClock()), Years(plants, months)
    for plant in plants:
        hub.on_config(plant, GATEWAY, configuration(id=plant, name=plant))
    accounts, token = somebody("operator", READ)
    services = make_services(hub, years, accounts=accounts, records=years)
    object.__setattr__(services, "streams", SomeStreams(list(plants)))

    async def serve() -> None:
        listener = listen("127.0.0.1", 0)
        server = make_server(create_app(services))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        before_mb = peak_mb()
        pipe.send((listener.getsockname()[1], token))

        async def work() -> None:
            await asyncio.to_thread(pipe.recv)

        _, cpu_s, held_ms, own_ms = await held(work)
        pipe.send({"cpu_s": cpu_s, "held_ms": held_ms, "own_ms": own_ms, "before_mb": before_mb,
                   "peak_mb": peak_mb()})  # fmt: skip
        server.should_exit = True
        await serving

    with settled():  # as a collector runs
        asyncio.run(serve())


def peak_mb() -> float:
    """The most memory that this process had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


async def front(at: tuple[int, str], looks: int) -> dict[str, Any]:
    """What a front takes; each look asks for everything."""
    with tempfile.TemporaryDirectory(prefix="stackproof-bench-") as name:
        urls = {"north": f"http://127.0.0.1:{at[0]}"}
        config = load_front(write_front(Path(name), urls, {"north": at[1]}))
        given = front_of(config, ManualClock(NOW_NS))
    server, listener = make_server(create_front(config, given)), listen("127.0.0.1", 0)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    found: dict[str, Any] = {"before_mb": peak_mb()}
    (one,) = given.listeners
    for number in range(looks):
        looking = asyncio.to_thread(one.look, (number + 1) * SLOW_S)
        found[f"look {number + 1}"] = await held(lambda of=looking: of)
        for part, told in one.heard.parts.items():
            assert told.amiss is None, (part, told.amiss)
    kept = {part: len(one.heard.parts[part].seen) for part in ("months",)}
    found |= {**kept, "reviews": len(one.heard.parts["reviews"].seen.reviews)}
    port, looking = listener.getsockname()[1], asyncio.to_thread(one.look, (looks + 1) * SLOW_S)
    found["look while asked"] = await held(_both(looking, port))
    for path in ASKED:
        found[path] = await held(lambda path=path: asyncio.to_thread(ask, port, path))
    server.should_exit = True
    await serving
    return {**found, "peak_mb": peak_mb()}


def _both(looking: Awaitable[None], port: int) -> Callable[[], Awaitable[None]]:
    async def work() -> None:
        task = asyncio.ensure_future(looking)
        while not task.done():
            for path in ASKED:
                await asyncio.to_thread(ask, port, path)
        await task

    return work


def ask(port: int, path: str) -> None:
    """A viewer: all of an answer."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    asked.request("GET", path)
    answer = asked.getresponse()
    assert answer.status == 200, answer.status
    answer.read()
    asked.close()


def measure(plants: int, months: int, looks: int) -> dict[str, Any]:
    """Both, of so much."""
    names = [f"works-{n:04}" for n in range(plants)]
    here, there = multiprocessing.Pipe()
    of = multiprocessing.get_context("spawn").Process(
        target=collector, args=(names, months, there), daemon=True
    )
    of.start()
    at = here.recv()
    with settled():  # as a front runs
        found = {"front": asyncio.run(front(at, looks)), "plants": plants, "of each": months}
    here.send("end")
    found["collector"] = here.recv()
    of.join()
    return found


def main(argv: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="./run bench front_years")
    for name, default in (("plants", PLANTS), ("months", MONTHS), ("looks", LOOKS)):
        parser.add_argument(f"--{name}", type=int, default=default, help="(%(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    args = parser.parse_args(argv)
    began_s = time.monotonic()
    found = measure(args.plants, args.months, args.looks)
    if args.json:
        print(json.dumps(found))
        return 0
    print(f"{found['plants']:,} plants, {found['of each']} months of each")
    for who in ("front", "collector"):
        for name, value in found[who].items():
            print(f"{who}: {name} {_text(value)}")
    print(f"{time.monotonic() - began_s:.0f} s in all")
    return 0


def _text(value: Any) -> str:
    if not isinstance(value, tuple):
        return f"{value:,.0f}"
    wall_s, cpu_s, held_ms, own_ms = value
    return f"{wall_s:.2f} s ({cpu_s:.2f} s of CPU; held {held_ms:.0f} ms, of its own {own_ms:.0f})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
