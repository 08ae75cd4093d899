"""Steps out of order, logged long after their typed time, samples made after theirs. Pure."""

from collections.abc import Iterator

from evidence.documents.observed.limits import LIMITS
from evidence.documents.observed.observation import DAY, Observation, shown, span
from evidence.documents.observed.stories import (
    COMPOSED,
    PREPARED,
    RECEIVED,
    RESULT,
    RETAINED,
    SENT,
    TAKEN,
    TESTED,
    Step,
    Stories,
    Story,
)
from evidence.documents.standing import WITHDRAW, Standing

LABORATORY = "laboratory"
#: (what is first, what is then): entries that cannot cross, as the second needs the first's id
_STRICT = (
    (TAKEN, RECEIVED), (TAKEN, TESTED), (TAKEN, RESULT),
    (COMPOSED, RECEIVED), (COMPOSED, TESTED), (COMPOSED, RESULT),
    (TESTED, RESULT), (RETAINED, RESULT),
)  # fmt: skip
#: likewise, where two desks may be a day apart
_LOOSE = ((TAKEN, PREPARED), (TAKEN, SENT), (COMPOSED, SENT), (PREPARED, SENT), (SENT, RECEIVED))
_TYPED = (
    (TAKEN, PREPARED), (TAKEN, COMPOSED), (TAKEN, SENT), (PREPARED, SENT), (COMPOSED, SENT),
    (TAKEN, RECEIVED), (COMPOSED, RECEIVED), (SENT, RECEIVED), (TAKEN, TESTED), (COMPOSED, TESTED),
    (TESTED, RESULT),
)  # fmt: skip


def observe_steps(stories: Stories) -> Iterator[Observation]:
    """What the times of each sample's steps show."""
    for story in stories.values():
        yield from _logged(story)
        yield from _typed(story)
        yield from _tested_first(story)
        for step in story.steps:
            yield from _delay(story, step)
        yield from _made(story)
        yield from _corrected(story)


def _logged(story: Story) -> Iterator[Observation]:
    for pairs, slack in ((_STRICT, 0), (_LOOSE, LIMITS.order_ns)):
        for earlier, later in pairs:
            first, then = story.first(earlier), story.first(later)
            if first is not None and then is not None and first.log_ns > then.log_ns + slack:
                yield story.saw("S-ORDER-LOGGED", first, then, **_pair(first, then, typed=False))


def _typed(story: Story) -> Iterator[Observation]:
    for earlier, later in _TYPED:
        first, then = story.first(earlier), story.first(later)
        if first is None or then is None:
            continue
        slack = LIMITS.typed_ns + (DAY if later == RESULT else 0)  # a report has a day, no hour
        if first.typed_ns > then.typed_ns + slack:
            yield story.saw("S-ORDER-TYPED", first, then, **_pair(first, then, typed=True))


def _pair(first: Step, then: Step, *, typed: bool) -> dict[str, str]:
    at = [step.typed_ns if typed else step.log_ns for step in (first, then)]
    return {
        "first": first.kind, "then": then.kind, "first_at": shown(at[0]), "then_at": shown(at[1]),
    }  # fmt: skip


def _tested_first(story: Story) -> Iterator[Observation]:
    received = story.first(RECEIVED)
    if received is None:
        return
    for step in story.of(TESTED, RESULT):
        typed = step.kind == TESTED and step.typed_ns < received.typed_ns
        if typed or step.log_ns < received.log_ns:
            yield story.saw(
                "S-TESTED-BEFORE-RECEIVED", received, step, step=step.kind,
                typed=shown(step.typed_ns), received_typed=shown(received.typed_ns),
                logged=shown(step.log_ns), received_logged=shown(received.log_ns),
            )  # fmt: skip
            return


def _delay(story: Story, step: Step) -> Iterator[Observation]:
    end_ns = step.typed_ns + (DAY if step.kind == RESULT else 0)
    facts = {"step": step.kind, "typed": shown(step.typed_ns), "logged": shown(step.log_ns)}
    if step.log_ns - end_ns > LIMITS.late_ns[step.kind]:
        yield story.saw("S-LOGGED-LATE", step, **facts, **span(step.log_ns - end_ns))
    if step.typed_ns - step.log_ns > LIMITS.ahead_ns:
        yield story.saw("S-TYPED-AHEAD", step, **facts, **span(step.typed_ns - step.log_ns))


def _made(story: Story) -> Iterator[Observation]:
    made = story.made
    if made is None or story.period is None:
        return
    from_ns, to_ns = story.period
    facts = {"step": made.kind, "from": shown(from_ns), "to": shown(to_ns)}
    if is_made_late(story):
        late = span(max(made.log_ns, made.typed_ns) - to_ns)
        yield story.saw("S-MADE-LATE", made, logged=shown(made.log_ns), **facts, **late)
    outside = not from_ns - LIMITS.typed_ns <= made.typed_ns <= to_ns + DAY
    if made.kind == TAKEN and outside:
        yield story.saw("S-TAKEN-OUTSIDE", made, typed=shown(made.typed_ns), **facts)


def is_made_late(story: Story) -> bool:
    """Was the sample first in the log, or by its own date, long after its period was over?"""
    if story.made is None or story.period is None:
        return False
    return max(story.made.log_ns, story.made.typed_ns) - story.period[1] > LIMITS.made_ns


def observe_withdrawn(standing: Standing, stories: Stories) -> Iterator[Observation]:
    """What a laboratory signed of a sample, and somebody else took back."""
    for one in standing.all():
        ended, signer = standing.ended_by(one.sha256), one.signer
        if not one.document.kind.startswith("sample-") or ended is None or signer is None:
            continue
        by = ended.signer
        if ended.document.kind != WITHDRAW or by is None or signer.role != LABORATORY:
            continue
        if by.role != LABORATORY:
            sample = one.document.about
            story = stories.get(sample) or Story(one.document.plant, sample, (Step(one, one),))
            facts = {"step": one.document.kind, "by": by.id, "role": by.role}
            why = str(ended.document.body["reason"])
            yield story.saw("S-WITHDRAWN-BY-OTHER", Step(one, one), reason=why, **facts)


def _corrected(story: Story) -> Iterator[Observation]:
    for step in story.steps:
        by, before = step.logged.signer, step.first.signer
        if by is None or before is None or before.role != LABORATORY or by.role == LABORATORY:
            continue
        yield story.saw("S-CORRECTED-BY-OTHER", step, step=step.kind, by=by.id, role=by.role)
