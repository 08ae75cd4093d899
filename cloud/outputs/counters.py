"""What a sealed month's counters leave open, in sentences: leaps, edges, exchanges. Pure.

No figure moves by any of it. A point's device is its id before the first dot, as sites name them.
An exchange is looked for from its beginning until a day after its end: the first reading of a new
meter may come late.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cloud.outputs.words import word
from edge.calc.folds.papers import EDGE_NS, METER_EVENT, REPLACEMENT
from evidence.documents.document import Document
from evidence.findings import utc

_LATER_NS = 24 * EDGE_NS
_SECOND_NS = 10**9
_HOUR_S = EDGE_NS // _SECOND_NS


def counter_sentences(
    given: Mapping[str, Any], documents: Sequence[Document], language: str
) -> Iterator[str]:
    """Sentences about the totalisers of a statement's input.

    Args:
        given: the input of a statement that was recomputed.
        documents: that stand, approved or not.
        language: "en" or "zh".
    """
    for counter in given.get("totalisers", []):
        yield from _leaps(counter, language)
        yield from _edges(counter, language)
        yield from _exchanges(counter, documents, language)


def _leaps(counter: Mapping[str, Any], language: str) -> Iterator[str]:
    for leap in counter.get("leaps", []):
        yield word(
            "flag.leap", language, point=counter["point"], unit=counter["unit"],
            before=leap["before"], after=leap["after"], since=utc(leap["since_ns"]),
            at=utc(leap["tick_ns"]),
        )  # fmt: skip


def _edges(counter: Mapping[str, Any], language: str) -> Iterator[str]:
    """What passed before the first reading, or after the last one, is in no month."""
    for reading, age in (("first", "after_start_s"), ("last", "before_end_s")):
        if reading in counter and float(counter[reading][age]) >= _HOUR_S:
            yield word(
                f"counter.{reading}", language, point=counter["point"],
                at=utc(counter[reading]["tick_ns"]),
            )  # fmt: skip


def _exchanges(
    counter: Mapping[str, Any], documents: Sequence[Document], language: str
) -> Iterator[str]:
    """Exchanges that were signed and of which the counter shows no step."""
    if "first" not in counter:
        return
    point, ticks = counter["point"], [one["tick_ns"] for one in _steps(counter)]
    is_all = counter.get("drop_count", 0) + counter.get("leap_count", 0) == len(ticks)
    first, last = counter["first"]["tick_ns"], counter["last"]["tick_ns"]
    for event in documents:
        if event.kind != METER_EVENT or event.about not in {point, point.partition(".")[0]}:
            continue
        since, until = event.body["from_ns"], event.body["to_ns"]
        is_read = first <= since and until <= last
        if event.body["event"] != REPLACEMENT or not (is_read and is_all):
            continue
        if not any(since <= tick <= until + _LATER_NS for tick in ticks):
            yield word(
                "counter.exchange", language, point=point, since=utc(since), until=utc(until)
            )


def _steps(counter: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [*counter.get("drops", []), *counter.get("leaps", [])]
