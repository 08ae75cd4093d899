"""What a month of a steelworks says beside its readings. Its statement section goes here."""

from simulators.month_config import Said

SAID = Said(
    title="Simulated steelworks",
    sector="steel",
    # As of a kiln line: by this rule set frames are made, and as nothing is stated it makes no
    # figure.
    rules="cets-ag-04.01-v01-2024",
    statement={},
)
