"""What a library calls of ours on its own thread, which an exception of ours would end. Pure.

A defect of ours is told as ours, with its traceback, and not as the broker's.
"""

import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

P = ParamSpec("P")


class OwnDefectError(Exception):
    """One of our functions failed, which is logged already; nobody else is to blame."""


class CalledBack:
    """Such functions of one client.

    Attributes:
        defects: how often one of them failed.
    """

    def __init__(self, log: logging.Logger) -> None:
        self.defects, self._log = 0, log

    def of(self, function: Callable[P, None], *, needed: bool = False) -> Callable[P, None]:
        """The function, which fails no more: what it was called for is dropped and logged.

        With `needed` nothing goes on without it: it fails by OwnDefectError alone.
        """

        @wraps(function)
        def called(*given: P.args, **named: P.kwargs) -> None:
            try:
                function(*given, **named)
            except Exception as error:  # whatever it is: it is counted and told
                self.defects += 1
                if self.defects & (self.defects - 1) == 0:  # the 1st, 2nd, 4th, 8th …: no flood
                    self._log.exception(
                        "a defect of stackproof, and not of the broker, in %s (%d so far): what it "
                        "was called for is dropped", function.__name__, self.defects,
                    )  # fmt: skip
                if needed:
                    raise OwnDefectError("it met a defect of stackproof: see the log") from error

        return called
