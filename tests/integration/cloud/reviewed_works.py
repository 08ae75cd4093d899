"""A simulated plant's months in a running collector, one after another, and reviewers who decide.

Days go on while months are closed and reviewed: what reviewers sign of one month is in the log
before the next one ends.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloud.accounts.desks import open_accounts
from cloud.accounts.roles import VISITOR
from cloud.accounts.store import AccountStore
from cloud.api.reviewed import check_review, openings_of, reviewed
from cloud.review import rules
from cloud.review.items import of_statement
from cloud.review.openings import Openings
from edge.calc.folds.live import PlantCalc
from evidence import cbor, cose
from evidence.blocks import compress
from evidence.documents.document import Document, encode_document
from evidence.documents.plainly import body_of, plain_body
from evidence.documents.review import DECISION
from evidence.frame import TYP_CONFIG, TYP_FRAME, encode_body
from evidence.keys import FileSigner
from evidence.recompute import month_bounds
from simulators.month_config import TIME_ZONE
from simulators.month_plant import HOUR_S, MonthPlant
from simulators.month_play import DAY_NS, frame_of, hour_body
from tests.integration.cloud.whole_month import HOUR, SECOND, Works
from tests.unit.cloud.app_examples import make_services
from tests.unit.cloud.kept import brief, kept_in
from tests.unit.evidence.documents import papers as pp
from tests.unit.evidence.small_plant import signer

#: where the plant lies, and who decides: level -> (person, region)
REGION = "370700"
LEVELS = {"city": ("du", "3707"), "province": ("qin", "37"), "nation": ("guo", "")}
_CITY_SEED = 58
_LATER = 5 * 60 * SECOND


class ReviewedWorks(Works):
    """Months of one plant.

    Args:
        folder: everything goes there.
        plant: whose readings.
        first: the first month, "YYYY-MM".
        sources: points of fuels that have a source of this id for papers.
    """

    def __init__(
        self, folder: Path, plant: MonthPlant, first: str, sources: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(folder, plant.name)
        config = plant.configuration(self.collector_sha256)
        said = config["statement"]
        fuels = [
            of | ({"source": sources[of["point"]]} if of.get("point") in (sources or {}) else {})
            for of in said.get("fuels", ())
        ]  # fmt: skip
        self.config = config | {"statement": said | {"fuels": fuels}}
        self._at_ns = self._day_ns = month_bounds(TIME_ZONE, first)[0]
        self.source, self._calc = plant.begin(self._at_ns), PlantCalc(self.config)
        self._ticks, self._openings = HOUR_S // plant.interval_s, Openings(kept_in(folder))
        accounts = open_accounts(
            AccountStore(brief()), self.running.clock, {plant.name: REGION}, VISITOR
        )
        self._services = make_services(
            accounts=accounts, evidence=self.running.desk, months=self.engine,
            openings=self._openings, records=self.records,
        )  # fmt: skip

    async def begin(self) -> None:
        """Persons, the reviewers among them, and the configuration."""
        self.running.clock.now_ns = self._at_ns
        await self.enrol()
        head = bytes.fromhex(self.records.rows(self.plant, "person", "", 0, 99)[-1]["sha256"])
        for person, region in LEVELS.values():
            body = {"name": person, "organisation": "Bureau", "role": "reviewer", "region": region,
                    "key": pp.spki(_key_of(person))}  # fmt: skip
            head = await self.sign("wang", "person", person, body, head)
        data = self._sign(TYP_CONFIG, compress(cbor.encode(self.config)), self._at_ns)
        self.gateway.cfg = pp.sm.sha256(data)

    async def stop(self) -> None:
        await super().stop()

    async def play(self, until_ns: int) -> None:
        """Readings up to an instant; each day reaches the collector in one go."""
        while self._at_ns < until_ns:
            hour = hour_body(self.source.hour(), self._calc, self.config, self._at_ns)
            frame = frame_of(hour, 0, self._ticks)
            self._sign(TYP_FRAME, encode_body(frame), frame.sections[0].last_ns)
            self._at_ns += HOUR
            if self._at_ns - self._day_ns >= DAY_NS or self._at_ns >= until_ns:
                self._day_ns = self._at_ns
                await self._arrive(self._at_ns + _LATER)

    async def decide(self, month: str, level: str, decision: str = "approve") -> None:
        """A reviewer opens all of a month and decides; the collector holds it against that."""
        person = LEVELS[level][0]
        of = reviewed(self._services, self.plant, month)
        assert of is not None
        assert of.archive is not None
        now_ns = self.running.clock.now_ns
        for item in of.items:
            is_line = item.startswith("line/")  # of this statement, and of none that follows
            noted = of_statement(item, of.archive["statement_sha256"]) if is_line else item
            self._openings.note(person, self.plant, month, noted, now_ns)
        opened = openings_of(self._services, person, self.plant, of)
        draft = plain_body(DECISION, rules.draft(level, of.archive, of.items, opened))
        body = body_of(DECISION, {**draft, "decision": decision, "reason": "looked at"})
        document = Document(self.plant, person, now_ns // SECOND, DECISION, month, body)
        data = encode_document(document, _key_of(person))
        check_review(self._services, self.plant, document, cose.parse(data).kid)
        await self.records.take(self.plant, data, ())

    def states(self, month: str) -> list[str]:
        """What each level decided of the archive that stands."""
        of = reviewed(self._services, self.plant, month)
        assert of is not None
        return [of.thread.state(level) for level in LEVELS]

    async def month(self, month: str, **order: Any) -> Path:
        """Play a month to its end and two days more, close it; the archive."""
        end_ns = month_bounds(TIME_ZONE, month)[1]
        await self.play(end_ns + 2 * DAY_NS)
        made = await self.close(end_ns + 2 * DAY_NS + 2 * _LATER, month, **order)
        assert made["signed_by"] == ["edge-1"]
        return Path(made["archive"])


def _key_of(person: str) -> FileSigner:
    return signer(_CITY_SEED) if person == LEVELS["city"][0] else pp.key_of(person)
