"""All keys together write another history: only what somebody kept of the first one shows it.

Root, gateway and collector sign again, after the month, and each archive here passes alone. The
notes and receipts are those of the first history, as a witness or the gateway has them.
"""

import dataclasses
from collections.abc import Callable
from functools import cache

from evidence import checkpoint
from evidence.cosignature import cosign
from tests.attacks.forging import FOREIGN, Kind, kind
from tests.unit.evidence import sealed_month as sm

CONFIG = sm.configuration()
#: the first entry that the second history has otherwise: of the frame after the gap
FORKED = 4
Make = Callable[[], bytes]


@cache
def rewritten() -> bytes:
    """The honest month, in which the gap has become a calibration."""
    bodies = sm.bodies(CONFIG)
    gap = bodies[2].gap
    assert gap is not None
    told = dataclasses.replace(gap, reason="the analyser was calibrated")
    bodies[2] = dataclasses.replace(bodies[2], gap=told)
    return sm.build(sm.contents(sm.make_month(sm.items(CONFIG, bodies))))


def note(size: int) -> bytes:
    """The checkpoint of the first history, of a log of this size."""
    return sm.log_note(sm.month().entries[:size]).encode()


def cosigned(size: int) -> bytes:
    """The same with a witness's line."""
    name, at_s = f"stackproof/{sm.PLANT}/witness/qin", 1_781_499_600
    return cosign(note(size).decode(), name, at_s, FOREIGN, FOREIGN.public_key).encode()


def receipt() -> bytes:
    """The gateway's receipt of the first history."""
    return sm.month().receipt


def _foreign() -> bytes:
    return sm.log_note(sm.month().entries[:6], FOREIGN).encode()


def _beyond() -> bytes:
    """Two logs of twenty entries, both by the collector."""
    who = sm.keys().collector
    roots = (bytes([1]) * 32, bytes([2]) * 32)
    notes = [checkpoint.Checkpoint(sm.PLANT, 20, root) for root in roots]
    return "".join(checkpoint.sign(one, who, who.public_key) for one in notes).encode()


#: (name, story, build, what was kept: (name, make), codes)
_KINDS: list[tuple[str, str, Make, list[tuple[str, Make]], set[str]]] = [
    ("a month beside a witness's note", "A gap is explained otherwise, after a witness saw it.",
     rewritten, [("qin.note", lambda: note(9))], {"E-KEPT"}),
    ("a month beside a cosigned note", "The same, and the witness has cosigned what it kept.",
     rewritten, [("qin.note", lambda: cosigned(FORKED + 1))], {"E-KEPT"}),
    ("a month beside a year of notes", "One of many notes is of the part that was rewritten.",
     rewritten, [("qin.note", lambda: b"".join(map(note, (2, 4, 7))))], {"E-KEPT"}),
    ("a month beside the gateway's receipt", "The gateway has kept a receipt of the first history.",
     rewritten, [("edge.cose", receipt)], {"E-KEPT"}),
    ("a month beside a file of receipts", "The gateway's receipts are brought as its program has.",
     rewritten, [("edge.seg", lambda: sm.seg([receipt()]))], {"E-KEPT"}),
    ("a log of which two notes are of one size",
     "The collector shows one log to one witness and another to the next.",
     sm.honest, [("both.note", _beyond)], {"E-KEPT"}),
    ("a month beside a note from before", "What was kept ends before the part that was rewritten.",
     rewritten, [("qin.note", lambda: note(FORKED))], set()),
    ("honest beside all that was kept", "A witness and the gateway have kept what is here.",
     sm.honest, [("qin.note", lambda: cosigned(5) + note(9)), ("edge.cose", receipt)], set()),
    ("honest beside a note of nobody's", "Somebody forges a note to discredit an honest month.",
     sm.honest, [("qin.note", _foreign)], set()),
]  # fmt: skip

KINDS: list[Kind] = [
    kind(f"rewritten: {name}", story, build, *codes, kept=tuple(kept))
    for name, story, build, kept, codes in _KINDS
]
