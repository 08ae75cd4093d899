"""What is known before a line is opened: the URL, the points; and one place that sends."""

import ast
from pathlib import Path

import pytest

import edge.drivers.dlt645 as package
from edge.drivers.base import DeviceError
from edge.drivers.dlt645.driver import Dlt645Driver
from evidence.points import Dtype
from firmware_configs.model import Identifier
from tests.unit.edge.drivers.specs import register, spec

FOLDER = Path(package.__file__).parent
METER = "123456789012"
ROW = register(
    "energy", Dtype.U32, table=None, address=None, identifier=Identifier(0x00010000, "XXXXXX.XX")
)


@pytest.mark.parametrize(
    "url",
    [
        f"dlt645+tcp://192.0.2.7:4001?address={METER}",
        f"dlt645+tcp://[::1]:4001/?address={METER}",
        f"dlt645+serial:///dev/ttyS0?address={METER}",
        f"dlt645+serial:///dev/ttyS0?address={METER}&baud=9600&parity=N",
    ],
)
def test_urls_that_work(url: str) -> None:
    Dlt645Driver(spec(url, ROW))


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("dlt645+tcp://192.0.2.7:4001", "is not the meter's twelve digits"),
        ("dlt645+tcp://192.0.2.7:4001?address=AAAAAAAAAAAA", "A stands for any meter"),
        ("dlt645+tcp://192.0.2.7:4001?address=999999999999", "calls every meter"),
        ("dlt645+tcp://192.0.2.7:4001?address=12345", "is not the meter's twelve digits"),
        (f"dlt645+tcp://192.0.2.7?address={METER}", "gives no port"),
        (f"dlt645+tcp://192.0.2.7:4001/x?address={METER}", "takes no path"),
        (f"dlt645+tcp://192.0.2.7:4001?address={METER}&baud=2400", "unknown option 'baud'"),
        (f"dlt645+serial://ttyS0?address={METER}", "names host"),
        (f"dlt645+serial:///dev/ttyS0?address={METER}&baud=300", "baud '300' is not one of"),
        (f"dlt645+serial:///dev/ttyS0?address={METER}&baud=²", "baud '²' is not one of"),
        (f"dlt645+serial:///dev/ttyS0?address={METER}&parity=X", "parity 'X' is not one of"),
    ],
)
def test_urls_that_cannot_work(url: str, sentence: str) -> None:
    with pytest.raises(DeviceError) as caught:
        Dlt645Driver(spec(url, ROW))
    assert sentence in str(caught.value)
    assert caught.value.retry is False


def test_a_point_of_another_protocol_is_named() -> None:
    with pytest.raises(DeviceError, match=r"dev\.word: .* no DL/T 645 data identifier"):
        Dlt645Driver(spec(f"dlt645+tcp://h:1?address={METER}", register("word", Dtype.U16)))


def test_serial_line_and_connection_have_the_gate() -> None:
    """That nothing else writes is looked at in `tests/unit/edge/drivers/test_read_only.py`."""
    source = (FOLDER / "wire.py").read_text(encoding="utf-8")
    assert "Mouth(self._endpoint, self.heard, self.close, only_reads)" in source
    assert source.count("connect(") == source.count("gate=only_reads") == 1


def test_no_library_comes_between() -> None:
    for path in FOLDER.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = {
            (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name) or ""
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
        }
        assert not {n for n in named if n.partition(".")[0] in ("dlt645", "serial")}, path
