"""From the gateway's signature to the collector's receipt and back. Pure."""

from edge.commissioning.page.here import Here, checks, rows
from edge.commissioning.page.tags import Content, Markup, tag
from edge.commissioning.round_trip import PATIENCE_S, Delivery, RoundTrip


def round_trip_view(here: Here, now: RoundTrip | None) -> str:
    """The page.

    Args:
        here: where.
        now: how the stream stands; None where this machine signs nothing.
    """
    words = here.words
    lead = tag("section", tag("h2", words("trip.head")), tag("p", words("trip.lead")),
               *_standing(here, now), class_="card")  # fmt: skip
    return here.whole(lead, _watched(here), _broker(here))


def _standing(here: Here, now: RoundTrip | None) -> list[Content]:
    words = here.words
    if now is None:
        return [tag("p", words("trip.no-stream"), class_="note warn")]
    seen = now.seen
    if seen.trouble:
        return [tag("p", words("trip.unknown"), class_="note bad"),
                tag("p", seen.trouble, lang="en")]  # fmt: skip
    parts: list[Content] = [rows(*_facts(here, seen))]
    if not seen.is_running:
        parts.append(tag("p", words("trip.stopped"), class_="note warn"))
    elif seen.mode != "mqtt":
        parts.append(tag("p", words("trip.files"), class_="note warn"))
    else:
        label = words("trip.watch", s=f"{PATIENCE_S:.0f}")
        parts.append(here.post("trip", "", label=label))
    return parts


def _facts(here: Here, seen: Delivery) -> list[tuple[str, str]]:
    words = here.words
    agent = words("trip.running") if seen.is_running else words("trip.not-running")
    receipt = words("trip.none-yet")
    if seen.received_ns is not None and seen.age_s is not None:
        age = words("trip.age", s=f"{seen.age_s:.0f}")
        receipt = f"seq {seen.receipted_seq} · {words.time(seen.received_ns)} · {age}"
    signed = words("trip.none-yet") if seen.signed_seq < 0 else f"seq {seen.signed_seq}"
    return [
        (words("trip.agent"), agent),
        (words("trip.signed"), signed),
        (words("trip.receipt"), receipt),
        (words("trip.log"), str(seen.log_size) if seen.log_size else "–"),
    ]


def _watched(here: Here) -> Markup | None:
    words, trip = here.words, here.session.trip
    if trip is None:
        return None
    head = tag("h2", words("trip.watched"))
    if not trip.is_done:
        key = "trip.late" if trip.seen.is_running else "trip.gone"
        return tag("section", head, tag("p", words("trip.failed"), class_="state bad"),
                   tag("p", words(key, s=f"{trip.waited_s:.0f}")), class_="card")  # fmt: skip
    first = trip.began.signed_seq + 1
    facts = [
        (words("trip.began"), words.time(trip.began.before_ns)),
        (words("trip.first"), f"seq {first}"),
        (words("trip.receipt"), f"seq {trip.seen.receipted_seq}"),
        (words("trip.seen"), words.time(trip.seen.after_ns)),
        (words("trip.took"), words("trip.took.text", s=f"{trip.took_s:.1f}")),
    ]
    return tag("section", head, tag("p", words("trip.done"), class_="state"), rows(*facts),
               class_="card")  # fmt: skip


def _broker(here: Here) -> Markup:
    words, found = here.words, here.session.broker
    return tag(
        "section", tag("h2", words("broker.head")), tag("p", words("broker.lead")),
        checks(here, found) if found else None,
        here.post("broker", "", label=words("broker.ask"), kind="plain"), class_="card",
    )  # fmt: skip
