"""The one door to CBOR: deterministic bytes out, and nothing but deterministic bytes in.

RFC 8949 §4.2 core deterministic encoding, restricted to what evidence needs: unsigned and negative
integers of 64 bits, byte strings, text strings, arrays, maps, true, false, null. No floats, no
tags (the COSE tag is handled in `cose`), no indefinite lengths. Keys of one map are all integers
or all text, and no negative key is shorter than a non-negative one beside it, so that the sorting
rules of RFC 7049 (the library's) and RFC 8949 (ours) agree.
"""

import itertools
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

import cbor2

from evidence.errors import LimitError, MalformedError

DEPTH_MAX = 12
BYTES_MAX = 4 * 1024 * 1024
#: a configuration of 20,000 points has 600,000 items; each takes a microsecond and 60 bytes
ITEMS_MAX = 1 << 20
#: decoding so few takes no longer than looking at their heads, whatever they are
_FEW_BYTES = 64 * 1024
#: of a map whose keys are remembered as being in order
_FEW_KEYS = 64

_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1
#: first byte of an empty byte string, and bytes of a length by what is added to it
_BYTES, _LENGTH_BYTES = 0x40, {24: 1, 25: 2, 26: 4}
_ARGUMENT_BYTES, _STRINGS, _ARRAYS_MAPS = {**_LENGTH_BYTES, 27: 8}, (2, 3), (4, 5)
_WIDER_FROM = (24, 2**8, 2**16, 2**32)
_LEAVES = frozenset({bytes, str, bool, type(None)})
_NESTED = frozenset({list, tuple, dict})


def encode(value: Any) -> bytes:
    """Deterministic CBOR of plain values.

    Raises:
        TypeError: the value holds something evidence does not allow (a float, a set, a tag).
        ValueError: a map mixes key types or an integer has more than 64 bits.
    """
    _check(value, 0)
    return cbor2.dumps(value, canonical=True)


def decode(data: bytes, items_max: int = ITEMS_MAX, nested_max: int = ITEMS_MAX) -> Any:
    """The value of deterministic CBOR bytes; anything else is refused.

    Args:
        data: one item.
        items_max: most items in it, keys of maps and itself among them.
        nested_max: most arrays and maps among these, each of which takes as long as ten integers.

    Raises:
        MalformedError: not CBOR, not deterministic, trailing bytes, or a type not allowed.
        LimitError: longer than `BYTES_MAX`, of more items, or nested deeper than `DEPTH_MAX`.
    """
    if len(data) > BYTES_MAX:
        raise LimitError(f"CBOR of {len(data)} bytes; the limit is {BYTES_MAX}")
    if has_more_items(data, items_max):
        raise LimitError(f"CBOR of more than {items_max} items")
    too_nested = f"CBOR of more than {nested_max} arrays and maps"
    # of a frame's few bytes they are counted where they are looked at anyway
    if len(data) > max(nested_max, _FEW_BYTES) and nested_up_to(data, nested_max + 1) > nested_max:
        raise LimitError(too_nested)
    try:
        value = cbor2.loads(
            data,
            max_depth=DEPTH_MAX + 1,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=False,
        )
        nested = _check(value, 0, in_order=True)
        # as the maps' keys are in order, all that is left to choose is how heads are written; an
        # encoder that sorts takes four times as long
        again = cbor2.dumps(value)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise MalformedError(f"not the CBOR that evidence allows: {error}") from error
    if again != data:
        raise MalformedError("CBOR is not in deterministic form or has trailing bytes")
    if nested > nested_max:
        raise LimitError(too_nested)
    return value


def encode_bytes(data: bytes) -> bytes:
    """As `encode`, of a byte string."""
    return _head(_BYTES, len(data)) + data


def read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """The byte string that begins at `at`, and where it ends.

    For envelopes, whose large parts need not be encoded again to see that they are deterministic.

    Raises:
        MalformedError: there is none, its length is not in the shortest form, or it is cut.
    """
    head = data[at : at + 5]
    argument = head[0] - _BYTES if head else -1
    if 0 <= argument < 24:
        length, begin = argument, at + 1
    elif argument in _LENGTH_BYTES:
        begin = at + 1 + _LENGTH_BYTES[argument]
        length = int.from_bytes(data[at + 1 : begin], "big")
    else:
        raise MalformedError("a byte string is missing")
    end = begin + length
    if end > len(data) or head[: begin - at] != _head(_BYTES, length):
        raise MalformedError("a byte string is cut or its length is not in the shortest form")
    return data[begin:end], end


