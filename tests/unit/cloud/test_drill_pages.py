"""The drill and the sheet over a running collector: what is told, what is noted, who withdraws."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cloud.accounts.roles import ROLES, Principal
from cloud.drill.desk import DrillDesk
from cloud.live.hub import LiveHub
from cloud.screening.desk import Screenings
from cloud.visits import sheet
from cloud.visits.desk import VisitDesk
from evidence.frame import TYP_FRAME, encode_body
from evidence.keys import certificate_from_pem, public_key
from tests.unit.cloud.app_examples import Months, make_accounts, make_app, make_client
from tests.unit.cloud.drill_examples import (
    BEGIN_NS,
    LOST,
    MONTH,
    VOLUME,
    configure,
    frame_body,
    meter_config,
    signed,
    statement,
)
from tests.unit.cloud.evidence_examples import SECOND_NS
from tests.unit.cloud.plan_examples import PlanExample
from tests.unit.cloud.test_papers import Site, paper
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp

BASE = f"/en/plants/mini/months/{MONTH}"
LINE = "line/fuel/natural-gas"
#: whose region the plant is in, and whose it is not
REVIEWERS = {"sun": "3707", "far": "44"}
VISIT: dict[str, Any] = {**pp.PERIOD, "meters": [
    {"point": VOLUME, "at_ns": BEGIN_NS, "face": "1", "unit": "Nm3"}
]}  # fmt: skip


class Noted:
    """Remembers what was opened."""

    def __init__(self) -> None:
        self.items: list[tuple[str, str, str, str]] = []

    def note(self, account: str, plant: str, month: str, item: str, at_ns: int) -> None:
        assert at_ns > 0
        self.items.append((account, plant, month, item))


class Plant(Site):
    """A collector with the gas meter's readings, its documents, and whoever asks."""

    def start(self) -> None:
        super().start()
        hub, accounts, self.noted = LiveHub(self.running.clock), make_accounts(), Noted()
        hub.on_config("mini", "edge-1", meter_config())
        app = make_app(
            hub, records=self.desk, evidence=self.running.desk, accounts=accounts,
            drill=DrillDesk(self.running.desk, self.desk, statement), openings=self.noted,
            visits=VisitDesk(self.desk, Months(), PlanExample(), Screenings(self.root.parent)),
        )  # fmt: skip
        self.client = self.theirs = make_client(app)
        accounts.sign_in.by_token = lambda name: self.who(name)

    def who(self, name: str) -> Principal:
        if name in REVIEWERS:
            return Principal(name, ROLES["reviewer"], (), REVIEWERS[name])
        return Principal(name, ROLES[pp.WHO[name][0]], ("mini",))

    async def see(self, name: str, path: str) -> Any:
        headers = {"Authorization": f"Bearer {name}"}
        return await asyncio.to_thread(lambda: self.theirs.get(path, headers=headers))


@pytest.fixture
async def plant(tmp_path: Path) -> AsyncIterator[Plant]:
    made = Plant(tmp_path)
    objects = signed(made.plant)
    made.running.send(*objects)
    await made.running.until(lambda: made.running.desk.evidence("mini").size > len(objects))
    yield made
    await made.running.stop()


async def test_every_level_is_shown_and_noted_for_reviewers_alone(plant: Plant) -> None:
    tick = BEGIN_NS + LOST * SECOND_NS
    point = f"{BASE}/drill/edge-1/{VOLUME}"
    levels = [
        (f"{BASE}/drill", "259.80 t CO₂", "lines"),
        (f"{BASE}/drill?line={LINE}", VOLUME, f"drill/{LINE}"),
        (point, "2026-09-21", f"point/edge-1/{VOLUME}"),
        (f"{point}?step=day&at={BEGIN_NS}", "16:00 – 17:00", f"point/edge-1/{VOLUME}"),
        (f"{point}?step=hour&at={BEGIN_NS}", "100,089.5", f"point/edge-1/{VOLUME}"),
        (f"{point}?step=minute&at={tick}", "device did not answer", f"point/edge-1/{VOLUME}"),
        (f"{point}/13?tick={tick}", "holding 0x0010", f"reading/edge-1/13/{VOLUME}"),
    ]
    for path, words, _ in levels:
        for name in ("zhao", "sun"):
            answer = await plant.see(name, path)
            assert answer.status_code == 200, answer.text
            assert words in answer.text
        assert (await plant.see("far", path)).status_code == 404
    assert plant.noted.items == [("sun", "mini", MONTH, item) for *_, item in levels]


