"""What somebody without any key of the plant can try: a copyist, a thief of the file, a customer.

They may write manifests as they please and seal with a key of their own, so E-SEAL always stands
beside what they touched. Those who do not know about manifests are in `by_careless`.
"""

import json

from evidence import cbor
from evidence.archive import bag, paths
from evidence.keys import certificate_to_pem
from tests.attacks.forging import (
    FOREIGN,
    SEG_4,
    SEG_5,
    Change,
    Kind,
    both,
    delete,
    edit_entries,
    edit_objects,
    edit_statement,
    flip,
    flip_object,
    kind,
    less_metal,
    move_total,
    packed,
    replace,
)
from tests.unit.evidence import sealed_month as sm

CONFIG_PATH = paths.config(sm.sha256(sm.month().objects[0]))
GATEWAY_PATH = next(p for p in sm.unpack(sm.honest()) if p.startswith("data/keys/gateway-"))
RULES_PATH = paths.rules("cets-ag-04.01-v01-2024")
OTHER = sm.keys(60)
WITHOUT_LOG = {"E-LOG-FRAME", "E-LOG-CLOSE", "E-ANCHOR", "E-CLOSE"}
WITHOUT_KEYS = {"E-CERTIFICATE", "E-SIG-UNKNOWN-KEY", "E-CLOSE"}


def _pem(of: sm.Keys, role: str) -> bytes:
    return certificate_to_pem(of.certificates[role])


#: (name, who and why, change, codes beside E-SEAL)
_READINGS: list[tuple[str, str, Change, set[str]]] = [
    ("nothing but the seal",
     "A dealer in archives puts a seal of their own under true readings, to pass as the collector.",
     lambda files: None, set()),
    ("a payload bit of a frame",
     "A copyist changes one reading and makes the record's checksum right again.",
     flip_object(SEG_4, 1, 300), {"E-SIG-BAD", "E-CHAIN", "E-INPUT"}),
    ("a record's checksum",
     "A dying disk spoils a checksum, and somebody packs the bag anew over it.",
     flip(SEG_4, 9), {"E-RECORD", "E-CHAIN-GAP", "E-INPUT"}),
    ("first object dropped",
     "The plant's operator leaves out the configuration that shows who set the factor.",
     edit_objects(SEG_4, lambda o: o[1:]), {"E-CHAIN-GAP", "E-INPUT"}),
    ("frame dropped",
     "The plant's operator leaves out the ten seconds of an anode effect.",
     edit_objects(SEG_4, lambda o: [o[0], o[2]]), {"E-CHAIN-GAP", "E-INPUT"}),
    ("last object dropped",
     "Somebody cuts the tail of the month, so that its last minutes are not counted.",
     edit_objects(SEG_5, lambda o: o[:-1]), {"E-CHAIN-GAP", "E-CLOSE"}),
    ("whole hour dropped",
     "Somebody takes a whole hour's file out and its line in the manifest with it.",
     delete(SEG_5), {"E-CHAIN-GAP", "E-CLOSE", "E-INPUT"}),
    ("head hour dropped",
     "Somebody lets the month begin an hour late, configuration and all.",
     delete(SEG_4), {"E-CHAIN-GAP", "E-INPUT", "E-COMPUTED"}),
    ("frame twice",
     "Somebody repeats a good frame to make a lean hour fuller.",
     edit_objects(SEG_4, lambda o: [*o, o[2]]), {"E-CHAIN", "W-UNFIT"}),
    ("frames swapped",
     "Somebody swaps two frames, so that a low reading falls into another interval.",
     edit_objects(SEG_4, lambda o: [o[0], o[2], o[1]]),
     {"E-CHAIN-GAP", "E-CHAIN", "E-TIME", "E-INPUT"}),
    ("frame in another hour's file",
     "Somebody files a frame under another hour, to mislead a reader who samples hours.",
     both(edit_objects(SEG_4, lambda o: o[:2]),
          edit_objects(SEG_5, lambda o: [sm.month().objects[2], *o])), {"E-FRAME-PLACE"}),
    ("frame in another stream's folder",
     "Somebody files an object under a second gateway that does not exist.",
     both(replace(paths.frames("edge-2", "2026-06-15/05"), sm.seg(sm.month().objects[5:])),
          edit_objects(SEG_5, lambda o: o[:-1])),
     {"E-CHAIN-GAP", "E-CLOSE", "E-FRAME", "E-LOG-CLOSE"}),
    ("another configuration under the name",
     "Somebody swaps the configuration for another signed object under the same file name.",
     replace(CONFIG_PATH, sm.month().objects[1]), {"E-CFG", "E-INPUT"}),
    ("configuration missing",
     "Somebody takes out the configuration, so that nobody can tell the scale factors.",
     delete(CONFIG_PATH), {"E-CFG-MISSING", "E-INPUT"}),
]  # fmt: skip

