"""On which basis a fuel's figures stand: those that are multiplied must have the same.

Nothing is converted here: a conversion needs moistures, pressure or temperature, and its own
evidence. What does not fit is refused with the method that makes it fit.
"""

from edge.calc.factors import Kind
from edge.calc.statements.statement_table import Table

_SOLID = {
    "ar": "as received", "ad": "air-dried", "d": "dry", "daf": "dry and free of ash"
}  # fmt: skip
_REFERENCES = ("0C-101.325kPa", "15C-101.325kPa", "20C-101.325kPa")


def check_bases(table: Table, kind: Kind | None) -> None:
    """Read the basis keys of a fuel; the table notes what does not go together."""
    quantity = table.text("quantity_basis", tuple(_SOLID))
    factors = {key: table.text(f"{key}_basis", tuple(_SOLID)) for key in ("ncv", "carbon")}
    if table.has("carbon_ar") and factors["carbon"] not in {None, "ar"}:
        table.problem("carbon_basis", "carbon_ar is carbon as received, by its name")
    for key, basis in factors.items():
        if basis is not None and not table.has("quantity_basis"):
            table.problem("quantity_basis", f"missing beside {key}_basis: how was it weighed?")
        elif basis is not None and quantity is not None and basis != quantity:
            how = f"coal.{'ncv' if key == 'ncv' else 'c'}_ar"
            table.problem(
                f"{key}_basis",
                f"{key} is {_SOLID[basis]}, the quantity {_SOLID[quantity]}: they are never "
                f"multiplied; make both as received (calc eval {how}, with both moistures)",
            )
    if table.text("heat", ("net", "gross")) == "gross":
        table.problem("heat", "a gross heating value (HHV) is not the rule's: give the net one")
    _check_gas(table, kind)


def _check_gas(table: Table, kind: Kind | None) -> None:
    reference = table.text("reference", _REFERENCES)
    moisture = table.text("moisture", ("dry", "wet"))
    if kind is not None and kind.state != "gas" and (reference or moisture):
        table.problem("reference", f"{kind.id} is no gas: it has neither reference nor moisture")
        return
    if reference not in {None, _REFERENCES[0]}:
        table.problem(
            "reference", f"counted at {reference}, the rule at {_REFERENCES[0]}: about 7 % apart "
            "from 20 °C; convert it (calc eval gas.normalise)",
        )  # fmt: skip
    if moisture == "wet":
        table.problem("moisture", "wet gas: only its dry part counts (calc eval gas.normalise)")
