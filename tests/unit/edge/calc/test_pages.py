"""docs/methods/: what is committed is what methods and rule sets say."""

import re
from pathlib import Path

import pytest

from edge.calc.cli import main
from edge.calc.factors import rule_set, rule_set_ids
from edge.calc.pages import (
    EXAMPLE,
    INDEX,
    NOT_CONFIRMED,
    all_pages,
    index,
    method_file,
    method_page,
    rules_file,
    rules_page,
)
from edge.calc.registry import Input, Method, methods
from edge.calc.row_names import row_name_zh

FOLDER = Path(__file__).resolve().parents[4] / "docs/methods"


def test_the_committed_pages_are_those_of_methods_and_rule_sets() -> None:
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    wanted = all_pages()
    stale = [n for n in sorted({*there, *wanted}) if there.get(n) != wanted.get(n)]
    assert stale == [], "run: stackproof calc pages docs/methods"


def test_one_page_a_method_one_a_rule_set_and_an_index() -> None:
    names = {method_file(name) for name in methods()} | {rules_file(n) for n in rule_set_ids()}
    assert set(all_pages()) == names | {INDEX}
    assert len(names) == len(methods()) + len(rule_set_ids())


@pytest.mark.parametrize("name", list(methods()))
def test_a_docstring_has_the_parts_of_a_page(name: str) -> None:
    title, formula, *rest = methods()[name].text.split("\n\n")
    assert title.endswith(".")
    assert "=" in formula
    assert sum(text.startswith(EXAMPLE) for text in rest) == 1
    assert sum(text.startswith(NOT_CONFIRMED) for text in rest) == 1


def computed(**inputs: int) -> dict[str, int]:
    """Twice a mass.

    E [t] = 2 × mass [t]

    mass: of a
    thing | <b>.

    Example: 1 t gives 2 t (by hand).

    Not confirmed: whether twice is right.
    """
    return inputs


def test_a_methods_page() -> None:
    method = Method(
        "a.b_c", 3, "Book | Eq. 1",
        {"mass_t": Input("t", low="0"), "kind": Input(is_text=True, optional=True)},
        {"e_t": "t", "parameters": ""}, computed,
    )  # fmt: skip
    made = method_page(method)
    assert made.startswith("# a.b_c\n\nTwice a mass. Version 3.\n")
    assert "## Formula\n\n```\nE [t] = 2 × mass [t]\n```\n\nmass: of a thing \\| &lt;b>.\n" in made
    assert "| `mass_t` | t | 0 to … |\n| `kind` | name | may be left out |" in made
    assert "| `e_t` | t |\n| `parameters` | text or table |" in made
    assert "## Example\n\n1 t gives 2 t (by hand).\n\n## Source\n\nBook \\| Eq. 1\n" in made
    assert made.endswith("## What is not confirmed\n\nWhether twice is right.\n")
    assert method_file("a.b_c") == "a-b-c.md"


def test_a_rule_sets_page_has_every_row_of_its_own_and_says_what_is_in_doubt() -> None:
    rules = rule_set("cets-ag-03.01-v01-2024")
    made = rules_page(rules)
    for row in rules.rows.values():
        assert (f"| `{row.id}` |" in made) == (row.rule_set == rules.id)
    assert (
        "| `process.dolomite.factor` | 白云石，排放因子 | 0.476 | tCO2/t | as purchased | "
        "conflicting | A: materials table | G prints 0.471; A labels this value as the platform's "
        "default |"
    ) in made
    assert "| takes over all rows of | [cets-fuels-2024](rules-cets-fuels-2024.md) |" in made
    assert "- **conflicting** (sources differ): `process.dolomite.factor`" in made
    assert "- **P**: a project's note quoting CETS-AG-03.01-V01-2024, Appendix A.2" in made


def test_a_rule_set_without_doubts_says_so() -> None:
    assert rules_page(rule_set("ipcc-2006")).endswith(
        "Every row was seen in two independent sources that agree.\n"
    )


@pytest.mark.parametrize("rule_set_id", rule_set_ids())
def test_every_row_has_a_chinese_name_of_its_own(rule_set_id: str) -> None:
    rules = rule_set(rule_set_id)
    names = [row_name_zh(rules, row) for row in rules.rows.values()]
    for name in names:
        assert re.search(r"[\u4e00-\u9fff]", name)
        assert not re.search(r"[a-z]{3}", name), name  # no word of the id is left
    assert len(names) == len(set(names))


def test_the_index_counts_rows_by_confidence() -> None:
    made = index({"pfc.slope": methods()["pfc.slope"]}, [rule_set("gwp")])
    assert "| [pfc.slope](pfc-slope.md) | 1 | PFC by the slope method. |" in made
    assert "| [gwp](rules-gwp.md) | 全球变暖潜势（100年） |" in made
    assert made.endswith("| 6 | 2 | 0 | 0 |\n")


def test_the_command_writes_and_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "methods"
    assert main(["pages", str(folder), "--check"]) == 1  # none is there yet
    assert not folder.exists()
    assert main(["pages", str(folder)]) == 0
    (folder / "gone.md").write_text("old")
    (folder / "kept.txt").write_text("mine")
    (folder / INDEX).write_text("mine")
    capsys.readouterr()
    assert main(["pages", str(folder), "--check"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(": ")[0] for line in said] == [
        str(folder / INDEX), str(folder / "gone.md"),
    ]  # fmt: skip
    assert said[0].endswith(f"run stackproof calc pages {folder}")
    assert main(["pages", str(folder)]) == 0
    assert main(["pages", str(folder), "--check"]) == 0
    assert not (folder / "gone.md").exists()
    assert (folder / "kept.txt").read_text() == "mine"
