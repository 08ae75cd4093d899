"""What the drill's pages show, as texts in a language: times of the plant, hex, documents. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cloud.api.month_texts import told
from cloud.api.rendering import STRINGS
from cloud.api.times import CLOCK, DAY, offset, to_ms, written
from cloud.drill.desk import Top
from cloud.outputs.headline import emission_unit, line_name
from cloud.records.written import local_text, written_body
from edge.calc.local_time import PlantDays
from edge.calc.statements.statement import statement_rules
from evidence.documents.plainly import body_of
from evidence.drill.lines import Line
from evidence.drill.readings import HOUR_NS, MINUTE_NS
from evidence.quality import FIRST_BAD, sentence

#: bytes of a frame that its page shows, and of one row
SHOWN_BYTES, ROW_BYTES = 1_024, 32
SECOND_NS = 10**9


@dataclass(frozen=True)
class DrillView:
    """A language and a plant's clock.

    Attributes:
        language: "en" or "zh".
        zone: of the plant.
    """

    language: str
    zone: ZoneInfo

    def lines(self, top: Top) -> list[tuple[Line, str, str, str]]:
        """(line, what it is called, unit of its quantity, of its emission)."""
        if top.statement is None:
            return []
        output = top.statement["output"]
        rules = statement_rules(output["rule_set"])
        sealed = [output["lines"][line.number] for line in top.lines]
        return [
            (
                line, line_name(rules, one, self.language),
                one["parameters"].get("quantity", {}).get("unit", ""), emission_unit(one),
            )
            for line, one in zip(top.lines, sealed, strict=True)
        ]  # fmt: skip

    def at(self, ns: int | None) -> str:
        """An instant by the plant's clock, to the millisecond; "–" for none."""
        if ns is None:
            return "–"
        return f"{to_ms(ns, self.zone)} {offset(ns, self.zone)}"

    def moment(self, text: str) -> str:
        """Likewise of one that is told as ISO 8601, to the second."""
        ns = int(datetime.fromisoformat(text).timestamp()) * SECOND_NS
        return f"{written(ns, self.zone)} {offset(ns, self.zone)}"

    def frame_clock(self, clock: Mapping[str, Any]) -> str:
        """What a gateway's clock was set by when it signed a frame, and how far it may be off."""
        source = STRINGS[self.language][f"gw.clock.source.{clock['source']}"]
        if clock["error_ms"] is None:
            return told(self.language, "gw.clock.free", source=source)
        return told(self.language, "gw.clock.error", source=source, ms=clock["error_ms"])

    def clock(self, ns: int) -> str:
        """Hour and minute, with seconds where they are not zero."""
        return written(ns, self.zone, CLOCK).removesuffix(":00")

    def hour_of(self, ns: int) -> int:
        """First instant of the hour of the plant's day that an instant lies in."""
        day = PlantDays(self.zone.key).day(ns)
        return ns - (ns - day.start_ns) % HOUR_NS

    def minute_of(self, ns: int) -> int:
        """First instant of a minute."""
        return ns // MINUTE_NS * MINUTE_NS

    def day(self, ns: int) -> str:
        """The date."""
        return written(ns, self.zone, DAY)

    def quality(self, code: int) -> str:
        """A quality code with its sentence."""
        return f"{code} · {sentence(code, self.language)}"

    def mark(self, code: int) -> str:
        """How a quality code looks: "bad", "reserved" or ""."""
        return "bad" if code >= FIRST_BAD else "reserved" if code else ""

    def readable(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A document's row with its body and times as people read them."""
        body = body_of(row["kind"], row["body"])
        return {
            **row, "written": written_body(row["kind"], body, self.zone),
            "received": local_text(row["received_ns"] // SECOND_NS * SECOND_NS, self.zone),
        }  # fmt: skip

    def flat(self, value: object, path: str = "") -> list[tuple[str, str]]:
        """(path, text) of everything in a part of a configuration."""
        if isinstance(value, Mapping):
            parts = [(f"{path}.{key}" if path else str(key), one) for key, one in value.items()]
        elif isinstance(value, list) and any(isinstance(one, list | Mapping) for one in value):
            parts = [(f"{path}[{number}]", one) for number, one in enumerate(value, 1)]
        else:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            return [(path, shown)]
        return [row for name, one in parts for row in self.flat(one, name)]

    def label(self, prefix: str, name: str) -> str:
        """A text of the table, or the bare name for what a newer table has."""
        return STRINGS[self.language].get(f"{prefix}{name}", name)

    def dump(self, data: bytes) -> str:
        """The first bytes in hex, a row of 32 a line."""
        shown = data[:SHOWN_BYTES]
        rows = [shown[at : at + ROW_BYTES].hex(" ", 2) for at in range(0, len(shown), ROW_BYTES)]
        return "\n".join(rows)
