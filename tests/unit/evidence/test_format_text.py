"""FORMAT.md is held to the program: its tables, its limits, and its worked example."""

import base64
import hashlib
import re
import zlib
from pathlib import Path

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

import evidence
from evidence import blocks, cbor, checkpoint, configuration, cose, frame, receipt, records
from evidence.archive import paths, ustar
from evidence.findings import CODES
from evidence.log import Kind
from evidence.points import Dtype
from evidence.quality import Quality
from evidence.suites import SUITES
from evidence.verifier import anchors, gaps
from tests.unit.evidence.format_example import SECOND, T0, example
from tests.unit.evidence.sealed_month import honest, unpack

TEXT = Path(evidence.__file__).with_name("FORMAT.md").read_text()


def rows(header: str) -> list[list[str]]:
    """The cells of the table that begins with this header line."""
    lines = TEXT.split(header + "\n", 1)[1].splitlines()[1:]
    table = []
    for line in lines:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def shown() -> dict[str, str]:
    """Name -> text of the worked example, lines joined as they stand."""
    block = TEXT.split("```example\n", 1)[1].split("```", 1)[0]
    found: dict[str, list[str]] = {}
    for line in block.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            found[line[:-1]] = []
        else:
            found[list(found)[-1]].append(line[2:])
    return {name: "\n".join(lines) for name, lines in found.items()}


def shown_bytes(name: str) -> bytes:
    return bytes.fromhex(shown()[name].replace("\n", ""))


# -- tables and limits ------------------------------------------------------------------------


def test_the_text_is_short_enough_to_be_read() -> None:
    assert len(TEXT.splitlines()) <= 640
    assert TEXT.isprintable() or set(TEXT) - {"\n"} == {c for c in TEXT if c.isprintable()}


def test_every_finding_code_is_in_the_table_and_no_other() -> None:
    assert dict(rows("| code | meaning |")) == CODES


def test_the_table_of_suites_is_the_programs() -> None:
    table = [row for row in rows("| alg | suite | key | signature | |") if row[0] != "reserved"]
    assert {int(alg): (name, use == "written") for alg, name, _, _, use in table} == {
        alg: (suite.name, suite.written) for alg, suite in SUITES.items()
    }


def test_the_table_of_labels_is_the_programs() -> None:
    labels = {cell for row in rows("| label | name | value |") for cell in row[0].split(", ")}
    wanted = {cose.ALG, cose.KID, cose.TYP, cose.CWT_CLAIMS, 258, 259}
    wanted |= {frame.SEQ, frame.PREV, frame.ANCHOR, frame.CFG}
    assert {int(label) for label in labels} == wanted


def test_types_kinds_codes_and_tags_are_named() -> None:
    for typ in frame.UP_TYPES:
        assert f"`{typ}`" in TEXT
    assert "unknown here: cannot decide" in TEXT
    flat = TEXT.replace("\n", " ")
    for kind in Kind:
        assert f"| {kind.value} | {kind.name.lower().replace('_', '-')} |" in TEXT
    for dtype in Dtype:
        assert f"{dtype.value} {dtype.name.lower()}" in flat
    for quality in set(Quality) - {Quality.GOOD}:
        name = quality.name.lower().replace("_", " ")
        assert f"{quality.value} {name}".replace(" a number", "") in flat.replace(" a number", "")


def test_limits_are_those_of_the_program() -> None:
    flat = " ".join(TEXT.split())
    assert f"{cbor.DEPTH_MAX} levels" in TEXT
    assert cbor.BYTES_MAX == blocks.PAYLOAD_BYTES_MAX == 4 * 2**20
    assert f"{cbor.ITEMS_MAX:,} items" in TEXT
    assert f"{blocks.FEW_ITEMS:,} + {blocks.ITEMS_PER_BYTE} × b items" in TEXT
    together = configuration.TOGETHER_BYTES_MAX // 2**20, configuration.TOGETHER_ITEMS_MAX
    assert "together at most {} MiB and {:,} items".format(*together) in flat
    assert f"{blocks.FEW_BYTES:,} + {blocks.BYTES_PER_BYTE:,} × b bytes" in TEXT
    assert cose.OBJECT_BYTES_MAX == records.RECORD_BYTES_MAX == 2**20
    assert checkpoint.TEXT_BYTES_MAX == 4 * 2**10
    assert f"ticks: 1..{frame.TICKS_MAX}" in TEXT
    assert f"rows: 1..{frame.POINTS_MAX}" in TEXT
    assert f"No device stands twice in a section, and at most {frame.POINTS_MAX:,} do." in flat
    assert f"its reason has 1 to {frame.GAP_REASON_MAX} characters" in flat
    assert f"each schedule, at most {configuration.SCHEDULES_MAX}, has a group" in flat
    assert f"of more than {gaps.TOLD_MAX:,} the earliest is forgotten" in flat
    assert f"path (at most {receipt.PATH_MAX} hashes)" in flat
    assert f"here of that size (of {anchors.BEFORE_MAX:,} sizes)" in flat
    assert f"at most {frame.FEW_NESTED:,} + b (§2) are arrays and maps" in TEXT
    assert f"{ustar.FILES_MAX:,}" in TEXT


