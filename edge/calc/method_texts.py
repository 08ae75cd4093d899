"""What a method says of itself in the reader's language, beside the English of its docstring.

`methods_zh.json` has the Chinese of methods that pages show, by the method's id, each for the
version that was translated. Names of sources and ids of rule sets stay as they are.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from edge.calc.registry import Method


def text_of(method: Method, language: str) -> str:
    """The documentation in "en" or "zh"; KeyError where this version is not translated."""
    if language == "en":
        return method.text
    told = _chinese()[method.id]
    if told["version"] != method.version:
        raise KeyError(f"{method.id} is not translated in version {method.version}")
    return str(told["text"])


def formula_of(method: Method, language: str) -> str:
    """Its formula: the second paragraph of the text."""
    return text_of(method, language).split("\n\n")[1]


@cache
def _chinese() -> Mapping[str, Mapping[str, Any]]:
    text = resources.files("edge.calc").joinpath("methods_zh.json").read_text(encoding="utf-8")
    table: Mapping[str, Mapping[str, Any]] = json.loads(text)
    return table
