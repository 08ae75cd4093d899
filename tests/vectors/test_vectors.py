"""Both readers read every vector, and refuse what they must, by the same code."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from evidence import cose
from evidence.errors import (
    LimitError,
    MalformedError,
    SignatureError,
    UnknownSuiteError,
    UnsupportedError,
)
from evidence.frame import decode_body, header_of, place_of
from evidence.points import Dtype
from tests.independent.other import run_node
from tests.vectors.made import good
from tests.vectors.refused import refused

FILE = Path(__file__).with_name("frames.json")
VECTORS: list[dict[str, Any]] = json.loads(FILE.read_text())
SIZE_MAX = 200_000

CODES: dict[type[Exception], str] = {
    MalformedError: "E-FRAME", LimitError: "E-FRAME", SignatureError: "E-SIG-BAD",
    UnknownSuiteError: "C-SUITE", UnsupportedError: "C-FORMAT",
}  # fmt: skip


def rows_of(numbers: Any) -> list[str]:
    """Rows of an array as the vectors write them."""
    array = np.asarray(numbers)
    if array.dtype.kind != "f":
        return [" ".join(map(str, row)) for row in array.tolist()]
    bits = array.view(f"<u{array.itemsize}").tolist()
    return [" ".join(f"{word:0{2 * array.itemsize}x}" for word in row) for row in bits]


def texts(value: Any) -> Any:
    """Integers as text."""
    if isinstance(value, dict):
        return {name: texts(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [texts(item) for item in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def says(data: bytes, key: bytes) -> dict[str, Any]:
    """What our reader makes of an object, in the vectors' words."""
    envelope = cose.parse(data)
    place_of(envelope)
    cose.verify(envelope, load_der_public_key(key))  # type: ignore[arg-type]  # a key of a suite
    header = header_of(envelope)
    body = decode_body(envelope.payload)
    clock, gap = body.clock, body.gap
    return {
        "plant": header.plant, "stream": header.stream, "signed_at": str(header.iat_s),
        "seq": str(header.seq), "prev": header.prev.hex(),
        "anchor": header.anchor and [str(header.anchor[0]), header.anchor[1].hex()],
        "cfg": header.cfg and header.cfg.hex(), "t0": str(body.t0_ns), "flags": str(body.flags),
        "clock": [
            clock.source, texts(clock.error_ms), str(clock.monotonic_ns), clock.boot_id.hex(),
        ],
        "gap": gap and [str(gap.from_ns), str(gap.to_ns), gap.reason],
        "events": texts([dict(event) for event in body.events]),
        "sections": [
            {
                "schedule": s.schedule, "first": str(s.first_ns), "step": str(s.step_ns),
                "ticks": s.ticks, "devices": list(s.devices), "lag": rows_of(s.lag_ms),
                "groups": [
                    {
                        "group": g.group, "dtype": g.dtype.value, "rows": rows_of(g.raw),
                        "quality": rows_of(g.quality),
                        "source": None if g.source_ms is None else rows_of(g.source_ms),
                    }
                    for g in s.groups
                ],
            }
            for s in body.sections
        ],
    }  # fmt: skip


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, Any]]:
    """What the other reader says of each, by name."""
    lines = run_node("vectors.mjs", FILE)
    return {vector["name"]: line for vector, line in zip(VECTORS, lines, strict=True)}


@pytest.mark.needs("node")
@pytest.mark.needs("npm")
@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_the_other_reader(vector: dict[str, Any], answers: dict[str, dict[str, Any]]) -> None:
    answer = answers[vector["name"]]
    assert (answer.get("says"), answer.get("code")) == (vector.get("says"), vector.get("code"))


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_our_reader(vector: dict[str, Any]) -> None:
    data, key = bytes.fromhex(vector["object"]), bytes.fromhex(vector["key"])
    if "says" in vector:
        assert says(data, key) == vector["says"]
        return
    with pytest.raises(tuple(CODES)) as caught:
        says(data, key)
    assert CODES[caught.type] == vector["code"]


def test_the_file_is_what_the_writer_makes() -> None:
    """Compressed payloads may come out otherwise with another library; they say the same."""
    made = [*good(), *refused()]
    names = [vector["name"] for vector in made]
    assert names == [vector["name"] for vector in VECTORS]
    assert len(set(names)) == len(names)
    for ours, kept in zip(made, VECTORS, strict=True):
        packed = any(word in ours["name"].lower() for word in ("zstandard", "zlib", "ticks"))
        dropped = {"object"} if packed else set()
        assert {k: v for k, v in ours.items() if k not in dropped} == {
            k: v for k, v in kept.items() if k not in dropped
        }
    assert FILE.stat().st_size <= SIZE_MAX


def test_the_vectors_have_every_suite_type_filter_and_compression() -> None:
    read = [vector for vector in VECTORS if "says" in vector]
    algs = {cose.parse(bytes.fromhex(vector["object"])).alg for vector in read}
    assert algs == {-19, -9, -8, -7}
    payloads = {cose.parse(bytes.fromhex(vector["object"])).payload[0] for vector in read}
    assert payloads == {0, 1, 2}
    groups = [g for v in read for s in v["says"]["sections"] for g in s["groups"]]
    assert {group["dtype"] for group in groups} == {dtype.value for dtype in Dtype}
    # the smallest and the largest 32-bit integers, and a NaN whose bits are kept
    said = {row for group in groups for row in group["rows"]}
    assert f"{-(2**31)} {2**31 - 1} {-(2**31)}" in said
    assert struct.pack(">I", 0x7FC0_1234).hex() in {word for row in said for word in row.split()}
