"""What came into the works, what went out of it, and what it holds more than at its start. Pure.

Each entry has mass, carbon and energy; of each of the three in = out + held, to the last digit.
"""

from collections.abc import Callable, Mapping

from simulators.amounts import kg, mj, mol
from simulators.steelworks.matter import Matter

_CAME = (
    "coking_coal", "coal", "ore", "limestone", "pellets", "scrap", "lime", "charge_coal",
    "electrodes", "air", "oxygen", "wash_water", "electricity",
)  # fmt: skip
_WENT = (
    "steel", "pig_iron", "tar", "benzol", "slag", "liquor", "condensate", "iron", "other_power",
    "coke_ovens", "sinter", "blast_furnace", "stoves", "converter", "arc_furnace", "mill", "power",
    "flare_blast_furnace_gas", "flare_coke_oven_gas", "flare_converter_gas", "flare_converter",
)  # fmt: skip


class Ledger:
    """Sums of all steps, by name."""

    def __init__(self) -> None:
        self.came = dict.fromkeys(_CAME, Matter())
        self.went = dict.fromkeys(_WENT, Matter())

    def take(self, name: str, matter: Matter) -> None:
        """Something came in."""
        self.came[name] += matter

    def give(self, name: str, matter: Matter) -> None:
        """Something went out."""
        self.went[name] += matter

    def told(self, held: Mapping[str, Matter]) -> dict[str, object]:
        """As the truth tells it; `held`: what is there now less what was there at the start."""

        def side(all_of: Mapping[str, Matter], tell: Callable[[Matter], str]) -> dict[str, str]:
            return {name: tell(matter) for name, matter in all_of.items()}

        return {
            key: {"in": side(self.came, tell), "out": side(self.went, tell),
                  "held": side(held, tell)}
            for key, tell in (
                ("mass_kg", lambda matter: kg(matter.mass_ug)),
                ("carbon_mol", lambda matter: mol(matter.carbon_mmol)),
                ("energy_mj", lambda matter: mj(matter.energy_nj)),
            )
        }  # fmt: skip
