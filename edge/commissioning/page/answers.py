"""What becomes of a request that may be answered: a page, a file, or the way to the next page.

No socket here: `server` takes it from one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from edge.commissioning.page.here import Here
from edge.commissioning.page.request import POLICY, Asked, UnaskableError
from edge.commissioning.page.session import RefusedError, Session
from edge.commissioning.page.view_clock import clock_view
from edge.commissioning.page.view_devices import devices_view
from edge.commissioning.page.view_point import point_view
from edge.commissioning.page.view_record import record_view
from edge.commissioning.page.view_round_trip import round_trip_view
from edge.commissioning.record_html import style_hash
from edge.commissioning.recorded import machine_clock

HTML = "text/html; charset=utf-8"

#: action of a form -> the page that shows what came of it
AFTER = {
    "examine": "devices", "reload": "devices", "read": "point", "face": "point", "forget": "point",
    "trip": "round-trip", "broker": "round-trip", "make": "record",
}  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What is sent back.

    Attributes:
        status: of HTTP.
        body: bytes; b"" of a way to elsewhere.
        headers: beside those of every answer.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def shown(session: Session, token: str, asked: Asked) -> Answer:
    """A page or the record; UnaskableError when there is none."""
    if asked.page == "record.html":
        return _file(session, is_saved=asked.name == "save")
    try:
        return _page(Here(session, token, asked))
    except RefusedError:
        raise UnaskableError("no such page") from None


def done(session: Session, token: str, asked: Asked, form: Mapping[str, str]) -> Answer:
    """Do what a form says and lead to the page that shows it; UnaskableError when nothing does."""
    after, name = AFTER.get(asked.page), asked.name
    if after is None:
        raise UnaskableError("no such page")
    there = Asked(asked.language, after, name if after == "point" else "")
    try:
        _act(session, asked, form)
    except RefusedError as error:
        try:
            return _page(Here(session, token, there, error, form))
        except RefusedError:
            raise UnaskableError("no such page") from None
    fragment = {"examine": name, "face": "face", "make": "made"}.get(asked.page, "")
    where = Here(session, token, there).to(there.page, there.name)
    return Answer(303, headers={"Location": f"{where}#{fragment}" if fragment else where})


def _act(session: Session, asked: Asked, form: Mapping[str, str]) -> None:
    of_one: dict[str, Callable[[str, Mapping[str, str]], None]] = {
        "examine": session.examine, "read": session.look_at, "face": session.take_face,
    }  # fmt: skip
    if asked.page in of_one:
        of_one[asked.page](asked.name, form)
    elif asked.page == "forget":
        session.forget_face(asked.name)
    elif asked.page == "make":
        session.make(form)
    else:
        {"reload": session.reload, "trip": session.watch, "broker": session.ask_broker}[
            asked.page
        ]()


def _page(here: Here) -> Answer:
    session = here.session
    views: dict[str, Callable[[], str]] = {
        "devices": lambda: devices_view(here),
        "point": lambda: point_view(here),
        "clock": lambda: clock_view(here, machine_clock(session.part, session.clock)),
        "round-trip": lambda: round_trip_view(here, session.delivery()),
        "record": lambda: record_view(here),
    }
    if here.asked.page not in views or (here.asked.name and here.asked.page != "point"):
        raise UnaskableError("no such page")
    headers = {"Content-Type": HTML, "Content-Security-Policy": POLICY.format(style="'self'")}
    return Answer(200, views[here.asked.page]().encode(), headers)


def _file(session: Session, *, is_saved: bool) -> Answer:
    """The record, byte for byte what its SHA-256 was told of."""
    if session.made is None:
        raise UnaskableError("the record is not made yet")
    headers = {
        "Content-Type": HTML,
        "Content-Security-Policy": POLICY.format(style=f"'sha256-{style_hash()}'"),
    }
    if is_saved:
        headers["Content-Disposition"] = f'attachment; filename="{session.made.name}"'
    return Answer(200, session.made.data, headers)
