"""Samples of a works of the fraud corpus; the newest month's report was typed otherwise."""

from collections.abc import Callable, Mapping
from typing import Any

from cloud.records.findings import PdfShelf, findings
from tests.e2e.fake_plant import PLANT
from tests.fraud.works import Works, honest, read
from tests.unit.cloud.app_examples import Nothing
from tests.unit.evidence import sealed_month as sm


class FakeSamples(Nothing):
    """Documents of samples of one plant, and nothing else."""

    def __init__(self) -> None:
        works, months = Works(), [honest(2026, month) for month in (8, 9, 10)]
        number = months[-1].report.number
        months[-1].typed = {"report": f"{number[:-1]}X"}
        del months[-1].steps["received"]
        for month in months:
            works.month(month)
        papers, self._files = read(works), works.pdfs()
        self._standing = works.standing()
        self._shelf = PdfShelf(lambda data: papers[sm.sha256(data)])

    def findings(
        self, plant: str, sees: Callable[[str], bool], month: str = "", read_s: float = 0.0
    ) -> Mapping[str, Any]:
        """As the desk tells it."""
        if plant != PLANT:
            raise LookupError(plant)
        return findings(self._standing, [], self._shelf, self._files.__getitem__, month)
