"""What stays is left out of searches for cycles until a day is over; then all is searched."""

import subprocess
import sys

#: a process of its own: it searches, and lets go of, all that the tests of this one hold
_CHILD = """
import gc, weakref
from cloud.settled import WHOLE_S, settled

class Ring:  # ends only by a search
    def __init__(self):
        self.itself = self

now_s, ring, new = 0.0, Ring(), Ring()
ends, new_ends = weakref.ref(ring), weakref.ref(new)
with settled(lambda: now_s):
    gc.collect()
    del ring
    gc.collect()
    assert ends() is not None
    now_s = WHOLE_S
    gc.collect()  # of what is new; it lets go of all for the next
    gc.collect()
    assert ends() is None
    gc.collect()
    del new
    gc.collect()
    assert new_ends() is not None  # the next day has begun
gc.collect()
assert new_ends() is None
"""


def test_what_stayed_is_searched_again_once_a_day() -> None:
    subprocess.run([sys.executable, "-c", _CHILD], check=True)
