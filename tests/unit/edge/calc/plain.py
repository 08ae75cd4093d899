"""Whether a value is made of nothing but what signed bytes may hold."""

from typing import Any

#: of figures: no float, no Decimal, and nothing that is left open
FIGURES = frozenset({str, bool, int})


def is_plain(value: Any, kinds: frozenset[type] = FIGURES) -> bool:
    """Maps with text keys and lists, of values of these kinds."""
    if isinstance(value, dict):
        return all(type(key) is str and is_plain(item, kinds) for key, item in value.items())
    if isinstance(value, list):
        return all(is_plain(item, kinds) for item in value)
    return type(value) in kinds
