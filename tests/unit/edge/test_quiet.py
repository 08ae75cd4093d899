"""How often a thing is said, whoever makes it happen how often."""

from edge.quiet import Quiet


def test_once_a_minute_for_each_kind() -> None:
    quiet = Quiet()
    said = [now_s for now_s in range(600) if quiet.may("a", now_s)]
    assert said == list(range(0, 600, 60))
    assert quiet.may("b", 0)


def test_once_until_armed_and_no_more_than_once_a_minute() -> None:
    quiet = Quiet()
    assert [now_s for now_s in range(600) if quiet.once("a", now_s)] == [0]
    quiet.arm()
    assert [now_s for now_s in range(600, 1200) if quiet.once("a", now_s)] == [600]
    said = []
    for now_s in range(1200, 1500):
        quiet.arm()
        said += [now_s] if quiet.once("a", now_s) else []
    assert said == [1200, 1260, 1320, 1380, 1440]
