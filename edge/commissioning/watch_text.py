"""What is watched, as a screen, as plain lines, and as plain values for a program. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from edge.clock import instant
from edge.commissioning.watch import Picture, Row, Seen

#: of ECMA-48: another screen and back, the cursor home, clear to the end of line and screen
OTHER_SCREEN, OWN_SCREEN = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
_HOME, _END_OF_LINE, _END_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
_NAMES_MAX = 40


def screen(picture: Picture, columns: int, rows: int) -> str:
    """The picture in place of the last one; what does not fit is counted.

    Args:
        picture: what to show.
        columns: of the terminal.
        rows: of the terminal.
    """
    lines = list(table(picture))
    if len(lines) > rows:
        more = len(lines) - rows + 1
        lines = [*lines[: rows - 1], f"… {more} lines more: name devices, or make this larger"]
    shown = (f"{line[:columns]}{_END_OF_LINE}" for line in lines)
    return _HOME + "\n".join(shown) + _END_OF_SCREEN


def table(picture: Picture) -> Iterator[str]:
    """Device by device, point by point."""
    away = sum(device_state(device) != "up" for device in picture.devices)
    now = instant(picture.now_ns)
    yield f"{picture.name}  {now}  {len(picture.devices)} devices, {away} not up"
    names = [_short(device, row) for device in picture.devices for row in device.rows]
    width = min(max(map(len, names), default=0), _NAMES_MAX)
    for device in picture.devices:
        yield f"{device.id}: {device_state(device)}  {device.url}"
        for row in device.rows:
            value = "-" if row.shown is None else row.shown.text
            verdict = "not read yet" if row.shown is None else row.shown.verdict
            yield f"  {_short(device, row):{width}}  {value:28}  {_age(row):>9}  {verdict}"


def plain(picture: Picture) -> Iterator[str]:
    """One line a point, each with its time, for a file or a pipe."""
    for device in picture.devices:
        state = device_state(device)
        for row in device.rows:
            value = "-" if row.shown is None else row.shown.text
            verdict = "not read yet" if row.shown is None else row.shown.verdict
            head = f"{instant(picture.now_ns)}  {row.point}  {value}"
            yield f"{head}  {verdict}  age {_age(row)}  device {state}"


def device_state(device: Seen) -> str:
    """Up, or since when not."""
    if device.away_s is None:
        return "connected, no answer yet" if device.is_up else "no connection yet"
    if device.away_s:
        return f"away for {device.away_s:.0f} s"
    return "up"


def as_line(picture: Picture) -> str:
    """The picture as one line of JSON."""
    told: dict[str, Any] = {
        "now_ns": picture.now_ns,
        "devices": [
            {
                "id": device.id,
                "state": device_state(device),
                "points": [
                    {
                        "id": row.point,
                        **({} if row.shown is None else row.shown.as_map()),
                        "age_s": None if row.age_s is None else round(row.age_s, 3),
                    }
                    for row in device.rows
                ],
            }
            for device in picture.devices
        ],
    }
    return json.dumps(told, ensure_ascii=False)


def _short(device: Seen, row: Row) -> str:
    return row.point.removeprefix(f"{device.id}.")


def _age(row: Row) -> str:
    return "-" if row.age_s is None else f"{row.age_s:.1f} s"
