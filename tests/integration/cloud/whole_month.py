"""A simulated plant's whole month in a running collector: outage, replaced meter, papers, closes.

The gateway stands still for five hours; of the rest, each day reaches the collector in one go after
its last reading. One meter is replaced between two readings, in one of three ways.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cloud.closing.archive import ArchiveFolder
from cloud.closing.months import Months
from cloud.collector.inbox import Message
from cloud.collector.topics import Sender
from cloud.database.engine import Database
from cloud.database.store import EvidenceStore
from cloud.month.book import MonthBook
from cloud.month.engine import MonthEngine
from cloud.month.facts import Facts
from cloud.month.planned import PlannedDocuments
from cloud.month.sources import CollectorSources
from cloud.plan.desk import PlanDesk
from cloud.records.desk import RecordDesk
from edge.calc.folds.live import PlantCalc
from evidence import cbor
from evidence.blocks import compress
from evidence.documents.document import Document, encode_document
from evidence.frame import TYP_CLOSE, TYP_CONFIG, TYP_FRAME, Body, Gap, encode_body
from evidence.keys import key_sha256
from evidence.receipt import decode_close_request, encode_close
from evidence.recompute import month_bounds
from simulators.month_config import GATEWAY, TIME_ZONE
from simulators.month_plant import HOUR_S, Hour
from simulators.month_plants import month_plant
from simulators.month_play import DAY_NS, frame_of, hour_body
from simulators.plants import load_any
from tests.unit.cloud.collector.running import Running
from tests.unit.cloud.evidence_examples import make_plant
from tests.unit.cloud.kept import kept_in
from tests.unit.evidence.documents import papers as pp

#: the shortest month there is
MONTH, DAYS = "2027-02", 28
SECOND, HOUR = 10**9, HOUR_S * 10**9
FROM_NS, TO_NS = month_bounds(TIME_ZONE, MONTH)
PERIOD = {"from_ns": FROM_NS, "to_ns": TO_NS}
INTERVAL_S, TICKS = 60, 60
#: hours of the month: the gateway stands still; the first one of the new meter
OUTAGE, REPLACED = range(9 * 24 + 2, 9 * 24 + 7), 17 * 24 + 9
_LATER = 5 * 60 * SECOND


@dataclass(frozen=True)
class Replacement:
    """A meter is replaced by another one, whose counter stands elsewhere.

    Attributes:
        device, point: which one; the point is its counter.
        stands: what the new one shows first.
        coarser: it counts in steps so many times as large, and the site file says so.
        renamed: the site file calls it another device; "" where it keeps the name.
    """

    device: str
    point: str
    stands: int
    coarser: int = 1
    renamed: str = ""

    def stated(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The configuration in force from then on."""
        new = deepcopy(dict(config))
        for device in new["devices"]:
            if device["id"] == self.device:
                device["settings"] = {"serial": "2"}
        for point in new["points"]:
            if point["id"] == self.point and self.coarser > 1:
                point["scaling"] = {**point.get("scaling", {}), "scale": str(self.coarser)}
        return _renamed(new, self.device, self.renamed) if self.renamed else new


def _renamed(value: Any, old: str, new: str) -> Any:
    """A configuration in which a device, and so its points, is called otherwise."""
    if isinstance(value, dict):
        return {key: _renamed(of, old, new) for key, of in value.items()}
    if isinstance(value, list):
        return [_renamed(of, old, new) for of in value]
    if isinstance(value, str) and (value == old or value.startswith(f"{old}.")):
        return new + value[len(old) :]
    return value


@dataclass
class Played:
    """What the gateway made of the plant, and what was true.

    Attributes:
        config: the newest configuration.
        counted: of every counter of the statement its pieces: [first, last] as shown.
        truth: the line of the month's end.
    """

    config: dict[str, Any]
    counted: dict[str, list[list[int]]] = field(default_factory=lambda: defaultdict(list))
    truth: Mapping[str, Any] = field(default_factory=dict)


