"""Control plans at a collector: which documents it takes, and what it tells of them over HTTP."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest

from cloud.closing.archive import ArchiveFolder
from cloud.closing.kept import KeptArchive
from cloud.plan import desk
from cloud.plan.desk import PlanDesk
from cloud.records.desk import RecordDesk
from evidence import cose
from evidence.configuration import decode_configuration
from evidence.documents.document import AttachedFile
from tests.unit.cloud.app_examples import make_app, make_client
from tests.unit.cloud.evidence_examples import T0_NS
from tests.unit.cloud.test_papers import Site, paper
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.plan import examples as x

PLAN = "/api/v1/plants/mini/plan"
TWO = [{"number": n, "day": "2025-12-20", "reason": x.WORDS} for n in (1, 2)]


class Sealed(ArchiveFolder):
    """One sealed month: 2026-08, in which gas-1 counted 1000 t."""

    def rows(self, plant: str) -> list[dict[str, Any]]:
        return [{"month": "2026-08", "replaced": False}]

    def kept(self, plant: str, month: str) -> KeptArchive | None:
        fuel = {"kind": "natural-gas", "quantity": "5",
                "provenance": {"quantity": {"frames": {"point": "gas-1.volume"}}}}  # fmt: skip
        line = {"category": "fuel", "kind": "natural-gas", "quantity": "5",
                "emission_t": "1000.00", "parameters": {}}  # fmt: skip
        statement = {"input": {"fuel": [fuel]}, "output": {"lines": [line]}}
        return KeptArchive({}, statement) if month == "2026-08" else None


class Plant(Site):
    """A site whose collector tells of plans."""

    def start(self) -> None:
        super().start()
        intake, folder = self.running.intake, Sealed(self.root)
        self.plans = PlanDesk(self.desk, intake, folder, self.running.clock)
        self.client = make_client(make_app(records=self.desk, plans=self.plans))

    async def sign(self, text: str, *follows: bytes, **body: Any) -> Any:
        data = text.encode()
        named = {"plan_sha256": sm.sha256(data), "revision": 1, **body}
        file = AttachedFile("plan.toml", "application/toml", len(data), sm.sha256(data))
        made = paper("zhao", "control-plan", "2026", named, *follows, files=[file])
        answer = await self.post(made, data)
        return answer.status_code, answer.json(), sm.sha256(made)

    async def certify(self, meter: str, day: str, due: str, **other: str) -> None:
        body = {"scope": "verification", "issuer": "Institute", "number": day, "day": day,
                "due": due, "fit": True, **other}  # fmt: skip
        assert (await self.post(paper("zhao", "meter-certificate", meter, body))).is_success


@pytest.fixture
async def plant(tmp_path: Path) -> AsyncIterator[Plant]:
    made = Plant(tmp_path)
    await made.persons()
    yield made
    await made.running.stop()


@pytest.mark.parametrize(
    ("text", "body", "said"),
    [
        (
            x.text(year=2027),
            {},
            "its plan is of mini 2027, revision 1; the document says mini 2026",
        ),
        (x.text(plant="maxi"), {}, "its plan is of maxi"),
        (x.text(revision=2, revisions=TWO), {}, "revision 2; the document says"),
        (x.text(revision=2, revisions=TWO), {"revision": 2}, "revision 2 where 1 is due"),
        (x.text(meter=[x.meter(check="seal")]), {}, "meter[1].check: must be one of verification"),
        ("plan: none", {}, "is not of type application/toml"),
    ],
)
async def test_plans_that_are_not_taken(
    plant: Plant, text: str, body: dict[str, Any], said: str
) -> None:
    status, answer, _ = await plant.sign(text, **body)
    assert (status, said in str(answer)) == (422, True), answer


async def test_a_plan_its_revision_and_what_stands_beside_it(plant: Plant) -> None:
    none = (await plant.ask("GET", PLAN)).json()
    assert (none["year"], none["plan"], none["due"]) == (2026, None, "2025-12-31")
    assert none["falls_due"][0]["what"] == "plan"
    assert (await plant.ask("GET", f"{PLAN}/departures")).json()["departures"] is None
    status, _, first = await plant.sign(x.text())
    assert status == 200
    status, answer, _ = await plant.sign(x.text() + "# another\n")
    assert (status, "a plan of 2026 stands already" in str(answer)) == (422, True), answer
    second = x.text(revision=2, revisions=TWO)
    status, _, sha256 = await plant.sign(second, first, revision=2)
    assert status == 200
    await plant.post(paper("li", "approve", "2026", {}, sha256))
    await plant.certify("gas-1", "2026-08-10", "2027-08-09")
    await plant.certify("gas-1", "2026-09-15", "2027-09-14", as_found_percent="-5")
    told = (await plant.ask("GET", PLAN, year=2026)).json()
    document, plan = told["document"], told["plan"]
    assert (document["body"]["revision"], document["approved_by"]) == (2, ["li"])
    assert told["is_late"]  # it came in September, and was due in December before
    assert (plan["revision"], len(plan["parameters"])) == (2, 3)
    file = await plant.ask("GET", f"/api/v1/plants/mini/files/{document['body']['plan_sha256']}")
    assert file.text == second
    assert file.headers["content-disposition"].endswith('.toml"')
    assert [one["is_beyond_limit"] for one in told["certificates"]] == [False, True]
    # by hand: 1000 / 0.95 - 1000
    assert [(d["month"], d["emission_t"], d["effect_t"]) for d in told["doubtful"]] == [
        ("2026-08", "1000.00", "52.63"), ("2026-09", None, None)
    ]  # fmt: skip
    await plant.running.stop()
    plant.start()
    assert (await plant.ask("GET", PLAN, year=2026)).json() == told
    assert (await plant.ask("GET", PLAN, year=2027)).json()["plan"] is None


async def test_a_plans_file_is_read_once(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of a plant's months ask for it once a minute and month."""
    assert (await plant.sign(x.text()))[0] == 200
    found = plant.plans.kept("mini", 2026)
    assert found.plan is not None
    monkeypatch.delattr(RecordDesk, "file")
    assert plant.plans.kept("mini", 2026) is found


