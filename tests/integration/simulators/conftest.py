"""Simulated meters that record what the drivers ask them."""

import functools
from collections.abc import Iterator

import pytest
from pymodbus.server import ModbusTcpServer

from tests.recording import note_pymodbus, recorded_asyncua


@pytest.fixture(scope="module")
def recorded() -> Iterator[None]:
    """For tests in which it is a driver that asks."""
    recording = functools.partial(ModbusTcpServer, trace_pdu=note_pymodbus)
    with pytest.MonkeyPatch.context() as patch, recorded_asyncua():
        patch.setattr("simulators.modbus_meter.ModbusTcpServer", recording)
        yield
