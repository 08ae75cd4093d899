"""All that documents of samples show, and whether a result may count as measured. Pure."""

from collections.abc import Iterable

from evidence.documents.observed.analyses import observe_analyses
from evidence.documents.observed.custody import observe_custody, unregistered
from evidence.documents.observed.observation import CODES, Observation
from evidence.documents.observed.reports import observe_reports
from evidence.documents.observed.steps import is_made_late, observe_steps, observe_withdrawn
from evidence.documents.observed.stories import COMPOSED, RESULT, Stories, Story, stories_of
from evidence.documents.observed.together import observe_together
from evidence.documents.standing import Standing

_ORDER = {code: i for i, code in enumerate(CODES)}


def observe(standing: Standing, others: Iterable[Stories] = ()) -> list[Observation]:
    """What a plant's documents of samples show.

    Args:
        standing: the plant's documents.
        others: stories of other plants that lie beside it, to find what was used twice.

    Returns:
        Observations by code and then by sample; what is said of a PDF is not among them.
    """
    stories = stories_of(standing)
    beside = [story for other in others for story in other.values()]
    parameters = [
        one
        for one in standing.all()
        if one.document.kind == "parameter" and standing.ended_by(one.sha256) is None
    ]
    found = [
        *observe_custody(stories),
        *observe_steps(stories),
        *observe_withdrawn(standing, stories),
        *observe_together(stories),
        *observe_reports(stories, beside),
        *observe_analyses(stories, parameters),
    ]
    return ordered(found)


def ordered(found: Iterable[Observation]) -> list[Observation]:
    """Observations in the order of `CODES`, then by sample."""
    return sorted(found, key=lambda one: (_ORDER[one.code], one.sample, one.documents))


def may_be_measured(standing: Standing, result: bytes, period: tuple[int, int]) -> tuple[str, ...]:
    """Why a laboratory's result may not count as a measured value of a period; () when it may.

    What is merely odd bars nothing. What bars is that there was no sample of the period when the
    period was: nobody registered one, or only long after, or it was composed of samples that
    nobody had registered.

    Args:
        standing: the plant's documents.
        result: SHA-256 of a standing document of kind sample-result.
        period: (from_ns, to_ns) of the figure that it is to be used for, to exclusive.

    Returns:
        Codes of `CODES`.

    Raises:
        LookupError: no such result stands.
    """
    logged = standing.get(result)
    if logged is None or logged.document.kind != RESULT or standing.ended_by(result) is not None:
        raise LookupError(f"no sample-result {result.hex()} stands")
    stories = stories_of(standing)
    story = stories[logged.document.about]
    if story.period is None or not _overlap(story.period, period):
        return ("S-RESULT-WITHOUT-SAMPLE",)
    why = ("S-MADE-LATE",) if is_made_late(story) else ()
    return (*why, *_bars_of_parts(story, stories))


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _bars_of_parts(story: Story, stories: Stories) -> tuple[str, ...]:
    composed = story.first(COMPOSED)
    if composed is None:
        return ()
    found = list[str]()
    if unregistered(composed, stories):
        found.append("S-COMPOSITE-UNREGISTERED")
    parts = [
        stories[row["sample"]]
        for row in composed.document.body["parts"]
        if row["sample"] in stories
    ]
    if any(is_made_late(part) for part in parts):
        found.append("S-MADE-LATE")
    return tuple(found)
