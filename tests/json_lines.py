"""JSON log lines of a program, read as somebody's collector of logs reads them."""

import json
import re
from collections.abc import Iterable
from typing import Any


def lines_about(
    text: str,
    *,
    plants: Iterable[str] = (),
    gateways: Iterable[str] = (),
    devices: Iterable[str] = (),
) -> list[dict[str, Any]]:
    """Every line, each a JSON object; a line whose sentence names one of these has it as a field.

    AssertionError for any other line: a filter by that field would not show it.
    """
    lines = [json.loads(line) for line in text.splitlines()]
    for field, ids in (("plant", plants), ("gateway", gateways), ("device", devices)):
        for one in ids:
            names_it = re.compile(rf"(?<![\w-]){re.escape(one)}(?![\w-])")
            for line in lines:
                is_named = names_it.search(line["message"]) is not None
                assert not is_named or line.get(field) == one, line
    return lines
