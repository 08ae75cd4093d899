"""Recordings: what may stand in one, what is asked for one, which round a moment falls into."""

import pytest

from firmware_configs.profile import load_profile
from simulators.recorded.address import place_of
from simulators.recorded.questions import halves, of_profile, of_ranges, range_of
from simulators.recorded.recording import (
    MODBUS,
    OPCUA,
    Answer,
    Ask,
    Head,
    NodeValue,
    Recording,
    RecordingError,
    Rounds,
)
from simulators.recorded.text import answer_line, head_line, read_recording, value_line

HEAD = Head(MODBUS, "modbus+tcp://10.0.0.7?unit=3", 3, "", "2026-11-27T08:00:00Z", 1000)
ANSWERS = [
    Answer(0, 0, 12, Ask("holding", 10, 3), (0x0012, 0xFFFF, 0x8000)),
    Answer(0, 13, 2, Ask("coil", 7, 9), (1, 0, 0, 1, 1, 0, 0, 0, 1)),
    Answer(0, 15, 1, Ask("input", 65535, 1), None, 2),
    Answer(1, 1000, 3000, Ask("holding", 10, 3)),
]
UA_HEAD = Head(
    OPCUA, "opc.tcp://10.0.0.8:4840/", None, "", "2026-11-27T08:00:00Z", 500, ("a", "b", "urn:x")
)
VALUES = [
    NodeValue(0, 0, 4, "ns=2;s=Power", "Double", "86.4", 0, -20),
    NodeValue(0, 0, 4, "ns=2;s=State", "", "", 0x80000000, None),
]
TEXT = head_line(HEAD) + "".join(map(answer_line, ANSWERS))
UA_TEXT = head_line(UA_HEAD) + "".join(map(value_line, VALUES))


def test_lines_are_as_the_document_shows_them() -> None:
    assert TEXT.splitlines() == [
        '{"recording":1,"protocol":"modbus","device":"modbus+tcp://10.0.0.7?unit=3","profile":"",'
        '"began":"2026-11-27T08:00:00Z","every_ms":1000,"unit":3}',
        '{"round":0,"t_ms":0,"took_ms":12,"ask":"holding 10 3","words":"0012 ffff 8000"}',
        '{"round":0,"t_ms":13,"took_ms":2,"ask":"coil 7 9","bits":"100110001"}',
        '{"round":0,"t_ms":15,"took_ms":1,"ask":"input 65535 1","exception":2}',
        '{"round":1,"t_ms":1000,"took_ms":3000,"ask":"holding 10 3","silent":true}',
    ]
    assert value_line(VALUES[0]) == (
        '{"round":0,"t_ms":0,"took_ms":4,"node":"ns=2;s=Power","type":"Double","value":"86.4",'
        '"status":"00000000","source_ms":-20}\n'
    )


def test_what_is_written_is_read_again() -> None:
    assert read_recording(TEXT.encode()) == Recording(HEAD, ANSWERS, [])
    assert read_recording(UA_TEXT.encode()) == Recording(UA_HEAD, [], VALUES)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("", "", "it is empty"),
        ('"recording":1', '"recording":2', "line 1: recording is no whole number in 1..1"),
        ('"unit":3', '"unit":3,"more":1', "line 1: unknown: more"),
        ('"unit":3', '"unit":3,"unit":4', "line 1: is no JSON object of ASCII, or has a key twice"),
        ('"holding 10 3","w', '"holding 10 4","w', "line 2: it has 3 cells of 4"),
        ("holding 10 3", "holding 10 126", "line 2: ask is beyond what a question may ask"),
        ("input 65535 1", "input 65535 2", "line 4: ask is beyond what a question may ask"),
        ("coil 7 9", "coils 7 9", "line 3: ask is not like 'holding 0 10'"),
        ("0012 ffff", "0012 FFFF", "line 2: words are not four small hexadecimal digits each"),
        ('"exception":2', '"exception":true', "line 4: exception is no whole number in 1..255"),
        ('"silent":true', '"silent":false', "line 5: silent is not true"),
        ('"round":1,"t_ms":1000', '"round":1,"t_ms":14', "line 5: its round or t_ms is before"),
        ('"took_ms":12', '"took_ms":NaN', "line 2: is no JSON object of ASCII"),
    ],
)
def test_what_may_not_stand_there_is_told_with_its_line(old: str, new: str, sentence: str) -> None:
    with pytest.raises(RecordingError) as caught:
        read_recording(TEXT.replace(old, new).encode() if old else b"")
    assert str(caught.value).startswith(sentence)


def test_a_profile_is_asked_in_blocks_as_a_driver_asks() -> None:
    """By hand from the gas meter's map: 100 to 108 of its values, 64 apart its settings."""
    plan = of_profile(load_profile("stackproof/gas-meter"))
    assert all(block.count <= 125 for block, _ in plan)
    for block, values in plan:
        assert values
        assert all(set(value.cells) <= set(block.cells) for value in values)
    registers = load_profile("stackproof/gas-meter").registers
    asked = {(value.table, value.address) for _, values in plan for value in values}
    assert {(r.table, r.address) for r in registers} <= asked


def test_ranges_are_asked_in_blocks_and_refused_blocks_in_halves() -> None:
    assert range_of("holding:0-99") == Ask("holding", 0, 100)
    blocks = [ask for ask, _ in of_ranges([range_of("input:5-134")], block=60)]
    assert blocks == [Ask("input", 5, 60), Ask("input", 65, 60), Ask("input", 125, 10)]
    assert halves(Ask("input", 5, 5)) == [Ask("input", 5, 2), Ask("input", 7, 3)]
    assert halves(Ask("input", 5, 1)) == []
    for text in ("holding:0", "holdings:0-9", "holding:9-0", "holding:0-65536"):
        with pytest.raises(RecordingError):
            range_of(text)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mqtt://x", "what can be recorded begins with modbus+tcp"),
        ("modbus+tcp://me:secret@x", "a url takes no user name or password"),
        ("modbus+tcp://x?unit=256", "unit is no whole number in 0..255"),
        ("modbus+tcp://x?slave=1", "unknown: slave; known: unit"),
        ("modbus+rtu:///dev/ttyS0?unit=1", "says no baud parity"),
        ("modbus+rtu:///dev/ttyS0?unit=1&baud=9601&parity=N", "baud is one of 1200"),
        ("modbus+rtu://host?unit=1&baud=9600&parity=N", "write scheme://host:port, or"),
    ],
)
def test_a_place_that_cannot_be_recorded_is_told(url: str, sentence: str) -> None:
    with pytest.raises(RecordingError) as caught:
        place_of(url)
    assert sentence in str(caught.value)


def test_rounds_go_by_their_times_and_the_last_one_stays_or_all_begin_again() -> None:
    asks = [Answer(n, 1000 * n, 1, Ask("holding", 0, 1), (n,)) for n in range(3)]
    recording = Recording(HEAD, asks)
    stays, loops = (Rounds(recording, speed=2, is_looped=again) for again in (False, True))
    assert [stays.at(s) for s in (0, 0.4, 0.5, 1.2, 1.5, 99)] == [0, 0, 1, 2, 2, 2]
    assert [loops.at(s) for s in (0, 0.5, 1.4, 1.5, 2.1)] == [0, 1, 2, 0, 1]
