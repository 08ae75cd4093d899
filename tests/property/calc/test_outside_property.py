"""Time outside production against a sum over pairs of samples, however the series is cut."""

from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.calc.effects.outside import UNNAMED, OutsideTime

S = 10**9
NAMES = ({0: "unknown", 1: "producing", 3: "start-up"}, {1: "producing", 3: "stopped"})
MERGE_S, PRODUCING = 5, 1


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_time_by_state_is_the_sum_over_pairs(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 40))
    steps = data.draw(st.lists(st.sampled_from([1, 1, 1, 4, 5, 6, 20]), min_size=n, max_size=n))
    ticks = np.cumsum(steps).astype(np.int64) * S
    row = st.lists(st.sampled_from([0, 1, 1, 1, 3, 9]), min_size=n, max_size=n)
    states = np.array([data.draw(row) for _ in NAMES], dtype=np.int64)
    mostly = st.lists(st.sampled_from([True] * 6 + [False]), min_size=n, max_size=n)
    ok = np.array([data.draw(mostly) for _ in NAMES])
    cuts = sorted({0, n, *data.draw(st.sets(st.integers(0, n), max_size=6))})

    time = OutsideTime(NAMES, MERGE_S * S)
    for first, last in pairwise(cuts):
        part = slice(first, last)
        at_work = ok[:, part] & (states[:, part] == PRODUCING)
        time.feed(ticks[part], states[:, part], ok[:, part], at_work)

    for point, names in enumerate(NAMES):
        usable = [(int(ticks[i]), int(states[point, i])) for i in range(n) if ok[point, i]]
        expected: Counter[str] = Counter()
        for (t, state), (later, _) in pairwise(usable):
            if state != PRODUCING and later - t <= MERGE_S * S:
                expected[names.get(state, UNNAMED)] += later - t
        assert dict(time.of(point)) == expected
