"""The streaming detector against the rules applied to whole series, and against itself.

The oracle is a second implementation that knows no state and no stream: one pot's usable samples
are cut into stretches (at silences longer than the merge time and at samples where the pot does
not produce); inside a stretch, rises and their ends are found by looking forward over the list.
Random voltages around the thresholds, holes and silences, pots that leave and enter production,
any rules, any cutting of the series into calls, a snapshot anywhere.
"""

import itertools
from dataclasses import dataclass

import cbor2
import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.calc.effects.anode_effect import Activity, Detector
from edge.calc.effects.pot import Effect, Rules

SECOND = 10**9


# --- the rules over a whole series: no state, no stream; the oracle ---

Sample = tuple[int, int, bool]  # tick_ns, voltage count, producing


@dataclass(frozen=True)
class Stretch:
    """Consecutive producing samples and why they end.

    Attributes:
        times, volts: of the samples.
        why: "gap", "state-change" or "" (end of the data).
        end_ns: where an effect that still runs ends.
    """

    times: list[int]
    volts: list[int]
    why: str
    end_ns: int


@dataclass(frozen=True)
class Rise:
    """One crossing: from the first sample of the rise to the sample that ends it.

    Attributes:
        first: index of the first sample at or above the start voltage.
        last: index of the sample that confirms the end (or the last of the stretch).
        end_ns: start of the final dip, None when the stretch ends before.
    """

    first: int
    last: int
    end_ns: int | None


def stretches(samples: list[Sample], merge_ns: int) -> list[Stretch]:
    """The producing stretches of one pot."""
    result = []
    times: list[int] = []
    volts: list[int] = []
    before: int | None = None
    for tick, volt, producing in samples:
        silent = before is not None and not 0 < tick - before <= merge_ns
        if times and (silent or not producing):
            why = "gap" if silent else "state-change"
            result.append(Stretch(times, volts, why, times[-1] if silent else tick))
            times, volts = [], []
        if producing:
            times, volts = [*times, tick], [*volts, volt]
        before = tick
    if times:
        result.append(Stretch(times, volts, "", times[-1]))
    return result


def rises(stretch: Stretch, rules: Rules) -> list[Rise]:
    """Every confirmed crossing of a stretch, merged or not."""
    found = []
    times, volts = stretch.times, stretch.volts
    at = 0
    while at < len(times):
        if volts[at] < rules.v_start:
            at += 1
            continue
        top = at  # last sample of the unbroken time at or above the start voltage
        while top + 1 < len(times) and volts[top + 1] >= rules.v_start:
            top += 1
        confirmed = [j for j in range(at, top + 1) if times[j] - times[at] >= rules.t_start_ns]
        if not confirmed:
            at = top + 1
            continue
        found.append(_until_end(stretch, rules, at, confirmed[0]))
        at = found[-1].last + 1
    return found


def _until_end(stretch: Stretch, rules: Rules, first: int, confirmed: int) -> Rise:
    times, volts = stretch.times, stretch.volts
    for dip in range(confirmed + 1, len(times)):
        if volts[dip] >= rules.v_end or (volts[dip - 1] < rules.v_end and dip > confirmed + 1):
            continue  # not the first sample of a dip
        for k in range(dip, len(times)):
            if volts[k] >= rules.v_end:
                break
            if times[k] - times[dip] >= rules.t_end_ns:
                return Rise(first, k, times[dip])
    return Rise(first, len(times) - 1, None)


def expected_effects(pot: int, samples: list[Sample], rules: Rules, now_ns: int) -> list[Effect]:
    """All effects of one pot by start, finished or not, as of `now_ns`."""
    result = []
    for stretch in stretches(samples, rules.t_merge_ns):
        groups: list[list[Rise]] = []
        for rise in rises(stretch, rules):
            open_until = groups[-1][-1].end_ns if groups else None
            near = open_until is not None and (
                stretch.times[rise.first] < open_until + rules.t_merge_ns
            )
            if near:
                groups[-1].append(rise)
            else:
                groups.append([rise])
        result += [_effect(pot, stretch, group, rules, now_ns) for group in groups]
    return result


def _effect(pot: int, stretch: Stretch, group: list[Rise], rules: Rules, now_ns: int) -> Effect:
    polarised = integral = 0
    hole = False
    volts_seen = []
    for rise in group:
        times = stretch.times[rise.first : rise.last + 1]
        volts = stretch.volts[rise.first : rise.last + 1]
        volts_seen += volts
        if rise.end_ns is None and stretch.why == "state-change":
            times = [*times, stretch.end_ns]
        for earlier, later, volt in zip(times, times[1:], volts, strict=False):
            hole |= later - earlier > rules.hole_ns
            if volt >= rules.v_end:
                polarised += later - earlier
                integral += (volt - rules.target) * (later - earlier)
    if rules.is_algebraic:
        integral = _algebraic(stretch, group, rules)
    end_ns, flags = group[-1].end_ns, ["hole"] if hole else []
    if end_ns is None:
        silent = not stretch.why and now_ns - stretch.end_ns > rules.t_merge_ns
        why = stretch.why or ("gap" if silent else "running")
        end_ns = None if why == "running" else stretch.end_ns
        flags = sorted([*flags, why])
    return Effect(
        pot, stretch.times[group[0].first], end_ns, polarised, integral, max(volts_seen),
        len(group), tuple(flags),
    )  # fmt: skip


