"""A verifier's report as a page tells it. Pure."""

import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from evidence.month_state import MonthState
from evidence.phrases import phrase, translated
from evidence.report_text import counted, held, month_told, values_told

#: findings of one code that the page lists
LISTED_MAX = 20
#: the top folder of an archive
_TOP = re.compile(r"([a-z0-9-]{1,40})-([0-9]{4}-[0-9]{2})")
#: first letter of a code -> what it does to the verdict
KINDS = {"E": "fails", "C": "undecided", "W": "warning", "N": "note"}


def plant_and_month(report: Mapping[str, Any]) -> tuple[str, str]:
    """What an archive says it is of; empty where it was not opened. Not proved by itself."""
    found = _TOP.fullmatch(str(report["archive"]))
    return ("", "") if found is None else (found[1], found[2])


def told_of(
    report: Mapping[str, Any], language: str, roots: Mapping[str, str]
) -> Mapping[str, Any]:
    """What a page says.

    Args:
        report: of `stackproof verify --json`; its words may be those of a hostile archive.
        language: "en" or "zh".
        roots: plant id -> `key_sha256` of the root that this collector knows it by, hex.
    """
    verdict = f"verdict.{report['verdict']}"
    state = MonthState.from_map(report["state"])
    return {
        "verdict": report["verdict"],
        "word": state.headline(language),
        "means": phrase(f"{verdict}.means", language),
        "month": month_told(report["month"], state, language) if report["month"] else "",
        "values": values_told(report["values"], language) if report["values"] else "",
        "program": report["program"],
        "identity": translated("identity", report["identity"], language),
        "timestamp": translated("timestamp", report["timestamp"], language),
        "root_sha256": report["root_sha256"],
        "root": _root(report, roots),
        "plant": plant_and_month(report)[0] or "?",
        "counts": counted(report["counts"], language),
        "streams": [(name, held(of, language)) for name, of in report["completeness"].items()],
        "findings": list(_grouped(report, language)),
        "not_checked": [translated("unchecked", one, language) for one in report["not_checked"]],
    }


def _grouped(report: Mapping[str, Any], language: str) -> Iterator[Mapping[str, Any]]:
    for code, group in groupby(report["findings"], lambda one: one["code"]):
        found = list(group)
        yield {
            "code": code,
            "kind": KINDS[code[0]],
            "meaning": phrase(f"code.{code}", language),
            "listed": [
                (translated("where", one["where"], language),
                 translated("sentence", one["sentence"], language))
                for one in found[:LISTED_MAX]
            ],
            "more": len(found[LISTED_MAX:]),
        }  # fmt: skip


def _root(report: Mapping[str, Any], roots: Mapping[str, str]) -> str:
    """Does this collector know the archive's root: "known", "other", "strange" or "none"?"""
    plant, _ = plant_and_month(report)
    if report["root_sha256"] is None:
        return "none"
    if plant not in roots:
        return "strange"
    return "known" if roots[plant] == report["root_sha256"] else "other"
