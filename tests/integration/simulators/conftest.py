"""Simulated meters that record what the drivers ask them."""

from collections.abc import Iterator

import pytest

from simulators.dlt645_meter import Dlt645Frames
from simulators.frames import Question
from simulators.modbus_frames import TcpFrames
from tests.recorded_wires import Dlt645, Mbap
from tests.recording import recorded_asyncua


class RecordedFrames(TcpFrames):
    """Tells what comes, by a reader of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._record = Mbap()

    def feed(self, data: bytes) -> list[Question]:
        self._record.feed(data)
        return super().feed(data)


class RecordedDlt645(Dlt645Frames):
    """Likewise."""

    def __init__(self) -> None:
        super().__init__()
        self._record = Dlt645()

    def feed(self, data: bytes) -> list[Question]:
        self._record.feed(data)
        return super().feed(data)


@pytest.fixture(scope="module")
def recorded() -> Iterator[None]:
    """For tests in which it is a driver that asks."""
    with pytest.MonkeyPatch.context() as patch, recorded_asyncua():
        patch.setattr("simulators.modbus_meter.TcpFrames", RecordedFrames)
        patch.setattr("simulators.dlt645_meter.Dlt645Frames", RecordedDlt645)
        yield
