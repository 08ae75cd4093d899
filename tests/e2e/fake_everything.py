"""One person who may do everything at once, and a plant whose every page has something to show.

No account has all rights: `EVERYTHING` is for walks that look at each page, with the longest
navigation that there can be. Who may do what is the matter of the paths of the roles.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cloud.accounts.desks import Accounts
from cloud.accounts.roles import Principal, Profile, Right
from cloud.records.desk import RecordDesk
from tests.e2e.fake_months import FakeMonths
from tests.e2e.fake_plant import PLANT
from tests.unit.cloud.evidence_examples import T0_NS
from tests.unit.cloud.review.review_examples import SealedMonths
from tests.unit.cloud.test_papers import paper
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp

EVERYTHING = Principal("li", frozenset(Right), ("*",), session="of-all", csrf="of-all")


class AllMonths(FakeMonths):
    """Half a year of the live plant, and the month of `mini` that is sealed."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._sealed = SealedMonths(folder)

    def archives(self, plant: str) -> Sequence[Mapping[str, Any]]:
        return self._sealed.archives(plant)

    def rows(self, plant: str) -> Sequence[Mapping[str, Any]]:
        return super().rows(plant) if plant == PLANT else self._sealed.rows(plant)

    def month(self, plant: str, month: str) -> Mapping[str, Any] | None:
        asked = super().month if plant == PLANT else self._sealed.month
        return asked(plant, month)


def invite(accounts: Accounts, name: str) -> None:
    """An account for `EVERYTHING`, of which its own page can tell."""
    profile = Profile("accountant", plants=("*",))
    accounts.people.invite(EVERYTHING, EVERYTHING.account, name, name, profile)


async def write(records: RecordDesk, party: str) -> None:
    """The persons of `mini`, and an invoice that was corrected and waits for approval."""
    first = await records.enrol("mini", "wang", pp.person_body("wang"), T0_NS // 10**9)
    head = bytes.fromhex(first["sha256"])
    for person in list(pp.WHO)[1:]:
        data = paper("wang", "person", person, pp.person_body(person), head)
        await records.take("mini", data, [])
        head = sm.sha256(data)
    body = pp.INVOICE | {"party": party}
    wrong = paper("li", "invoice", "coal", body | {"value": "12.05"})
    right = paper("li", "invoice", "coal", body, sm.sha256(wrong), files=[pp.file_of(pp.SCAN)])
    await records.take("mini", wrong, [])
    await records.take("mini", right, [pp.SCAN])
