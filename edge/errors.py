"""What can go wrong at the edge. One line a class: who acts on it.

    EdgeError
    ├── SiteConfigError      the site file is wrong (engineer: every problem is listed)
    ├── SpoolError           the spool cannot keep readings (engineer: disk full or damaged)
    │   ├── AlteredError     the disk has changed a signed object (engineer: a new device's steps)
    │   ├── OtherFormatError another program version wrote the spool (engineer)
    │   ├── UnmadeError     its file is empty: the agent is just starting (engineer)
    │   └── HeldError        nothing may be signed for now: frames wait in the spool (engineer)
    │       └── KeyAwayError the gateway's key is in a token that does not sign (engineer)
    ├── SpoolGoneError       the spool's file is no longer at its place (engineer: the agent ends)
    ├── ExportError          what is asked for is not in the spool (engineer)
    └── NotOursError         a message is not for this gateway or not signed by the pinned
        │                    collector (nobody: counted and ignored)
        ├── OthersError      it is for another gateway (nobody)
        ├── ForkError        the collector holds another stream (engineer: a new device's steps)
        └── TwoLogsError     the collector has signed two histories (plant and reviewers: alarm)

Device errors are `edge.drivers.base.DeviceError`.
"""

from collections.abc import Sequence

from firmware_configs.fields import Problem

#: how a stream goes on whose spool can no longer deliver it
NEW_DEVICE = (
    "What to do: 1. make a new key (stackproof keys csr) and certify it (stackproof keys enrol); "
    "2. have the root sign a replace order (stackproof keys replace) with what stackproof cloud "
    "stream prints; 3. put certificate and order into the collector's key folder and run "
    "stackproof cloud keys; 4. under [gateway] name key, certificate, root, and the order as "
    "continues; 5. stop the agent, set state_dir aside and start with an empty one. What is read "
    "until then is kept here and never counts at the collector: keep the old state_dir"
)

_OTHER_PROGRAM = (
    "To go on with this one, let that one run until stackproof edge status says that 0 objects "
    f"wait for a receipt, and stop it. {NEW_DEVICE}"
)


class EdgeError(Exception):
    """Base of the agent's own errors."""


class SiteConfigError(EdgeError):
    """The site file is wrong.

    Attributes:
        problems: all of them, in the order of the file.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class SpoolError(EdgeError):
    """The spool cannot keep readings."""


class AlteredError(SpoolError):
    """The disk has changed an object that waits for a receipt.

    Attributes:
        seq: which.
    """

    def __init__(self, where: object, seq: int) -> None:
        super().__init__(
            f"{where}: the disk has altered seq {seq}: it cannot be delivered, nor what is behind "
            f"it; what is before is. {NEW_DEVICE}"
        )
        self.seq = seq


class OtherFormatError(SpoolError):
    """Another version of the program wrote the spool."""

    def __init__(self, where: object, version: int, own: int, *, becomes: bool) -> None:
        said = f"{where}: spool format {version}; this program knows {own}. "
        if becomes:
            said += "The agent of this program takes it over when it starts (stackproof edge run)"
        elif version > own:
            said += f"A newer program wrote it: start that one again. {_OTHER_PROGRAM}"
        else:
            said += f"An older program wrote it: start that one again. {_OTHER_PROGRAM}"
        super().__init__(said)


class UnmadeError(SpoolError):
    """The spool's file is there, and nothing is laid out in it yet."""

    def __init__(self, where: object) -> None:
        super().__init__(
            f"{where}: nothing is laid out in it yet. An agent that starts for the first time does "
            "so within a second: ask again, and start the agent (stackproof edge run) if this stays"
        )


class HeldError(SpoolError):
    """Nothing may be signed for now: nothing was made, and frames wait in the spool."""


class KeyAwayError(HeldError):
    """The gateway's key does not sign."""

    def __init__(self, reason: object) -> None:
        super().__init__(f"the gateway's key does not sign: {reason}")


class SpoolGoneError(EdgeError):
    """The spool's file was deleted, moved or replaced under the agent that writes it."""


class ExportError(EdgeError):
    """The spool does not hold what is asked for."""


class NotOursError(EdgeError):
    """A message from the collector's side that this gateway must not act on."""


class OthersError(NotOursError):
    """A message of the collector for another gateway."""


class ForkError(NotOursError):
    """The collector holds objects of this gateway that this spool never made, or made otherwise.

    Attributes:
        seq: the newest of them.
    """

    def __init__(self, seq: int, sentence: str) -> None:
        super().__init__(sentence)
        self.seq = seq


class TwoLogsError(NotOursError):
    """The collector has signed a log that is no continuation of the one it showed before.

    Attributes:
        shown: size and root of the log it shows now.
        held: size and root of the log this gateway has seen.
    """

    def __init__(self, shown: tuple[int, bytes], held: tuple[int, bytes]) -> None:
        super().__init__(
            f"the collector shows two logs: that of {shown[0]} entries with root "
            f"{shown[1].hex()[:16]} does not continue that of {held[0]} entries with root "
            f"{held[1].hex()[:16]}"
        )
        self.shown, self.held = shown, held
