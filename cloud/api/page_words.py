"""Which texts a page's modules can say: found in their source, so that a page loads no others.

A module says a text by its whole key (`"age.old"`), or by one that begins with letters and ends in
data (`month.state.${state}`): then all keys that begin so go along.
"""

import re
from collections.abc import Collection
from functools import cache
from pathlib import Path

_MODULES = Path(__file__).resolve().parent.parent / "dashboard" / "static" / "js"
_IMPORT = re.compile(r'from "\./([a-z_]+)\.js"')
_WHOLE = re.compile(r'["`]([a-z_]+(?:[.-][\w-]+)*)["`]')
_BEGUN = re.compile(r"`([a-z_]+\.[\w.-]*)\$\{")


def keys_of(module: str, known: Collection[str]) -> list[str]:
    """Which of the known keys a module and those that it imports can say.

    Args:
        module: file name in static/js, without ".js".
        known: keys of the table of texts, in its order.
    """
    whole, begun = _said(module)
    return [key for key in known if key in whole or key.startswith(begun)]


@cache
def _said(module: str) -> tuple[frozenset[str], tuple[str, ...]]:
    sources = _sources(module)
    whole = frozenset(key for source in sources for key in _WHOLE.findall(source))
    return whole, tuple({start for source in sources for start in _BEGUN.findall(source)})


def _sources(module: str) -> list[str]:
    """Of the module and all that it imports, each once."""
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = (_MODULES / f"{name}.js").read_text(encoding="utf-8")
            waiting += _IMPORT.findall(found[name])
    return list(found.values())
