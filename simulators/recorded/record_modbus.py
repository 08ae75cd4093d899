"""Records a Modbus device: asks the same questions round after round, and tells every answer."""

from collections.abc import Callable, Sequence

from simulators.clock import Clock
from simulators.modbus_pdu import ILLEGAL_ADDRESS, ILLEGAL_VALUE
from simulators.recorded.asking import Asker
from simulators.recorded.questions import halves
from simulators.recorded.recording import Answer, Ask

Tell = Callable[[Answer], None]
Plan = Sequence[tuple[Ask, list[Ask]]]


async def record_modbus(
    asker: Asker, plan: Plan, *, rounds: int, every_s: float, pause_s: float, clock: Clock,
    tell: Tell,
) -> None:  # fmt: skip
    """Ask.

    Args:
        asker: of the device, open.
        plan: blocks, and what is asked instead of each that is refused: its values, or halves.
        rounds: how often.
        every_s: between the beginnings of two rounds, or as long as one takes.
        pause_s: quiet between two questions.
        clock: of times between, and of the pauses.
        tell: takes each answer at once.
    """
    began_s = clock.elapsed_s()
    asks: list[Ask] = []
    for number in range(rounds):
        await clock.sleep(began_s + number * every_s - clock.elapsed_s())
        queue = [(ask, instead, bool(instead)) for ask, instead in plan] if number == 0 else []
        queue = queue or [(ask, [], True) for ask in asks]
        while queue:
            ask, instead, is_settled = queue.pop(0)
            asked_s = clock.elapsed_s()
            cells, exception = await asker.ask(ask)
            took_s = clock.elapsed_s() - asked_s
            tell(Answer(number, _ms(asked_s - began_s), _ms(took_s), ask, cells, exception))
            if number == 0:
                asks.append(ask)
                if exception in {ILLEGAL_ADDRESS, ILLEGAL_VALUE}:
                    instead = instead if is_settled else halves(ask)
                    queue[:0] = [(part, [], is_settled) for part in instead if part != ask]
            await clock.sleep(pause_s)


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))
