"""First-order propagation of uncertainty (JCGM 100:2008, GUM): what is random, what is common.

Random contributions are independent of all others: their squares add (GUM Eq. 10). Contributions
of one common source (a weighbridge, a laboratory, a factor of one table) err together: they add
with their signs, their sum's square enters (GUM Eq. 16 with correlation +1). Sources are
independent of each other. A common error of a stock-take may so cancel, and that of ten loads over
one weighbridge does not shrink with their number.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import isqrt

from edge.calc.root import root

#: coverage factor of what is printed: about 95 % of a normal distribution (GUM 6.3.3)
COVERAGE = 2
PLACES = 2  # printed decimals of tonnes and percent; rounded up (GUM 7.2.6)

STANDARD, EXPANDED, LIMITS = "standard", "expanded", "limits"
#: what a stated uncertainty can mean
MEANINGS = (STANDARD, EXPANDED, LIMITS)


def standard(stated: Fraction, means: str, k: Fraction | None) -> Fraction:
    """The standard uncertainty of a stated one.

    Args:
        stated: above zero, of any unit.
        means: "standard" as it is; "expanded" ÷ k; "limits" (a maximum permissible error, a
            tolerance, a resolution: the half width) ÷ √3, the rectangular distribution (GUM 4.3.7).
        k: coverage factor of an expanded one.
    """
    if means == LIMITS:
        return stated * root(Fraction(1, 3))
    return stated / k if means == EXPANDED and k is not None else stated


@dataclass(frozen=True)
class Contribution:
    """What one uncertainty of one parameter does to a result.

    Attributes:
        amount: sensitivity × standard uncertainty, with the sensitivity's sign; unit of the result.
        source: name of what it has in common with others, "" when it is independent of all.
        dof: degrees of freedom it was estimated with; None for a value that is not estimated
            from a sample, counted as endless.
    """

    amount: Fraction
    source: str = ""
    dof: int | None = None


@dataclass
class Spread:
    """Contributions to one result, or to a sum of results.

    Attributes:
        random: sum of squares of the independent ones.
        common: sum with signs, by source.
    """

    random: Fraction = Fraction(0)
    common: dict[str, Fraction] = field(default_factory=dict)
    _random_by_dof: Fraction = Fraction(0)  # sum of fourth powers ÷ degrees of freedom
    _common_dof: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, contributions: Iterable[Contribution]) -> "Spread":
        """Of one result."""
        spread = cls()
        for each in contributions:
            if each.source:
                spread.common[each.source] = spread.common.get(each.source, 0) + each.amount
                spread._limit(each.source, each.dof)
            else:
                spread.random += each.amount**2
                spread._random_by_dof += each.amount**4 / each.dof if each.dof else 0
        return spread

    def add(self, other: "Spread", sign: int) -> None:
        """Take another result's contributions into the sum."""
        self.random += other.random
        self._random_by_dof += other._random_by_dof
        for source, amount in other.common.items():
            self.common[source] = self.common.get(source, Fraction(0)) + sign * amount
            self._limit(source, other._common_dof.get(source))

    def _limit(self, source: str, dof: int | None) -> None:
        """A source's degrees of freedom are the fewest that any of its contributions has."""
        if dof is not None:
            self._common_dof[source] = min(dof, self._common_dof.get(source, dof))

    @property
    def square(self) -> Fraction:
        """The combined standard uncertainty's square."""
        return self.random + sum((x**2 for x in self.common.values()), Fraction(0))

    @property
    def dof(self) -> int | None:
        """Effective degrees of freedom, cut to the whole below (GUM G.4.1, Welch-Satterthwaite).

        None when nothing was estimated from a sample.
        """
        parts = self._random_by_dof
        for source, dof in self._common_dof.items():
            parts += self.common[source] ** 4 / dof
        return int(self.square**2 / parts) if parts else None


@dataclass(frozen=True)
class Assessment:
    """The uncertainty of one line, as far as it was given.

    Attributes:
        spread: of its emission in t.
        activity: of its emission in t, by what was counted alone; None unless all of it is given.
        assessed, not_assessed, by_convention: names of the line's inputs.
        components: each entry with what it contributes.
    """

    spread: Spread
    activity: Spread | None
    assessed: tuple[str, ...]
    not_assessed: tuple[str, ...]
    by_convention: tuple[str, ...]
    components: tuple[Mapping[str, str], ...] = ()

    @property
    def is_complete(self) -> bool:
        """Every input of the line has one."""
        return not self.not_assessed


def root_up_text(square: Fraction, places: int = PLACES) -> str:
    """The square root, rounded up: never less than it is; exact in every digit."""
    wanted = square * 10 ** (2 * places)
    whole = -(-wanted.numerator // wanted.denominator)
    count = isqrt(whole)
    if count * count < wanted:
        count += 1
    digits = str(count).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits
