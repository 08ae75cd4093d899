"""Samples of several months in one sitting: one batch that poses as many. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from evidence.documents.observed.limits import LIMITS
from evidence.documents.observed.observation import DAY, Observation, shown
from evidence.documents.observed.stories import (
    COMPOSED,
    RECEIVED,
    RESULT,
    SENT,
    TAKEN,
    TESTED,
    Step,
    Stories,
    Story,
)

_KINDS = (TAKEN, COMPOSED, SENT, RECEIVED, TESTED, RESULT)
#: a sample of a longer period than this is one of few a month, not of each shift
_LONG_NS = 7 * DAY
_At = tuple[int, Story, Step]


def observe_together(stories: Stories) -> Iterator[Observation]:
    """Several months' samples of a source whose step was logged, or is said to be, at one time."""
    found: dict[tuple[str, str, bool], list[tuple[Story, Step]]] = defaultdict(list)
    for story in stories.values():
        for kind in _KINDS if story.period is not None else ():
            step = story.first(kind)
            if step is not None:
                found[kind, story.source, _is_long(story)].append((story, step))
    for steps in found.values():
        logged = [(step.log_ns, story, step) for story, step in steps]
        typed = [(step.typed_ns, story, step) for story, step in steps]
        seen = set[tuple[str, ...]]()
        for sitting in (*_sittings(logged), *_sittings(typed)):
            samples = tuple(sorted(story.sample for _, story, _ in sitting))
            if _is_odd([story for _, story, _ in sitting]) and samples not in seen:
                seen.add(samples)
                yield _told(sitting)


def _sittings(steps: Iterable[_At]) -> Iterator[Sequence[_At]]:
    sitting: list[_At] = []
    for one in sorted(steps, key=lambda at: (at[0], at[1].sample)):
        if sitting and one[0] - sitting[-1][0] > LIMITS.together_ns:
            yield sitting
            sitting = []
        sitting.append(one)
    if sitting:
        yield sitting


def _is_odd(stories: Sequence[Story]) -> bool:
    """Two months of monthly samples; of daily ones, the last of a month meets the next's first."""
    months = {story.month for story in stories}
    if len(months) >= 2 and all(map(_is_long, stories)):
        return True
    return len(months) >= 3 or _number(max(months)) - _number(min(months)) >= 2


def _is_long(story: Story) -> bool:
    return story.period is not None and story.period[1] - story.period[0] >= _LONG_NS


def _number(month: str) -> int:
    year, number = month.split("-")
    return int(year) * 12 + int(number)


def _told(sitting: Sequence[_At]) -> Observation:
    months = tuple(sorted({story.month for _, story, _ in sitting}))
    _, story, step = sitting[0]
    return Observation(
        "S-MONTHS-TOGETHER", story.plant, story.sample, months,
        tuple(step.sha256 for _, _, step in sitting),
        {
            "step": step.kind, "count": str(len(sitting)), "months": ", ".join(months),
            "first_at": shown(sitting[0][0]), "last_at": shown(sitting[-1][0]),
        },
    )  # fmt: skip
