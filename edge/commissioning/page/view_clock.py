"""Clocks: this gateway's, the collector's as far as a receipt tells, and devices' own. Pure."""

from edge.commissioning.findings import Check, State
from edge.commissioning.page.clocks import APART_S, clock_checks_of, source_age_s
from edge.commissioning.page.here import Here, checks, rows, table
from edge.commissioning.page.tags import Content, Markup, tag
from edge.site.devices import DeviceConfig


def clock_view(here: Here, machine: list[Check]) -> str:
    """The page.

    Args:
        here: where.
        machine: what was found of this machine's clock.
    """
    words, clock = here.words, here.session.clock
    state = clock.state()
    kept = (
        words("clock.free")
        if state.error_ms is None
        else words("clock.kept", source=state.source, ms=state.error_ms)
    )
    own = tag(
        "section", tag("h2", words("clock.own")),
        rows((words("clock.now"), words.time(clock.wall_ns())), (words("clock.by"), kept)),
        tag("p", words("clock.compare"), class_="note"),
        checks(here, [check for check in machine if check.state is State.FAILED]),
        class_="card",
    )  # fmt: skip
    return here.whole(own, _collector(here), _devices(here))


def _collector(here: Here) -> Markup:
    words, trip = here.words, here.session.trip
    link = tag("p", tag("a", words("clock.watch"), href=here.to("round-trip")))
    ahead = None if trip is None else trip.collector_ahead_s
    if trip is None or ahead is None:
        said = tag("p", words("clock.collector.unknown"), class_="state unknown")
        return tag("section", tag("h2", words("clock.collector")), said, link, class_="card")
    least, most = ahead
    facts = rows(
        (
            words("clock.ahead"),
            words("clock.ahead.text", least=f"{least:+.1f}", most=f"{most:+.1f}"),
        ),
        (words("clock.seen"), words.time(trip.seen.after_ns)),
    )
    verdict, kind = _verdict(here, least, most)
    return tag("section", tag("h2", words("clock.collector")), tag("p", verdict, class_=kind),
               facts, tag("p", words("clock.how"), class_="dim"), link, class_="card")  # fmt: skip


def _verdict(here: Here, least: float, most: float) -> tuple[str, str]:
    """What may be said of two clocks when the difference is between two numbers of seconds."""
    if least > APART_S or most < -APART_S:
        return here.words("clock.apart"), "state bad"
    if least >= -APART_S and most <= APART_S:
        return here.words("clock.agree", s=f"{max(-least, most, 0):.1f}"), "state"
    return here.words("clock.unclear"), "state unknown"


def _devices(here: Here) -> Markup:
    words = here.words
    heads: list[Content] = [words("device"), words("state"), words("clock.found"), words("asked")]
    body = [_device(here, device) for device in here.session.part.site.devices]
    return tag("section", tag("h2", words("clock.devices")), tag("p", words("clock.devices.lead")),
               table(words("clock.devices"), heads, body), class_="card")  # fmt: skip


def _device(here: Here, device: DeviceConfig) -> Markup:
    words, seen = here.words, here.session.devices.get(device.id)
    name = tag("td", tag("a", device.id, href=f"{here.to('devices')}#{device.id}"))
    if seen is None:
        return tag("tr", name, tag("td", words("device.unasked"), class_="state unknown"),
                   tag("td", "–"), tag("td", "–"))  # fmt: skip
    asked = tag("td", words.time(seen.at_ns))
    if (worst := seen.failed) is not None and worst.layer != "clock":
        said = words("device.fails", layer=words(f"layer.{worst.layer}"))
        return tag("tr", name, tag("td", said, class_="state bad"), tag("td", "–"), asked)
    found = clock_checks_of(device.id, seen)
    if not found:
        said = words("clock.nothing")
        return tag("tr", name, tag("td", said), tag("td", words("clock.none")), asked)
    (check,) = found[:1]
    told = here.said(check.sentence)
    if check not in seen.checks and (age_s := source_age_s(seen)) is not None:
        key = "clock.source.ahead" if age_s < 0 else "clock.source.behind"
        told = words(key, s=f"{abs(age_s):.1f}")
    state = tag("td", words(f"state.{check.state.name}"),
                class_="state" if check.state is State.FINE else "state warn")  # fmt: skip
    return tag("tr", name, state, tag("td", told), asked)
