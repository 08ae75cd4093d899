"""Fixtures of the commissioning commands."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.commissioning.field import AC_WORDS, Said
from tests.integration.drivers.modbus_responder import Responder


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(capsys)


@pytest.fixture
async def meter() -> AsyncIterator[Responder]:
    """The simulated AC meter's vectors."""
    async with Responder(words=dict(AC_WORDS)) as device:
        yield device
