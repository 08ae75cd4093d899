"""A log call that names a plant, gateway or device passes it as a field, too.

Read from the source, so that lines which no test brings about are looked at as well. What is named
is seen by what the arguments are called; `tests/json_lines.py` reads lines of running programs.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
DEVICE = {"device", "_device", "spec", "_spec"}
ANY = {*DEVICE, "plant", "gateway", "sender", "stream", "_stream"}


def calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text())):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in LEVELS
            and ast.unparse(node.func.value).lower().rpartition(".")[2] in ("log", "_log")
        ):
            yield node


def named(call: ast.Call) -> set[str]:
    """What the arguments of a sentence are called."""
    nodes = [node for argument in call.args for node in ast.walk(argument)]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize(
    ("folder", "apart", "whose"),
    [
        ("cloud", "", ANY),
        ("edge/relay", "", ANY),
        ("edge", "relay", DEVICE),  # an agent's lines have plant and gateway always
    ],
)
def test_who_is_named_is_a_field(folder: str, apart: str, whose: set[str]) -> None:
    room = ROOT / folder
    paths = [p for p in room.rglob("*.py") if p.relative_to(room).parts[0] != apart]
    found = [(path.relative_to(ROOT), call) for path in paths for call in calls(path)]
    assert found
    bare = [
        f"{path}:{call.lineno}: {ast.unparse(call)}"
        for path, call in found
        if named(call) & whose and not any(word.arg == "extra" for word in call.keywords)
    ]
    assert bare == []