def play(
    played: Played, scenario: str, one: Replacement, **mix: int
) -> Iterator[Body | dict[str, Any]]:
    """Configurations and frames in the order in which a gateway signs them.

    The first hour of the next month comes too: it shows that nothing of this one is missing.
    """
    plant = month_plant(
        load_any(scenario), points=mix.get("points"), pots=mix.get("pots"), seed=None,
        interval_s=INTERVAL_S,
    )  # fmt: skip
    source, calc = plant.begin(FROM_NS), PlantCalc(played.config)
    group, row = _place(played.config, one.point)
    base, gap = 0, False
    yield played.config
    for number in range(DAYS * 24 + 1):
        hour = source.hour()
        _learn(played, hour)
        if number == REPLACED:
            base = int(hour.raw[group][row, 0])
            played.config = one.stated(played.config)
            calc = PlantCalc(played.config)
            yield played.config
        if number >= REPLACED:
            hour.raw[group][row] = one.stands + (hour.raw[group][row] - base) // one.coarser
        if number in OUTAGE:
            gap = True
            continue
        whole = hour_body(hour, calc, played.config, FROM_NS + number * HOUR)
        if number < DAYS * 24:
            _count(played, whole, one.point if number == REPLACED else "")
        for at in range(0, HOUR_S // INTERVAL_S, TICKS):
            frame = frame_of(whole, at, TICKS)
            if gap:
                since_ns = FROM_NS + OUTAGE.start * HOUR - INTERVAL_S * SECOND
                frame, gap = replace(frame, gap=Gap(since_ns, frame.t0_ns, "stopped")), False
            yield frame


def _learn(played: Played, hour: Hour) -> None:
    """The newest sums until the month's end."""
    for line in hour.truth:
        if line["type"] == "totals" and int(str(line["t_s"])) <= DAYS * 86_400:
            played.truth = line


def _place(config: Mapping[str, Any], point: str) -> tuple[int, int]:
    """Where a point's readings are: group and row."""
    number = [of["id"] for of in config["points"]].index(point)
    return next(
        (g, of["points"].index(number))
        for g, of in enumerate(config["groups"])
        if number in of["points"]
    )


def _count(played: Played, whole: Body, begins_anew: str) -> None:
    """Note what each counter shows; pieces are of the entry's place, whatever its point's name."""
    groups = whole.sections[0].groups
    for point in counters(played.config):
        group, row = _place(played.config, point)
        shown, pieces = groups[group].raw[row], played.counted[point]
        if not pieces or point == begins_anew:
            pieces.append([int(shown[0]), 0])
        pieces[-1][1] = int(shown[-1])


def counters(config: Mapping[str, Any]) -> list[str]:
    """Points that make figures."""
    said = config["statement"]
    entries = [*said.get("fuels", ()), *said.get("process", ()), *said.get("products", ())]
    return [of["point"] for of in [*entries, *filter(None, [said.get("metal")])]]


class Works:
    """A plant, its collector with all desks, and the persons who sign there.

    Attributes:
        running: the collector.
        records, engine: its desks.
        archives: folder of sealed months.
        root: the plant's root certificate.
    """

    def __init__(self, folder: Path, plant: str, *, in_database: bool = False) -> None:
        database = f"sqlite:///{folder}/cloud.db"
        store = EvidenceStore(Database(database), "00") if in_database else None
        made = make_plant(folder, plant=plant)
        self.plant, self.gateway = plant, made.gateways[GATEWAY]
        self.root, self.archives = folder / plant / "root.crt", folder / "archives"
        self.archives.mkdir()
        self._sender = Sender(plant, GATEWAY)
        self.running = running = Running(made, folder / "00", store=store)
        self._key = made.collector.public_key
        self.collector_sha256 = key_sha256(self._key)
        self.records = RecordDesk(running.collector, running.intake, made.collector)
        assert self.records.load() == []
        sources = CollectorSources(running.collector, running.intake, self.records)
        plans = PlanDesk(
            self.records, running.intake, ArchiveFolder(self.archives), running.clock
        )  # fmt: skip
        self._facts = Facts(kept_in(folder))
        self.engine = MonthEngine(
            Months(running.desk, self.archives, running.clock),
            MonthBook(self._facts, sources, PlannedDocuments(plans), self.archives),
            sources, running.clock,
        )  # fmt: skip

    async def stop(self) -> None:
        await self.running.stop()

    # -- the gateway ------------------------------------------------------------------------------

    async def measure(
        self, scenario: str, config: dict[str, Any], one: Replacement, **mix: int
    ) -> Played:
        """The whole month's readings."""
        day, played = FROM_NS + DAY_NS, Played(config)
        for made in play(played, scenario, one, **mix):
            if isinstance(made, Body):
                if made.t0_ns >= day:
                    await self._arrive(day + _LATER)
                    day += DAY_NS
                self._sign(TYP_FRAME, encode_body(made), made.sections[0].last_ns)
            else:
                at_ns = max(FROM_NS, self.running.clock.now_ns)
                data = self._sign(TYP_CONFIG, compress(cbor.encode(made)), at_ns)
                self.gateway.cfg = pp.sm.sha256(data)
        await self._arrive(TO_NS + HOUR + _LATER)
        return played

    def _sign(self, typ: str, payload: bytes, at_ns: int) -> bytes:
        return self.gateway.append(self.gateway.sign(typ, payload, iat_s=at_ns // SECOND + 1))

    async def _arrive(self, now_ns: int) -> None:
        """The collector takes everything that was signed."""
        reader = self.running.intake.plant(self.plant).reader
        self.running.clock.now_ns = now_ns
        for data in self.gateway.objects[reader.head(GATEWAY).next_seq :]:
            self.running.inbox.put(Message(self._sender, data))
        signed = len(self.gateway.objects)
        await self.running.until(lambda: reader.head(GATEWAY).next_seq == signed, 30)

    async def _agree(self) -> None:
        """The gateway signs the first close that it is asked for."""
        topic = f"stackproof/v1/00/{self.plant}/{GATEWAY}/config"
        asked = len(self.running.link.on(topic))
        await self.running.until(lambda: len(self.running.link.on(topic)) > asked, 60)
        request = decode_close_request(self.running.link.on(topic)[-1], self._key)
        self._sign(TYP_CLOSE, encode_close(request), self.running.clock.now_ns)
        await self._arrive(self.running.clock.now_ns)

    # -- persons ----------------------------------------------------------------------------------

    async def enrol(self) -> None:
        """Everybody of `papers.WHO`."""
        body = pp.person_body("wang")
        told = await self.records.enrol(
            self.plant, "wang", {**body, "key": body["key"].hex()}, self._now_s()
        )
        head = bytes.fromhex(told["sha256"])
        for person in list(pp.WHO)[1:]:
            head = await self.sign("wang", "person", person, pp.person_body(person), head)

    async def sign(
        self, person: str, kind: str, about: str, body: Mapping[str, Any], *follows: bytes
    ) -> bytes:
        """A document is signed and taken; its hash."""
        document = Document(self.plant, person, self._now_s(), kind, about, body, follows)
        data = encode_document(document, pp.key_of(person))
        await self.records.take(self.plant, data, ())
        return pp.sm.sha256(data)

    async def sign_by_two(
        self, person: str, kind: str, about: str, body: Mapping[str, Any]
    ) -> bytes:
        """Signed, and approved by the engineer."""
        made = await self.sign(person, kind, about, body)
        await self.sign("zhao", "approve", about, {}, made)
        return made

    def _now_s(self) -> int:
        return self.running.clock.now_ns // SECOND

    # -- months -----------------------------------------------------------------------------------

    async def close(self, at_ns: int, month: str = MONTH, **order: Any) -> Mapping[str, Any]:
        """The accountant closes the month for good; the gateway signs it."""
        self.running.clock.now_ns = at_ns
        await self.engine.look()
        made, _ = await asyncio.gather(
            self.engine.close(self.plant, month, closing="final", by="li", **order), self._agree()
        )
        return made
