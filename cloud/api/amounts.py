"""The one way that pages write figures and units: 1,214,057.49 and t CO₂, 12 × 10⁴ Nm³. Pure.

A figure keeps the digits it was sealed with; a page in the browser writes the same way
(static/js/format.js).
"""

import re

_FIGURE = re.compile(r"(-?)([0-9]+)((?:\.[0-9]+)?)")
_SIGNS = (("10^4", "10⁴"), ("CO2", "CO₂"), ("m3", "m³"), ("degC", "°C"))


def figure(text: object) -> str:
    """A decimal number with its thousands set apart; what is none as it came."""
    found = _FIGURE.fullmatch(str(text))
    return str(text) if found is None else f"{found[1]}{int(found[2]):,}{found[3]}"


def unit(text: str) -> str:
    """A unit as people write it: "–" for what has none ("1" in configurations)."""
    for told, written in _SIGNS:
        text = text.replace(told, written)
    if text.startswith("10⁴"):
        return f"× {text}"
    return "–" if text == "1" else re.sub(r"^tCO", "t CO", text)


def size(count: int) -> str:
    """Bytes in the largest unit they fill: 412 B, 49.3 kB, 2,310.4 MB."""
    for length, of in ((1_000_000, "MB"), (1_000, "kB")):
        if count >= length:
            return f"{count / length:,.1f} {of}"
    return f"{count} B"


def amount(value: object, of: str) -> str:
    """A figure with its unit behind it."""
    return figure(value) if of in ("", "1") else f"{figure(value)} {unit(of)}"
