"""Plans as pages get them: of the evidence room's examples, with something amiss in every table."""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from cloud.plan import view
from evidence.plan.certificates import doubtful_months
from evidence.plan.departures import departures
from evidence.plan.due import due, expected, falls_due
from evidence.plan.plan import Plan, plan_of
from tests.unit.evidence.plan import examples as x

TODAY = date(2026, 11, 20)
DOCUMENT = {
    "person": "zhao", "received_ns": 1_766_217_600 * 10**9, "approved_by": ["li"],
    "body": {"revision": 1, "plan_sha256": "ab" * 32},
}  # fmt: skip


def amiss() -> tuple[Plan, list[Any], dict[str, Any]]:
    """A plan, certificates and a configuration that do not go together."""
    config = x.configuration()
    config["statement"]["auxiliary"] = [{"kind": "electricity", "point": "ac-1.energy"}]
    certificates = [
        x.certificate("2025-10-01", "2026-09-30"),
        x.certificate("2026-10-09", "2027-10-08", found="-3.2", left="0.1", number="C-2"),
        x.certificate("2025-11-11", "2026-11-10", scope="calibration", meter="scale-1", fit=False),
    ]
    return plan_of(x.table()), certificates, config


class PlanExample:
    """What `cloud.plan.desk.PlanDesk` tells; only 2026 has a plan."""

    def today(self, plant: str) -> date:
        return TODAY

    def plan(self, plant: str, year: int) -> Mapping[str, Any]:
        plan, certificates, _ = amiss()
        told: dict[str, Any] = {
            "plant": plant, "year": year, "due": due(year).isoformat(), "problem": "",
            "is_late": True, "document": None, "plan": None, "certificates": [], "doubtful": [],
            "falls_due": [
                view.due_row(one, TODAY.isoformat())
                for one in falls_due(plan, certificates, TODAY)
            ],
        }  # fmt: skip
        if year != plan.year:
            return told
        months = {f"2026-{n:02}": Fraction(n * 100) for n in range(1, 11)}
        doubtful = doubtful_months(certificates, plan.meters[0], {"2025-12": None, **months})
        return told | {
            "document": DOCUMENT, "plan": view.plan_row(plan),
            "certificates": [view.certificate_row(one, plan) for one in certificates],
            "doubtful": [view.doubt_row(one) for one in doubtful],
        }  # fmt: skip

    def departures(self, plant: str, month: str) -> Mapping[str, Any]:
        plan, certificates, config = amiss()
        found = departures(plan, [config], certificates, month)
        return {
            "plant": plant, "month": month, "problem": "", "not_held": 0,
            "departures": [view.departure_row(one) for one in found],
            "expected": view.expected_rows(expected(plan, month, certificates)),
        }  # fmt: skip
