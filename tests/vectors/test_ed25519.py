"""Published Ed25519 vectors: both readers accept what FORMAT.md §2 accepts, and no more."""

import json
from pathlib import Path
from typing import Any

import pytest

from evidence.errors import EvidenceError
from evidence.public_key import load_key
from evidence.suites import suite_of
from tests.independent.other import run_node

FILE = Path(__file__).with_name("ed25519.json")
VECTORS: list[list[Any]] = json.loads(FILE.read_text())["vectors"]
NAMES = [f"{source} {number}" for source, number, *_ in VECTORS]
SPKI = bytes.fromhex("302a300506032b6570032100")  # RFC 8410 §4


def accepts(key: str, message: str, signature: str) -> bool:
    try:
        made = load_key(SPKI + bytes.fromhex(key))
        suite_of(made).verify(made, bytes.fromhex(signature), bytes.fromhex(message))
    except EvidenceError:
        return False
    return True


@pytest.mark.parametrize("vector", VECTORS, ids=NAMES)
def test_our_reader(vector: list[Any]) -> None:
    _, _, key, message, signature, accepted, why = vector
    assert accepts(key, message, signature) is accepted, why


@pytest.mark.needs("node")
@pytest.mark.needs("npm")
def test_the_other_reader() -> None:
    answers = run_node("signatures.mjs", FILE)
    assert answers == [vector[5] for vector in VECTORS]


def test_the_vectors_are_the_papers_twelve() -> None:
    assert [vector[5] for vector in VECTORS].count(True) == 1
    assert len(VECTORS) == 12
