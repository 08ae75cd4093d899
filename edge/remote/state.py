"""What orders have become at one gateway, as one value; each step makes the next. Pure.

    order → refused
          → staged → on trial → in force
                              → rolled back

The value is on disk before what it says is done (`edge.remote.folder`), so a power cut leaves the
file before the step or the one after it. A trial is begun once: a process that finds one begun is
not the one that began it, which has ended before the file came healthy.
"""

from dataclasses import dataclass, replace

STAGED, ON_TRIAL, IN_FORCE = "staged", "on trial", "in force"
REFUSED, ROLLED_BACK, SET_ASIDE = "refused", "rolled back", "set aside"
CUT_SHORT = "the agent ended before the new file had come healthy"
FORKED = "another file came with the same number, and does not count: give it a higher one"
BY_HAND = "the site file was changed at the gateway, and counts again"


@dataclass(frozen=True)
class Given:
    """A site file by order.

    Attributes:
        number: of the order.
        beside: SHA-256 (hex) of the site file at the gateway when the order came.
    """

    number: int
    beside: str


@dataclass(frozen=True)
class Trial:
    """A file that has yet to come healthy.

    Attributes:
        given: the file.
        begun: a process has started with it.
        answered: ids of the devices that answered when the order came.
        heard: the broker was reached then.
    """

    given: Given
    begun: bool
    answered: tuple[str, ...]
    heard: bool


@dataclass(frozen=True)
class Answer:
    """What became of an order: its number, one of the words above, and why ("" for no reason)."""

    number: int
    outcome: str
    reason: str = ""


@dataclass(frozen=True)
class State:
    """Of one gateway.

    Attributes:
        judged: the highest number that was judged; nothing at or below it counts again.
        in_force: the file the agent runs on; None for the site file at the gateway.
        trial: the file that has yet to come healthy.
        last: what became of the newest order.
        refusal: the newest that was refused, rolled back or set aside.
    """

    judged: int = 0
    in_force: Given | None = None
    trial: Trial | None = None
    last: Answer | None = None
    refusal: Answer | None = None


def refused(state: State, number: int, reason: str) -> State:
    """An order of the root is not taken; its number is used up."""
    return _failed(replace(state, judged=max(state.judged, number)), number, REFUSED, reason)


def staged(state: State, given: Given, *, answered: tuple[str, ...], heard: bool) -> State:
    """An order is taken: the next process begins with its file."""
    trial = Trial(given, begun=False, answered=answered, heard=heard)
    return replace(state, judged=given.number, trial=trial, last=Answer(given.number, STAGED))


def begun(state: State, hand: str) -> State:
    """A process starts, with `hand` the SHA-256 (hex) of the site file at the gateway.

    Whoever stands at the gateway has the last word: a file by order counts beside the site file
    it came beside, and no other.
    """
    trial, in_force = state.trial, state.in_force
    if trial is not None and (trial.begun or trial.given.beside != hand):
        state = rolled_back(state, CUT_SHORT if trial.begun else BY_HAND)
    elif trial is not None:
        last = Answer(trial.given.number, ON_TRIAL)
        state = replace(state, trial=replace(trial, begun=True), last=last)
    if in_force is not None and in_force.beside != hand:
        state = set_aside(state, BY_HAND)
    return state


def healthy(state: State) -> State:
    """The file on trial stays."""
    if state.trial is None:
        return state
    given = state.trial.given
    return replace(state, in_force=given, trial=None, last=Answer(given.number, IN_FORCE))


def rolled_back(state: State, reason: str) -> State:
    """The file on trial goes, and the one before it counts again."""
    if state.trial is None:
        return state
    number = state.trial.given.number
    return _failed(replace(state, trial=None), number, ROLLED_BACK, reason)


def set_aside(state: State, reason: str) -> State:
    """The file in force goes, and the site file at the gateway counts again."""
    if state.in_force is None:
        return state
    number = state.in_force.number
    return _failed(replace(state, in_force=None), number, SET_ASIDE, reason)


def forked(state: State) -> State:
    """The root has signed another file with the number of the one that counts."""
    return state if state.last is None else replace(state, last=replace(state.last, reason=FORKED))


def counts(state: State) -> Given | None:
    """The file to run on; None for the site file at the gateway."""
    return state.in_force if state.trial is None else state.trial.given


def _failed(state: State, number: int, outcome: str, reason: str) -> State:
    answer = Answer(number, outcome, reason)
    return replace(state, last=answer, refusal=answer)
