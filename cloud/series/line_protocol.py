"""What is written to InfluxDB and asked of it: line protocol, InfluxQL, and its answers. Pure.

Every series has the same tags, none of them empty, and every field is an integer: nothing of a
line can vanish, no field changes its type, and 2^53 + 1 stays what it is.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cloud.series.bucket import (
    DAY_S,
    HOUR_S,
    MINUTE_S,
    Bucket,
    Series,
    Stored,
    bucket_of,
    quantity_of,
    stored,
)
from cloud.series.store import SeriesAwayError
from evidence.points import DECIMALS_MAX

MEASUREMENTS: Mapping[int, str] = {MINUTE_S: "minute", HOUR_S: "hour", DAY_S: "day"}
_FIELDS = ("count", "worst", "low", "high", "last", "mean", "rest")
_TAGS = ("plant", "gateway", "point", "quantity", "decimals")
_NOT_SO = "InfluxDB's answer is not of the form that InfluxQL's answers have"


def lines(step_s: int, rows: Sequence[tuple[Series, Bucket]]) -> Iterator[str]:
    """A line for each bucket, times in seconds; one without a usable reading has no number."""
    name = MEASUREMENTS[step_s]
    for series, bucket in rows:
        held = stored(bucket)
        fields = f"count={held.usable}i,worst={held.worst}i"
        if held.usable:
            fields += (
                f",low={held.low}i,high={held.high}i,last={held.last}i"
                f",mean={held.mean}i,rest={held.rest}i"
            )
        yield f"{name},{_tags(series)} {fields} {held.from_s}"


def _tags(series: Series) -> str:
    unit = quantity_of(series.quantity)["unit"]  # for charts; not read back
    told = [*zip(_TAGS, map(str, series), strict=True), ("unit", unit)]
    return ",".join(f"{key}={_escaped(value)}" for key, value in sorted(told))


def _escaped(value: str) -> str:
    return value.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")


def question(
    step_s: int, plant: str, from_ns: int, to_ns: int, *, gateway: str = "", point: str = ""
) -> str:
    """InfluxQL for buckets with from_ns <= their first instant < to_ns; "" asks for all."""
    of = [("plant", plant), ("gateway", gateway), ("point", point)]
    where = " AND ".join(f"\"{key}\" = '{_quoted(value)}'" for key, value in of if value)
    span = f"time >= {from_ns} AND time < {to_ns}"
    fields, tags = (", ".join(f'"{name}"' for name in names) for names in (_FIELDS, _TAGS))
    name = MEASUREMENTS[step_s]
    return f'SELECT {fields} FROM "{name}" WHERE {where} AND {span} GROUP BY {tags}'  # noqa: S608 - values are quoted


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def decode_answer(data: bytes) -> Mapping[Series, Sequence[Bucket]]:
    """The buckets of an answer to `question`, oldest first, with times in seconds.

    Raises:
        SeriesAwayError: it tells of an error, or is none.
    """
    try:
        told = json.loads(data)
        (result,) = told["results"]
        if "error" in result:
            raise SeriesAwayError(f"InfluxDB: {str(result['error'])[:200]}")
        if result.get("partial"):
            raise SeriesAwayError("InfluxDB cut its answer short: raise its max-row-limit")
        found: dict[Series, list[Bucket]] = {}
        for one in result.get("series", ()):
            found.setdefault(_series(one["tags"]), []).extend(_buckets(one))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise SeriesAwayError(f"{_NOT_SO} ({type(error).__name__})") from error
    return {series: sorted(held, key=lambda one: one.from_ns) for series, held in found.items()}


def _series(tags: Mapping[str, Any]) -> Series:
    plant, gateway, point, quantity, decimals = (str(tags[name]) for name in _TAGS)
    quantity_of(quantity)["unit"]  # one without is not ours
    if int(decimals) not in range(DECIMALS_MAX + 1):
        raise ValueError("decimals that no point has")
    return Series(plant, gateway, point, quantity, int(decimals))


def _buckets(one: Mapping[str, Any]) -> Iterator[Bucket]:
    places = [one["columns"].index(name) for name in ("time", "count", *_FIELDS[2:], "worst")]
    for row in one["values"]:
        numbers = [0 if row[place] is None else row[place] for place in places]
        if not all(type(number) is int for number in numbers):
            raise TypeError("a number that is no integer")
        yield bucket_of(Stored(*numbers))
