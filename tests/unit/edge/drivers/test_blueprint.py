"""The blueprint's frames, and answers that no device should send."""

import struct

import pytest

from edge.drivers import DRIVERS, open_driver
from edge.drivers._blueprint.driver import BlueprintDriver
from edge.drivers._blueprint.question import (
    build_question,
    decode_answer,
    is_answer_to,
    only_reads,
)
from edge.drivers.base import DeviceError, Sample
from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.model import Register
from tests.unit.edge.drivers.specs import register, spec

FLOAT = register("flow", Dtype.F32, invalid=(9999,))
WORD = register("state", Dtype.U16, invalid=(65535,))


def test_no_site_file_can_name_it() -> None:
    assert "blueprint" not in DRIVERS
    with pytest.raises(DeviceError, match="no driver for url"):
        open_driver(spec("blueprint://127.0.0.1:1", FLOAT))


def test_a_question_is_one_line() -> None:
    assert build_question("flow") == b"READ flow\n"


@pytest.mark.parametrize(
    "sent",
    [b"", b"READ flow", b"WRITE flow 1\n", b"READ flow\nWRITE flow 1\n", b"read flow\n",
     b"READ flow 1\n", b"READ \n", b"READ flow\r\n", b"READ " + b"a" * 61 + b"\n"],
)  # fmt: skip
def test_the_gate_stops_everything_else(sent: bytes) -> None:
    with pytest.raises(RuntimeError, match="must ever leave the edge"):
        only_reads(sent)


@pytest.mark.parametrize(
    ("answer", "row", "sample"),
    [
        (b"VALUE flow 1.5\n", FLOAT, Sample(bytes.fromhex("0000c03f"), Quality.GOOD)),
        (b"VALUE flow -2\n", FLOAT, Sample(bytes.fromhex("000000c0"), Quality.GOOD)),
        (b"VALUE flow 9999\n", FLOAT, Sample(struct.pack("<f", 9999), Quality.SENTINEL)),
        (b"VALUE state 5\n", WORD, Sample(b"\x05\x00", Quality.GOOD)),
        (b"VALUE state 65535\n", WORD, Sample(b"\xff\xff", Quality.SENTINEL)),
        (b"VALUE state 65536\n", WORD, Sample(None, Quality.WRONG_ANSWER)),
        (b"VALUE state -1\n", WORD, Sample(None, Quality.WRONG_ANSWER)),
        (b"VALUE state 1.5\n", WORD, Sample(None, Quality.WRONG_ANSWER)),
        (b"VALUE flow " + b"9" * 40 + b"\n", FLOAT, Sample(None, Quality.WRONG_ANSWER)),
        (b"VALUE flow nan\n", FLOAT, Sample(None, Quality.WRONG_ANSWER)),
        (b"VALUE flow 1_0\n", FLOAT, Sample(None, Quality.WRONG_ANSWER)),
        (b"VALUE flow\n", FLOAT, Sample(None, Quality.WRONG_ANSWER)),
        (b"VALUE flow 1 2\n", FLOAT, Sample(None, Quality.WRONG_ANSWER)),
        (b"OTHER flow 1\n", FLOAT, Sample(None, Quality.WRONG_ANSWER)),
        (b"\n", FLOAT, Sample(None, Quality.WRONG_ANSWER)),
        (b"ERROR flow busy\n", FLOAT, Sample(None, Quality.DEVICE_REFUSED)),
    ],
)
def test_what_an_answer_says(answer: bytes, row: Register, sample: Sample) -> None:
    assert decode_answer(answer, row) == sample


def test_an_answer_that_names_another_value_belongs_to_another_question() -> None:
    assert is_answer_to("flow", b"VALUE flow 1\n")
    assert is_answer_to("flow", b"ERROR flow busy\n")
    assert not is_answer_to("flow", b"VALUE flow2 1\n")
    assert not is_answer_to("flow", b"VALUE\n")
    assert not is_answer_to("flow", b"\n")


def test_its_traffic_is_its_questions() -> None:
    (request,) = BlueprintDriver(spec("blueprint://127.0.0.1:1", FLOAT)).traffic().requests
    assert (request.sent, request.points) == (b"READ flow\n", ("dev.flow",))
