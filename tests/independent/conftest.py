"""How much of what is drawn is compared."""

import pytest


@pytest.fixture
def times(request: pytest.FixtureRequest) -> int:
    """Three times as much in the long mode: each draw takes two verifiers, of two languages."""
    return 3 if request.config.getoption("--long") else 1
