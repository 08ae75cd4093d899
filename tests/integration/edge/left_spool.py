"""What an agent that was killed left in its spool, read without the agent's own code for spools."""

import sqlite3
from contextlib import closing
from pathlib import Path

from edge.pipeline import Layout, decode_tick
from evidence import cbor
from evidence.frame import decode_body
from tests.integration.edge.streams import Readings, readings, readings_of


class Left:
    """One spool at one moment.

    Attributes:
        version: its format.
        readings: of signed frames, of unsigned ones, and of ticks in no frame; of the last only
            what was measured.
        open_ns: instants of ticks in no frame.
        counts: rows by table.
    """

    def __init__(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as db:
            self.version = int(db.execute("PRAGMA user_version").fetchone()[0])
            objects = [row[0] for row in db.execute("SELECT bytes FROM objects ORDER BY seq")]
            names = [row[0] for row in db.execute("SELECT name FROM sqlite_master")]
            has_unsigned = "unsigned" in names  # from format 3 on
            waits = db.execute("SELECT payload FROM unsigned").fetchall() if has_unsigned else []
            ticks = [row[0] for row in db.execute("SELECT tick FROM open ORDER BY id")]
            (config,) = db.execute("SELECT value FROM state WHERE key = 'config'").fetchone()
        self.counts = {"objects": len(objects), "unsigned": len(waits), "open": len(ticks)}
        self.readings: Readings = readings(objects)
        for (payload,) in waits:
            self.readings |= readings_of(decode_body(payload))
        layout = Layout(cbor.decode(config))
        decoded = [decode_tick(layout, tick) for tick in ticks]
        self.open_ns = [tick.tick_ns for tick in decoded]
        for tick in decoded:
            self.readings[tick.schedule, tick.tick_ns] = {
                group: (rows.raw.tobytes(), rows.quality.tobytes())
                for group, rows in tick.rows.items()
            }

    def not_in(self, found: Readings) -> list[tuple[int, int]]:
        """(schedule, instant) of whatever was read and is not there, or is another."""
        return [
            at
            for at, groups in self.readings.items()
            if {group: found.get(at, {}).get(group) for group in groups} != groups
        ]
