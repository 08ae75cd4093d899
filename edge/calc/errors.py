"""What can be wrong with a calculation's input. One line a class: who acts on it.

CalcError (a ValueError)
├── PlantError             the signed configuration cannot be calculated with (engineer)
├── StatementError         a statement's input is wrong; names every key (accountant)
├── InputError             a method's inputs are wrong; names every key (whoever asked)
└── UnknownRuleSetError    rule set or edition this program does not have: "cannot decide"
"""

from collections.abc import Sequence


class CalcError(ValueError):
    """Base of everything edge.calc raises about its input."""


class PlantError(CalcError):
    """The configuration of this plant cannot be calculated with."""


class InputError(CalcError):
    """Inputs are wrong.

    Attributes:
        problems: one "key: reason" each, all of them.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class StatementError(InputError):
    """The input of a statement is wrong."""


class UnknownRuleSetError(CalcError):
    """No rule set of this name is in this program."""