async def test_what_is_not_there_is_not_found_and_not_noted(plant: Plant) -> None:
    point = f"{BASE}/drill/edge-1/{VOLUME}"
    for path in (
        f"{BASE}/drill?line=line/fuel/none", f"{BASE}/drill/edge-2/{VOLUME}",
        f"{BASE}/drill/edge-1/none", f"{point}/13?tick=1", f"{point}/0?tick=1",
        f"{point}/99?tick=1", f"{BASE}/documents/{'0' * 64}",
    ):  # fmt: skip
        assert (await plant.see("sun", path)).status_code == 404, path
    assert plant.noted.items == []


async def test_a_frame_and_the_certificate_that_checks_it(plant: Plant) -> None:
    at = "/api/v1/plants/mini/streams/edge-1/frames/13"
    gateway = plant.plant.gateways["edge-1"]
    assert (await plant.see("sun", at)).content == gateway.objects[13]
    pem = (await plant.see("sun", f"{at}/certificate")).content
    assert public_key(certificate_from_pem(pem)) == gateway.signer.public_key
    for seq in (0, 99):  # a configuration; nothing
        assert (await plant.see("sun", at.replace("13", str(seq)))).status_code == 404


async def test_a_face_is_compared_with_the_minute_of_the_plants_clock(plant: Plant) -> None:
    at = f"/api/v1/plants/mini/months/{MONTH}/visit/compare?gateway=edge-1&point={VOLUME}"
    told = (await plant.see("sun", f"{at}&face=100061&at=2026-09-21 16:01")).json()
    # second 90 is nearest to the middle; up to second 120, 100060.0, and 1 + 0.1 beside
    assert (told["result"], told["reading"], told["allowed"]) == ("agrees", "100045.0", "16.1")
    assert (told["frame"], told["quality"]["code"], told["unit"]) == ("edge-1/10", 0, "Nm3")
    assert told["frame_sha256"] == sm.sha256(plant.plant.gateways["edge-1"].objects[10]).hex()
    away = (await plant.see("sun", f"{at}&face=1&at=2026-09-21 17:30")).json()
    assert (away["result"], away["reading"], away["frame"]) == ("no-reading", None, "")
    assert (await plant.see("sun", f"{at}&face=1&at=soon")).status_code == 422
    assert (await plant.see("sun", f"{at}&face=1,5&at=2026-09-21 17:30")).status_code == 422
    assert (await plant.see("far", f"{at}&face=1&at=2026-09-21 16:01")).status_code == 404
    page = await plant.see("sun", f"{BASE}/visit")
    assert "<strong>gas-1</strong>" in page.text  # to be printed; sun's key is not enrolled
    assert 'id="form"' not in page.text
    assert "older configurations" not in page.text


