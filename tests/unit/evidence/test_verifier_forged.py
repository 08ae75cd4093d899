"""The tamper corpus: what a forger may try with an archive, and what the verifier calls it.

Three forgers: one without any key of the plant (seals with a key of its own), the collector's
operator (has the collector's key), and gateway and collector in agreement who lie in one place.
Codes are compared as sets, notes and warnings left out.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from evidence import cbor, checkpoint, cose
from evidence.archive import bag, paths
from evidence.findings import Verdict
from evidence.keys import certificate_to_pem
from evidence.log import Kind
from evidence.recompute import statement_bytes
from tests.unit.evidence import sealed_month as sm

Change = Callable[[sm.Files], None]

FOREIGN = sm.signer(90)
SEG_4 = paths.frames(sm.STREAM, "2026-06-15/04")
SEG_5 = paths.frames(sm.STREAM, "2026-06-15/05")


def errors(archive: bytes, **options: Any) -> set[str]:
    report = sm.check(archive, **options)
    failing = {code for code in sm.codes(report) if code[0] in "EC"}
    wanted = Verdict.FAILED if any(code[0] == "E" for code in failing) else Verdict.PASSED
    assert report.verdict is wanted
    return failing


def edit_objects(path: str, change: Callable[[list[bytes]], list[bytes]]) -> Change:
    def apply(files: sm.Files) -> None:
        files[path] = sm.seg(change(sm.records(files[path])))

    return apply


def edit_entries(change: Callable[[list[bytes]], list[bytes]]) -> Change:
    return edit_objects(paths.LOG_ENTRIES, change)


def resign_log(files: sm.Files) -> None:
    """The collector signs whatever the entries are now."""
    files[paths.LOG_CHECKPOINT] = sm.log_note(sm.records(files[paths.LOG_ENTRIES])).encode()


def both(*changes: Change) -> Change:
    def apply(files: sm.Files) -> None:
        for change in changes:
            change(files)

    return apply


def edit_statement(change: Callable[[dict[str, Any]], None]) -> Change:
    def apply(files: sm.Files) -> None:
        statement = json.loads(files[paths.STATEMENT])
        change(statement)
        files[paths.STATEMENT] = statement_bytes(statement)

    return apply


def replace(path: str, data: bytes) -> Change:
    def apply(files: sm.Files) -> None:
        files[path] = data

    return apply


def delete(path: str) -> Change:
    def apply(files: sm.Files) -> None:
        del files[path]

    return apply


def flip(path: str, at: int, bit: int = 0) -> Change:
    def apply(files: sm.Files) -> None:
        data = bytearray(files[path])
        data[at] ^= 1 << bit
        files[path] = bytes(data)

    return apply


def flip_object(path: str, index: int, at: int) -> Change:
    """Flip a bit inside an object and make its record's checksum right again."""

    def change(items: list[bytes]) -> list[bytes]:
        data = bytearray(items[index])
        data[at] ^= 1
        return [*items[:index], bytes(data), *items[index + 1 :]]

    return edit_objects(path, change)


def move_total(statement: dict[str, Any]) -> None:
    statement["output"]["totals"]["total_t"] = "1.00"


def less_metal(statement: dict[str, Any]) -> None:
    for part, key in (("pfc", "metal_t"), ("output", "aluminium_t")):
        statement["input"][part][key] = "5.4"


CONFIG_PATH = paths.config(sm.sha256(sm.month().objects[0]))
GATEWAY_PATH = next(p for p in sm.unpack(sm.honest()) if p.startswith("data/keys/gateway-"))
OTHER = sm.keys(60)
WITHOUT_LOG = {"E-LOG-FRAME", "E-LOG-CLOSE", "E-ANCHOR", "E-CLOSE"}

