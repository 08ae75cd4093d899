"""Months to make papers of: one of published figures, made by hand; a sealed day of each sector."""

import io
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from cloud.outputs.errors import OutputError
from cloud.outputs.sealed import SealedMonth
from cloud.outputs.typeset import chinese_font
from edge.calc.statements.statement import compute, statement_rules
from simulators.cli import main as simulate


def _has_font() -> bool:
    try:
        return bool(chinese_font())
    except OutputError:
        return False


needs_font = pytest.mark.skipif(not _has_font(), reason="fonts-noto-cjk is not installed")

MONTH = "2026-10"
SCENARIOS = {"aluminium": "smelter-normal", "cement": "kiln-normal", "steel": "steelworks-normal"}

#: A steel works' monthly evidence workbook of 2026-06, as a public prototype copies it (the source
#: of layouts/steel.toml): material -> amount, net heating value, carbon, emission
EVIDENCE_FUELS = {
    "无烟煤": ("2317.68", "25.024", "0.02749", "5845.97"),
    "烟煤": ("120188.43", "23.736", "0.02618", "273849.07"),
    "洗精煤": ("300810.90", "26.344", "0.02541", "738331.47"),
    "焦炭": ("66522.44", "28.435", "0.02942", "204049.48"),
    "焦炉煤气": ("920.50", "173.854", "0.0121", "7100.11"),
}
#: material -> amount, factor, emission
EVIDENCE_MATERIALS = {
    "高碳铬铁": ("312.00", "0.348", "108.58"),
    "微碳锰铁": ("1256.54", "0.004", "5.03"),
    "电炉高碳锰铁": ("1301.32", "0.275", "357.86"),
    "锰硅合金": ("6181.94", "0.092", "568.74"),
    "硅铁": ("1798.22", "0.007", "12.59"),
    "钼铁合金": ("20.54", "0.018", "0.37"),
    "废钢": ("55461.56", "0.037", "2052.08"),
    "生铁": ("9867.76", "0.172", "1697.25"),
    "电极": ("371.22", "3.663", "1359.78"),
    "白云石": ("53361.58", "0.476", "25400.11"),
    "石灰石": ("1891.38", "0.440", "832.21"),
}
EVIDENCE_PRODUCTS = {
    "粗钢": ("595279.00", "0.037", "22025.32"),
    "粗苯": ("1878.22", "3.382", "6352.14"),
    "煤焦油": ("7089.94", "2.699", "19135.75"),
}
EVIDENCE_TOTAL, EVIDENCE_INTENSITY = "1214057.49", "2.0395"


def evidence_input(month: str = "2026-06") -> dict[str, Any]:
    """The input of that month."""
    return {
        "rule_set": "cets-ag-03.01-v01-2024",
        "month": month,
        "closing": "final",
        "fuel": [
            {"kind": kind, "quantity": amount, "ncv": ncv, "carbon_content": carbon}
            for kind, (amount, ncv, carbon, _) in EVIDENCE_FUELS.items()
        ],
        "process": [
            {"material": name, "quantity": amount}
            for name, (amount, _, _) in EVIDENCE_MATERIALS.items()
        ],
        "product": [
            {"product": name, "quantity": amount}
            for name, (amount, _, _) in EVIDENCE_PRODUCTS.items()
        ],
        "output": {"crude_steel_t": EVIDENCE_PRODUCTS["粗钢"][0]},
    }


def month_of(given: Mapping[str, Any], name: str = "某钢铁", **more: Any) -> SealedMonth:
    """A month of an input, as if it had been read from an archive."""
    output = compute(given)
    facts: dict[str, Any] = {
        "sha256": "ab" * 32, "statement_sha256": "cd" * 32, "simulated": False, "given": given,
        "output": output, "rules": statement_rules(output["rule_set"]), "documents": [],
        "plant": {"id": "works", "name": name, "sector": "steel", "time_zone": "Asia/Shanghai"},
        "replaces": "", "closed_on": "2026-07-01",
    }  # fmt: skip
    return SealedMonth(**{**facts, **more})


def sealed(sector: str, folder: Path) -> Path:
    """A day of a simulated plant, sealed; beside it trust.pem."""
    name = SCENARIOS[sector]
    more = ["--points", "50", "--pots", "4"] if sector == "aluminium" else []
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        code = simulate(
            ["month", name, "--month", MONTH, "--out", str(folder), "--days", "1",
             "--interval", "60", "--frame-s", "900", *more]
        )  # fmt: skip
    assert code == 0
    return folder / f"{name}-{MONTH}.tar"
