"""[[plant.normal]] of CLOUD.toml: what a plant calls normal for its emission. Pure.

It is what people at the works know, not evidence: a gateway signs nothing of it, and no alarm
goes by it (that is `[plant.alarms.emission]`).

```toml
[[plant.normal]]
figure = "plant.co2e_t_h"         # of the overview; a steelworks may give two
low_t_h = "118"
high_t_h = "131.5"
by = "Wang Li, process control"   # who stated it
on = 2026-11-02
source = "steady days of October, all potlines in operation"
```
"""

from datetime import date, datetime
from decimal import Decimal

from cloud.live.normal import FIGURES, NormalBand
from firmware_configs.fields import Fields


def read_normal(plant: Fields) -> tuple[NormalBand, ...]:
    """The bands of a [[plant]] table; mistakes are told to `plant`, and its band is left out."""
    read = [_band(fields) for fields in plant.children("normal")]
    found = [band for band in read if band is not None]
    figures = [band.figure for band in found]
    for twice in sorted({name for name in figures if figures.count(name) > 1}):
        plant.complain("normal", f"{twice} stands here twice")
    return tuple(found)


def _band(fields: Fields) -> NormalBand | None:
    figure = fields.choice("figure", FIGURES)
    low, high = (Decimal(fields.decimal(key, why="t/h")) for key in ("low_t_h", "high_t_h"))
    by = fields.text("by", why="who stated it")
    source = fields.text("source", why="what it stands on")
    on = fields.raw("on")
    fields.finish()
    if not isinstance(on, date) or isinstance(on, datetime):
        fields.complain("on", "write the day it was stated: on = 2026-11-02")
        return None
    if not fields.flawed and not 0 <= low < high:
        fields.complain("high_t_h", "must be above low_t_h, and that not below zero")
    return None if fields.flawed else NormalBand(figure, low, high, by, on, source)
