"""The collectors' lists as one: each row as it came, with whose it is and when it was heard. Pure.

A list is whole or it is none: where a collector was never heard, `NotKnownError` says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cloud.front.heard import Amiss, Heard, Part, rows, twice
from cloud.front.turning import ALL, PLACES, Turn, Turned, turned


class NotKnownError(Exception):
    """A collector's rows are not known at all; the sentence names it."""


def of_whom(heard: Heard, part: Part) -> dict[str, Any]:
    """Whose a row is, whether it is as of now, and when it was heard (UTC nanoseconds)."""
    return {
        "collector": heard.name,
        "collector_answers": part.amiss is None,
        "collector_heard_ns": part.heard_ns,
    }


def merged(
    all_heard: Sequence[Heard], part: str, keys: Sequence[str] = ("",), turn: Turn = ALL
) -> Turned[tuple[str, dict[str, Any]]]:
    """Rows of all collectors, in their order, or a part of them by their places.

    Args:
        all_heard: every collector.
        part: name of the part.
        keys: of the lists in the answer; "" where the answer is the list.
        turn: which of the rows.

    Returns:
        Each row with the key of its list.

    Raises:
        NotKnownError: a collector's are not known.
        TurnError: no such part can be given.
    """
    place = PLACES[part]
    found = turned(
        (
            ((*place(row), heard.name), (key, row, heard, of))
            for heard, of in known(all_heard, part)
            for key in keys
            for row in (of.raw[key] if key else of.raw)
        ),
        turn,
    )
    rows = [(key, {**row, **of_whom(heard, of)}) for key, row, heard, of in found.rows]
    return Turned(rows, found.next, found.more)


def counted(all_heard: Sequence[Heard], part: str, name: str) -> int | None:
    """A count of all; None while one of them is not as of now."""
    told = [of for _, of in known(all_heard, part)]
    if any(of.amiss for of in told):
        return None
    return sum(int(getattr(of.seen, name)) for of in told)


def known(all_heard: Sequence[Heard], part: str) -> Iterator[tuple[Heard, Part]]:
    """A part of every collector; NotKnownError at one whose is not known at all."""
    for heard, of in rows(all_heard, part):
        if of.heard_ns is None:
            amiss = of.amiss
            told = f"{amiss.why} {amiss.detail}" if amiss else ""
            raise NotKnownError(
                f"{part} of {heard.name} are not known ({told.strip()}): no list without them; "
                "/api/v1/collectors tells more"
            )
        yield heard, of


def collectors(all_heard: Sequence[Heard]) -> list[dict[str, Any]]:
    """JSON-ready: every collector, whether it answers, what is not known of it."""
    return [
        {
            "collector": heard.name, "pages": heard.pages, "answers": heard.amiss is None,
            "amiss": _amiss(heard.amiss), "plants": sorted(heard.plants),
            "parts": {
                name: {"heard_ns": part.heard_ns, "amiss": _amiss(part.amiss)}
                for name, part in heard.parts.items()
            },
        }
        for heard in all_heard
    ]  # fmt: skip


def health(all_heard: Sequence[Heard]) -> Mapping[str, Any]:
    """JSON-ready: "ok" where every collector answers and says so, and no plant is at two."""
    told = [
        {**of_whom(heard, part), "health": part.raw, "amiss": _amiss(part.amiss)}
        for heard, part in rows(all_heard, "health")
    ]
    is_fine = all(one["collector_answers"] and one["health"]["status"] == "ok" for one in told)
    double = twice(all_heard)
    return {
        "status": "ok" if is_fine and not double else "amiss", "twice": double, "collectors": told,
    }  # fmt: skip


def _amiss(amiss: Amiss | None) -> Mapping[str, Any] | None:
    if amiss is None:
        return None
    return {
        "why": amiss.why.value,
        "detail": amiss.detail,
        "fault": amiss.fault,
        "since_ns": amiss.since_ns,
    }
