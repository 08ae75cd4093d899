"""What a sample lacks: registration, receipt, retained split, whole seal, known parts. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from decimal import Decimal
from typing import Any

from evidence.documents.observed.analyses import MOISTURES
from evidence.documents.observed.limits import LIMITS
from evidence.documents.observed.observation import Observation
from evidence.documents.observed.stories import (
    COMPOSED,
    RECEIVED,
    RESULT,
    RETAINED,
    TAKEN,
    Step,
    Stories,
    Story,
)

_NAMED_MAX = 5


def observe_custody(stories: Stories) -> Iterator[Observation]:
    """What is missing or broken between the heap and the laboratory."""
    used = {
        part for story in stories.values() for step in story.of(COMPOSED) for part in _rows(step)
    }
    for story in stories.values():
        yield from _result(story, stories)
        yield from _seal(story)
        composed = story.first(COMPOSED)
        if composed is not None:
            yield from _parts(story, composed, stories)
            yield from _left_out(story, composed, stories, used)
            yield from _weights(story, composed, stories)
    yield from _seals_twice(stories)


def _result(story: Story, stories: Stories) -> Iterator[Observation]:
    result = story.first(RESULT)
    if result is None:
        return
    facts = {"report": str(result.document.body["report"])}
    if story.made is None:
        yield story.saw("S-RESULT-WITHOUT-SAMPLE", result, **facts)
        return
    if not _is_tested(story):
        return  # of a shift's own oven: it is not sent away, and nothing of it can be kept
    if story.first(RECEIVED) is None:
        yield story.saw("S-NO-RECEIPT", result, **facts)
    if not _is_retained(story, stories):
        yield story.saw("S-NO-RETAINED", result, **facts)


def _is_retained(story: Story, stories: Stories) -> bool:
    if story.first(RETAINED) is not None:
        return True
    composed = story.first(COMPOSED)
    parts = [] if composed is None else [row["sample"] for row in composed.document.body["parts"]]
    held = [stories[part].first(RETAINED) for part in parts if part in stories]
    return bool(parts) and len(held) == len(parts) and None not in held


def _seal(story: Story) -> Iterator[Observation]:
    taken = story.first(TAKEN)
    for received in story.of(RECEIVED):
        body = received.document.body
        if not body["is_seal_whole"]:
            yield story.saw("S-SEAL-BROKEN", received, seal=body["seal"])
        if taken is not None and _plain(taken.document.body["seal"]) != _plain(body["seal"]):
            facts = {"seal": taken.document.body["seal"], "other": body["seal"]}
            yield story.saw("S-SEAL-DIFFERS", taken, received, **facts)


def _seals_twice(stories: Stories) -> Iterator[Observation]:
    """A seal is used once: on the sample, or on its retained split."""
    found: dict[str, list[tuple[Story, Step]]] = defaultdict(list)
    for story in stories.values():
        for step in story.of(TAKEN, RETAINED):
            found[_plain(step.document.body["seal"])].append((story, step))
    for used in found.values():
        (story, first), *others = used
        for other, step in others:
            if other.sample != story.sample:
                facts = {"seal": step.document.body["seal"], "other": story.sample}
                yield other.saw("S-SEAL-SEEN", first, step, **facts)


def _plain(seal: str) -> str:
    return "".join(seal.split()).casefold()


def unregistered(composed: Step, stories: Stories) -> list[str]:
    """Parts of a composite that were not in the log when it was composed."""
    made = {part: _made(stories, part) for part in _rows(composed)}
    return [
        part for part, step in made.items() if step is None or step.log_ns > composed.log_ns
    ]  # fmt: skip


def _made(stories: Stories, sample: str) -> Step | None:
    return stories[sample].made if sample in stories else None


def _rows(composed: Step) -> Mapping[str, str]:
    return {row["sample"]: row["weight"] for row in composed.document.body["parts"]}


def _parts(story: Story, composed: Step, stories: Stories) -> Iterator[Observation]:
    rows: list[Mapping[str, Any]] = composed.document.body["parts"]
    missing = unregistered(composed, stories)
    if missing:
        yield story.saw("S-COMPOSITE-UNREGISTERED", composed, **_named(missing, len(rows)))
    foreign = [
        part
        for part in _rows(composed)
        if (made := _made(stories, part)) is not None and not _belongs(made, composed)
    ]
    if foreign or len(_rows(composed)) != len(rows):
        named = [row["sample"] for row in rows]
        twice = sorted({part for part in named if named.count(part) > 1})
        yield story.saw("S-COMPOSITE-FOREIGN", composed, **_named(foreign or twice, len(rows)))


def _left_out(
    story: Story, composed: Step, stories: Stories, used: Set[str]
) -> Iterator[Observation]:
    """Samples of its source and time that are in no composite, and were not tested themselves."""
    left = [
        other.sample
        for other in stories.values()
        if other.sample not in used
        and (made := other.first(TAKEN)) is not None
        and made.log_ns <= composed.log_ns
        and _belongs(made, composed)
        and not _is_tested(other)
    ]
    if left:
        yield story.saw("S-COMPOSITE-LEFT-OUT", composed, **_named(left, len(_rows(composed))))


def _is_tested(story: Story) -> bool:
    """Was it analysed itself, for more than its moisture?"""
    results = story.of(RESULT)
    return any({row["name"] for row in one.document.body["values"]} - MOISTURES for one in results)


def _belongs(part: Step, composed: Step) -> bool:
    """Is it of the composite's source, and its period inside?"""
    inner, outer = part.document.body, composed.document.body
    is_inside = outer["from_ns"] <= inner["from_ns"] and inner["to_ns"] <= outer["to_ns"]
    return bool(inner["source"] == outer["source"] and is_inside)


def _named(samples: list[str], count: int) -> dict[str, str]:
    names = ", ".join(samples[:_NAMED_MAX]) + (" …" if len(samples) > _NAMED_MAX else "")
    return {"parts": names, "found": str(len(samples)), "count": str(count)}


def _weights(story: Story, composed: Step, stories: Stories) -> Iterator[Observation]:
    """Fractions add up to 1 or 100; where all parts say what they stand for, weights follow it."""
    weights = {part: Decimal(weight) for part, weight in _rows(composed).items()}
    total = sum(weights.values(), Decimal())
    stood = {part: _stands_for(stories, part) for part in weights}
    for whole in (Decimal(1), Decimal(100)):
        # near a whole they are meant as fractions of it
        if whole * Decimal("0.005") < abs(total - whole) < whole / 10:
            yield story.saw(
                "S-COMPOSITE-WEIGHTS", composed, total=str(total), part="Σ", is_=str(total),
                should=str(whole),
            )  # fmt: skip
    tonnes = [t for t in stood.values() if t is not None]
    whole = sum(tonnes, Decimal())
    if len(tonnes) < len(stood) or not whole or not total:
        return
    for part, weight in weights.items():
        should = total * (stood[part] or Decimal()) / whole
        if abs(weight - should) > LIMITS.weights * max(should, total / len(weights) / 10):
            yield story.saw(
                "S-COMPOSITE-WEIGHTS", composed, total=str(total), part=part, is_=str(weight),
                should=f"{should:.4g}",
            )  # fmt: skip
            return


def _stands_for(stories: Stories, sample: str) -> Decimal | None:
    made = _made(stories, sample)
    text = None if made is None else made.document.body.get("stands_for_t")
    return None if text is None else Decimal(text)