def test_every_path_of_an_archive_is_in_its_table() -> None:
    table = [row[0] for row in rows("| path | what |")]
    patterns = []
    for cell in table:
        first, *more = cell.split(", ")
        patterns += [first, *(f"{first.rpartition('/')[0]}/{name}" for name in more)]
    named = {
        "STREAM": "[a-z0-9-]+", "YYYY-MM-DD": "[0-9-]{10}", "HH": "[0-9]{2}",
        "SHA256": "[0-9a-f]{64}", "ID-HASH": "[a-z0-9-]+-[0-9a-f]{16}", "NAME": "[a-z0-9.-]+",
    }  # fmt: skip
    expressions = []
    for pattern in patterns:
        text = re.escape(pattern).replace(r"\-", "-")
        for name, expression in named.items():
            text = text.replace(name, expression)
        expressions.append(text)
    for path in unpack(honest()):
        assert any(re.fullmatch(expression, path) for expression in expressions), path
    for fixed in paths.FIXED:
        assert fixed in patterns


# -- the worked example -----------------------------------------------------------------------


@pytest.mark.parametrize("name", list(example()))
def test_the_example_is_what_the_program_makes(name: str) -> None:
    made = example()[name]
    if isinstance(made, str):
        assert f"{shown()[name]}\n" == made
    else:
        assert shown_bytes(name) == made


def test_nothing_else_is_in_the_example() -> None:
    assert list(shown()) == list(example())


def test_the_example_holds_by_other_means() -> None:
    """With another CBOR reader, the bare key and hashlib: none of our code."""
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key()
    spki = bytes.fromhex("302a300506032b6570032100") + key.public_bytes_raw()
    key_hash = hashlib.sha256(spki).digest()
    assert shown_bytes("key hash") == key_hash
    data = shown_bytes("object")
    tag = cbor2.loads(data)
    assert tag.tag == 18
    protected, unprotected, payload, signature = tag.value
    assert unprotected == {}
    key.verify(signature, cbor2.dumps(["Signature1", protected, b"", payload]))
    assert cbor2.loads(protected) == {
        1: -19, 4: key_hash[:8], 16: "stackproof-frame+cbor",
        15: {1: "p1", 2: "edge-1", 6: 1_781_499_583}, -65537: 0, -65538: bytes(32),
    }  # fmt: skip
    assert payload == b"\0" + shown_bytes("body")
    assert shown_bytes("SHA-256 of the object") == hashlib.sha256(data).digest()
    crc = zlib.crc32(data).to_bytes(4, "little")
    assert shown_bytes("head of its record") == b"SPR1" + len(data).to_bytes(4, "little") + crc
    entry = cbor2.loads(shown_bytes("log entry"))
    digest = hashlib.sha256(data).digest()
    assert entry == [
        1, 1, T0 + 4 * SECOND, 1, "edge-1", 0, digest, len(data), key_hash, "accepted", None, {},
    ]  # fmt: skip
    root = hashlib.sha256(b"\0" + shown_bytes("log entry")).digest()
    assert shown_bytes("leaf hash, here also the root") == root
    body, _, line = shown()["checkpoint"].partition("\n\n")
    assert body == f"stackproof/p1\n1\n{base64.b64encode(root).decode()}"
    blob = base64.b64decode(line.rpartition(" ")[2])
    raw = b"\x01" + key.public_bytes_raw()
    assert blob[:4] == hashlib.sha256(b"stackproof/p1\n" + raw).digest()[:4]
    key.verify(blob[4:], f"{body}\n".encode())


def test_the_examples_body_is_read_by_hand() -> None:
    body = cbor2.loads(shown_bytes("body"))
    assert body[1] == 1
    assert body[2] == T0
    assert body[3] == ["ntp", 1, 0, bytes(16)]
    assert body[4] == 8
    ((schedule, first, step, ticks, groups, devices, lag),) = body[5]
    assert (schedule, first, step, ticks, devices) == (0, T0, SECOND, 3, [0])
    # 5, then 0, then +1: zigzag 10, 0, 2; four byte planes
    assert lag == bytes([10, 0, 2]) + bytes(9)
    ((group, dtype, filter_id, rows_, data, runs, source),) = groups
    assert (group, dtype, filter_id, rows_, source) == (0, 69, 1, 2, b"")
    # 10 +2 -1 → 20 4 1; 7 0 0 → 14 0 0; high bytes all zero
    assert data == bytes([20, 4, 1, 14, 0, 0]) + bytes(6)
    assert runs == [1, 1, 2, 128]
