"""How long before its tick a device is asked: by hand, for a site of one second."""

import pytest

from edge.lead import WINDOW_NS, Lead

S = 10**9
MS = 10**6


@pytest.mark.parametrize(
    ("took_ms", "interval_s", "lead_s"),
    [
        (0, 10, 0),
        (350, 10, 0),  # what is left to the device that is asked last: 0.8 s less nine slots
        (351, 10, 1),
        (1000, 10, 1),
        (1780, 10, 2),
        (8900, 10, 9),
        (9001, 10, 9),  # never before the second after its last tick
        (20_000, 60, 20),
        (5000, 1, 0),  # the quickest devices are asked at their ticks
        (5000, 2, 1),
    ],
)
def test_a_device_is_asked_as_much_earlier_as_it_takes(
    took_ms: int, interval_s: int, lead_s: int
) -> None:
    lead = Lead(S)
    lead.took(took_ms * MS, 0)
    assert lead.ns(interval_s * S) == lead_s * S


def test_at_first_it_is_what_an_answer_may_take_and_then_what_it_took() -> None:
    lead = Lead(S, 30 * S)
    assert lead.ns(60 * S) == 30 * S
    lead.took(2 * S, 5)
    assert lead.ns(60 * S) == 2 * S


def test_the_slowest_of_the_devices_there_decides_for_one_to_two_hours() -> None:
    lead = Lead(S)
    lead.took(7 * S, 0)
    lead.took(2 * S, WINDOW_NS - 1)
    lead.took(2 * S, WINDOW_NS)
    lead.took(2 * S, 2 * WINDOW_NS - 1)
    assert lead.ns(60 * S) == 7 * S
    lead.took(2 * S, 2 * WINDOW_NS)
    assert lead.ns(60 * S) == 2 * S
