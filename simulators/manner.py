"""How a simulated device behaves just now: well, or as a fault makes it. Plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Manner:
    """What is wrong with a device's answers; nothing, unless said.

    Attributes:
        is_silent: questions are heard and not answered.
        slow_s: each answer takes so long, one question after another.
        late_s: each answer comes so much later, whatever is asked meanwhile.
        is_short: an answer lacks its last register.
        exception: each question is answered with this exception code (OPC UA: a bad status).
        cuts: how many times so far the links open at that moment have died without a word.
        swapped: registers, by name, whose words stand in reverse order.
        bounded: registers, by name, that show their type's end for a value beyond it.
        clock_s: so far its own clock is ahead; what carries a time carries that.
        certificate: the how manyeth certificate it shows, from 0 on.
        settings: what it says of itself instead of what it was told to say.
    """

    is_silent: bool = False
    slow_s: float = 0.0
    late_s: float = 0.0
    is_short: bool = False
    exception: int | None = None
    cuts: int = 0
    swapped: frozenset[str] = frozenset()
    bounded: frozenset[str] = frozenset()
    clock_s: float = 0.0
    certificate: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)


WELL = Manner()
