"""The live table as text."""

import json

from edge.commissioning.value import Shown
from edge.commissioning.watch import Picture, Row, Seen
from edge.commissioning.watch_text import as_line, device_state, plain, screen, table
from evidence.quality import Quality

NOW_NS = 1_793_534_400_000_000_000  # date -ud 2026-11-01T12:00 +%s
METER = Seen(
    "ac-1",
    "modbus+tcp://10.0.0.7",
    [
        Row("ac-1.power", Shown("8000.00", "kW", Quality.GOOD), 1, 0.25),
        Row("ac-1.frequency"),
    ],
    is_up=True,
    away_s=0.0,
)
GONE = Seen("gas-1", "modbus+tcp://10.0.0.8", [], away_s=12.4)
PICTURE = Picture("north/edge-1", NOW_NS, [METER, GONE])


def test_the_table() -> None:
    assert list(table(PICTURE)) == [
        "north/edge-1  2026-11-01 12:00:00 UTC  2 devices, 1 not up",
        "ac-1: up  modbus+tcp://10.0.0.7",
        "  power      8000.00 kW                        0.2 s  good",
        "  frequency  -                                     -  not read yet",
        "gas-1: away for 12 s  modbus+tcp://10.0.0.8",
    ]


def test_plain_lines_stand_alone() -> None:
    assert next(plain(PICTURE)) == (
        "2026-11-01 12:00:00 UTC  ac-1.power  8000.00 kW  good  age 0.2 s  device up"
    )


def test_a_small_terminal_is_kept_to_and_what_is_left_out_is_counted() -> None:
    text = screen(PICTURE, 20, 3)
    lines = text.replace("\x1b[K", "").replace("\x1b[H", "").replace("\x1b[J", "").split("\n")
    assert len(lines) == 3
    assert all(len(line) <= 20 for line in lines)
    assert lines[2].startswith("… 3 lines more")


def test_how_a_device_stands() -> None:
    states = [
        device_state(Seen("d", "", [], is_up=up, away_s=away))
        for up, away in ((False, None), (True, None), (True, 0.0), (False, 31.0))
    ]
    assert states == [
        "no connection yet", "connected, no answer yet", "up", "away for 31 s",
    ]  # fmt: skip


def test_for_programs() -> None:
    told = json.loads(as_line(PICTURE))
    assert told["devices"][0]["points"][0]["value"] == "8000.00"
    assert told["devices"][0]["points"][1] == {"id": "ac-1.frequency", "age_s": None}
