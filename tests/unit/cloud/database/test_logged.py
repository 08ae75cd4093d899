"""`LoggedHashes`: every state keeps what it had, whatever is added to it, or dropped and added."""

from cloud.database.logged import LoggedHashes


def test_each_state_sees_its_own_beginning() -> None:
    none = LoggedHashes()
    one = none.adding(b"a", 3)
    two = one.adding(b"b", 5)
    assert [dict(state) for state in (none, one, two)] == [{}, {b"a": 3}, {b"a": 3, b"b": 5}]
    assert b"b" not in one
    assert one.get(b"b") is None
    other = one.adding(b"c", 5)  # the commit of b failed: another takes its place
    assert (dict(other), dict(two)) == ({b"a": 3, b"c": 5}, {b"a": 3, b"b": 5})
    assert other.adding(b"b", 6)[b"b"] == 6
    assert two.adding(b"a", 9) is two
    assert list(other.adding(b"b", 6).items()) == [(b"a", 3), (b"c", 5), (b"b", 6)]
