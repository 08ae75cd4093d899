"""docs/threat-model.md and docs/security-controls.md: every row says where it is done."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
Row = dict[str, str]


def rows(document: str) -> list[Row]:
    """Every row of every table with a column "Where" or "Clause", by the column's last word."""
    found: list[Row] = []
    head: list[str] = []
    for line in (ROOT / f"docs/{document}.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line[:1] == "|" else []
        if not head:
            head = [cell.split(" ")[0] for cell in cells]
        elif not cells:
            head = []
        elif set(cells) != {"---"}:
            assert len(cells) == len(head), line
            found.append(dict(zip(head, cells, strict=True)))
    return [row for row in found if "Where" in row or "Clause" in row]


def named(text: str) -> list[str]:
    """Paths of a cell, as `test_documents` knows them."""
    return re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", text)


def test_each_threat_names_a_file_that_is_there() -> None:
    threats = rows("threat-model")
    assert len(threats) > 40
    for row in threats:
        paths = named(row["Where"])
        assert paths, row["Threat"]
        assert [path for path in paths if not (ROOT / path).exists()] == [], row["Threat"]


def test_no_recipe_takes_the_product_from_a_package_index() -> None:
    """Nothing was released there: whoever takes the name would be believed by auditors."""
    told = "".join(path.read_text() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
    assert re.findall(r"pipx? install ['\"]?stackproof.*", told) == []


def test_no_recipe_gives_a_secret_as_an_argument() -> None:
    """Every user of a machine sees the arguments of all (`ps`)."""
    told = "".join(path.read_text() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
    assert re.findall(r"(?:Bearer|--token|-u \S+:|[Pp]assword)[ =]*\$\(.*", told) == []


#: part -> control points of level 3, by the open lists that docs/security-controls.md names
PARTS = {
    "8.1.2": 3, "8.1.3": 6, "8.1.4": 11, "8.1.5": 4,
    "8.5.1": 1, "8.5.2": 2, "8.5.3": 3, "8.5.4": 1, "8.5.5": 2,
}  # fmt: skip


def test_every_clause_stands_once_and_in_order() -> None:
    wanted = [f"{part}.{n}" for part, points in PARTS.items() for n in range(1, points + 1)]
    assert len(wanted) == 33
    assert [row["Clause"].split(" ")[0] for row in rows("security-controls")] == wanted


def test_each_clause_is_somebodys() -> None:
    """In the product, by the operator or not done; how sure its number is stands beside it."""
    for row in rows("security-controls"):
        assert row["src"] in ("N", "n", "r"), row
        assert row["In"] or row["By"] or row["Not"], row
        paths = named(" ".join(row.values()))
        assert [path for path in paths if not (ROOT / path).exists()] == [], row["Clause"]
