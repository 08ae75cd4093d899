"""Every text that the doctor can say, read out of his source: places are written "{}"."""

import ast
from collections.abc import Iterator
from pathlib import Path

import edge.commissioning

FOLDER = Path(edge.commissioning.__file__).parent
FILES = (
    "doctor.py", "doctor_machine.py", "doctor_broker.py", "doctor_modbus.py", "doctor_opcua.py",
    "doctor_others.py", "reach.py", "advice.py", "page/clocks.py",
)  # fmt: skip
#: names of types and of arguments, not words
_NO_WORDS = 2


def sentences() -> Iterator[tuple[str, str]]:
    """(file, text) of every string that has words in it, docstrings aside."""
    for name in FILES:
        tree = ast.parse((FOLDER / name).read_text(encoding="utf-8"))
        for text in _texts(tree):
            words = [word for word in text.replace("{}", " ").split() if word[:1].isalpha()]
            if len(words) >= _NO_WORDS:
                yield name, text


def _texts(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        if isinstance(child, ast.JoinedStr):
            yield _template(child)
            for part in child.values:
                if isinstance(part, ast.FormattedValue):
                    yield from _texts(part)
        elif isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value
        elif not is_docstring and not _is_regex(child):
            yield from _texts(child)


def _is_regex(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("re.compile", "removeprefix")


def _template(node: ast.JoinedStr) -> str:
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
    )