#: what nobody without a key of the plant can do: name -> (change, codes beside E-SEAL)
STRANGER: dict[str, tuple[Change, set[str]]] = {
    "nothing but the seal": (lambda files: None, set()),
    "a payload bit of a frame": (
        flip_object(SEG_4, 1, 300), {"E-SIG-BAD", "E-CHAIN", "E-INPUT"},
    ),
    "a record's checksum": (flip(SEG_4, 9), {"E-RECORD", "E-CHAIN-GAP", "E-INPUT"}),
    "first object dropped": (edit_objects(SEG_4, lambda o: o[1:]), {"E-CHAIN-GAP", "E-INPUT"}),
    "frame dropped": (
        edit_objects(SEG_4, lambda o: [o[0], o[2]]), {"E-CHAIN-GAP", "E-INPUT"},
    ),
    "last object dropped": (edit_objects(SEG_5, lambda o: o[:-1]), {"E-CHAIN-GAP", "E-CLOSE"}),
    "whole hour dropped": (delete(SEG_5), {"E-CHAIN-GAP", "E-CLOSE", "E-INPUT"}),
    "frame twice": (edit_objects(SEG_4, lambda o: [*o, o[2]]), {"E-CHAIN", "E-TIME", "E-INPUT"}),
    "frames swapped": (
        edit_objects(SEG_4, lambda o: [o[0], o[2], o[1]]),
        {"E-CHAIN-GAP", "E-CHAIN", "E-TIME", "E-INPUT"},
    ),
    "frame in another hour's file": (
        both(
            edit_objects(SEG_4, lambda o: o[:2]),
            edit_objects(SEG_5, lambda o: [sm.month().objects[2], *o]),
        ),
        {"E-FRAME-PLACE"},
    ),
    "frame in another stream's folder": (
        both(
            replace(paths.frames("edge-2", "2026-06-15/05"), sm.seg(sm.month().objects[5:])),
            edit_objects(SEG_5, lambda o: o[:-1]),
        ),
        {"E-CHAIN-GAP", "E-CLOSE", "E-FRAME", "E-LOG-CLOSE"},
    ),
    "total moved": (edit_statement(move_total), {"E-TOTAL", "E-LOG-CLOSE", "E-CLOSE"}),
    "less metal": (edit_statement(less_metal), {"E-INPUT", "E-TOTAL", "E-LOG-CLOSE", "E-CLOSE"}),
    "statement spelled otherwise": (
        replace(paths.STATEMENT, json.dumps(json.loads(sm.month().statement)).encode()),
        {"E-STATEMENT"},
    ),
    "statement that is no JSON": (replace(paths.STATEMENT, b"{"), {"E-STATEMENT"}),
    "statement of floats": (replace(paths.STATEMENT, b'{"a": 1.5}'), {"E-STATEMENT"}),
    "statement missing": (delete(paths.STATEMENT), {"E-STATEMENT"}),
    "another configuration under the name": (
        replace(CONFIG_PATH, sm.month().objects[1]), {"E-CFG", "E-INPUT"},
    ),
    "configuration missing": (delete(CONFIG_PATH), {"E-CFG-MISSING", "E-INPUT"}),
    "rule set changed": (flip(paths.rules("cets-ag-04.01-v01-2024"), 40), {"E-RULES"}),
    "rule set missing": (delete(paths.rules("cets-ag-04.01-v01-2024")), {"E-RULES"}),
    "log entry removed": (
        edit_entries(lambda e: [*e[:4], *e[5:]]),
        {"E-LOG-ROOT", "E-LOG-FRAME", "E-ANCHOR", "E-RECEIPT"},
    ),
    "log entry twice": (
        edit_entries(lambda e: [*e[:4], *e[3:]]), {"E-LOG", "E-LOG-ROOT", "E-ANCHOR", "E-RECEIPT"},
    ),
    "log's close removed": (edit_entries(lambda e: e[:-1]), {"E-LOG-ROOT", "E-LOG-CLOSE"}),
    "log entry that is junk": (
        edit_entries(lambda e: [*e[:3], b"\x80", *e[4:]]), {"E-LOG", *WITHOUT_LOG},
    ),
    "log range of another log": (
        replace(paths.LOG_RANGE, cbor.encode([1, [bytes(32)]])),
        {"E-LOG-ROOT", "E-ANCHOR", "E-RECEIPT"},
    ),
    "log range that cannot be": (
        replace(paths.LOG_RANGE, cbor.encode([3, []])), {"E-LOG", *WITHOUT_LOG},
    ),
    "log range that is no CBOR": (replace(paths.LOG_RANGE, b"\xff"), {"E-LOG", *WITHOUT_LOG}),
    "checkpoint of another key": (
        replace(paths.LOG_CHECKPOINT, sm.log_note(sm.month().entries, FOREIGN).encode()),
        {"E-CHECKPOINT", "E-CLOSE"},
    ),
    "checkpoint that is no text": (
        replace(paths.LOG_CHECKPOINT, b"\xff\xfe"), {"E-CHECKPOINT", "E-CLOSE"},
    ),
    "root of another plant": (
        replace(paths.ROOT_CERTIFICATE, certificate_to_pem(OTHER.certificates["root"])),
        {"E-TRUST", "E-CERTIFICATE", "E-SIG-UNKNOWN-KEY", "E-CHECKPOINT", "E-CLOSE"},
    ),
    "root that is no certificate": (
        replace(paths.ROOT_CERTIFICATE, b"junk"),
        {"E-CERTIFICATE", "E-FRAME", "E-CHECKPOINT", "E-CLOSE", "E-BAG", "E-INPUT"},
    ),
    "a gateway's certificate as root": (
        replace(paths.ROOT_CERTIFICATE, certificate_to_pem(sm.keys().certificates["gateway"])),
        {"E-TRUST", "E-CERTIFICATE", "E-SIG-UNKNOWN-KEY", "E-CHECKPOINT", "E-CLOSE"},
    ),
    "gateway's certificate of another plant's root": (
        replace(GATEWAY_PATH, certificate_to_pem(OTHER.certificates["gateway"])),
        {"E-CERTIFICATE", "E-SIG-UNKNOWN-KEY", "E-CLOSE"},
    ),
    "gateway's certificate missing": (delete(GATEWAY_PATH), {"E-SIG-UNKNOWN-KEY", "E-CLOSE"}),
    "collector's certificate in the gateway's place": (
        replace(GATEWAY_PATH, certificate_to_pem(sm.keys().certificates["collector"])),
        {"E-CERTIFICATE", "E-SIG-UNKNOWN-KEY", "E-CLOSE"},
    ),
    "gateway's certificate under another key's name": (
        both(
            replace(
                paths.gateway_certificate(sm.STREAM, bytes(32)),
                certificate_to_pem(sm.keys().certificates["gateway"]),
            ),
            delete(GATEWAY_PATH),
        ),
        {"E-CERTIFICATE"},
    ),
    "gateway's certificate in the collector's place": (
        replace(paths.COLLECTOR_CERTIFICATE, certificate_to_pem(sm.keys().certificates["gateway"])),
        {"E-CERTIFICATE", "E-CHECKPOINT", "E-CLOSE"},
    ),
    "close of another key": (
        replace(
            paths.close(sm.STREAM),
            sm.make_month(sm.items(), chain=sm.Chain(FOREIGN)).close,
        ),
        {"E-CLOSE"},
    ),
    "close that is a frame": (replace(paths.close(sm.STREAM), sm.month().objects[2]), {"E-CLOSE"}),
    "close that is junk": (replace(paths.close(sm.STREAM), b"junk"), {"E-CLOSE"}),
    "close of a gateway without frames": (
        replace(paths.close("edge-2"), sm.month().close), {"E-FILE-EXTRA"},
    ),
    "receipt of another key": (
        replace(paths.receipt(sm.STREAM), bag.seal(bytes(32), FOREIGN)), {"E-RECEIPT"},
    ),
    "receipt of a gateway without frames": (
        replace(paths.receipt("edge-2"), sm.month().receipt), {"E-FILE-EXTRA"},
    ),
    "file nobody knows": (replace("data/notes.txt", b"hello"), {"E-FILE-EXTRA"}),
    "file beside data": (replace("notes.txt", b"hello"), {"E-FILE-EXTRA"}),
    "file under seal": (replace("seal/notes.txt", b"hello"), {"E-FILE-EXTRA"}),
}  # fmt: skip


