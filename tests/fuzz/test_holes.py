"""A parser without a door is a hole: this finds parsers by their names, in every room."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.test_doors import DOORS

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("evidence", "cloud", "edge", "firmware_configs", "simulators/recorded")
NAMES = re.compile(r"(decode|parse|load|read|verify|judge|check_seal|open|members|receipts)(_|$)")
RAW = {"bytes", "str", "Path", "BinaryIO", "Iterable[bytes]"}

#: parsers without a door of their own, and why
ELSEWHERE = {
    "evidence.cbor.read_bytes": "a part of `cose.parse`",
    "evidence.compare.member.read": "`verify` and the log's reader, which have doors",
    "evidence.documents.people.read": "an object's door: `document.decode_document`",
    "evidence.groups.decode_ms": "a part of `frame.decode_body`",
    "evidence.key_files.read_small": "reads a file for those that parse it",
    "evidence.key_files.open_to_all": "reads nothing: a file's mode is looked at",
    "evidence.owners.open_lock": "reads nothing: it is locked",
    "evidence.timestamp.read_stamp": "its door needs openssl",
    "evidence.verifier.completeness.read": "a part of `verify`",
    "evidence.verifier.gaps.read": "a part of `verify`",
    "evidence.verifier.meter_settings.read": "a part of `verify`",
    "evidence.verifier.opened.open_archive": "a part of `verify`",
    "evidence.verifier.opened.read": "a part of `verify`",
    "cloud.commands.token.read_token": "takes a file's text as it is",
    "cloud.config_http.open_note": "reads nothing: makes a sentence",
    "cloud.config_elsewhere.read_token": "a part of CLOUD.toml's, whose door is `load_cloud`",
    "cloud.config_elsewhere.open_secrets": "a part of CLOUD.toml's, whose door is `load_cloud`",
    "cloud.records.pdf.apart.read_apart": "a process: tests/integration/cloud/test_pdf_apart.py",
    "cloud.records.pdf.child.read_paper": "what that process does",
    "cloud.database.store.open_plant": "reads nothing raw: a plant's name is looked up",
    "cloud.known.read_known": "words of any text: one that names no plant counts for nothing",
    "edge.opening.open_site": "its file's door is `load_site`",
    "edge.drivers.raw.judge_float": "a number of the right length, made by the driver",
    "edge.drivers.raw.judge_integer": "likewise",
}


def parsers() -> Iterator[str]:
    """Functions that are named like a parser and take something raw."""
    for path in sorted(p for room in ROOMS for p in (ROOT / room).rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and NAMES.match(node.name):
                given = [a for a in node.args.args if a.arg not in ("self", "cls")]
                if given and given[0].annotation and ast.unparse(given[0].annotation) in RAW:
                    yield f"{module}.{node.name}"


def test_every_parser_has_a_door() -> None:
    found = set(parsers())
    behind = {name for door in DOORS for name in door.covers}
    assert len(found) > 40
    holes = sorted(found - behind - ELSEWHERE.keys())
    assert holes == [], "give each a door in tests/fuzz, or say in ELSEWHERE why it needs none"
    assert ELSEWHERE.keys() - found == set(), "these are no more"


def test_names_of_doors_are_unique() -> None:
    assert len({door.name for door in DOORS}) == len(DOORS)
