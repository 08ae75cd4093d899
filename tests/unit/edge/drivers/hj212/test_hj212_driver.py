"""What is known before anything listens: the URL, the points; and that nothing can be sent."""

import ast
import asyncio
from pathlib import Path

import pytest

import edge.drivers.hj212 as package
from edge.drivers.base import DeviceError
from edge.drivers.hj212.driver import Hj212Driver
from evidence.points import Dtype
from firmware_configs.model import Item
from tests.unit.edge.drivers.hj212_packets import MN
from tests.unit.edge.drivers.specs import register, spec
from tests.waiting import ENOUGH_S

FOLDER = Path(package.__file__).parent
ROW = register("co2", Dtype.I64, table=None, address=None, item=Item("a05001", "Rtd", 2011))


def made(url: str) -> Hj212Driver:
    return Hj212Driver(spec(url, ROW))


@pytest.mark.parametrize(
    "url",
    [
        f"hj212://127.0.0.1:9212?mn={MN}",
        f"hj212://127.0.0.1:9212/?mn={MN.lower()}&rtd_s=5&minutes_s=60&answer=yes",
        f"hj212://localhost:9212?mn={MN}&answer=no",
        f"hj212://[::1]:9212?mn={MN}",
        f"hj212://0.0.0.0:9212?mn={MN}&from=192.0.2.7",
        f"hj212://[::]:9212?mn={MN}&from=192.0.2.7,2001:db8::7",
    ],
)
def test_urls_that_work(url: str) -> None:
    made(url)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("hj212://127.0.0.1:9212", "gives no mn="),
        ("hj212://127.0.0.1:9212?mn=", "gives no mn="),
        (f"hj212://127.0.0.1:9212?mn={MN[:-1]}", "gives no mn="),
        (f"hj212://127.0.0.1:9212?mn={MN[:-1]}G", "gives no mn="),
        (f"hj212://127.0.0.1?mn={MN}", "gives no port"),
        (f"hj212://:9212?mn={MN}", "names no host"),
        (f"hj212://127.0.0.1:9212/x?mn={MN}", "takes no path"),
        (f"hj212://127.0.0.1:9212?mn={MN}&answer=true", "not one of yes no"),
        (f"hj212://127.0.0.1:9212?mn={MN}&rtd_s=0", "not in 1..86400 seconds"),
        (f"hj212://127.0.0.1:9212?mn={MN}&rtd_s=1.5", "not in 1..86400 seconds"),
        (f"hj212://127.0.0.1:9212?mn={MN}&minutes_s=86401", "not in 1..86400 seconds"),
        (f"hj212://127.0.0.1:9212?mn={MN}&from=meter", "write from=192.0.2.7"),
        (f"hj212://127.0.0.1:9212?mn={MN}&pw=123456", "unknown option 'pw'"),
        # beyond this machine anybody could speak for the logger
        (f"hj212://0.0.0.0:9212?mn={MN}", "name the logger's address"),
        (f"hj212://192.0.2.1:9212?mn={MN}", "name the logger's address"),
        (f"hj212://edge.plant:9212?mn={MN}", "name the logger's address"),
        (
            f"hj212://127.0.0.1:9212?mn={MN}&from=" + ",".join(f"192.0.2.{n}" for n in range(17)),
            "more than 16 addresses",
        ),
    ],
)
def test_urls_that_cannot_work(url: str, sentence: str) -> None:
    with pytest.raises(DeviceError) as caught:
        made(url)
    assert sentence in str(caught.value)
    assert caught.value.retry is False


def test_a_point_of_another_protocol_is_named() -> None:
    with pytest.raises(DeviceError, match=r"dev\.word: .* no HJ 212 factor") as caught:
        Hj212Driver(spec(f"hj212://127.0.0.1:9212?mn={MN}", register("word", Dtype.U16)))
    assert caught.value.retry is False


async def test_a_cancelled_connect_leaves_no_port_open() -> None:
    async with asyncio.timeout(ENOUGH_S):
        server = await asyncio.start_server(lambda _, w: w.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        driver = made(f"hj212://127.0.0.1:{port}?mn={MN}")
        task = asyncio.create_task(driver.connect())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(OSError, match=r"."):
            await asyncio.open_connection("127.0.0.1", port)
        with pytest.raises(DeviceError, match="connect first"):
            await driver.read()


def calls(path: Path) -> list[str]:
    """Names of everything called as a method."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]


def test_one_file_does_io() -> None:
    for path in FOLDER.glob("*.py"):
        opens = {"start_server", "open_connection", "create_connection"} & set(calls(path))
        assert bool(opens) == (path.name == "listener.py"), path
