"""What a month of a steelworks says beside its readings."""

from simulators.month_config import Said


def _counted(kind: str, point: str, **more: str) -> dict[str, str]:
    return {"kind": kind, "rule": "totaliser", "point": point, **more}


def _weighed(word: str, kind: str, shops: dict[str, str]) -> list[dict[str, str]]:
    return [
        {word: kind, "rule": "totaliser", "unit": unit, "point": f"{weigher}.total"}
        for unit, weigher in shops.items()
    ]


#: Lime, limestone, electrodes and what is sold beside steel pass no totaliser: none has a line.
SAID = Said(
    title="Simulated steelworks",
    sector="steel",
    rules="cets-ag-03.01-v01-2024",
    statement={
        "fuels": [
            _counted("washed-coal", "coking-coal.total", flow_point="coking-coal.feed"),
            _counted("bituminous", "bf-coal.total", flow_point="bf-coal.feed"),
        ],
        "process": _weighed(
            "material", "scrap", {"converter": "converter-scrap", "arc-furnace": "arc-scrap"}
        ),
        "products": _weighed(
            "product", "crude-steel", {"converter": "converter-steel", "arc-furnace": "arc-steel"}
        ),
        "burnt": [
            {"kind": f"{gas}-gas", "flow_point": f"energy-centre.{row}"}
            for gas, row in (
                ("blast-furnace", "bf_burnt"), ("coke-oven", "co_burnt"),
                ("converter", "converter_burnt"), ("converter", "shop_flare"),
            )
        ],
        "auxiliary": [_counted("electricity", "grid.energy_import", power_point="grid.power")],
    },
)  # fmt: skip
