"""A flag that no surface tells is a failing test: each that the code can raise is in one table.

Found by walking the code of `edge.calc` for the places that add flags, and in the months of the
corpus; the table, FIGURES.md section 8 and the other verifier must know every kind.
"""

import ast
import json
import random
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import edge.calc
import evidence
from edge.calc.flags import Flag, flag_rows
from evidence import cli
from evidence.keys import certificate_to_pem
from evidence.recompute import compute_statement
from tests.independent.other import FOLDER
from tests.months.drafts import MAKE, Draft
from tests.months.spoilt import SPOILT, Spoilt
from tests.unit.evidence import sealed_month as sm

#: flags of an anode effect, of a stack's hours and of gas tables are no statement's
ELSEWHERE = {"effects", "stacks", "methods", "screening"}
ROOMS = (Path(edge.calc.__file__).parent, Path(evidence.__file__).parent / "plan")
NAMES = re.compile(r"flags?$|notes$|^_?lacking|_lines$|_points$|^lacks$", re.IGNORECASE)
FLAG = re.compile(r"[a-z]+(-[a-z]+)+(:[a-z.-]*)?|[a-z]+:[a-z.-]+")
KIND = re.compile(r"[a-z]+(-[a-z]+)*(?=:|$)")
#: of documents that give no amount: a row of its own in the table
SUFFIX = ".amount"
#: quantities of points, which are made in the same places
NO_FLAGS = {"mass-flow", "emission-flow"}


def kinds() -> set[str]:
    """Kinds of the table; a check with words of its own is of its kind."""
    return {row.removesuffix(SUFFIX).partition(":")[0] for row in flag_rows()}


def kinds_in(node: ast.AST) -> Iterator[str]:
    """Kinds of flags that an expression can have, by its literals."""
    for part in ast.walk(node):
        if isinstance(part, ast.JoinedStr) and part.values:
            first = part.values[0]
            text = first.value if isinstance(first, ast.Constant) else ""
            if ":" in str(text) and (found := KIND.match(str(text))):
                yield found[0]
        elif isinstance(part, ast.Constant) and FLAG.fullmatch(str(part.value)):
            yield str(part.value).partition(":")[0]


def _name(node: ast.AST) -> str:
    return getattr(node, "attr", "") or getattr(node, "id", "")


def raised(tree: ast.Module) -> Iterator[str]:
    """Kinds of flags that a module adds anywhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(NAMES.search(_name(target)) for target in targets):
                yield from kinds_in(node.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("add", "append", "update") and NAMES.search(
                _name(node.func.value)
            ):
                yield from (kind for argument in node.args for kind in kinds_in(argument))
        elif isinstance(node, ast.keyword) and NAMES.search(node.arg or ""):
            yield from kinds_in(node.value)
        elif isinstance(node, ast.FunctionDef) and NAMES.search(node.name):
            for part in ast.walk(node):
                if isinstance(part, ast.Return | ast.Yield) and part.value is not None:
                    yield from kinds_in(part.value)


@cache
def sources() -> dict[Path, str]:
    return {
        path: path.read_text(encoding="utf-8")
        for room in ROOMS
        for path in room.rglob("*.py")
        if not ELSEWHERE & set(path.relative_to(room).parts)
    }


def test_every_flag_that_the_code_raises_is_in_the_table() -> None:
    found = {
        kind: path.name for path, text in sources().items() for kind in raised(ast.parse(text))
    }
    assert len(found) > 30
    assert {k: v for k, v in found.items() if k not in flag_rows() and k not in NO_FLAGS} == {}


def test_every_row_of_the_table_is_raised_somewhere() -> None:
    text = "\n".join(sources().values()) + (Path("cloud/year/shown.py").read_text())
    # "no-" and a category is put together there
    assert {one for one in kinds() if one not in text and not one.startswith("no-")} == set()


@pytest.mark.parametrize("one", SPOILT, ids=lambda one: one.name)
def test_every_flag_of_the_corpus_is_in_the_table(one: Spoilt) -> None:
    statement = json.loads(sm.unpack(one.archive())["data/statement.json"])
    assert [f for f in statement["output"]["flags"] if Flag(f).row is None] == []


def test_the_format_names_every_kind_with_its_code() -> None:
    text = (Path(evidence.__file__).parent / "FIGURES.md").read_text(encoding="utf-8")
    section = text.partition("## 8. What belongs beside the total")[2]
    rows = [line for line in section.splitlines() if line.startswith(("| W-", "| N-"))]
    named = {
        kind: row
        for row in rows
        for kind in re.findall(r"[a-z]+(?:-[a-z]+)*", row.partition(" | ")[2])
    }
    assert kinds() - named.keys() == set()
    codes = {kind: row.code for kind, row in flag_rows().items() if kind in named}
    assert {kind for kind, code in codes.items() if code not in named[kind]} == set()


def test_the_other_verifier_knows_every_kind() -> None:
    text = (FOLDER / "state.mjs").read_text(encoding="utf-8")
    notes = {kind for kind, row in flag_rows().items() if row.code == "N-FLAG"}
    assert {
        kind for kind in kinds() - notes if f'"{kind}"' not in text and f"{kind}:" not in text
    } == set()


def archive_with(flags: list[str]) -> bytes:
    """A complete month whose sealed statement carries these flags, signed by everybody."""
    draft: Draft = MAKE["cement"](random.Random(9))

    def restate(statement: dict[str, Any]) -> None:
        statement["input"]["flags"] = sorted(flags)
        statement["output"] = compute_statement(statement["input"])

    draft.restate = restate
    return draft.archive()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("code", sorted({row.code for row in flag_rows().values()}))
def test_verify_prints_every_flag_that_a_statement_can_carry(
    code: str, language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without recomputing: a collector of another version may raise what this one does not."""
    rows = [kind for kind, row in flag_rows().items() if row.code == code]
    flags = [
        f"{kind.removesuffix(SUFFIX)}:a.b{SUFFIX if kind.endswith(SUFFIX) else ''}" for kind in rows
    ]
    trust, archive = tmp_path / "root.pem", tmp_path / "month.tar"
    trust.write_bytes(certificate_to_pem(sm.keys().certificates["root"]))
    for some in (flags[:15], flags[15:]):
        if not some:
            continue
        archive.write_bytes(archive_with(some))
        order = ["verify", str(archive), "--trust", str(trust), "--no-recompute"]
        assert cli.main([*order, "--lang", language]) == 3
        told = capsys.readouterr().out
        for flag in some:
            assert f"\n  {Flag(flag).code}  " in told
            assert Flag(flag).sentence(language) in told
        cli.main([*order, "--json", "--lang", language])
        report = json.loads(capsys.readouterr().out)
        assert set(some) <= {issue["flag"] for issue in report["state"]["issues"]}
