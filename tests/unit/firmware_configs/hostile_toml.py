"""Files that end a TOML parser otherwise than with its own error, for the tests of all loaders."""

DEEP_LIST = "a = " + "[" * 3000 + "]" * 3000
OPEN_LIST = "a = " + "[" * 3000
DEEP_TABLE = ".".join("a" * 3000) + " = 1"
LONG_NUMBER = "a = " + "9" * 5000
LONG_HEX = "a = 0x" + "f" * 5000

HOSTILE_TOML = [DEEP_LIST, OPEN_LIST, DEEP_TABLE, LONG_NUMBER, LONG_HEX]


def assert_plain(sentence: str) -> None:
    """The sentence is short and has nothing of Python in it."""
    assert len(sentence) < 400
    for word in ("Error", "recursion", "sys.", "digits", "Traceback", "codec", "0x"):
        assert word not in sentence
