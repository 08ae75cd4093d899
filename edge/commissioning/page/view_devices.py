"""The devices of the site file: how each stands, what to do, and its points. Pure."""

from edge.commissioning.findings import State
from edge.commissioning.look import Look
from edge.commissioning.page.here import Here, checks, rows, table
from edge.commissioning.page.seen import DeviceSeen
from edge.commissioning.page.tags import Content, Markup, tag
from edge.commissioning.page.view_face import verdict_of
from edge.drivers.base import BoundPoint
from edge.site.devices import DeviceConfig

OPEN_MAX = 24  # points that stand there without a click


def devices_view(here: Here) -> str:
    """The page."""
    words, session = here.words, here.session
    lead = tag(
        "section", tag("h2", words("devices.head")), tag("p", words("devices.lead")),
        here.post("examine", "", here.beside(""), label=words("devices.ask")),
        here.post("reload", "", label=words("devices.reload"), kind="plain"), class_="card",
    )  # fmt: skip
    return here.whole(lead, *(_device(here, device) for device in session.part.site.devices))


def _device(here: Here, device: DeviceConfig) -> Markup:
    words, seen = here.words, here.session.devices.get(device.id)
    state, kind = _state(here, seen)
    facts = [
        (words("device.url"), device.url),
        (words("device.profile"), f"{device.profile.title} ({device.profile.id})"),
        (words("device.level"), words(f"level.{device.profile.quality_level}")),
    ]
    if seen is not None:
        facts.append((words("device.asked"), words.time(seen.at_ns)))
    if seen is not None and seen.looks:
        took = words("device.took.text", count=len(seen.looks), ms=f"{seen.took_ms:.0f}")
        facts.append((words("device.took"), took))
    parts: list[Content] = [
        tag("div", tag("h2", device.id), tag("span", state, class_=f"state {kind}".strip()),
            class_="head"),
        rows(*facts),
    ]  # fmt: skip
    if device.warning:
        parts.append(tag("p", device.warning, lang="en", class_="note warn"))
    if seen is not None:
        loud = [check for check in seen.checks if check.state is not State.FINE]
        quiet = [check for check in seen.checks if check.state is State.FINE]
        parts.append(checks(here, loud) if loud else None)
        if quiet:
            count = words("device.fine", count=len(quiet))
            parts.append(tag("details", tag("summary", count), checks(here, quiet)))
    parts.append(here.post("examine", device.id, here.beside(device.id), label=words("device.ask")))
    parts.append(_points(here, device, seen))
    return tag("section", *parts, class_="card", id=device.id)


def _state(here: Here, seen: DeviceSeen | None) -> tuple[str, str]:
    words = here.words
    if seen is None:
        return words("device.unasked"), "unknown"
    if (worst := seen.failed) is not None:
        return words("device.fails", layer=words(f"layer.{worst.layer}")), "bad"
    if seen.is_warned:
        return words("device.warned"), "warn"
    return words("device.answers"), ""


def _points(here: Here, device: DeviceConfig, seen: DeviceSeen | None) -> Markup:
    words = here.words
    missing = words("points.unasked" if seen is None else "points.none")
    looks = {look.point: look for look in (() if seen is None else seen.looks)}
    heads: list[Content] = [
        words(key) for key in ("point", "place", "value", "quality", "face.check")
    ]
    body = [_point(here, bound, looks.get(bound.point.id), missing) for bound in device.points]
    count = words("points.count", count=len(body))
    name = f"{device.id}: {words('points')}"
    return tag(
        "details",
        tag("summary", count),
        table(name, heads, body),
        open=len(body) <= OPEN_MAX,
        class_="points",
    )


def _point(here: Here, bound: BoundPoint, look: Look | None, missing: str) -> Markup:
    words, name = here.words, bound.point.id
    single = here.session.points.get(name)
    if single is not None and single.look is not None:
        look = single.look
    value, quality = "–", missing
    if look is not None and look.shown is not None:
        value = "–" if look.shown.number is None else look.shown.text
        quality = words.quality(int(look.shown.quality))
    bad = look is not None and look.shown is not None and not look.shown.quality.usable
    entry = here.session.entries.get(name)
    return tag(
        "tr", tag("td", tag("a", name, href=here.to("point", name))),
        tag("td", words.place(bound.point.source)), tag("td", value, class_="n"),
        tag("td", quality, class_="state bad" if bad else None),
        tag("td", words("face.none") if entry is None else verdict_of(here, entry)),
    )  # fmt: skip
