"""What can go wrong at the edge. One line a class: who acts on it.

    EdgeError
    ├── SiteConfigError      the site file is wrong (engineer: every problem is listed)
    ├── SpoolError           the spool cannot keep readings (engineer: disk full or damaged)
    └── NotOursError         a message from the broker is not for this gateway or not signed by the
                             pinned collector (nobody: counted and ignored)

Device errors are `edge.drivers.base.DeviceError`.
"""

from collections.abc import Sequence

from firmware_configs.fields import Problem


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


class NotOursError(EdgeError):
    """A message from the broker that this gateway must not act on."""
