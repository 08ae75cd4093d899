"""A running collector over a folder, with a link and a page that remember what they were told."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cloud.collector.closing import Desk
from cloud.collector.inbox import Inbox, Message
from cloud.collector.intake import Intake
from cloud.collector.opening import open_plants
from cloud.collector.service import Collector
from cloud.collector.topics import Sender
from cloud.database.store import EvidenceStore
from evidence.receipt import decode_receipt
from tests.unit.cloud.evidence_examples import ExamplePlant, ManualClock
from tests.unit.cloud.kept import evidence_in
from tests.waiting import ENOUGH_S, until

SENDER = Sender("mini", "edge-1")
RECEIPTS = "stackproof/v1/00/mini/edge-1/receipts"
CONFIG = "stackproof/v1/00/mini/edge-1/config"


@dataclass
class FakeLink:
    """Remembers what was published; takes nothing while it is down."""

    up: bool = True
    published: list[tuple[float, str, bytes]] = field(default_factory=list)

    def publish(self, topic: str, payload: bytes) -> bool:
        if self.up:
            self.published.append((time.monotonic(), topic, payload))
        return self.up

    def on(self, topic: str) -> list[bytes]:
        return [payload for _, name, payload in self.published if name == topic]


@dataclass
class FakePage:
    """Remembers what it was told."""

    configs: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    sealed: list[tuple[str, str, int, int, int]] = field(default_factory=list)
    alarms: list[tuple[str, Sequence[Mapping[str, Any]]]] = field(default_factory=list)

    def on_config(self, plant: str, gateway: str, config: Mapping[str, Any]) -> None:
        self.configs.append((plant, gateway, config))

    def on_sealed(
        self, plant: str, gateway: str, seq: int, through_ns: int, received_ns: int
    ) -> None:
        self.sealed.append((plant, gateway, seq, through_ns, received_ns))

    def on_alarms(self, plant: str, alarms: Sequence[Mapping[str, Any]]) -> None:
        self.alarms.append((plant, alarms))


class Running:
    """A collector over a folder, with a link and a page that remember."""

    def __init__(
        self, plant: ExamplePlant, root: Path, key_folder: Path | None = None,
        store: EvidenceStore | None = None,
    ) -> None:  # fmt: skip
        self.plant, self.link, self.page, self.inbox = plant, FakeLink(), FakePage(), Inbox()
        self.store = store or evidence_in(root)
        self.clock = ManualClock()
        self.intake = Intake(self.store, self.clock, plant.collector)
        open_plants(self.intake, [replace(plant.identity(), key_folder=key_folder)])
        self.collector = Collector("00", self.intake, self.inbox, self.link, self.page)
        self.desk = Desk(self.collector, self.intake, plant.collector)
        self.collector.start()

    def send(self, *objects: bytes) -> None:
        for data in objects:
            self.inbox.put(Message(SENDER, data))

    def receipted(self) -> list[int]:
        key = self.plant.collector.public_key
        return [decode_receipt(data, key).seq for data in self.link.on(RECEIPTS)]

    async def until(self, condition: Callable[[], bool], timeout_s: float = ENOUGH_S) -> None:
        await until(condition, timeout_s)

    async def stop(self) -> None:
        await self.collector.stop()
        self.store.close()
