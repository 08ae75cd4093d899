"""What stays is searched for cycles once a day: a search holds up every thread.

Python goes through all objects whenever a quarter more have stayed. Of 1,500 plants that took 1.4 s
of CPU each time, without a receipt meanwhile, and found a few dozen objects.
"""

import contextlib
import gc
import time
from collections.abc import Callable, Iterator, Mapping

WHOLE_S = 86_400.0


@contextlib.contextmanager
def settled(now_s: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """What has stayed through a whole search is left out of the next ones; of the whole process.

    Cycles that end after that wait for the search of the day, which goes through all.

    Args:
        now_s: monotonic seconds.
    """
    whole_s = now_s()

    def searched(phase: str, info: Mapping[str, int]) -> None:
        nonlocal whole_s
        if phase != "stop" or info["generation"] != 2:
            return
        if now_s() < whole_s + WHOLE_S:
            gc.freeze()
        else:  # the next one finds all of it again
            gc.unfreeze()
            whole_s = now_s()

    gc.callbacks.append(searched)
    try:
        yield
    finally:
        gc.callbacks.remove(searched)
        gc.unfreeze()
