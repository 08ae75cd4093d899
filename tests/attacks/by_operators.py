"""What the collector's operator can try: holds the collector's key, but no gateway's.

They can make manifests, checkpoint and seal anew; what the gateways signed or saw they cannot.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

from evidence import cbor, cose
from evidence.archive import bag, paths
from evidence.log import Kind as EntryKind
from evidence.log import decode_entry, encode_entry
from evidence.receipt import Receipt, decode_receipt, encode_receipt
from tests.attacks.by_strangers import RULES_PATH
from tests.attacks.forging import (
    SEG_5,
    Change,
    Kind,
    both,
    edit_entries,
    edit_objects,
    edit_statement,
    kind,
    move_total,
    packed,
    replace,
    resign_log,
)
from tests.unit.evidence import sealed_month as sm

COLLECTOR = sm.keys().collector
#: the gateway's anchors and close, and the receipt's proof that the log grew, name the other log
REWRITTEN = {"E-ANCHOR", "E-CLOSE", "E-RECEIPT"}
GAP_ENTRY = 5  # the honest log: enrolment, three objects, the frame with a gap, its gap, ...


def _text(path: str, old: bytes, new: bytes) -> Change:
    def apply(files: sm.Files) -> None:
        assert old in files[path]
        files[path] = files[path].replace(old, new)

    return apply


def _entry(index: int, **fields: Any) -> Change:
    """Rewrite fields of a log entry; the log is signed anew."""

    def change(entries: list[bytes]) -> list[bytes]:
        entries[index] = encode_entry(dataclasses.replace(decode_entry(entries[index]), **fields))
        return entries

    return both(edit_entries(change), resign_log)


def _entries(change: Callable[[list[bytes]], list[bytes]]) -> Change:
    return both(edit_entries(change), resign_log)


def _receipt(**fields: Any) -> Change:
    held: Receipt = decode_receipt(sm.month().receipt, COLLECTOR.public_key)
    made = encode_receipt(dataclasses.replace(held, **fields), COLLECTOR)
    return replace(paths.receipt(sm.STREAM), made)


#: (name, who and why, change, codes)
_LOG: list[tuple[str, str, Change, set[str]]] = [
    ("entry removed and the log signed anew",
     "The operator lets a frame never have been accepted.",
     _entries(lambda e: [*e[:3], *e[4:]]), {"E-LOG-FRAME", *REWRITTEN}),
    ("entries reordered and the log signed anew",
     "The operator lets a frame have been accepted before another.",
     _entries(lambda e: [*e[:2], e[3], e[2], *e[4:]]), {"E-LOG", "E-LOG-FRAME", *REWRITTEN}),
    ("reject removed and the log signed anew",
     "The operator hides that something was refused.",
     _entries(lambda e: [*e[:-2], e[-1]]), {"E-CLOSE"}),
    ("enrolment changed and the log signed anew",
     "The operator changes who was enrolled, after the gateway saw the log.",
     _entries(lambda e: [sm.enrolment(by=sm.keys(60)), *e[1:]]), REWRITTEN),
    ("time of receipt changed and the log signed anew",
     "The operator back-dates a receipt, to let late readings look timely.",
     _entry(3, received_ns=sm.START_NS + 21 * sm.SECOND), REWRITTEN),
    ("entry of other bytes",
     "The operator lets the log have accepted another frame than the one in the archive.",
     _entry(3, sha256=bytes(32)), {"E-LOG-FRAME", *REWRITTEN}),
    ("entry that accepts a seq twice",
     "The operator lets two frames count for one place.",
     _entries(lambda e: [*e[:-1], e[-3], e[-1]]), {"E-LOG", "E-CLOSE", "E-RECEIPT"}),
    ("close entry not last",
     "The operator writes on after the close, to have room for a second one.",
     _entries(lambda e: [*e, sm.entry(EntryKind.REVIEW, b"", 99, stream="")]),
     {"E-LOG-CLOSE", "E-CLOSE"}),
    ("times going back",
     "The operator slips an older event in between.",
     _entries(lambda e: [*e[:-2], sm.entry(EntryKind.REVIEW, b"", 0, stream=""), e[-1]]),
     {"E-LOG", "E-CLOSE", "E-RECEIPT"}),
    ("gap entry missing",
     "The operator lets the log say nothing of the time without readings.",
     _entries(lambda e: [*e[:GAP_ENTRY], *e[GAP_ENTRY + 1 :]]),
     {"E-LOG-FRAME", *REWRITTEN}),
    ("gap entry of other times",
     "The operator makes a gap shorter than the gateway told.",
     _entry(GAP_ENTRY, detail={"from_ns": sm.START_NS, "to_ns": sm.START_NS, "reason": "restart"}),
     {"E-LOG-FRAME", *REWRITTEN}),
    ("log of another plant",
     "The operator of two plants signs one's log with the other's name.",
     replace(paths.LOG_CHECKPOINT, sm.log_note(sm.month().entries, plant="other").encode()),
     {"E-CHECKPOINT"}),
    ("frame dropped and the log made to fit",
     "The operator drops the last object together with its entry.",
     both(edit_objects(SEG_5, lambda o: o[:-1]),
          _entries(lambda e: [*e[:7], *e[8:]])), {"E-CHAIN-GAP", "E-RECEIPT", "E-CLOSE"}),
    ("entry not in the one encoding",
     "The operator writes an entry's number longer than need be: two hashes of one meaning.",
     _entries(lambda e: [*e[:-2], e[-2].replace(b"\x8c\x01\x0a", b"\x8c\x01\x18\x0a"), e[-1]]),
     {"E-LOG", "E-LOG-CLOSE", "E-CLOSE"}),
    ("entry with bytes after it",
     "The operator hides words behind an entry.",
     _entries(lambda e: [*e[:-2], e[-2] + b"\x00", e[-1]]),
     {"E-LOG", "E-LOG-CLOSE", "E-CLOSE"}),
]  # fmt: skip

_FILES: list[tuple[str, str, Change, set[str]]] = [
    ("total moved",
     "The operator does a customer a favour with the total, and seals it.",
     edit_statement(move_total), {"E-TOTAL", "E-LOG-CLOSE", "E-CLOSE"}),
    ("total moved and the log made to fit",
     "The operator moves the total and closes the log with the new statement.",
     both(edit_statement(move_total),
          lambda files: _entries(lambda e: [*e[:-1], _closing(e[-1], files)])(files)),
     {"E-TOTAL", "E-CLOSE", "E-RECEIPT"}),
    ("a rule set of one's own",
     "The operator lowers a factor in the rule set and seals it.",
     _text(RULES_PATH, b"0.02", b"0.01"), {"E-RULES"}),
    ("an interim bag called final",
     "The operator sells a half month as a whole one.",
     _text(bag.BAG_INFO, b" interim\n", b" final\n"), {"E-BAG"}),
    ("a bag of no date",
     "The operator writes a date that is none.",
     _text(bag.BAG_INFO, b"Bagging-Date: 2", b"Bagging-Date: 9999-99-2"), {"E-BAG"}),
    ("a field more in bag-info",
     "The operator lets the bag praise itself where no reader looks.",
     _text(bag.BAG_INFO, b"Bag-Software", b"Contact-Name: X\nBag-Software"), {"E-BAG"}),
    ("a bag that claims to replace a month",
     "The operator lets a first close look like an amended one.",
     _text(bag.BAG_INFO, b"Payload-Oxum", b"Replaces: " + b"00" * 32 + b"\nPayload-Oxum"),
     {"E-BAG"}),
    ("another declaration of the bag",
     "The operator declares an older BagIt, whose readers compare less.",
     _text(bag.BAGIT, b"Version: 1.0", b"Version: 0.9"), {"E-BAG"}),
    ("seal over another bag",
     "The operator puts the seal of another month on this one.",
     replace(paths.SEAL, bag.seal(bytes(32), COLLECTOR)), {"E-SEAL"}),
    ("seal of another kind",
     "The operator passes something else they signed off as a seal.",
     replace(paths.SEAL, cose.sign(COLLECTOR, {cose.TYP: "stackproof-seal+cose"}, b"x")),
     {"E-SEAL"}),
    ("seal over a page",
     "The operator seals the manifest as a page, for a reader that shows pages.",
     replace(paths.SEAL, cose.sign(COLLECTOR, {
         cose.TYP: "stackproof-seal+cose", 258: -16, 259: "text/html",
     }, sm.sha256(sm.unpack(sm.honest())[bag.TAG_MANIFEST]))), {"E-SEAL"}),
    ("receipt as seal",
     "The operator passes a receipt off as a seal.",
     replace(paths.SEAL, sm.month().receipt), {"E-SEAL"}),
    ("empty seal", "The operator leaves the seal for later.", replace(paths.SEAL, b""), {"E-SEAL"}),
    ("seal stripped",
     "Somebody takes the seal off, to hand the month over as a draft.",
     lambda files: files.__delitem__(paths.SEAL), {"E-SEAL"}),
    ("receipt of another stream",
     "The operator shows another gateway's receipt.",
     _receipt(stream="edge-9"), {"E-RECEIPT"}),
    ("receipt of another plant",
     "The operator shows another plant's receipt.", _receipt(plant="other"), {"E-RECEIPT"}),
    ("receipt for other bytes",
     "The operator receipted another object than the log holds.",
     _receipt(head=bytes(32)), {"E-RECEIPT"}),
    ("receipt for another place in the log",
     "The operator receipted an object at a place where the log holds another.",
     _receipt(log_index=3), {"E-RECEIPT"}),
    ("receipt of a rewritten log",
     "The operator's proof does not lead from the log the gateway saw to the one it shows.",
     _receipt(path=(bytes(32), bytes(32))), {"E-RECEIPT"}),
    ("receipt whose proof starts elsewhere",
     "The operator proves growth from a size that the gateway never named.",
     _receipt(since=0, path=()), {"E-RECEIPT"}),
    ("receipt of a future log",
     "The operator's receipt carries a checkpoint that does not reach the object.",
     _receipt(checkpoint=sm.log_note(sm.month().entries[:2]), since=0, path=()), {"E-RECEIPT"}),
    ("range of a log that is not before the entries",
     "The operator calls a log of five entries the past of this one.",
     replace(paths.LOG_RANGE, cbor.encode([5, [bytes(32), bytes(32)]])),
     {"E-LOG-ROOT", "E-ANCHOR", "E-RECEIPT"}),
    ("another top folder",
     "The operator hands one plant's month over under another's name.",
     lambda files: None, {"E-BAG"}),
]  # fmt: skip


def _closing(entry: bytes, files: sm.Files) -> bytes:
    """The month-close entry for the statement as it is now."""
    data = files[paths.STATEMENT]
    closed = dataclasses.replace(decode_entry(entry), sha256=sm.sha256(data), length=len(data))
    return encode_entry(closed)


def _renamed() -> bytes:
    return sm.repack(sm.unpack(sm.honest()), name="other-2026-06")


def _seal_listed(files: sm.Files) -> None:
    tags = {path: sm.sha256(files[path]).hex() for path in bag.TAG_FILES}
    files[bag.TAG_MANIFEST] = bag.manifest(tags | {paths.SEAL: "0" * 64})


def _line_more(files: sm.Files) -> None:
    files[bag.TAG_MANIFEST] += b"\n"


def _built(name: str, change: Change) -> Callable[[], bytes]:
    if name == "another top folder":
        return _renamed
    sealed_already = "seal" in name
    return packed(change, None if sealed_already else COLLECTOR)


KINDS: list[Kind] = [
    kind(f"operator: {name}", story, _built(name, change), *codes)
    for name, story, change, codes in (*_LOG, *_FILES)
] + [
    kind("operator: tag manifest that lists the seal",
         "The operator lists in the tag manifest what cannot be in it.",
         packed(_seal_listed, COLLECTOR, manifest=False), "E-BAG"),
    kind("operator: tag manifest with a line more",
         "The operator's own tool ends the tag manifest with an empty line.",
         packed(_line_more, COLLECTOR, manifest=False), "E-BAG"),
]  # fmt: skip
