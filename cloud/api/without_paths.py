"""Sentences for people elsewhere: where the collector has a file is not theirs to know.

The whole sentence is for the collector's log; what is told names the file alone. Pure.
"""

import re

#: an absolute path, from its first folder to its last name
_PATH = re.compile(r"(?<![\w./:])/(?:[^\s/:;,()'\"]+/)*([^\s/:;,()'\"]+)")


def without_paths(sentence: str) -> str:
    """A sentence with the name of each file instead of its path."""
    return _PATH.sub(r"\1", sentence)
