"""Asks for many nodes, as many at once as their answers have room; which one alone has none.

A long text or array among a thousand numbers makes the whole answer too long: it is refused by us
(`edge.drivers.opcua.bounds`) or by its server. Then less is asked at once, until that node stands
alone: it is left out, and the others are read. Refusals of one read have a bound, for each costs
what an answer may cost; what was not asked by then is asked at the next read, without those found.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import monotonic

from edge.drivers.opcua.bounds import AnswerError, TooLongError
from edge.drivers.opcua.refusals import is_too_much
from edge.drivers.opcua.session import DataValue, ReadValueId, Session

REFUSALS_MAX = 32  # of one read; of a thousand nodes one is found by ten
AGAIN_S = 60.0  # until a node that was too long alone is asked for again, one a read


class Asking:
    """What one session's server can answer at once.

    Args:
        session: the one to ask; ConnectionError once it is lost.
        drop: ends it.
        most: nodes asked for at once, while nothing else is known.

    Attributes:
        refused: the nodes that are too long alone, and what was said of them.
    """

    def __init__(
        self, session: Callable[[], Session], drop: Callable[[], Awaitable[None]], most: int
    ) -> None:
        self._session, self._drop, self._fits = session, drop, most
        self._again_s: dict[int, float] = {}  # of those refused: when they are asked for again
        self.refused: dict[int, str] = {}

    async def answers(self, nodes: Mapping[int, ReadValueId], most: int) -> Mapping[int, DataValue]:
        """What the server says of each; those refused, or not asked for any more, are not in it.

        Raises:
            TimeoutError: nothing was answered; where something was, the session is dropped.
            Exception: whatever a server or a broken link makes asyncua raise.
        """
        got: dict[int, DataValue] = {}
        todo = [index for index in nodes if index not in self.refused]
        due = [index for index in self.refused if self._again_s[index] <= monotonic()]
        # one: each may take as long as all the others, whose answers would come too late
        due = sorted(due, key=self._again_s.__getitem__)[:1]
        self._again_s.update((index, monotonic() + AGAIN_S) for index in due)
        limit = whole = min(most, self._fits)
        refusals = 0
        try:
            while (todo or due) and refusals < REFUSALS_MAX:
                part = todo[:limit] or due  # what may be refused again comes last
                try:
                    got.update(await self._asked(nodes, part))
                except TooLongError as error:
                    refusals += 1
                    if len(part) > 1:
                        limit = len(part) // 2
                        continue
                    said = f"left out, asked again after {AGAIN_S:g} s or more: {error}"
                    self.refused[part[0]] = said
                    self._again_s[part[0]] = monotonic() + AGAIN_S
                    limit = whole
                todo, due = todo[len(part) :], due if todo else []
        except TimeoutError:
            if not got:
                raise
            await self._drop()
            return got
        if not todo and limit < whole:  # none is too long: together they are
            self._fits = limit
        return got

    async def _asked(
        self, nodes: Mapping[int, ReadValueId], part: Sequence[int]
    ) -> Mapping[int, DataValue]:
        session = self._session()
        try:
            answers = await session.ask([nodes[index] for index in part])
        except TimeoutError:
            if session.is_passing():
                raise AnswerError("an answer that is too long does not end in time") from None
            raise
        except Exception as error:  # whatever a server makes asyncua raise
            if is_too_much(error):
                said = type(error).__name__
                raise TooLongError(f"the server does not answer that much: {said}") from error
            raise
        for index in part:
            self.refused.pop(index, None)
        if len(answers) != len(part):
            answers = [DataValue()] * len(part)  # no value: WRONG_ANSWER, each of them
        return dict(zip(part, answers, strict=True))
