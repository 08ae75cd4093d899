"""How far a month's review is: questions with their answers, and what each level decided. Pure."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from evidence.documents.review import ANSWER, DECISION, LEVELS, QUESTION, not_opened

Row = Mapping[str, Any]

#: of a question
STATES = ("open", "overdue", "answered")


@dataclass(frozen=True)
class Point:
    """A question that stands.

    Attributes:
        row: the question.
        answers: those that follow it, in the log's order.
        earlier: those that followed what it corrects, in the log's order.
        state: "open", "overdue" (open, and its day is over) or "answered".
    """

    row: Row
    answers: Sequence[Row]
    earlier: Sequence[Row]
    state: str


@dataclass(frozen=True)
class Decided:
    """A decision that stands.

    Attributes:
        row: the decision.
        archive: "this": of the archive that stands; "resealed": of the same statement in an archive
            that was sealed again since; "older": the month was replaced since.
        not_opened: how many items of the month its signer had not opened.
        unanswered: how many questions that stand had no answer when it came.
    """

    row: Row
    archive: str
    not_opened: int
    unanswered: int

    @property
    def is_blind(self) -> bool:
        """Approved, and something was not opened: what the next level is told in words."""
        return bool(self.row["body"]["decision"] == "approve" and self.not_opened)

    def holds_against(self, later: "Decided") -> bool:
        """A return of what stands, whatever a reviewer of a part of its signer's region says."""
        is_return = self.row["body"]["decision"] == "return" and self.archive != "older"
        return is_return and len(later.row["region"]) > len(self.row["region"])


@dataclass(frozen=True)
class Word:
    """What a level said of a month, in a list of many.

    Attributes:
        state: as `Thread.state` has it.
        not_opened: how many items its signer had not opened, of an approval.
        is_told: what was opened is the signer's own word.
    """

    state: str
    not_opened: int = 0
    is_told: bool = False


@dataclass(frozen=True)
class Outline:
    """How far a month's review is, without what was written.

    Attributes:
        counts: state of questions -> how many.
        next_due: the first day an answer is owed by, "" for none.
        levels: level -> its word.
    """

    counts: Mapping[str, int]
    next_due: str
    levels: Mapping[str, Word]

    @property
    def needs_somebody(self) -> bool:
        """A question is not answered, or a level returned the month."""
        is_asked = self.counts["open"] or self.counts["overdue"]
        return bool(is_asked) or any(one.state == "return" for one in self.levels.values())


@dataclass(frozen=True)
class Thread:
    """The review of a month.

    Attributes:
        points: questions that stand, in the log's order.
        decided: decisions that stand, in the log's order.
    """

    points: Sequence[Point]
    decided: Sequence[Decided]

    def count(self, state: str) -> int:
        """How many questions are in a state."""
        return sum(one.state == state for one in self.points)

    @property
    def next_due(self) -> str:
        """The first day an answer is owed by, "" for none."""
        return min((p.row["body"]["answer_by"] for p in self.points if not p.answers), default="")

    def of(self, level: str) -> Decided | None:
        """The newest decision of a level that approves or returns, None while there is none.

        Within the level of cities a county lifts no return by its city.
        """
        word = None
        for one in self.decided:
            is_word = one.row["body"]["level"] == level and one.row["body"]["decision"] != "note"
            if is_word and not (word is not None and word.holds_against(one)):
                word = one
        return word

    def state(self, level: str) -> str:
        """Of a level: "approve", "return", "older" (of a month that was replaced since), or ""."""
        decided = self.of(level)
        if decided is None:
            return ""
        return "older" if decided.archive == "older" else str(decided.row["body"]["decision"])


def outline_of(thread: Thread) -> Outline:
    """A thread as a list of many has it."""
    return Outline(
        {state: thread.count(state) for state in STATES}, thread.next_due,
        {level: _word(thread, level) for level in LEVELS},
    )  # fmt: skip


def thread_of(rows: Sequence[Row], archive: Row | None, today: str) -> Thread:
    """The review of a month.

    Args:
        rows: its questions, answers and decisions, in the log's order.
        archive: the one that stands, None for none.
        today: "YYYY-MM-DD" at the plant.
    """
    standing = [row for row in rows if row["ended_by"] is None]
    points = []
    for row in (one for one in standing if one["kind"] == QUESTION):
        answers = _answers({row["sha256"]}, rows)
        late = "overdue" if row["body"]["answer_by"] < today else "open"
        earlier = _answers(_corrected(row, rows), rows)
        points.append(Point(row, answers, earlier, "answered" if answers else late))
    decided = [
        Decided(
            row, _archive(row["body"], archive), not_opened(row["body"]), _unanswered(row, points)
        )
        for row in standing
        if row["kind"] == DECISION
    ]
    return Thread(points, decided)


def _word(thread: Thread, level: str) -> Word:
    decided, state = thread.of(level), thread.state(level)
    if decided is None:
        return Word(state)
    is_told = decided.row["body"]["openings"] == "told"
    return Word(state, decided.not_opened if decided.is_blind else 0, is_told)


def _answers(questions: Set[str], rows: Sequence[Row]) -> list[Row]:
    return [one for one in rows if one["kind"] == ANSWER and questions & set(one["follows"])]


def _corrected(question: Row, rows: Sequence[Row]) -> set[str]:
    """SHA-256 of the earlier wordings of a question."""
    by_hash, found, waiting = {one["sha256"]: one for one in rows}, set[str](), [question]
    while waiting:
        before = waiting.pop()["follows"]
        found |= set(before)
        waiting += [by_hash[sha256] for sha256 in before]
    return found


def _archive(body: Mapping[str, Any], archive: Row | None) -> str:
    if archive is not None and body["archive_sha256"] == archive["sha256"]:
        return "this"
    is_same = archive is not None and body["statement_sha256"] == archive["statement_sha256"]
    return "resealed" if is_same else "older"


def _unanswered(decision: Row, points: Sequence[Point]) -> int:
    """Questions before a decision without an answer before it."""
    index = decision["index"]
    asked = [point for point in points if point.row["index"] < index]
    return sum(not any(one["index"] < index for one in point.answers) for point in asked)
