"""Whose turn it is among the addresses of a broker's name."""

from evidence.turns import Turns


def rows(text: str) -> list[tuple[str, str]]:
    """As name servers gave them."""
    return [("inet", address) for address in text]


def tried(turns: Turns, found: str) -> str:
    return "".join(address for _, address in turns.of(rows(found)))


def test_each_begins_with_what_had_no_turn_for_longest() -> None:
    turns = Turns()
    assert [tried(turns, "abc") for _ in range(4)] == ["abc", "bca", "cab", "abc"]


def test_what_turns_by_itself_comes_round_too() -> None:
    """By places alone each of these would begin with a."""
    turns = Turns()
    assert [tried(turns, found)[0] for found in ("ab", "ba", "ab", "ba")] == [*"abab"]
    turns = Turns()
    assert [tried(turns, found)[0] for found in ("abc", "cab", "bca", "abc")] == [*"acba"]


def test_addresses_come_and_go() -> None:
    turns = Turns()
    assert [tried(turns, found) for found in ("a", "a", "ab", "bc", "abc")] == [
        "a", "a", "ba", "cb", "abc",
    ]  # fmt: skip
    assert tried(turns, "aa") == "aa", "one that is named twice"
