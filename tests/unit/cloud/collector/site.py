"""A collector over a folder, without its thread, and the plant whose gateways it is asked about."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cloud.clock import Clock
from cloud.collector.intake import Intake
from cloud.collector.opening import open_plants
from evidence.log import Entry, decode_entry
from evidence.log_details import check_entry
from tests.unit.cloud.collector.judge_examples import SENDER
from tests.unit.cloud.evidence_examples import (
    T0_NS,
    ExamplePlant,
    Gateway,
    ManualClock,
    make_plant,
)
from tests.unit.cloud.kept import evidence_in


class Site:
    """A plant with an operator's folder, its collector, and its first gateway.

    Attributes:
        plant, gateway: whose.
        keys: the operator's folder.
        root: the slice's evidence.
        intake: of the newest start.
        notes: what that start said.
    """

    def __init__(
        self,
        folder: Path,
        gateways: tuple[str, ...] = ("edge-1",),
        clock: Clock | None = None,
        doubt: Callable[[], str] = str,
    ) -> None:
        self.plant: ExamplePlant = make_plant(folder, gateways=gateways)
        self.gateway: Gateway = self.plant.gateways[gateways[0]]
        self.keys, self.root = folder / "operator", folder / "00"
        self.keys.mkdir()
        self._clock, self._doubt = clock or ManualClock(T0_NS + 9), doubt
        self.intake = self.start()

    def start(self) -> Intake:
        made = Intake(evidence_in(self.root), self._clock, self.plant.collector, self._doubt)
        identity = replace(self.plant.identity(), key_folder=self.keys)
        self.notes = [note for _, note in open_plants(made, [identity])]
        return made

    def restart(self) -> None:
        self.intake.store.close()
        self.intake = self.start()

    def take(self, *objects: bytes) -> list[Any]:
        """Verdicts on objects of the first gateway; what was accepted is committed."""
        verdicts = [self.intake.take(SENDER, data, 0.0) for data in objects]
        self.intake.commit()
        return verdicts

    def leaves(self) -> list[bytes]:
        return [data for _, data in self.intake.plant("mini").reader.entries()]

    def entries(self) -> list[Entry]:
        found = [decode_entry(data) for data in self.leaves()]
        for entry in found:
            check_entry(entry)  # as any verifier will
        return found
