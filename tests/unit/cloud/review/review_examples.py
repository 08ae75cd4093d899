"""A sealed month to be reviewed, its reviewers and the plant's people, at a running collector."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cloud.accounts.roles import ROLES, Principal
from cloud.closing.kept import read_kept
from cloud.month.rows import issues_row
from cloud.review.openings import Openings
from edge.calc.statements.statement import compute
from evidence.archive import paths, ustar
from evidence.month_state import issues_of, state_of
from tests.unit.cloud.app_examples import (
    Months,
    make_accounts,
    make_app,
    make_client,
)
from tests.unit.cloud.kept import brief
from tests.unit.cloud.outputs.months import evidence_input
from tests.unit.cloud.test_papers import paper, text
from tests.unit.cloud.test_record_pages import Works
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp

MONTH, NAME = "2026-09", "mini-2026-09.tar"


def statement(simulated: str) -> bytes:
    """A published month's statement; another one of the same figures where `simulated` differs."""
    given = evidence_input(MONTH)
    whole = {"format": 1, "simulated": simulated, "input": given, "output": compute(given)}
    return json.dumps(whole, ensure_ascii=False).encode()


STATEMENTS = [statement("first"), statement("amended")]
FIRST, SECOND = (hashlib.sha256(data).hexdigest() for data in STATEMENTS)


def archive(data: bytes) -> bytes:
    """A file that holds the statement and nothing else."""
    head = ustar.header(f"mini-{MONTH}/{paths.STATEMENT}", len(data))
    return head + data + ustar.padding(len(data)) + bytes(1024)


class SealedMonths(Months):
    """September 2026, closed for good; its figures are those of a published month."""

    def __init__(self, folder: Path, plants: Sequence[str] = ("mini",)) -> None:
        super().__init__()
        self.statement, self.plants = FIRST, plants
        self.verdict: Mapping[str, Any] | None = None
        self.path = folder / NAME
        self.path.write_bytes(archive(STATEMENTS[0]))

    def amend(self) -> None:
        self.statement = SECOND
        self.path.write_bytes(archive(STATEMENTS[1]))

    def archives(self, plant: str) -> Sequence[Mapping[str, Any]]:
        row = {"plant": plant, "month": MONTH, "archive": str(self.path), "replaced": False}
        return [row] if plant in self.plants else []

    def put(self, archive: Path) -> None:
        """An archive of the month that can be verified; its statement is the one that stands."""
        kept = read_kept(archive)
        assert kept is not None
        self.path.write_bytes(archive.read_bytes())
        self.statement = kept.sha256.hex()

    def rows(self, plant: str) -> Sequence[Mapping[str, Any]]:
        return [self.month(plant, MONTH) or {}] if plant in self.plants else []

    def month(self, plant: str, month: str) -> Mapping[str, Any] | None:
        row = super().month(plant, month)
        if row is None or plant not in self.plants:
            return None
        given, statements = evidence_input(MONTH), [FIRST, SECOND][: 1 + (self.statement == SECOND)]
        made, data = compute(given), self.path.read_bytes()
        held = {
            "name": NAME, "archive": str(self.path), "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(), "statement_sha256": self.statement,
            "replaced": False, "newest": True, "verified": self.verdict,
        }  # fmt: skip
        closes = [{"index": 9, "closing": "final", "received_ns": 0, "replaces": None,
                   "statement_sha256": one} for one in statements]  # fmt: skip
        figures = {
            "statement_sha256": self.statement, "closing": "final", "rule_set": given["rule_set"],
            "output": given["output"],
            "made": {key: made[key] for key in ("totals", "gases", "intensity", "lines")},
            "state": state_of(issues_of(given, made), closing="final").as_map(),
        }  # fmt: skip
        told = issues_row([held], lambda _: self.verdict, figures)
        return {**row, "state": "sealed", "archives": [held], "closes": closes,
                "figures": figures, **told}  # fmt: skip


class Bureau(Works):
    """The works, and reviewers of its province and of the nation."""

    def start(self) -> None:
        super().start()
        self.months = SealedMonths(self.root.parent)
        self.openings = Openings(brief())
        accounts = make_accounts()
        app = make_app(
            records=self.desk, evidence=self.running.desk, accounts=accounts, months=self.months,
            openings=self.openings,
        )  # fmt: skip
        self.theirs = make_client(app)
        accounts.sign_in.by_token = self.who

    def who(self, name: str) -> Principal:
        if name not in pp.REVIEWERS:
            return super().who(name)
        return Principal(name, ROLES["reviewer"], region=pp.REVIEWERS[name][0])

    async def persons(self) -> None:
        await super().persons()
        rows = self.desk.rows("mini", "person", "", 0, 99)
        head = bytes.fromhex(rows[-1]["sha256"])
        for person, (region, _) in pp.REVIEWERS.items():
            body = pp.person_body("li") | {"role": "reviewer", "region": region,
                                           "key": pp.spki(pp.key_of(person))}  # fmt: skip
            data = paper("wang", "person", person, body, head)
            assert (await self.post(data)).status_code == 200
            head = sm.sha256(data)

    async def review(self, person: str) -> Any:
        answer = await self.by(person, "GET", f"/api/v1/plants/mini/months/{MONTH}/review")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def brought(self, person: str, data: bytes) -> Any:
        body = {"document": text(data), "files": []}
        return await self.by(person, "POST", "/api/v1/plants/mini/documents", json=body)
