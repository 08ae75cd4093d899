"""What the API takes as an order about a key."""

import pytest
from pydantic import ValidationError

from cloud.api.broker import RevokeOrder


@pytest.mark.parametrize("mark", ["\n", "\r", "\x1b", "\u2028"])
def test_a_reason_cannot_look_like_another_row_of_the_security_log(mark: str) -> None:
    whose = {"gateway": "edge-1", "key": "ab" * 32}
    assert RevokeOrder.model_validate({**whose, "reason": "被盗 stolen"}).reason == "被盗 stolen"
    with pytest.raises(ValidationError, match="one line of printable characters"):
        RevokeOrder.model_validate({**whose, "reason": f"stolen{mark}8 2026-11-28 edge-2: revoked"})
