"""The query of an OPC UA url: what it may say, what it means when it says nothing."""

import pytest

from edge.drivers.opcua.options import KEEPALIVE_MS, LIFETIME_MS, NAMES, Options, read_options


def test_nothing_said_is_reading() -> None:
    assert read_options({}) == Options(False, 250, 100, 10)
    assert read_options({"mode": "read"}) == Options(False, 250, 100, 10)


def test_subscriptions_have_defaults_and_take_other_numbers() -> None:
    assert read_options({"mode": "subscribe"}) == Options(True, 250, 100, 10)
    said = {"mode": "subscribe", "publishing_ms": "1000", "sampling_ms": "500", "queue": "1"}
    assert read_options(said) == Options(True, 1000, 500, 1)


def test_a_dead_subscription_is_known_long_before_the_server_forgets_it() -> None:
    assert 3 * KEEPALIVE_MS < LIFETIME_MS


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"mode": "push"}, "mode 'push' is not one of read subscribe"),
        ({"mode": ""}, "mode '' is not one of read subscribe"),
        ({"queue": "10"}, "queue has no effect without mode=subscribe"),
        ({"mode": "read", "sampling_ms": "100"}, "sampling_ms has no effect without"),
        ({"mode": "subscribe", "queue": "0"}, "queue '0' is not a whole number in 1..1000"),
        ({"mode": "subscribe", "queue": "1001"}, "in 1..1000"),
        ({"mode": "subscribe", "sampling_ms": "9"}, "in 10..60000"),
        ({"mode": "subscribe", "sampling_ms": "1e3"}, "in 10..60000"),
        ({"mode": "subscribe", "sampling_ms": "-100"}, "in 10..60000"),
        ({"mode": "subscribe", "sampling_ms": "²"}, "in 10..60000"),
        ({"mode": "subscribe", "publishing_ms": "49"}, "in 50..10000"),
        ({"mode": "subscribe", "publishing_ms": ""}, "in 50..10000"),
        ({"mode": "subscribe", "publishing_ms": "9" * 5000}, "in 50..10000"),
    ],
)
def test_what_cannot_work_is_named(said: dict[str, str], sentence: str) -> None:
    assert set(said) <= set(NAMES)
    with pytest.raises(ValueError, match=sentence.replace(".", r"\.")):
        read_options(said)


@pytest.mark.parametrize(
    ("publishing_ms", "keepalives", "lifetimes"),
    [(250, 20, 240), (1000, 5, 60), (50, 100, 1200), (10_000, 1, 6)],
)
def test_keep_alive_every_5_s_and_life_of_a_minute_in_publishing_intervals(
    publishing_ms: int, keepalives: int, lifetimes: int
) -> None:
    """A life is at least three keep-alives (OPC UA Part 4, 5.14.2.2: lifetime count)."""
    options = Options(is_subscribing=True, publishing_ms=publishing_ms)
    assert (options.keepalives, options.lifetimes) == (keepalives, lifetimes)
    assert options.lifetimes >= 3 * options.keepalives
    assert options.publishing_s == publishing_ms / 1000
