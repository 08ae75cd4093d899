"""What the doctor found, as lines for a person and as plain values for a program. Pure."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from edge.commissioning.findings import LAYERS, Check, State


def lines(checks: Sequence[Check]) -> Iterator[str]:
    """Subject by subject, layer by layer; what failed is named once more at the end."""
    for subject, of_subject in groupby(checks, key=lambda check: check.subject):
        yield subject
        for check in of_subject:
            yield f"  {check.layer:12}{check.state.value:9}{check.sentence}"
            if check.todo:
                yield f"  {'':12}{'do':9}{check.todo}"
    yield ""
    yield verdict(checks)


def verdict(checks: Sequence[Check]) -> str:
    """Which layer fails, of whom, and what was not looked at."""
    bad = [check for check in checks if check.state is State.FAILED]
    unknown = [f"{c.subject} at {c.layer}" for c in checks if c.state is State.SKIPPED]
    end = f"; not looked at: {', '.join(unknown)}" if unknown else ""
    if not bad:
        warned = sum(check.state is State.WARNING for check in checks)
        end = (f"; {warned} warning{'s'[: warned > 1]}" if warned else "") + end
        return f"nothing that was looked at fails{end}" if unknown else f"nothing fails{end}"
    subjects = list(dict.fromkeys(check.subject for check in bad))
    return (
        "fails: "
        + ", ".join(
            f"{subject} at {_first([check for check in bad if check.subject == subject])}"
            for subject in subjects
        )
        + end
    )


def _first(bad: Sequence[Check]) -> str:
    """The lowest layer that fails: those above it may fail because of it."""
    return min((check.layer for check in bad), key=LAYERS.index)


def as_map(checks: Sequence[Check]) -> dict[str, Any]:
    """The same for programs."""
    return {"verdict": verdict(checks), "checks": checks_map(checks)}


def checks_map(checks: Sequence[Check]) -> list[dict[str, Any]]:
    """Each of them for programs."""
    return [
        {
            "subject": check.subject,
            "layer": check.layer,
            "state": check.state.value.lower(),
            "sentence": check.sentence,
            "todo": check.todo or None,
        }
        for check in checks
    ]