def _algebraic(stretch: Stretch, group: list[Rise], rules: Rules) -> int:
    """Over and below target, from the first rise until the merge time after the last one's end."""
    times, volts = stretch.times, stretch.volts
    ends = [*times[1:], stretch.end_ns]  # a state change ends the last interval, a silence did
    end_ns = group[-1].end_ns
    until = times[-1] + 1 if end_ns is None else end_ns + rules.t_merge_ns
    return sum(
        (volts[j] - rules.target) * (ends[j] - times[j])
        for j in range(group[0].first, len(times))
        if times[j] < until
    )


def expected_producing_ns(samples: list[Sample], merge_ns: int) -> int:
    """Producing time of one pot."""
    pairs = itertools.pairwise(samples)
    return sum(
        later[0] - earlier[0]
        for earlier, later in pairs
        if earlier[2] and 0 < later[0] - earlier[0] <= merge_ns
    )


# --- random cases ---


@dataclass(frozen=True)
class Case:
    """A series of several pots, the rules, and where it is cut into calls."""

    rules: Rules
    ticks: list[int]
    volts: list[list[int]]
    usable: list[list[bool]]
    producing: list[list[bool]]
    cuts: list[int]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    n = draw(st.integers(1, 50))
    pots = draw(st.integers(1, 3))
    steps = draw(st.lists(st.sampled_from([1, 1, 1, 1, 1, 2, 3, 6, 12]), min_size=n, max_size=n))
    ticks = [int(t) * SECOND for t in np.cumsum(steps)]

    def rows(values: st.SearchStrategy[object]) -> list[list[object]]:
        row = st.lists(values, min_size=n, max_size=n)
        return draw(st.lists(row, min_size=pots, max_size=pots))

    v_start = draw(st.sampled_from([8000, 9000]))
    is_algebraic, merge_s = draw(st.booleans()), draw(st.sampled_from([2, 5, 10]))
    rules = Rules(
        v_start=v_start,
        v_end=draw(st.sampled_from([7000, 8000])),
        target=4200,
        t_start_ns=draw(st.integers(0, 3)) * SECOND,
        t_end_ns=draw(st.integers(0, min(3, merge_s) if is_algebraic else 3)) * SECOND,
        t_merge_ns=merge_s * SECOND,
        hole_ns=SECOND * 3 // 2,
        is_algebraic=is_algebraic,
    )
    level = st.sampled_from([3800, 4200, 6999, 7000, 7500, 8000, 8500, 9000, 25000])
    mostly = st.sampled_from([True] * 9 + [False])
    cuts = sorted(draw(st.sets(st.integers(1, max(1, n - 1)), max_size=6)))
    return Case(rules, ticks, rows(level), rows(mostly), rows(mostly), cuts)  # type: ignore[arg-type]  # drawn rows


