"""Fixtures of the commissioning commands."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.commissioning.field import AC_WORDS, Said
from tests.integration.drivers.modbus_responder import Responder
from tests.integration.drivers.opcua_plant import Plant


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(capsys)


@pytest.fixture
async def meter() -> AsyncIterator[Responder]:
    """The simulated AC meter's vectors."""
    async with Responder(words=dict(AC_WORDS)) as device:
        yield device


@pytest.fixture
async def plant() -> AsyncIterator[Plant]:
    """An OPC UA server without security."""
    plant = Plant()
    await plant.start()
    yield plant
    await plant.stop()
