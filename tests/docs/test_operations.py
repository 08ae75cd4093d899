"""docs/operations.md: what it says that one sees is what the programs say."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/operations.md").read_text()
#: shorter ones say nothing by themselves
PIECE_MIN = 6


def said() -> str:
    """All that the programs can say: sources with their split texts joined, in one line."""
    rooms = ("cloud", "edge", "evidence")
    sources = [path.read_text() for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]
    joined = re.sub(r'"\s*\n\s*f?"', "", "\n".join(sources))
    return re.sub(r"\s+", " ", joined)


def test_sentences_are_the_programs_own() -> None:
    quoted = re.findall(r"“([^”]+)”", re.sub(r"\s+", " ", TEXT).replace("`", ""))
    pieces = {piece.strip() for text in quoted for piece in text.split("…")}
    looked_for = {piece for piece in pieces if len(piece) >= PIECE_MIN}
    assert len(looked_for) > 50
    everything = said().replace("`", "")
    assert {piece for piece in looked_for if piece not in everything} == set()
