"""What a month of a kiln line says beside its readings. Its statement section goes here."""

from simulators.month_config import Said

SAID = Said(
    title="Simulated cement kiln line",
    sector="cement",
    # Months are not yet made of frames by the cement rule set; by this one they are, and as nothing
    # is stated, it makes no figure.
    rules="cets-ag-04.01-v01-2024",
    statement={},
)
