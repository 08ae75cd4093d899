"""Parameters of the AGA8 DETAIL equation: numbers as NIST's program has them, and nothing else.

Read in github usnistgov/AGA8 (AGA8CODE/C/Detail.cpp, E. W. Lemmon and I. H. Bell, NIST), a work of
the United States' government; that program's printed test values hold with them.
"""

from decimal import Decimal
from typing import NamedTuple


class Term(NamedTuple):
    """One of the 58 terms: a, exponents of density b and k, of temperature u, and its flags."""

    a: Decimal
    b: int
    k: int
    u_twice: int
    flags: str


class Component(NamedTuple):
    """A gas: molar mass in kg/kmol, energy in K, size in (m3/kmol)^(1/3), and what else it has."""

    molar_mass: Decimal
    energy: Decimal
    size: Decimal
    orientation: Decimal
    quadrupole: Decimal
    high_temperature: Decimal
    dipole: Decimal
    association: Decimal


class Pair(NamedTuple):
    """What two gases are to each other; 1 of each is nothing."""

    energy: Decimal
    conformal: Decimal
    size: Decimal
    orientation: Decimal


NO_PAIR = Pair(*[Decimal(1)] * 4)


def _rows(text: str) -> list[list[str]]:
    return [row.split() for row in text.split(";")]


