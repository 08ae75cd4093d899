"""Documents that cannot lie: links lead somewhere, commands exist, named functions exist."""

import importlib
import json
import re
from pathlib import Path

import pytest

import stackproof

ROOT = Path(__file__).resolve().parents[2]
TOP = ("README", "ARCHITECTURE", "CONTRIBUTING", "CHANGELOG", "SECURITY")
DOCUMENTS = sorted([*(ROOT / f"{name}.md" for name in TOP), *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
RUN_COMMANDS = set(
    re.findall(r"^  ([a-z]+) +[\[(A-Za-z]", (ROOT / "run").read_text(), re.MULTILINE)
)


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text()
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    broken = [target for target in targets if not (document.parent / target).exists()]
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_commands_exist(document: Path) -> None:
    """Whatever is written as a command in a document is one."""
    code = re.findall(r"```.*?```|`[^`\n]+`", document.read_text(), flags=re.DOTALL)
    text = "\n".join(code)
    for command in re.findall(r"\./run ([a-z]+)", text):
        assert command in RUN_COMMANDS, f"./run {command}"
    for command in re.findall(r"(?<![\w\"-])stackproof ([a-z]+)", text):
        assert command in stackproof.COMMANDS, f"stackproof {command}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_named_files_exist(document: Path) -> None:
    """A path written as code, with a folder in it, is in the repository."""
    named = re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", document.read_text())
    ours = [path for path in named if (ROOT / path.split("/")[0]).exists()]
    assert [path for path in ours if not (ROOT / path).exists()] == []


def test_readme_opens_with_what_it_is_and_two_commands() -> None:
    first_screen = (ROOT / "README.md").read_text().splitlines()[:30]
    assert any(line.startswith("./run demo") for line in first_screen)
    assert any(line.startswith("./run test") for line in first_screen)


def test_readme_shows_every_command_there_is() -> None:
    text = (ROOT / "README.md").read_text()
    there_is = {name for name, command in stackproof.COMMANDS.items() if command.module}
    assert {name for name in there_is if f"stackproof {name} " not in text} == set()


def test_life_of_a_reading_names_functions_that_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    named = re.findall(r"`([\w/]+)\.py`: `([\w.]+)`", text)
    assert len(named) >= 1
    for path, dotted in named:
        thing = importlib.import_module(path.replace("/", "."))
        for part in dotted.split("."):
            thing = getattr(thing, part)


def test_decisions_are_numbered_without_holes() -> None:
    numbers = [int(path.name[:4]) for path in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("decision", DECISIONS, ids=shown)
def test_a_decision_has_its_parts(decision: Path) -> None:
    text = decision.read_text()
    assert re.match(rf"# {decision.name[:4]}\. \w", text)
    assert re.search(
        r"^Status: (proposed|accepted|replaced by \d{4}), \d{4}-\d\d-\d\d$", text, re.MULTILINE
    )
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["Context", "Options", "Decision", "Consequences"]


def test_every_decision_is_in_the_list() -> None:
    text = (ROOT / "docs/adr/README.md").read_text()
    assert [path.name for path in DECISIONS if f"]({path.name})" not in text] == []


def test_changelog_has_the_agreed_shape() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", v) for v in versions[1:])
    known = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    headings = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert headings <= known | {"Numbers", "Evidence format"}
    assert "**Numbers**" in text.partition("## [")[0]
    assert "**Evidence format**" in text.partition("## [")[0]


class TestGlossary:
    """One word for one thing, in two languages."""

    ROWS = tuple(
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in (ROOT / "docs/glossary.md").read_text().splitlines()
        if line.startswith("| ") and not line.startswith("| Word")
    )
    HOUSE = frozenset(
        {"entity", "plant", "gateway", "device", "profile", "point", "reading", "frame", "chain"}
        | {"receipt", "checkpoint", "source stream", "rule set", "method", "statement", "archive"}
        | {"record", "control plan", "finding"}
    )

    def test_rows_are_whole(self) -> None:
        assert len(self.ROWS) > 30
        for row in self.ROWS:
            assert len(row) == 3
            assert all(row)

    def test_words_are_unique_in_both_languages(self) -> None:
        for column in (0, 1):
            words = [row[column] for row in self.ROWS]
            assert len(words) == len(set(words))

    def test_house_words_are_there(self) -> None:
        assert {row[0] for row in self.ROWS} >= self.HOUSE

    def test_chinese_is_chinese(self) -> None:
        for word, chinese, _ in self.ROWS:
            assert re.search(r"[\u4e00-\u9fff]", chinese), word

    def test_the_three_pfc_names_are_fixed(self) -> None:
        words = {row[0] for row in self.ROWS}
        assert {"figure of record", "indicator from anode effects", "not covered"} <= words

    def test_pages_say_the_same_words(self) -> None:
        """A label of the page that is a word of the glossary is translated as the glossary does."""
        chinese = {row[0]: row[1] for row in self.ROWS}
        files = ("cloud/dashboard/strings.json", "edge/commissioning/page/strings.json")
        labels = [label for f in files for label in json.loads((ROOT / f).read_text()).values()]
        used = {label["en"].lower(): label["zh"] for label in labels}
        both = used.keys() & chinese.keys()
        assert {"figure of record", "indicator from anode effects", "not covered"} <= both
        assert {word: used[word] for word in both} == {word: chinese[word] for word in both}