async def departed(plant: Plant, month: str) -> Sequence[tuple[str, str]]:
    told = (await plant.ask("GET", f"{PLAN}/departures", month=month)).json()
    assert [row["kind"] for row in told["expected"]][:2] == ["readings", "sample-result"]
    return [(one["code"], one["about"]) for one in told["departures"]]


async def test_a_month_is_held_against_the_configurations_of_its_time(plant: Plant) -> None:
    """The one that is sent reads nothing that the plan names."""
    assert (await plant.sign(x.text()))[0] == 200
    before = await departed(plant, "2026-09")
    assert {code for code, _ in before} == {"other-source", "no-device", "no-certificate"}
    gateway = plant.plant.gateways["edge-1"]
    plant.running.send(gateway.config(), gateway.frame(T0_NS), gateway.config("stackproof 1"))
    await plant.running.until(lambda: plant.running.receipted()[-1:] == [2])
    found = await departed(plant, "2026-09")
    assert found == before
    assert len(found) == len(set(found))  # both configurations depart alike, and it is told once
    assert ("no-device", "gas-1") in await departed(plant, "2026-10")
    page = await plant.ask("GET", "/zh/plants/mini/plan", month="2026-09")
    assert page.status_code == 200
    assert "设备 gas-1 不在任何配置中" in page.text
    wrong = await plant.ask("GET", f"{PLAN}/departures", month="2026-13")
    assert wrong.status_code == 422


class Weak(dict[str, Any]):
    """A configuration of which one can see whether it is held."""

    __hash__ = object.__hash__


async def test_configurations_without_end_are_not_held_in_memory(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """20 of 20,000 points (1.4 MB sent) took 560 MiB and 25 s of whoever opened the page."""
    assert (await plant.sign(x.text()))[0] == 200
    gateway, alive = plant.plant.gateways["edge-1"], WeakSet[Weak]()
    programs = [f"stackproof {n}" for n in range(4)]
    plant.running.send(gateway.config(), gateway.frame(T0_NS), *map(gateway.config, programs))
    await plant.running.until(lambda: plant.running.receipted()[-1:] == [5])

    def decoded(data: bytes) -> Weak:
        made = Weak(decode_configuration(cose.parse(data).payload))
        alive.add(made)
        return made

    most = list[int]()
    held = desk.departures

    def watched(*args: Any, **more: Any) -> Any:
        most.append(len(alive))
        return held(*args, **more)

    monkeypatch.setattr(desk, "configuration_of", decoded)
    monkeypatch.setattr(desk, "departures", watched)
    assert await departed(plant, "2026-09")
    assert max(most) <= 3  # the newest, an older one, and the one that is let go of
    assert len(most) == 5
    monkeypatch.setattr(desk, "OLDER_BYTES_MAX", 1)
    told = (await plant.ask("GET", f"{PLAN}/departures", month="2026-09")).json()
    assert (told["not_held"], len(most)) == (4, 6)
    page = await plant.ask("GET", "/en/plants/mini/plan", month="2026-09")
    assert "4 older configurations of this month are not held" in page.text


async def test_a_check_early_in_its_quarter_is_no_missing_one(plant: Plant) -> None:
    body = {"of": "gas-1", "method": "seal", "result": "whole", "passed": True, "by": "Li"}
    july_ns = 1_783_000_000 * 10**9  # 2026-07-02 21:46:40 in Shanghai
    made = paper("chen", "internal-check", "review", body | {"checked_ns": july_ns})
    assert (await plant.post(made)).is_success
    told = [
        plant.plans.earlier_checks("mini", month) for month in ("2026-07", "2026-09", "2027-08")
    ]
    assert told == [{}, {"review": 2}, {}]