def has_more_items(data: bytes, most: int) -> bool:
    """True for more items than `most`."""
    return len(data) > most and items_up_to(data, most + 1) > most  # an item has a byte at least


def items_up_to(data: bytes, most: int) -> int:
    """How many items there are; looks at `most` heads only, before anything is made of them."""
    return sum(1 for _ in islice(_kinds(data), most))


def nested_up_to(data: bytes, most: int) -> int:
    """How many arrays and maps there are, likewise; of data with few items."""
    return sum(1 for _ in islice((kind for kind in _kinds(data) if kind in _ARRAYS_MAPS), most))


def _kinds(data: bytes) -> Iterator[int]:
    """CBOR's major type of each item, keys of maps among them."""
    at, end = 0, len(data)
    while at < end:
        head, argument = data[at], data[at] & 31
        at += 1
        if argument in _ARGUMENT_BYTES:
            begin, at = at, at + _ARGUMENT_BYTES[argument]
            argument = int.from_bytes(data[begin:at], "big")
        yield head >> 5
        if head >> 5 in _STRINGS:
            at += argument


def _head(kind: int, length: int) -> bytes:
    """The first bytes of an item of this kind; `length` is below 2^32."""
    width = _width(length)
    if width == 0:
        return bytes([kind + length])
    return bytes([kind + 23 + width]) + length.to_bytes(1 << (width - 1), "big")


def _check(value: Any, depth: int, *, in_order: bool = False) -> int:
    """Refuse what evidence does not allow in a value that stands `depth` levels deep.

    Args:
        value: it.
        depth: how deep.
        in_order: its maps' keys must stand in the order of their bytes, too.

    Returns:
        How many arrays and maps it has, itself among them.
    """
    kind, nested = type(value), 1
    if kind is dict:
        _check_keys(value, in_order)
        items = value.values()
    elif kind is list or kind is tuple:
        items = value
    else:
        items, depth, nested = (value,), depth - 1, 0
    if depth == DEPTH_MAX:
        raise ValueError(f"nested deeper than {DEPTH_MAX}")
    for item in items:
        kind = type(item)
        if kind in _LEAVES:
            continue
        if kind is int:
            if not _INT_MIN <= item <= _INT_MAX:
                raise ValueError("integer has more than 64 bits")
        elif kind in _NESTED:
            nested += _check(item, depth + 1, in_order=in_order)
        else:
            raise TypeError(f"type {kind.__name__} is not part of evidence")
    return nested


def _check_keys(value: dict[Any, Any], in_order: bool) -> None:
    kinds = set(map(type, value))
    if len(kinds) > 1:
        raise ValueError("map mixes key types")
    if not kinds <= {int, str}:
        raise TypeError("map keys must be integers or text")
    look = _is_in_order if len(value) <= _FEW_KEYS else _is_in_order.__wrapped__
    if not look(tuple(value)) and in_order:
        raise ValueError("keys of a map are not in order")


# maps of one kind have the same keys: a configuration thousands of such maps
@lru_cache(maxsize=1_024)
def _is_in_order(keys: tuple[Any, ...]) -> bool:
    """Of keys that are all text, or all integers.

    Raises:
        ValueError: of integers for which the two rules of sorting do not agree.
    """
    if keys and isinstance(keys[0], str):
        texts = [key.encode() for key in keys]
        return all((len(a), a) < (len(b), b) for a, b in itertools.pairwise(texts))
    negative = [_width(-1 - key) for key in keys if key < 0]
    if negative and min(negative) < max((_width(key) for key in keys if key >= 0), default=0):
        raise ValueError("a negative map key is shorter than a non-negative one")
    told = [(_width(max(key, -1 - key)), key < 0, max(key, -1 - key)) for key in keys]
    return all(a < b for a, b in itertools.pairwise(told))


def _width(argument: int) -> int:
    """Which of CBOR's five lengths an integer's argument takes."""
    return bisect_right(_WIDER_FROM, argument)
