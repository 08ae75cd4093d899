"""What a month of a kiln line says beside its readings."""

from simulators.month_config import Said

#: Alternative fuel is no fuel of the rule set, and there is no clinker meter: neither has a line.
SAID = Said(
    title="Simulated cement kiln line",
    sector="cement",
    rules="cets-ag-02.01-v01-2024",
    statement={
        "fuels": [
            {
                "kind": "bituminous", "rule": "totaliser", "use": "kiln",
                "point": f"{feeder}.total", "flow_point": f"{feeder}.feed",
            }
            for feeder in ("coal-kiln", "coal-calciner")
        ],
        "kiln_feed": {
            "kind": "portland", "flow_point": "kiln-feed.feed", "meal_per_clinker": "1.65",
            "source": "typed for the simulated month; dust of 7 % comes back and is weighed again",
        },
    },
)  # fmt: skip