_STATEMENT: list[tuple[str, str, Change, set[str]]] = [
    ("total moved",
     "A consultant edits the total and fixes the manifests.",
     edit_statement(move_total), {"E-TOTAL", "E-LOG-CLOSE", "E-CLOSE"}),
    ("less metal",
     "A consultant edits a figure that the statement starts from.",
     edit_statement(less_metal), {"E-INPUT", "E-TOTAL", "E-LOG-CLOSE", "E-CLOSE"}),
    ("statement spelled otherwise",
     "Somebody writes the same statement in another JSON form, to have two hashes of one month.",
     replace(paths.STATEMENT, json.dumps(json.loads(sm.month().statement)).encode()),
     {"E-STATEMENT"}),
    ("statement that is no JSON",
     "Somebody spoils the statement, in the hope that figures are then not compared.",
     replace(paths.STATEMENT, b"{"), {"E-STATEMENT"}),
    ("statement of floats",
     "Somebody writes figures as binary floats that round as they like.",
     replace(paths.STATEMENT, b'{"a": 1.5}'), {"E-STATEMENT"}),
    ("statement with a key twice",
     "Somebody writes a figure twice: readers disagree about which of the two counts.",
     lambda files: files.update({
         paths.STATEMENT: files[paths.STATEMENT].replace(
             b' "simulated": true', b' "simulated": true,\n "simulated": true')
     }), {"E-STATEMENT"}),
    ("statement nested without end",
     "Somebody nests a list a hundred thousand deep, to end the reader in a traceback.",
     replace(paths.STATEMENT, b"[" * 100_000), {"E-STATEMENT"}),
    ("statement missing",
     "Somebody takes the statement out, so that there is nothing to compare with.",
     delete(paths.STATEMENT), {"E-STATEMENT"}),
    ("rule set changed",
     "A consultant lowers a factor in the rule set that travels in the archive.",
     flip(RULES_PATH, 40), {"E-RULES"}),
    ("rule set missing",
     "Somebody takes the rule set out.", delete(RULES_PATH), {"E-RULES"}),
]  # fmt: skip

_LOG: list[tuple[str, str, Change, set[str]]] = [
    ("log entry removed",
     "Somebody removes the entry of a frame that they want to have never been accepted.",
     edit_entries(lambda e: [*e[:4], *e[6:]]),
     {"E-LOG-ROOT", "E-LOG-FRAME", "E-ANCHOR", "E-RECEIPT"}),
    ("log entry twice",
     "Somebody repeats an entry, to pad the log to its old length.",
     edit_entries(lambda e: [*e[:4], *e[3:]]), {"E-LOG", "E-LOG-ROOT", "E-ANCHOR", "E-RECEIPT"}),
    ("log's close removed",
     "Somebody removes the closing entry, to close the month once more.",
     edit_entries(lambda e: e[:-1]), {"E-LOG-ROOT", "E-LOG-CLOSE"}),
    ("log entry that is junk",
     "Somebody spoils an entry, in the hope that the log is then skipped.",
     edit_entries(lambda e: [*e[:3], b"\x80", *e[4:]]), {"E-LOG", *WITHOUT_LOG}),
    ("log range of another log",
     "Somebody puts another past before the month's entries.",
     replace(paths.LOG_RANGE, cbor.encode([1, [bytes(32)]])),
     {"E-LOG-ROOT", "E-ANCHOR", "E-RECEIPT"}),
    ("log range that cannot be",
     "Somebody writes a range without the roots it needs.",
     replace(paths.LOG_RANGE, cbor.encode([3, []])), {"E-LOG", *WITHOUT_LOG}),
    ("log range that is no CBOR",
     "Somebody spoils the range.", replace(paths.LOG_RANGE, b"\xff"), {"E-LOG", *WITHOUT_LOG}),
    ("checkpoint of another key",
     "A stranger signs the log's checkpoint with a key of their own.",
     replace(paths.LOG_CHECKPOINT, sm.log_note(sm.month().entries, FOREIGN).encode()),
     {"E-CHECKPOINT", "E-CLOSE"}),
    ("checkpoint that is no text",
     "Somebody spoils the checkpoint.",
     replace(paths.LOG_CHECKPOINT, b"\xff\xfe"), {"E-CHECKPOINT", "E-CLOSE"}),
    ("checkpoint of an earlier log",
     "Somebody puts the collector's true checkpoint of three entries under all entries.",
     replace(paths.LOG_CHECKPOINT, sm.log_note(sm.month().entries[:3]).encode()),
     {"E-LOG-ROOT", "E-CLOSE"}),
]  # fmt: skip

