"""Fixtures of the commissioning commands."""

import pytest

from tests.integration.commissioning.field import Said


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(capsys)
