"""Errors of a witness. One line a class: the remedy for its owner."""


class WitnessError(Exception):
    """Base of everything this room raises."""


class WitnessConfigError(WitnessError):
    """The configuration cannot be used: mend it."""


class NotAskedError(WitnessError):
    """A collector does not answer, or says no: ask again later."""


class ForkError(WitnessError):
    """A log does not continue what was kept: keep both notes, and tell people."""
