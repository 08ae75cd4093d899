"""House style that linters do not know, kept as tests: sizes, names, paths, promises in comments.

The rules and their reasons stand in CONTRIBUTING.md.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("evidence", "firmware_configs", "edge", "cloud", "simulators", "witness")

FILE_LINES_MAX = 600
BODY_LINES_MAX = 60
FILE_BYTES_MAX = 300_000  # nothing generated or recorded grows in here unseen

BANNED_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
PROMISE = re.compile(r"\b(TODO|FIXME|(?<!\.)XXX(?!\.)|HACK)\b")  # DL/T 645 writes digits XXX.X
#: /opt/stackproof is where every machine has it
MACHINE_PATH = re.compile(r"(?<![\w.}$)*-])/(?:(?:work|root|tmp|home)/|opt/(?!stackproof))[\w.]")
SILENCED = re.compile(
    r"# (?:noqa|type: ?ignore)(?::? ?[\w\[\], -]*?\]?)?(?P<reason>(?: - | # ).*)?$"
)


def python_files() -> list[Path]:
    folders = [ROOT / name for name in (*ROOMS, "build_hooks", "tests")]
    files = [path for folder in folders for path in folder.rglob("*.py")]
    return sorted([*files, ROOT / "stackproof.py"])


def product_files() -> list[Path]:
    """Everything we ship or run, and every document; not tests, not third-party files."""
    files = [
        path
        for room in (*ROOMS, "build_hooks", "docs", "docker", "packaging", "requirements", ".ci")
        for path in (ROOT / room).rglob("*")
        if path.is_file() and not {"__pycache__", "vendor"} & set(path.parts)
    ]
    top = [path for path in ROOT.iterdir() if path.suffix in {".md", ".yml", ".toml", ".py"}]
    return sorted([*files, *top, ROOT / "run"])


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement after the docstring to the last."""
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def lines_matching(pattern: re.Pattern[str], files: list[Path]) -> list[str]:
    found = []
    for path in files:
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if pattern.search(line):
                found.append(f"{shown(path)}:{number}: {line.strip()[:100]}")
    return found


def test_files_are_short() -> None:
    long = {shown(path): len(path.read_text().splitlines()) for path in python_files()}
    assert {name: lines for name, lines in long.items() if lines > FILE_LINES_MAX} == {}


def test_functions_are_short() -> None:
    long = [
        f"{shown(path)}:{function.lineno} {function.name}: {body_lines(function)} lines"
        for path in python_files()
        for function in functions(ast.parse(path.read_text()))
        if body_lines(function) > BODY_LINES_MAX
    ]
    assert long == []


def test_modules_are_named_for_what_they_hold() -> None:
    parts = {part for path in python_files() for part in (*path.parts[:-1], path.stem)}
    assert parts & BANNED_NAMES == set()


@pytest.mark.parametrize("room", ROOMS)
def test_every_package_says_what_it_is(room: str) -> None:
    silent = []
    for folder in {path.parent for path in (ROOT / room).rglob("*.py")}:
        package = folder / "__init__.py"
        if not package.exists() or ast.get_docstring(ast.parse(package.read_text())) is None:
            silent.append(shown(folder))
    assert silent == []


def test_no_promises_in_comments() -> None:
    assert lines_matching(PROMISE, product_files()) == []


def test_no_path_of_one_machine() -> None:
    assert lines_matching(MACHINE_PATH, product_files()) == []


def test_nothing_large_is_committed() -> None:
    large = [shown(path) for path in product_files() if path.stat().st_size > FILE_BYTES_MAX]
    assert large == []


def test_silenced_checks_say_why() -> None:
    bare = []
    for path in python_files():
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = SILENCED.search(line)
            if match and len((match["reason"] or "").strip(" -#")) < 3:
                bare.append(f"{shown(path)}:{number}: {line.strip()[:100]}")
    assert bare == []


class TestTheRulesThemselves:
    """A rule that cannot find anything is no rule."""

    @pytest.mark.parametrize(
        ("line", "is_bare"),
        [
            ("import x  # noqa: S603", True),
            ("import x  # noqa: S603 - fixed arguments, no shell", False),
            ("x = f()  # type: ignore[no-any-return]", True),
            ("x = f()  # type: ignore[misc, unused-ignore] # hatchling: no types", False),
            ("import x  # noqa", True),
        ],
    )
    def test_silenced(self, line: str, *, is_bare: bool) -> None:
        match = SILENCED.search(line)
        assert match
        assert (len((match["reason"] or "").strip(" -#")) < 3) is is_bare

    @pytest.mark.parametrize(
        ("text", "is_found"),
        [
            ('"/tmp/x"', True),
            ("cd /root/a", True),
            ("$root/tmp/x", False),
            ("https://example.org/work/a", False),
            ("data/opt/x", False),
            ("cd /opt/x", True),
            ("cd /opt/stackproof/current", False),
        ],
    )
    def test_machine_path(self, text: str, *, is_found: bool) -> None:
        assert bool(MACHINE_PATH.search(text)) is is_found

    def test_body_lines_leave_out_the_docstring(self) -> None:
        source = 'def f() -> int:\n    """One.\n\n    Two.\n    """\n    x = 1\n    return x\n'
        assert [body_lines(f) for f in functions(ast.parse(source))] == [2]
