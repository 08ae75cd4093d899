"""RECORDS.md and the table of kinds say the same; what no document can be is refused in words."""

import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import evidence
from evidence.documents.document import COLLECTOR, MEDIA_TYPES, AttachedFile
from evidence.documents.kinds import KINDS, PLANT_ROLES, ROLES
from evidence.errors import EvidenceError, MalformedError, UnknownSuiteError
from evidence.public_key import load_key
from tests.unit.evidence.documents import papers as pp

TEXT = Path(evidence.__file__).with_name("RECORDS.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([a-z-]+) \| (.+) \| (.+) \|$", TEXT.partition("## Kinds")[2], re.M)[1:]

#: types in brackets behind fields that may be missing
TYPES = {"amount", "number", "count", "text", "instant", "rows", "of", "item", "first_ns",
         "found"}  # fmt: skip


def test_every_kind_has_its_row() -> None:
    assert [row[0] for row in ROWS] == list(KINDS)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_row_names_the_fields_and_the_signers(row: tuple[str, str, str]) -> None:
    kind, told, signers = row
    told = told.replace("period", "from_ns, to_ns").replace("value,", "value, unit,")
    required, _, optional = told.rpartition("[") if "[" in told else (told, "", "")
    assert set(KINDS[kind].required) <= set(re.findall(r"[a-z0-9_]+", required))
    assert set(KINDS[kind].optional) == set(re.findall(r"[a-z0-9_]+", optional)) - TYPES
    plant = ", ".join(PLANT_ROLES)
    assert sorted(KINDS[kind].roles) == sorted(signers.replace("plant", plant).split(", "))


def test_roles_and_types_of_files_stand_in_the_text() -> None:
    assert f"Roles: {', '.join(ROLES)}." in TEXT
    assert all(media_type in TEXT for media_type in MEDIA_TYPES)


SHA = bytes(32)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"person": "Li"}, "person is no id"),
        ({"plant": ""}, "plant is no id"),
        ({"kind": "Count"}, "kind is no id"),
        ({"about": "a b"}, "about is no id"),
        ({"follows": (SHA, SHA)}, "once"),
        ({"follows": (SHA[1:],)}, "SHA-256"),
        ({"files": [AttachedFile("a/b", "text/csv", 1, SHA)]}, "no slash"),
        ({"files": [AttachedFile("a\u202eb", "text/csv", 1, SHA)]}, "control"),
        ({"files": [AttachedFile("a", "text/html", 1, SHA)]}, "one of"),
        ({"files": [AttachedFile("a", "text/csv", 0, SHA)]}, "bytes"),
        ({"files": [AttachedFile("a", "text/csv", 1, SHA)] * 2}, "once"),
    ],
)
def test_what_no_document_can_be_is_never_signed(other: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"person": "li", "kind": "count", "about": "x", "follows": ()} | other
    follows, files = given.pop("follows"), given.pop("files", ())
    person, kind, about = (given.pop(name) for name in ("person", "kind", "about"))
    with pytest.raises(MalformedError, match=said):
        pp.paper(person, kind, about, {}, *follows, files=files, by=pp.key_of("li"), **given)


def der(key: Any, form: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> bytes:
    data: bytes = key.public_key().public_bytes(Encoding.DER, form)
    return data


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"\x30\x03abc", MalformedError),
        (der(ec.generate_private_key(ec.SECP384R1())), UnknownSuiteError),
        (der(rsa.generate_private_key(65537, 2048)), UnknownSuiteError),
        (pp.spki(pp.key_of(COLLECTOR)) + b"\0", MalformedError),
    ],
)
def test_a_key_of_another_form_is_refused(data: bytes, error: type[EvidenceError]) -> None:
    with pytest.raises(error):
        load_key(data)