async def test_the_sheet_tells_which_configurations_nobody_looked_at(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    departures = PlanExample().departures("mini", MONTH)
    monkeypatch.setattr(PlanExample, "departures", lambda *_: {**departures, "not_held": 7})
    monkeypatch.setattr(sheet, "CONFIGS_MAX", 0)
    text = (await plant.see("sun", f"{BASE}/visit")).text
    assert "7 older configurations of this month are not held against the plan" in text
    assert "1 older configurations of this month are not looked at for changes" in text


#: 16:01 at the plant; the register is read each second, as `drill_examples` says
MINUTE_NS = BEGIN_NS + 60 * SECOND_NS
FOLLOWS = [
    # what the document says beside what the log gives -> what is said of it
    ({}, ""),
    ({"result": "differs", "allowed": "15.9"}, "allowed 16.1"),  # 16 more than the reading
    ({"reading": "100045.1"}, "reading 100045.0"),
    ({"unit": "m3"}, "unit Nm3"),
    ({"frame_sha256": bytes(32)}, "the log gives frame_sha256"),
    ({"frame": "edge-2/10"}, "no point"),
    ({"at_ns": MINUTE_NS - 60 * SECOND_NS, "face": "100030"}, "compare the face again"),
]


async def test_a_visit_is_taken_when_its_comparison_follows_from_the_log(plant: Plant) -> None:
    await enrolled(plant)
    frame = sm.sha256(plant.plant.gateways["edge-1"].objects[10])
    given = {"point": VOLUME, "at_ns": MINUTE_NS, "face": "100061", "unit": "Nm3",
             "result": "agrees", "reading": "100045.0", "allowed": "16.1", "quality": "0",
             "frame": "edge-1/10", "frame_sha256": frame}  # fmt: skip
    for more, said in reversed(FOLLOWS):
        visit = paper("sun", "site-visit", MONTH, {**pp.PERIOD, "meters": [{**given, **more}]})
        answer = await plant.post(visit)
        assert (answer.status_code == 200) is (not said), (more, answer.text)
        assert said in answer.text


async def test_a_face_is_compared_by_the_configuration_of_its_own_minute(plant: Plant) -> None:
    gateway, sent = plant.plant.gateways["edge-1"], len(plant.plant.gateways["edge-1"].objects)
    config = meter_config()
    config["points"][0]["scaling"] = {"ct_ratio": "50/1", "raw_decimals": 1}
    configure(gateway, config)  # in October, as a visit about September may be
    october = 10 * 86_400
    gateway.append(gateway.sign(TYP_FRAME, encode_body(frame_body(october))))
    plant.running.send(*gateway.objects[sent:])
    evidence = plant.running.desk.evidence("mini")
    await plant.running.until(lambda: evidence.hash_at("edge-1", sent + 1) is not None)
    at = f"/api/v1/plants/mini/months/{MONTH}/visit/compare?gateway=edge-1&point={VOLUME}"
    # second 9 of the frame: (10^6 + 5 * 864,009) tenths, 50 times; a step of the wire is 5
    told = (await plant.see("sun", f"{at}&face=1.0&at=2026-10-01 16:00")).json()
    assert (told["result"], told["reading"]) == ("differs", "26600225.0")
    assert told["allowed"] == "230.1"  # 225 from second 0 to 9, 5, and 0.1 of the face


async def enrolled(plant: Plant, region: str = "3707") -> None:
    """The plant's people, and sun of a region."""
    await Site.persons(plant)
    head = plant.desk.papers("mini").people.head
    assert head is not None
    answer = await plant.post(paper("wang", "person", "sun", {
        "name": "Sun", "organisation": "City", "role": "reviewer", "region": region,
        "key": pp.spki(pp.key_of("sun")),
    }, head))  # fmt: skip
    assert answer.status_code == 200


async def test_nobody_visits_a_plant_of_another_region(plant: Plant) -> None:
    await enrolled(plant, "44")
    answer = await plant.post(paper("sun", "site-visit", MONTH, VISIT))
    assert "does not lie in region 44" in answer.text


async def test_nobody_but_a_reviewer_ends_a_visit(plant: Plant) -> None:
    await enrolled(plant)
    visit = paper("sun", "site-visit", MONTH, VISIT)
    assert (await plant.post(visit)).status_code == 200
    of = sm.sha256(visit)
    for data in (
        paper("li", "withdraw", MONTH, {"reason": "unwelcome"}, of),
        paper("zhao", "approve", MONTH, {}, of),
        paper("li", "site-visit", MONTH, VISIT),
    ):
        answer = await plant.post(data)
        assert answer.status_code == 422
        assert "ends or approves" in answer.text or "to sign" in answer.text
    answer = await plant.post(paper("sun", "site-visit", MONTH, VISIT, of))
    assert answer.status_code == 200
    (meter,) = answer.json()["body"]["meters"]  # also what stands in rows has no bytes
    assert meter["at_ns"] == "2026-09-21T08:00:00Z"
    story = await plant.see("sun", f"{BASE}/documents/{answer.json()['sha256']}")
    assert "2026-09-21 16:00" in story.text
