"""docs/operations.md: what it says that one sees is what the programs say."""

import ast
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.docs.reader import blocks

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/operations.md").read_text()
#: shorter ones say nothing by themselves
PIECE_MIN = 6
#: what a program puts into a sentence of its own
HOLE = "\0"


@cache
def sources() -> dict[Path, str]:
    """What may say something, in one line each: a first look, since texts are split there."""
    rooms = ("cloud", "edge", "evidence")
    found = {path: path.read_text() for room in rooms for path in (ROOT / room).rglob("*.py")}
    return {path: plain(re.sub(r'"\s*\n\s*f?"', "", text)) for path, text in found.items()}


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("`", ""))


@cache
def texts(path: Path) -> str:
    """The texts of a program's file, and neither what it says of itself nor its comments."""
    return HOLE.join(_texts(ast.parse(path.read_text())))


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node, ast.JoinedStr):
        parts = [p.value if isinstance(p, ast.Constant) else HOLE for p in node.values]
        yield plain("".join(map(str, parts)))
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield plain(node.value)
        return
    for child in ast.iter_child_nodes(node):
        yield from _texts(child)


def is_said(piece: str) -> bool:
    return any(piece in texts(path) for path, text in sources().items() if piece in text)


def pieces(text: str) -> set[str]:
    """What stands between “ ” and …, as the programs would say it."""
    quoted = re.findall(r"“([^”]+)”", plain(text))
    found = {piece.strip() for sentence in quoted for piece in sentence.split("…")}
    return {piece for piece in found if len(piece) >= PIECE_MIN}


def test_sentences_are_the_programs_own() -> None:
    assert len(pieces(TEXT)) > 50
    assert {piece for piece in pieces(TEXT) if not is_said(piece)} == set()


def test_what_only_a_comment_says_is_not_said() -> None:
    """The first line of a file says what it is, and nobody who runs the program reads it."""
    first = plain((ROOT / "cloud/process.py").read_text().splitlines()[0].strip('"'))
    assert any(first in text for text in sources().values())
    assert not is_said(first)


def test_each_night_by_cron_and_by_a_timer(tmp_path: Path) -> None:
    """Both take `%` for theirs: pasted there, the shell's own line made no copy on any night."""
    (crontab,) = blocks("operations", "Back up", "text")
    (line,) = re.findall(r"^30 1 \* \* \* root (.*)$", crontab, re.MULTILINE)
    (unit,) = re.findall(r"`ExecStart=([^`]*)`", TEXT)
    assert not re.search(r"(?<!\\)%", line)
    assert "%" not in unit.replace("%%", "")
    (tmp_path / "stackproof").write_text('#!/bin/sh\necho "$*"\n')
    (tmp_path / "stackproof").chmod(0o755)
    for words in (["sh", "-c", line.replace("\\%", "%")], shlex.split(unit.replace("%%", "%"))):
        path = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
        said = subprocess.run(words, env=path, capture_output=True, text=True, check=True).stdout
        ordered = r"cloud backup /etc/stackproof/cloud\.toml --out /backup/\d{4}-\d\d-\d\d\n"
        assert re.fullmatch(ordered, said)