def arrays(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    return (
        np.array(case.ticks, dtype=np.int64),
        np.array(case.volts, dtype=np.int64),
        np.array(case.usable, dtype=bool),
        np.array(case.producing, dtype=bool),
    )


def run(
    case: Case, cuts: list[int], *, snapshot_at: int | None = None
) -> tuple[Detector, list[Activity], list[Effect]]:
    """Feed a case cut into calls; optionally move the state through CBOR at one cut."""
    ticks, volts, usable, producing = arrays(case)
    detector = Detector(case.rules, len(volts))
    edges = [0, *[c for c in cuts if c < len(ticks)], len(ticks)]
    activities, finished = [], []
    for number, (first, last) in enumerate(itertools.pairwise(edges)):
        if snapshot_at == number:
            state = cbor2.loads(cbor2.dumps(detector.snapshot()))
            detector = Detector(case.rules, len(volts))
            detector.restore(state)
        part = slice(first, last)
        activity = detector.feed(ticks[part], volts[:, part], usable[:, part], producing[:, part])
        activities.append(activity)
        finished += activity.finished
    return detector, activities, finished


def all_effects(detector: Detector, finished: list[Effect], now_ns: int) -> list[Effect]:
    return sorted([*finished, *detector.open_effects(now_ns)], key=lambda e: (e.start_ns, e.pot))


def samples(case: Case, pot: int) -> list[tuple[int, int, bool]]:
    rows = zip(case.ticks, case.volts[pot], case.usable[pot], case.producing[pot], strict=True)
    return [(t, v, p) for t, v, ok, p in rows if ok]


def simple(volts: list[int]) -> Case:
    """One pot at 1 Hz with the demo's rules."""
    n = len(volts)
    rules = Rules(8000, 8000, 4200, 2 * SECOND, 2 * SECOND, 10 * SECOND, SECOND * 3 // 2)
    ticks = [k * SECOND for k in range(1, n + 1)]
    return Case(rules, ticks, [volts], [[True] * n], [[True] * n], [n // 2] if n > 1 else [])


@settings(max_examples=400, deadline=None)
@given(case=cases())
@example(case=simple([4200] * 3 + [25000] * 8 + [4200] * 20))
@example(case=simple([25000] * 4 + [4200] * 3 + [25000] * 4 + [4200] * 3 + [25000]))
@example(case=simple([25000, 25000, 4200, 25000, 25000, 25000, 4200, 25000]))
def test_detector_equals_the_rules_over_the_whole_series(case: Case) -> None:
    detector, _, finished = run(case, case.cuts)
    expected = [
        effect
        for pot in range(len(case.volts))
        for effect in expected_effects(pot, samples(case, pot), case.rules, case.ticks[-1])
    ]
    found = all_effects(detector, finished, case.ticks[-1])
    assert found == sorted(expected, key=lambda e: (e.start_ns, e.pot))


@settings(max_examples=200, deadline=None)
@given(case=cases())
def test_producing_time_equals_the_sum_over_pairs(case: Case) -> None:
    detector, activities, _ = run(case, case.cuts)
    expected = [
        expected_producing_ns(samples(case, pot), case.rules.t_merge_ns)
        for pot in range(len(case.volts))
    ]
    assert detector.producing.total_ns.tolist() == expected
    assert sum(int(a.producing_ns.sum()) for a in activities) == sum(expected)


@settings(max_examples=200, deadline=None)
@given(case=cases(), snapshot_at=st.integers(0, 6))
def test_nothing_depends_on_the_cutting_or_on_a_restart(case: Case, snapshot_at: int) -> None:
    whole, (one,), finished_one = run(case, [])
    ticked, many, finished_many = run(case, list(range(1, len(case.ticks))))
    moved, some, finished_some = run(case, case.cuts, snapshot_at=snapshot_at)
    for detector, activities, finished in (
        (ticked, many, finished_many),
        (moved, some, finished_some),
    ):
        assert finished == finished_one
        assert detector.snapshot() == whole.snapshot()
        for name in ("producing_ns", "polarised_ns", "started"):
            joined = np.concatenate([getattr(a, name) for a in activities])
            np.testing.assert_array_equal(joined, getattr(one, name))
        joined = np.concatenate([a.running for a in activities], axis=1)
        np.testing.assert_array_equal(joined, one.running)


@settings(max_examples=200, deadline=None)
@given(case=cases())
def test_step_sums_equal_the_effects(case: Case) -> None:
    detector, activities, finished = run(case, case.cuts)
    effects = all_effects(detector, finished, case.ticks[-1])
    assert sum(int(a.started.sum()) for a in activities) == len(effects)
    assert sum(int(a.polarised_ns.sum()) for a in activities) == sum(
        e.polarised_ns for e in effects
    )


@settings(max_examples=100, deadline=None)
@given(case=cases())
def test_pots_do_not_disturb_each_other(case: Case) -> None:
    together, _, finished = run(case, case.cuts)
    all_found = all_effects(together, finished, case.ticks[-1])
    for pot in range(len(case.volts)):
        alone = Case(
            case.rules, case.ticks, [case.volts[pot]], [case.usable[pot]],
            [case.producing[pot]], case.cuts,
        )  # fmt: skip
        detector, _, finished = run(alone, case.cuts)
        found = all_effects(detector, finished, case.ticks[-1])
        assert [(e.start_ns, e.end_ns, e.integral) for e in found] == [
            (e.start_ns, e.end_ns, e.integral) for e in all_found if e.pot == pot
        ]


@settings(max_examples=100, deadline=None)
@given(case=cases())
def test_cut_ends_every_running_effect_at_its_last_sample(case: Case) -> None:
    detector, _, _ = run(case, case.cuts)
    open_before = detector.open_effects(case.ticks[-1])
    ended = detector.cut("month-cut")
    assert [e.start_ns for e in ended] == [e.start_ns for e in open_before]
    for effect in ended:
        last = samples(case, effect.pot)[-1][0]
        assert effect.end_ns is not None
        assert effect.end_ns <= last
        if "month-cut" in effect.flags:
            assert effect.end_ns == last
    fresh = Detector(case.rules, len(case.volts))
    assert detector.snapshot() == fresh.snapshot()