@pytest.mark.parametrize("name", STRANGER)
def test_a_stranger_can_change_nothing(name: str) -> None:
    change, wanted = STRANGER[name]
    files = sm.unpack(sm.honest())
    change(files)
    assert errors(sm.repack(files, by=FOREIGN)) == wanted | {"E-SEAL"}


@pytest.mark.parametrize("name", STRANGER)
def test_a_stranger_who_leaves_the_manifests_alone_is_seen_at_the_bag(name: str) -> None:
    change, _ = STRANGER[name]
    files = sm.unpack(sm.honest())
    before = dict(files)
    change(files)
    found = errors(sm.repack(files, manifest=False))
    if {p for p in files if p.startswith("data/")} - set(before) or set(files) - set(before):
        assert "E-FILE-EXTRA" in found
    elif set(before) - set(files):
        assert "E-FILE-MISSING" in found
    elif any(files[p] != before[p] for p in files if p.startswith("data/")):
        assert "E-FILE-HASH" in found


#: what the collector's operator may try with the collector's key, but not the gateway's
OPERATOR: dict[str, tuple[Change, set[str]]] = {
    "total moved": (edit_statement(move_total), {"E-TOTAL", "E-LOG-CLOSE", "E-CLOSE"}),
    "entry removed and the log signed anew": (
        both(edit_entries(lambda e: [*e[:4], *e[5:]]), resign_log),
        {"E-LOG-FRAME", "E-ANCHOR", "E-RECEIPT", "E-CLOSE"},
    ),
    "reject removed and the log signed anew": (
        both(edit_entries(lambda e: [*e[:-2], e[-1]]), resign_log), {"E-CLOSE"},
    ),
    "enrolment changed and the log signed anew": (
        both(edit_entries(lambda e: [sm.entry(Kind.ENROL, b"other", 0), *e[1:]]), resign_log),
        {"E-ANCHOR", "E-CLOSE"},
    ),
    "close entry not last": (
        both(edit_entries(lambda e: [*e, sm.entry(Kind.GAP, b"", 99)]), resign_log),
        {"E-LOG-CLOSE", "E-CLOSE"},
    ),
    "times going back": (
        both(edit_entries(lambda e: [*e[:-2], sm.entry(Kind.GAP, b"", 0), e[-1]]), resign_log),
        {"E-LOG", "E-CLOSE"},
    ),
    "log of another plant": (
        replace(paths.LOG_CHECKPOINT, sm.log_note(sm.month().entries, plant="other").encode()),
        {"E-CHECKPOINT"},
    ),
    "frame dropped and the log made to fit": (
        both(
            edit_objects(SEG_5, lambda o: o[:-1]),
            edit_entries(lambda e: [*e[:7], *e[8:]]),
            resign_log,
        ),
        {"E-CHAIN-GAP", "E-CLOSE"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATOR)
def test_the_collectors_operator_cannot_rewrite_what_a_gateway_signed(name: str) -> None:
    change, wanted = OPERATOR[name]
    files = sm.unpack(sm.honest())
    change(files)
    assert errors(sm.repack(files, by=sm.keys().collector)) == wanted


def test_a_seal_over_another_bag_or_of_another_kind_is_none() -> None:
    by = sm.keys().collector
    for seal in (
        bag.seal(bytes(32), by),
        cose.sign(by, {cose.TYP: bag.TYP_SEAL}, b"x"),
        sm.month().receipt,
        b"",
    ):
        files = sm.unpack(sm.honest()) | {paths.SEAL: seal}
        assert errors(sm.repack(files)) == {"E-SEAL"}
    files = sm.unpack(sm.honest())
    del files[paths.SEAL]
    assert errors(sm.repack(files)) == {"E-SEAL"}


def test_another_root_fails_only_on_trust_when_everything_else_is_its_own() -> None:
    """Anybody can make a whole archive of their own; only the trusted root tells."""
    report = sm.check(sm.honest(), trust=frozenset({bytes(32)}))
    assert report.verdict is Verdict.FAILED
    assert {c for c in sm.codes(report) if c[0] == "E"} == {"E-TRUST"}
    assert "NOT among the trusted" in report.identity


def test_another_top_folder_is_another_archive() -> None:
    archive = sm.repack(sm.unpack(sm.honest()), name="other-2026-06")
    assert errors(archive) == {"E-BAG"}


def test_a_checkpoint_may_carry_a_witness() -> None:
    files = sm.unpack(sm.honest())
    note = files[paths.LOG_CHECKPOINT].decode()
    witness = checkpoint.sign(
        checkpoint.Checkpoint("w", 1, bytes(32)), FOREIGN, FOREIGN.public_key
    ).splitlines()[-1]
    files[paths.LOG_CHECKPOINT] = f"{note}{witness}\n".encode()
    assert errors(sm.repack(files, by=sm.keys().collector)) == set()
