"""What a /metrics page says, read line by line as its format is documented.

Prometheus, "Exposition formats", text format 0.0.4: https://prometheus.io/docs/instrumenting/
"""

import re

_LINE = re.compile(r"(?P<series>[a-z_]+(?:\{[^}]*\})?) (?P<value>\S+)", re.ASCII)


def series(page: str) -> dict[str, float]:
    """Series with its labels -> value; AssertionError for a line that is none of the format."""
    found: dict[str, float] = {}
    for line in page.splitlines():
        if line.startswith("#"):
            continue
        parts = _LINE.fullmatch(line)
        assert parts is not None, line
        found[parts["series"]] = float(parts["value"])
    return found
