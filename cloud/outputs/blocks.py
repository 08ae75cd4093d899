"""A paper as blocks: headings, tables, pictures. Pure; `typeset` makes a PDF of them.

Everything is text: what stands in an archive can be shown, and can not become an instruction.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Block = dict[str, Any]
#: what XML 1.0 has no place for
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def for_xml(words: str) -> str:
    """A text as workbooks and drawings can hold it."""
    return _NO_XML.sub("�", words)


@dataclass(frozen=True)
class Paper:
    """A paper to be printed.

    Attributes:
        title: what it is.
        language: "en" or "zh".
        running: on each page, on the right: what it is of.
        footer: on each page.
        bands: warnings on each page.
        landscape: the long side lies.
        blocks: in order.
    """

    title: str
    language: str
    running: str
    footer: str
    bands: Sequence[str] = ()
    landscape: bool = False
    blocks: list[Block] = field(default_factory=list)

    def as_map(self) -> dict[str, Any]:
        """As `paper.typ` reads it, without its fonts."""
        return {
            "title": self.title, "lang": self.language, "running": self.running,
            "footer": self.footer, "bands": list(self.bands), "landscape": self.landscape,
            "blocks": self.blocks,
        }  # fmt: skip


def heading(text: str, level: int = 2) -> Block:
    """A heading; level 1 is the paper's own."""
    return {"kind": "heading", "text": text, "level": level}


def text(words: str, kind: str = "text") -> Block:
    """A paragraph: "text", "small", "warning" or "mono"."""
    return {"kind": kind, "text": words}


def listing(rows: Sequence[str]) -> Block:
    """A list of sentences."""
    return {"kind": "list", "rows": list(rows)}


def facts(rows: Sequence[tuple[str, str]]) -> Block:
    """Names and values beside each other."""
    return {"kind": "facts", "rows": [list(row) for row in rows]}


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    widths: Sequence[float] = (),
    align: str = "",
    size: float = 7.5,
) -> Block:
    """A table.

    Args:
        head: headings, repeated on each page; none for none.
        rows: of texts, all of one length.
        widths: shares of the page; 0 is as wide as its text.
        align: a letter a column: "l", "r", "c".
        size: of the type, points.
    """
    columns = len(head) or len(rows[0])
    return {
        "kind": "table",
        "head": list(head),
        "rows": [list(row) for row in rows],
        "widths": list(widths) or [0] * columns,
        "align": list(align or "l" * columns),
        "size": size,
    }


def picture(svg: str, width: int = 100) -> Block:
    """A drawing; `width` in percent of the text's."""
    return {"kind": "picture", "svg": svg, "width": width}


def code(svg: str, rows: Sequence[tuple[str, str]]) -> Block:
    """A QR code with facts beside it."""
    return {"kind": "code", "svg": svg, "rows": [list(row) for row in rows]}


NEW_PAGE: Block = {"kind": "page"}
