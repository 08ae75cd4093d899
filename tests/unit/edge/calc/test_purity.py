"""edge.calc is pure: its imports, and the few files that touch the disk."""

import ast
from pathlib import Path

import pytest

import edge.calc

FOLDER = Path(edge.calc.__file__).parent
FILES = sorted(FOLDER.rglob("*.py"))
OURS = {"evidence.points", "evidence.quality", "evidence.counts", "evidence.time_zones"}
#: packaged tables; files a person names
DISK = {
    FOLDER / name
    for name in (
        "factors.py", "flags.py", "statements/required.py", "cli.py", "cli_cems.py",
        "cli_effects.py",
    )
}  # fmt: skip


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(FOLDER)))
def test_only_reading_types_of_other_rooms(path: Path) -> None:
    rooms = {"edge", "cloud", "evidence", "firmware_configs", "simulators", "stackproof"}
    foreign = {
        name
        for name in imports(path)
        if name.partition(".")[0] in rooms and not name.startswith("edge.calc")
    }
    assert foreign <= OURS


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(FOLDER)))
def test_no_clock_no_network_no_disk(path: Path) -> None:
    banned = {"time", "socket", "asyncio", "threading", "subprocess", "random", "os", "sqlite3"}
    if path not in DISK:
        banned |= {"pathlib", "importlib.resources", "tomllib", "io"}
    assert not imports(path) & banned


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(FOLDER)))
def test_nobody_asks_for_now_or_opens_files(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            assert name not in {"open", "print", "input"} or path in DISK
            assert not name.endswith((".now", ".utcnow", ".today"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(FOLDER)))
def test_no_binary_floats_in_figures(path: Path) -> None:
    """Float literals and float() have no place where regulated figures are made.

    Screening makes none: its chances are statistics, and move nothing (ADR 0038).
    """
    if path.is_relative_to(FOLDER / "screening"):
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float))
        assert not (isinstance(node, ast.Name) and node.id == "float")


def test_rule_sets_are_packaged_beside_the_code() -> None:
    assert {p.name for p in (FOLDER / "rule_sets").glob("*.toml")} >= {
        "cets-ag-04.01-v01-2024.toml", "gwp.toml", "ipcc-2006.toml", "ipcc-2019.toml",
    }  # fmt: skip
