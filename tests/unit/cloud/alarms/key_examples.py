"""Keys of a gateway for the tests of alarms."""

from typing import Any


class EndingKeys:
    """The certificate in use ends ten days after the examples begin."""

    def stream(self, plant: str, gateway: str) -> dict[str, Any]:
        ends = {"key": "ab", "not_after": "2026-10-01T12:00:00+00:00"}
        later = {"key": "cd", "not_after": "2031-10-01T12:00:00+00:00"}
        return {"key": "ab", "certificates": [ends, later]}
