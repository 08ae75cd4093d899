"""TOML of a file from outside: whatever is in it, a mapping or one sentence. Pure.

`tomllib` lets through what its parser cannot take: deep nesting ends it with RecursionError, a
very long number with a bare ValueError, and a number of any size is given back although the format
knows 64 bits only. All loaders of this project read through here. Not here: files, keys, limits.
"""

import tomllib
from collections.abc import Mapping
from typing import Any

#: tables and lists within each other; the files of this project need five
DEPTH_MAX = 64
#: TOML 1.0 asks for 64 bits; unsigned ones too, because registers hold them
INTEGER_MIN, INTEGER_MAX = -(2**63), 2**64 - 1

_TOO_DEEP = f"lists and tables are nested deeper than {DEPTH_MAX}"
_TOO_LONG = "a number in it has more than 64 bits"


class NotTomlError(ValueError):
    """The bytes are not TOML; the text says why, without the name of the file."""


def parse_toml(content: bytes) -> Mapping[str, Any]:
    """Read TOML.

    Args:
        content: a whole file.

    Returns:
        Its table: nested at most DEPTH_MAX, whole numbers in INTEGER_MIN..INTEGER_MAX.

    Raises:
        NotTomlError: anything else.
    """
    try:
        table = tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        raise NotTomlError(f"byte {error.start} of it is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise NotTomlError(str(error)) from None
    except RecursionError:
        raise NotTomlError(_TOO_DEEP) from None
    except ValueError:  # of int(), which takes 4,300 digits; everything else is a TOMLDecodeError
        raise NotTomlError(_TOO_LONG) from None
    _check(table)
    return table


def _check(table: Mapping[str, Any]) -> None:
    """Level by level, not by recursion: dotted keys nest deeper than the interpreter goes."""
    level: list[Any] = [table]
    depth = 0
    while level:
        depth += 1
        if depth > DEPTH_MAX:
            raise NotTomlError(_TOO_DEEP)
        inner: list[Any] = []
        for holder in level:
            values = holder.values() if isinstance(holder, dict) else holder
            for value in values:
                if isinstance(value, int) and not INTEGER_MIN <= value <= INTEGER_MAX:
                    raise NotTomlError(_TOO_LONG)
                if isinstance(value, dict | list):
                    inner.append(value)
        level = inner
