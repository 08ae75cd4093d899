"""What has gone through the line since its start, in whole numbers, and how the truth tells it."""

from simulators.amounts import kg, mj, mol
from simulators.fuels import Fuel
from simulators.gas import Gas
from simulators.kiln.burning import Fed, Heat, Made
from simulators.kiln.mill import Milled


class Totals:
    """Sums of all steps; masses in ug, amounts in mmol, heat in nJ."""

    def __init__(self) -> None:
        self.mass_ug = dict.fromkeys(
            (
                "meal_fed", "meal_dust", "meal_made", "kiln_coal", "calciner_coal", "alternative",
                "clinker_made", "clinker_despatched", "air", "meal_water", "mill_water",
                "stack_gas",
            ), 0,
        )  # fmt: skip
        self.co2_mmol = dict.fromkeys(("meal", "coal", "alternative"), 0)
        self.stack = Gas()
        self.heat = Heat()

    def add(self, fed: Fed, made: Made, milled: Milled, *, despatched_ug: int) -> None:
        """One step more."""
        for name, mass in (
            ("meal_fed", fed.meal_ug), ("meal_dust", fed.dust_ug), ("meal_made", milled.meal_ug),
            ("kiln_coal", fed.kiln_coal_ug), ("calciner_coal", fed.calciner_coal_ug),
            ("alternative", fed.alternative_ug), ("clinker_made", made.clinker_ug),
            ("clinker_despatched", despatched_ug), ("air", made.air_ug + milled.air_ug),
            ("meal_water", made.meal_water_ug), ("mill_water", milled.water_ug),
            ("stack_gas", milled.gas.mass_ug),
        ):  # fmt: skip
            self.mass_ug[name] += mass
        self.co2_mmol["meal"] += made.co2_meal
        self.co2_mmol["coal"] += made.co2_coal
        self.co2_mmol["alternative"] += made.co2_alternative
        self.stack += milled.gas
        self.heat += made.heat

    def told(self, fuel: Fuel) -> dict[str, object]:
        """As the truth tells them: exact decimal strings, kg, mol and MJ; `fuel`: alternative."""
        stack = self.stack
        co2 = self.co2_mmol | {"biogenic": fuel.biogenic_mmol(self.co2_mmol["alternative"])}
        return {
            **{f"{name}_kg": kg(ug) for name, ug in self.mass_ug.items()},
            "carbon_mol": {name: mol(amount) for name, amount in co2.items()},
            "stack_mol": {"co2": mol(stack.co2), "h2o": mol(stack.h2o), "n2": mol(stack.n2),
                          "o2": mol(stack.o2)},
            "heat_mj": {
                name: mj(getattr(self.heat, name))
                for name in self.heat.__dataclass_fields__
            },
        }  # fmt: skip