_KEYS: list[tuple[str, str, Change, set[str]]] = [
    ("root of another plant",
     "A stranger puts the root of a plant of theirs over another plant's readings.",
     replace(paths.ROOT_CERTIFICATE, _pem(OTHER, "root")),
     {"E-TRUST", "E-CHECKPOINT", *WITHOUT_KEYS}),
    ("root that is no certificate",
     "Somebody spoils the root certificate, in the hope that trust is then not asked for.",
     replace(paths.ROOT_CERTIFICATE, b"junk"),
     {"E-CERTIFICATE", "E-FRAME", "E-CHECKPOINT", "E-CLOSE", "E-BAG", "E-INPUT"}),
    ("a gateway's certificate as root",
     "A gateway's owner plays the root with the certificate they have.",
     replace(paths.ROOT_CERTIFICATE, _pem(sm.keys(), "gateway")),
     {"E-TRUST", "E-CHECKPOINT", *WITHOUT_KEYS}),
    ("gateway's certificate of another plant's root",
     "A stranger puts in a certificate for the gateway that their own root issued.",
     replace(GATEWAY_PATH, _pem(OTHER, "gateway")), WITHOUT_KEYS),
    ("gateway's certificate missing",
     "Somebody takes the certificate out, so that no signature can be checked.",
     delete(GATEWAY_PATH), {"E-SIG-UNKNOWN-KEY", "E-CLOSE"}),
    ("collector's certificate in the gateway's place",
     "Somebody lets the collector's key count as the gateway's.",
     replace(GATEWAY_PATH, _pem(sm.keys(), "collector")), WITHOUT_KEYS),
    ("gateway's certificate under another's name",
     "Somebody files a certificate under the name of another.",
     both(replace(paths.gateway_certificate(sm.STREAM, bytes(32)), _pem(sm.keys(), "gateway")),
          delete(GATEWAY_PATH)), {"E-CERTIFICATE"}),
    ("gateway's certificate in the collector's place",
     "Somebody lets the gateway's key count as the collector's.",
     replace(paths.COLLECTOR_CERTIFICATE, _pem(sm.keys(), "gateway")),
     {"E-CERTIFICATE", "E-CHECKPOINT", "E-CLOSE"}),
    ("words beside a certificate",
     "Somebody hides a second certificate behind the first in one file.",
     lambda files: files.update(
         {paths.ROOT_CERTIFICATE: files[paths.ROOT_CERTIFICATE] * 2}),
     {"E-CERTIFICATE", "E-FRAME", "E-CHECKPOINT", "E-CLOSE", "E-BAG", "E-INPUT"}),
]  # fmt: skip

_CLOSING: list[tuple[str, str, Change, set[str]]] = [
    ("close of another key",
     "A stranger signs the month in the gateway's place.",
     replace(paths.close(sm.STREAM), sm.make_month(sm.items(), chain=sm.Chain(FOREIGN)).close),
     {"E-CLOSE"}),
    ("close that is a frame",
     "Somebody passes another signed object of the gateway off as its close.",
     replace(paths.close(sm.STREAM), sm.month().objects[2]), {"E-CLOSE"}),
    ("close that is junk",
     "Somebody spoils the gateway's close.", replace(paths.close(sm.STREAM), b"junk"), {"E-CLOSE"}),
    ("close of a gateway without frames",
     "Somebody adds the close of a gateway of which there are no readings.",
     replace(paths.close("edge-2"), sm.month().close), {"E-FILE-EXTRA"}),
    ("receipt of another key",
     "A stranger writes a receipt that the collector never gave.",
     replace(paths.receipt(sm.STREAM), bag.seal(bytes(32), FOREIGN)), {"E-RECEIPT"}),
    ("receipt of a gateway without frames",
     "Somebody adds a receipt of another stream.",
     replace(paths.receipt("edge-2"), sm.month().receipt), {"E-FILE-EXTRA"}),
    ("file nobody knows",
     "Somebody puts a paper of theirs into the payload, to have it sealed in appearance.",
     replace("data/notes.txt", b"hello"), {"E-FILE-EXTRA"}),
    ("file beside data",
     "Somebody puts a paper of theirs beside the payload.",
     replace("notes.txt", b"hello"), {"E-FILE-EXTRA"}),
    ("file under seal",
     "Somebody puts a paper of theirs where the seals are.",
     replace("seal/notes.txt", b"hello"), {"E-FILE-EXTRA"}),
]  # fmt: skip

#: name -> (change, codes beside E-SEAL)
CHANGES: dict[str, tuple[Change, set[str]]] = {
    name: (change, codes)
    for name, _, change, codes in (*_READINGS, *_STATEMENT, *_LOG, *_KEYS, *_CLOSING)
}

KINDS: list[Kind] = [
    kind(f"stranger: {name}", story, packed(change, FOREIGN), "E-SEAL", *codes)
    for name, story, change, codes in (*_READINGS, *_STATEMENT, *_LOG, *_KEYS, *_CLOSING)
]
