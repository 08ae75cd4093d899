"""Text of others made fit to be printed. Pure."""


def printable(text: str) -> str:
    """The text with an escape in place of whatever would end its line or steer a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
