"""What several of the front's tests ask."""

import threading
from collections.abc import Iterator

import pytest

from tests.unit.cloud.fake_collector import FakeCollector


@pytest.fixture
def strange() -> Iterator[FakeCollector]:
    """A collector without plants that answers whatever it is told to."""
    made = FakeCollector()
    made.answer("rights", {"rights": ["see", "evidence", "records"], "region": None})
    made.answer("health", {"status": "ok", "served": ["mini"], "amiss": {}})
    made.answer("overview", {"plants": []})
    alarms = {"standing": [], "cleared": [], "unacknowledged": 0, "new_in_last_hour": 0}
    made.answer("alarms", alarms)
    for path in ("streams", "plants", "months"):
        made.answer(path, [])
    made.answer("reviews", {"reviews": [], "next": None})
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()
