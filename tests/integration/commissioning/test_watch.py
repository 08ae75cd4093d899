"""`stackproof edge watch`: what changes, a device that goes and returns, Ctrl-C, a screen."""

import asyncio
import os
import pty
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from edge.clock import SystemClock
from edge.commissioning.watch import Picture, watch
from edge.commissioning.watch_text import device_state
from edge.site.config import load_site
from tests.integration.commissioning.field import Said, edge, site_at
from tests.integration.drivers.modbus_responder import Responder

ROOT = Path(__file__).parents[3]
END_S = 20.0


def state_of(picture: Picture) -> str:
    return device_state(picture.devices[0])


def value_of(picture: Picture, row: int) -> str:
    found = picture.devices[0].rows[row].shown
    return "" if found is None else found.text


async def until(path: Path, *steps: tuple[Callable[[Picture], bool], Callable[[], object]]) -> None:
    """Watch until each condition in turn has held; what follows it is done then."""
    left, stop = list(steps), asyncio.Event()
    site = load_site(path)

    def show(picture: Picture) -> None:
        if left and left[0][0](picture):
            left.pop(0)[1]()
        if not left:
            stop.set()

    async with asyncio.timeout(END_S):
        await watch(site, site.devices[:1], SystemClock(), every_s=0.05, stop=stop, show=show)


async def test_a_value_that_changes(tmp_path: Path, meter: Responder) -> None:
    path = site_at(tmp_path, meter)
    await until(
        path,
        (lambda p: value_of(p, 7) == "50.00 Hz", lambda: meter.words.update({0x16: 0x1392})),
        (lambda p: value_of(p, 7) == "50.10 Hz", lambda: None),  # 0x1392 is 5010
    )
    assert await meter.settled() == 0


async def test_a_device_that_goes_and_comes_back(tmp_path: Path, meter: Responder) -> None:
    tasks: list[asyncio.Task[None]] = []

    def do(work: Callable[[], object]) -> Callable[[], object]:
        return lambda: tasks.append(asyncio.ensure_future(work()))  # type: ignore[arg-type] # coroutines

    path = site_at(tmp_path, meter)
    await until(
        path,
        (lambda p: state_of(p) == "up", do(meter.stop)),
        (lambda p: state_of(p).startswith("away for"), do(meter.start)),
        (lambda p: state_of(p) == "up", lambda: None),
    )
    await asyncio.gather(*tasks)


async def test_a_device_is_asked_no_faster_than_by_the_agent(
    tmp_path: Path, meter: Responder
) -> None:
    pictures: list[Picture] = []

    def is_enough(picture: Picture) -> bool:
        pictures.append(picture)
        return len(pictures) == 20

    began_s = asyncio.get_running_loop().time()
    await until(site_at(tmp_path, meter), (is_enough, lambda: None))
    took_s = asyncio.get_running_loop().time() - began_s
    (_, most), *_ = Counter(meter.spans).most_common(1)
    assert most <= took_s / 1.0 + 1  # its interval_s is 1


async def test_plain_lines_and_an_end(tmp_path: Path, meter: Responder, said: Said) -> None:
    assert await edge("watch", site_at(tmp_path, meter), "ac-1", "--for", "0.3") == 0
    lines = said.out().splitlines()
    assert len(lines) % 10 == 0
    assert any("ac-1.power  8000.00 kW  good  age 0.0 s  device up" in line for line in lines)


def _command(path: Path) -> list[str]:
    return [sys.executable, str(ROOT / "stackproof.py"), "edge", "watch", str(path), "ac-1"]


async def test_ctrl_c_ends_it_well(tmp_path: Path, meter: Responder) -> None:
    process = await asyncio.create_subprocess_exec(
        *_command(site_at(tmp_path, meter)), "--json", stdout=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    assert (await process.stdout.readline()).startswith(b'{"now_ns"')
    process.send_signal(signal.SIGINT)
    await process.stdout.read()
    assert await process.wait() == 0


async def test_a_screen_is_given_back(tmp_path: Path, meter: Responder) -> None:
    ours, theirs = pty.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            *_command(site_at(tmp_path, meter)), "--for", "0.5", stdout=theirs, cwd=ROOT
        )
        os.close(theirs)
        text = await asyncio.to_thread(_all_of, ours)
        assert await process.wait() == 0
    finally:
        os.close(ours)
    assert text.startswith("\x1b[?1049h")
    assert "8000.00 kW" in text
    assert text.endswith("\x1b[?1049l")


def _all_of(terminal: int) -> str:
    data = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # EIO: the other end is closed
            return data.decode()
        data += part