#: a b k u flags (f high temperature, g orientation, q quadrupole, s dipole, w association)
TERMS = tuple(
    Term(Decimal(a), int(b), int(k), int(2 * Decimal(u)), flags)
    for a, b, k, u, flags in _rows("""
    0.1538326 1 0 0 -; 1.341953 1 0 0.5 -; -2.998583 1 0 1 -; -0.04831228 1 0 3.5 -;
    0.3757965 1 0 -0.5 g; -1.589575 1 0 4.5 g; -0.05358847 1 0 0.5 q; 0.88659463 1 0 7.5 s;
    -0.71023704 1 0 9.5 s; -1.471722 1 0 6 w; 1.32185035 1 0 12 w; -0.78665925 1 0 12.5 w;
    0.00000000229129 1 3 -6 f; 0.1576724 1 2 2 -; -0.4363864 1 2 3 -; -0.04408159 1 2 2 q;
    -0.003433888 1 4 2 -; 0.03205905 1 4 11 -; 0.02487355 2 0 -0.5 -; 0.07332279 2 0 0.5 -;
    -0.001600573 2 2 0 -; 0.6424706 2 2 4 -; -0.4162601 2 2 6 -; -0.06689957 2 4 21 -;
    0.2791795 2 4 23 g; -0.6966051 2 4 22 q; -0.002860589 2 4 -1 f; -0.008098836 3 0 -0.5 q;
    3.150547 3 1 7 g; 0.007224479 3 1 -1 f; -0.7057529 3 2 6 -; 0.5349792 3 2 4 g;
    -0.07931491 3 3 1 g; -1.418465 3 3 9 g; -5.99905E-17 3 4 -13 f; 0.1058402 3 4 21 -;
    0.03431729 3 4 8 q; -0.007022847 4 0 -0.5 -; 0.02495587 4 0 0 -; 0.04296818 4 2 2 -;
    0.7465453 4 2 7 -; -0.2919613 4 2 9 q; 7.294616 4 4 22 -; -9.936757 4 4 23 -;
    -0.005399808 5 0 1 -; -0.2432567 5 2 9 -; 0.04987016 5 2 3 q; 0.003733797 5 4 8 -;
    1.874951 5 4 23 q; 0.002168144 6 0 1.5 -; -0.6587164 6 2 5 g; 0.000205518 7 0 -0.5 q;
    0.009776195 7 2 4 -; -0.02048708 8 1 7 g; 0.01557322 8 2 3 -; 0.006862415 8 2 0 g;
    -0.001226752 9 2 1 -; 0.002850908 9 2 0 q
""")
)
#: name, molar mass, E, K, G, Q, F, S, W
COMPONENTS = {
    name: Component(*map(Decimal, values))
    for name, *values in _rows("""
    methane 16.043 151.3183 0.4619255 0 0 0 0 0;
    nitrogen 28.0135 99.73778 0.4479153 0.027815 0 0 0 0;
    carbon_dioxide 44.01 241.9606 0.4557489 0.189065 0.69 0 0 0;
    ethane 30.07 244.1667 0.5279209 0.0793 0 0 0 0;
    propane 44.097 298.1183 0.583749 0.141239 0 0 0 0;
    isobutane 58.123 324.0689 0.6406937 0.256692 0 0 0 0;
    n_butane 58.123 337.6389 0.6341423 0.281835 0 0 0 0;
    isopentane 72.15 365.5999 0.6738577 0.332267 0 0 0 0;
    n_pentane 72.15 370.6823 0.6798307 0.366911 0 0 0 0;
    hexane 86.177 402.636293 0.7175118 0.289731 0 0 0 0;
    heptane 100.204 427.72263 0.7525189 0.337542 0 0 0 0;
    octane 114.231 450.325022 0.784955 0.383381 0 0 0 0;
    nonane 128.258 470.840891 0.8152731 0.427354 0 0 0 0;
    decane 142.285 489.558373 0.8437826 0.469659 0 0 0 0;
    hydrogen 2.0159 26.95794 0.3514916 0.034369 0 1 0 0;
    oxygen 31.9988 122.7667 0.4186954 0.021 0 0 0 0;
    carbon_monoxide 28.01 105.5348 0.4533894 0.038953 0 0 0 0;
    water 18.0153 514.0156 0.3825868 0.3325 1.06775 0 1.5822 1;
    hydrogen_sulfide 34.082 296.355 0.4618263 0.0885 0.633276 0 0.39 0;
    helium 4.0026 2.610111 0.3589888 0 0 0 0 0; argon 39.948 119.6299 0.4216551 0 0 0 0 0
""")
}
#: two names, E*, U, K, G*
PAIRS = {
    (one, other): Pair(*map(Decimal, values))
    for one, other, *values in _rows("""
    methane nitrogen 0.97164 0.886106 1.00363 1;
    methane carbon_dioxide 0.960644 0.963827 0.995933 0.807653;
    methane propane 0.994635 0.990877 1.007619 1; methane isobutane 1.01953 1 1 1;
    methane n_butane 0.989844 0.992291 0.997596 1; methane isopentane 1.00235 1 1 1;
    methane n_pentane 0.999268 1.00367 1.002529 1; methane hexane 1.107274 1.302576 0.982962 1;
    methane heptane 0.88088 1.191904 0.983565 1; methane octane 0.880973 1.205769 0.982707 1;
    methane nonane 0.881067 1.219634 0.981849 1; methane decane 0.881161 1.233498 0.980991 1;
    methane hydrogen 1.17052 1.15639 1.02326 1.95731; methane carbon_monoxide 0.990126 1 1 1;
    methane water 0.708218 1 1 1; methane hydrogen_sulfide 0.931484 0.736833 1.00008 1;
    nitrogen carbon_dioxide 1.02274 0.835058 0.982361 0.982746;
    nitrogen ethane 0.97012 0.816431 1.00796 1; nitrogen propane 0.945939 0.915502 1 1;
    nitrogen isobutane 0.946914 1 1 1; nitrogen n_butane 0.973384 0.993556 1 1;
    nitrogen isopentane 0.95934 1 1 1; nitrogen n_pentane 0.94552 1 1 1;
    nitrogen hydrogen 1.08632 0.408838 1.03227 1; nitrogen oxygen 1.021 1 1 1;
    nitrogen carbon_monoxide 1.00571 1 1 1; nitrogen water 0.746954 1 1 1;
    nitrogen hydrogen_sulfide 0.902271 0.993476 0.942596 1;
    carbon_dioxide ethane 0.925053 0.96987 1.00851 0.370296; carbon_dioxide propane 0.960237 1 1 1;
    carbon_dioxide isobutane 0.906849 1 1 1; carbon_dioxide n_butane 0.897362 1 1 1;
    carbon_dioxide isopentane 0.726255 1 1 1; carbon_dioxide n_pentane 0.859764 1 1 1;
    carbon_dioxide hexane 0.855134 1.066638 0.910183 1;
    carbon_dioxide heptane 0.831229 1.077634 0.895362 1;
    carbon_dioxide octane 0.80831 1.088178 0.881152 1;
    carbon_dioxide nonane 0.786323 1.098291 0.86752 1;
    carbon_dioxide decane 0.765171 1.108021 0.854406 1; carbon_dioxide hydrogen 1.28179 1 1 1;
    carbon_dioxide carbon_monoxide 1.5 0.9 1 1; carbon_dioxide water 0.849408 1 1 1.67309;
    carbon_dioxide hydrogen_sulfide 0.955052 1.04529 1.00779 1;
    ethane propane 1.02256 1.065173 0.986893 1; ethane isobutane 1 1.25 1 1;
    ethane n_butane 1.01306 1.25 1 1; ethane isopentane 1 1.25 1 1;
    ethane n_pentane 1.00532 1.25 1 1; ethane hydrogen 1.16446 1.61666 1.02034 1;
    ethane water 0.693168 1 1 1; ethane hydrogen_sulfide 0.946871 0.971926 0.999969 1;
    propane n_butane 1.0049 1 1 1; propane hydrogen 1.034787 1 1 1; isobutane hydrogen 1.3 1 1 1;
    n_butane hydrogen 1.3 1 1 1; hexane hydrogen_sulfide 1.008692 1.028973 0.96813 1;
    heptane hydrogen_sulfide 1.010126 1.033754 0.96287 1;
    octane hydrogen_sulfide 1.011501 1.038338 0.957828 1;
    nonane hydrogen_sulfide 1.012821 1.042735 0.952441 1;
    decane hydrogen_sulfide 1.014089 1.046966 0.948338 1; hydrogen carbon_monoxide 1.1 1 1 1
""")
}
