"""Gateway and collector agree on something untrue: both sign it, and it is still found.

What they cannot be caught at (another history, written together from the start) is said in the
report's "not checked" and in FORMAT.md §11.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evidence import cbor
from evidence.blocks import compress, decompress
from evidence.frame import Body, Section
from evidence.points import Dtype
from evidence.recompute import Recomputation, statement_bytes
from tests.attacks.forging import Kind, kind
from tests.unit.evidence import sealed_month as sm

CONFIG = sm.configuration()
COMPUTED = 5  # index of the computed group
ROOT = bytes(range(32))


def with_section(body: Body, change: Callable[[Section], Section]) -> Body:
    """Change the first section of a body."""
    return dataclasses.replace(body, sections=(change(body.sections[0]), *body.sections[1:]))


def with_computed(body: Body, **fields: Any) -> Body:
    """Replace fields of the computed group."""

    def change(section: Section) -> Section:
        groups = tuple(
            dataclasses.replace(g, **fields) if g.group == COMPUTED else g for g in section.groups
        )
        return dataclasses.replace(section, groups=groups)

    return with_section(body, change)


def frames(index: int, change: Callable[[Body], Body]) -> list[sm.Item]:
    """The honest stream with one body changed before it is signed."""
    made = sm.bodies(CONFIG)
    made[index] = change(made[index])
    return sm.items(CONFIG, made)


def fields(index: int, **given: Any) -> list[sm.Item]:
    """The honest stream with one object's header fields replaced."""
    stream = sm.items()
    stream[index] = dataclasses.replace(stream[index], fields=given)
    return stream


def payload(index: int, data: bytes) -> list[sm.Item]:
    """The honest stream with one object's payload replaced."""
    stream = sm.items()
    stream[index] = dataclasses.replace(stream[index], payload=data, gap=None)
    return stream


def one_off(body: Body) -> Body:
    raw = body.sections[0].groups[-1].raw.copy()
    raw[0, 3] += 1
    return with_computed(body, raw=raw)


def one_missing(body: Body) -> Body:
    quality = body.sections[0].groups[-1].quality.copy()
    quality[0, 3] = 138
    return with_computed(body, quality=quality)


def fewer_rows(body: Body) -> Body:
    group = body.sections[0].groups[-1]
    return with_computed(body, raw=group.raw[1:], quality=group.quality[1:])


def without_group(body: Body) -> Body:
    return with_section(body, lambda s: dataclasses.replace(s, groups=s.groups[1:]))


def as_signed(body: Body) -> Body:
    """The states as i8 instead of u8: the same bytes, another type."""

    def change(section: Section) -> Section:
        first = section.groups[0]
        other = dataclasses.replace(first, dtype=Dtype.I8, raw=first.raw.view("i1"))
        return dataclasses.replace(section, groups=(other, *section.groups[1:]))

    return with_section(body, change)


