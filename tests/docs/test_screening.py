"""docs/screening.md: every question by its name, and no other; texts alike in both languages."""

import re
from pathlib import Path

from evidence.screen.screened import question_names
from evidence.screen.texts import LANGUAGES, question_text

TEXT = (Path(__file__).resolve().parents[2] / "docs/screening.md").read_text()


def test_every_question_is_explained_and_no_other() -> None:
    rows = [line.split("|")[1] for line in TEXT.splitlines() if line.startswith("| `")]
    assert sorted(name for row in rows for name in re.findall(r"`([a-z-]+)`", row)) == (
        question_names()
    )
    for row in TEXT.splitlines():
        if row.startswith("| `"):
            assert all(cell.strip() for cell in row.strip("|").split("|"))


def test_sentences_have_the_same_places_in_both_languages() -> None:
    for name in question_names():
        places = [
            set(re.findall(r"\{(\w+)\}", question_text(name, "sentence", language)))
            for language in LANGUAGES
        ]
        assert places[0] == places[1], name
