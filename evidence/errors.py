"""What can be wrong with evidence. One line a class: who acts on it.

    EvidenceError
    ├── MalformedError        the bytes are not what FORMAT.md allows (nobody repairs them: refuse)
    ├── SignatureError        the bytes are well formed but not signed by the key they name
    ├── UnknownSuiteError     newer or foreign cryptography: the verdict is "cannot decide"
    ├── UnsupportedError      a format or method version newer than this program: "cannot decide"
    ├── KeyFileError          a file of a key, certificate or order cannot be used (operator)
    │   └── TokenAwayError    the token that holds the key is not there now
    ├── KeyRefusedError       a key does not count at its object's place (`evidence.custody`)
    ├── ChainError            an object does not continue its stream
    └── LimitError            a size, depth or count beyond the limits of FORMAT.md

Parsers in this room raise nothing else on hostile bytes (a fuzz test holds them to it).
ScratchError is none of these: it says nothing about evidence, and must become no finding.
Misuse by a caller raises ValueError or TypeError as anywhere in Python.
"""


class EvidenceError(Exception):
    """Base of everything this room raises about evidence."""


class MalformedError(EvidenceError):
    """The bytes are not what FORMAT.md allows."""


class SignatureError(EvidenceError):
    """The signature does not belong to these bytes and this key."""


class UnknownSuiteError(EvidenceError):
    """The object names a crypto suite this program does not know."""


class UnsupportedError(EvidenceError):
    """The object names a format or method version this program does not know."""


class KeyFileError(EvidenceError):
    """A file of a key, certificate or order is missing, too open, or not what it must be."""


class TokenAwayError(KeyFileError):
    """The token that holds the key is not there, or does not answer: it may be later."""


class ChainError(EvidenceError):
    """A frame does not continue its stream."""


class LimitError(EvidenceError):
    """Something is larger, deeper or more numerous than FORMAT.md allows."""


class ScratchError(OSError):
    """The disk refuses temporary files (operator)."""

    def __init__(self, reason: object) -> None:
        super().__init__(
            f"temporary files: {reason}. Make room, or set TMPDIR to a folder of a disk with room "
            "for three times the archive's log"
        )