def half_step(body: Body) -> Body:
    return with_section(body, lambda s: dataclasses.replace(s, step_ns=s.step_ns // 2))


def no_such_schedule(body: Body) -> Body:
    last = dataclasses.replace(body.sections[-1], schedule=9)
    return dataclasses.replace(body, sections=(*body.sections[:-1], last))


def earlier_t0(body: Body) -> Body:
    return dataclasses.replace(body, t0_ns=sm.START_NS + 5 * sm.SECOND)


def moved(by_s: int) -> Callable[[Body], Body]:
    """The whole frame at another time."""

    def change(body: Body) -> Body:
        by_ns = by_s * sm.SECOND
        sections = tuple(dataclasses.replace(s, first_ns=s.first_ns + by_ns) for s in body.sections)
        return dataclasses.replace(body, t0_ns=body.t0_ns + by_ns, sections=sections)

    return change


def configured(change: Callable[[dict[str, Any]], None]) -> list[sm.Item]:
    """The honest stream under a changed configuration."""
    config = sm.configuration()
    change(config)
    return [sm.config_item(config), *sm.items()[1:]]


def _a_pot_missing(config: dict[str, Any]) -> None:
    config["potlines"][0]["pots"][0]["voltage"] = "no.such"


def _more_decimals(config: dict[str, Any]) -> None:
    config["points"][5]["decimals"] = 4


def _renamed_computed(config: dict[str, Any]) -> None:
    config["points"][-1]["id"] = "something.else"


def respelt(index: int, change: Callable[[bytes], bytes]) -> list[sm.Item]:
    """One frame's CBOR in other bytes, compressed again."""
    stream = sm.items()
    return payload(index, compress(change(decompress(stream[index].payload))))


def statement(from_s: int, to_s: int, closing: str) -> bytes:
    """The statement of the honest readings over another period."""
    fold = Recomputation()
    fold.configure(b"x", CONFIG)
    for body in sm.bodies(CONFIG):
        list(fold.feed(body))
    start = sm.START_NS
    return statement_bytes(
        fold.statement(start + from_s * sm.SECOND, start + to_s * sm.SECOND, closing)
    )


def stated(change: Callable[[dict[str, Any]], None]) -> bytes:
    """The honest statement, changed."""
    made = json.loads(sm.month().statement)
    change(made)
    return statement_bytes(made)


def _unknown_method(made: dict[str, Any]) -> None:
    made["input"]["pfc"]["metal_t"], made["output"]["totals"]["total_t"] = "5.4", "1.00"
    made["input"]["rule_set"] = made["output"]["rule_set"] = "cets-2031"


MISREAD = {"W-UNFIT", "E-INPUT"}
BAD_FRAME = {"E-FRAME", "E-INPUT"}
BAD_CONFIG = {"E-CFG", "E-INPUT"}

#: (name, why the two would do it, stream, codes)
_UNTRUE: list[tuple[str, str, list[sm.Item], set[str]]] = [
    ("a computed point one count off",
     "With the gateway's stolen key a computed point is edited and signed again.",
     frames(1, one_off), {"E-COMPUTED"}),
    ("a computed point called missing",
     "A computed point that would show an anode effect is called missing.",
     frames(1, one_missing), {"E-COMPUTED"}),
    ("computed group of fewer points", "A computed point is left out.",
     frames(1, fewer_rows), MISREAD),
    ("a group left out", "The pots' states are left out of one frame.",
     frames(1, without_group), MISREAD),
    ("another number type", "The same bytes are called signed numbers, which read otherwise.",
     frames(1, as_signed), MISREAD),
    ("another interval", "Ten readings are called those of five seconds.",
     frames(1, half_step), MISREAD),
    ("no such schedule", "Readings stand under a schedule that the configuration does not have.",
     frames(1, no_such_schedule), MISREAD),
    ("t0 going back", "A frame claims to speak of a time before the frame before it.",
     frames(2, earlier_t0), {"E-TIME"}),
    ("readings taken twice over", "A frame's ticks lie over those of the frame before it.",
     frames(1, moved(-10)), MISREAD),
    ("a frame without readings in it", "An object that says it is a frame holds nothing.",
     payload(2, b""), BAD_FRAME),
    ("first object that follows something", "The stream's head is cut and seq 0 written anew.",
     fields(0, prev=ROOT), {"E-CHAIN"}),
    ("first object not numbered 0", "The first object calls itself the eighth.",
     fields(0, seq=7), {"E-CHAIN", "E-CHAIN-GAP", "E-LOG-FRAME", "E-INPUT", "E-CFG"}),
    ("ticks between the ticks of a schedule",
     "Readings are taken twice as often for a while, to make up for those that are missing.",
     frames(3, moved(1)), MISREAD),
    ("a hole in the numbers", "One number is left out, for a frame to be put in later.",
     fields(3, seq=4), {"E-CHAIN-GAP", "E-CHAIN", "E-LOG-FRAME"}),
    ("a stranger's prev", "A frame follows an object that nobody has seen.",
     fields(3, prev=ROOT), {"E-CHAIN"}),
    ("a frame of another plant", "A frame of a sister plant fills a hole.",
     fields(2, plant="other"), BAD_FRAME),
    ("a frame of another gateway", "A frame of another gateway fills a hole.",
     fields(2, stream="edge-9"), BAD_FRAME),
    ("a frame without configuration", "A frame leaves open how its numbers are to be read.",
     fields(2, cfg=None), {"E-CFG-MISSING", "E-INPUT"}),
    ("a frame of a configuration nobody has", "A frame names a configuration that is not shown.",
     fields(2, cfg=ROOT), {"E-CFG-MISSING", "E-INPUT"}),
    ("an anchor that never was", "The collector rewrote its log after the gateway had seen it.",
     fields(4, anchor=(3, ROOT)), {"E-ANCHOR"}),
    ("an anchor from the future", "A frame is signed later than its place in the log says.",
     fields(2, anchor=(8, sm.tree_of(sm.month().entries[:8]).root())), {"E-ANCHOR"}),
    ("an anchor beyond the log", "A frame names a log larger than the one that is shown.",
     fields(4, anchor=(99, ROOT)), {"E-ANCHOR"}),
    ("a configuration of a pot that is not there", "A pot's voltage is taken from nowhere.",
     configured(_a_pot_missing), BAD_CONFIG),
    ("a configuration of other decimals", "A figure is rounded finer than it was.",
     configured(_more_decimals), {"E-INPUT"}),
    ("computed points under other names", "A computed point is called by another's name.",
     configured(_renamed_computed), BAD_CONFIG),
    ("a configuration of another plant", "The configuration is a sister plant's.",
     configured(lambda c: c["plant"].update(id="other")), BAD_CONFIG),
    ("a configuration of another gateway", "The configuration is of no gateway.",
     configured(lambda c: c.update(gateway=None)), BAD_CONFIG),
    ("a configuration without a format", "The configuration's version is a text.",
     configured(lambda c: c.update(format="1")), BAD_CONFIG),
    ("a configuration that is no map", "The configuration is an empty list.",
     payload(0, compress(cbor.encode([]))), BAD_CONFIG),
    ("a configuration that is no CBOR", "The configuration is noise.",
     payload(0, b"\x00\xff"), BAD_CONFIG),
    ("a frame not in the one encoding", "A number is written longer than need be.",
     respelt(2, lambda d: d[:2] + b"\x18\x01" + d[3:]), BAD_FRAME),
    ("a frame with bytes after it", "Words are hidden behind a frame's map.",
     respelt(2, lambda d: d + b"\x00"), BAD_FRAME),
    ("a frame with a key twice", "A frame has two flags; readers differ on which counts.",
     respelt(2, lambda d: bytes([d[0] + 1]) + d[1:] + b"\x04\x00"), BAD_FRAME),
    ("a frame of indefinite length", "A frame's map has no length, so it has two forms.",
     respelt(2, lambda d: b"\xbf" + d[1:] + b"\xff"), BAD_FRAME),
    ("a frame with a float", "A number stands as a float, which rounds.",
     respelt(2, lambda d: bytes([d[0] + 1]) + d[1:] + b"\x08\xf9\x3c\x00"), BAD_FRAME),
    ("a frame with a field nobody knows", "A field is slipped in that a reader may skip.",
     respelt(2, lambda d: bytes([d[0] + 1]) + d[1:] + b"\x08\x00"), BAD_FRAME),
    ("a payload cut inside", "A compressed payload ends too soon.",
     payload(2, sm.items()[2].payload[:-3]), BAD_FRAME),
    ("a payload with a second stream", "A second compressed stream is hidden behind the first.",
     payload(2, sm.items()[2].payload + sm.items()[3].payload[1:]), BAD_FRAME),
]  # fmt: skip

#: (name, why, replaced detail of the month-close entry, codes)
_CLOSES: list[tuple[str, str, dict[str, Any], set[str]]] = [
    ("another month", "A close of July stands under the readings of June.",
     {"month": "2026-07"}, {"E-LOG-CLOSE"}),
    ("another closing", "An interim close is entered as final.",
     {"closing": "final"}, {"E-LOG-CLOSE"}),
    ("a shorter span", "The close leaves the last object out.",
     {"streams": {sm.STREAM: [0, 4, ROOT]}}, {"E-CHAIN-GAP"}),
    ("another head", "The close names another last object.",
     {"streams": {sm.STREAM: [0, 5, ROOT]}}, {"E-CHAIN-GAP"}),
    ("no streams", "The close names no stream at all.", {"streams": {}}, {"E-LOG-CLOSE"}),
    ("a stream more", "The close names a gateway whose readings are left out.",
     {"streams": {"edge-9": [0, 1, ROOT]}}, {"E-LOG-CLOSE", "E-CHAIN-GAP"}),
    ("a month it does not replace", "The log says that this close amends another, the bag not.",
     {"replaces": ROOT}, {"E-LOG-CLOSE"}),
]  # fmt: skip


def _period(name: str, why: str, given: bytes, *codes: str, **detail: str) -> Kind:
    def build() -> bytes:
        return sm.build(sm.contents(sm.make_month(sm.items(), statement=given, detail=detail)))

    return kind(f"both: {name}", why, build, *codes)


def _july() -> bytes:
    day = 86_400
    return statement(20 * day, 20 * day + 50, "interim")


def _built(
    stream: Sequence[sm.Item], detail: Mapping[str, Any] | None = None
) -> Callable[[], bytes]:
    return lambda: sm.build(sm.contents(sm.make_month(stream, detail=detail)))


KINDS: list[Kind] = [
    *(kind(f"both: {name}", why, _built(stream), *codes) for name, why, stream, codes in _UNTRUE),
    *(
        kind(f"both: close of {name}", why, _built(sm.items(), detail), *codes)
        for name, why, detail, codes in _CLOSES
    ),
    kind(
        "both: readings left out and no gap told",
        "A bad quarter of an hour is never signed, and the gateway is made to say nothing of it.",
        _built(frames(2, lambda body: dataclasses.replace(body, gap=None))), "W-GAP",
    ),
    _period(
        "a period that leaves readings out",
        "The statement starts after the anode effect.",
        statement(25, 50, "interim"), "E-TIME", "E-INPUT",
    ),
    _period(
        "a period longer than the readings",
        "The statement claims ten seconds in which nothing was read.",
        statement(0, 60, "interim"), "E-INPUT",
    ),
    _period(
        "a month final before its end",
        "The month is closed as final in its middle, before the bad half.",
        statement(0, 50, "final"), "E-INPUT", "E-CLOSE", "E-BAG", closing="final",
    ),
    _period(
        "another month's readings",
        "Readings of June stand under a statement of July.",
        _july(), "E-TIME", "E-INPUT", "E-BAG", "E-CLOSE", month="2026-07",
    ),
    _period(
        "a month that replaces nothing",
        "The statement says null where it may only say what it replaces, or nothing at all.",
        stated(lambda s: s.update(replaces=None)), "E-STATEMENT",
    ),
    _period(
        "simulated readings called real",
        "A simulator's readings are sold as a plant's.",
        stated(lambda s: s.update(simulated=False)), "E-INPUT",
    ),
    _period(
        "another method edition in the input",
        "The input names a gentler method than the configuration.",
        stated(lambda s: s["input"].update(rule_set="cets-ag-04.01-v01-2025")),
        "C-RULES", "E-INPUT",
    ),
    _period(
        "figures moved under a rule set of no program",
        "Whoever lowers a figure hopes that nobody can decide it under a method nobody knows.",
        stated(_unknown_method), "C-RULES", "E-INPUT",
    ),
]  # fmt: skip
