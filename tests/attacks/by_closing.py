"""The collector closes a month too early, twice, or in another's name."""

import dataclasses
from collections.abc import Callable
from typing import Any

from cryptography import x509

from evidence.archive import bag, paths
from evidence.frame import TYP_CONFIG
from evidence.keys import certificate_to_pem, issue, key_sha256
from evidence.log import Kind as EntryKind
from evidence.log import decode_entry
from evidence.receipt import decode_receipt, encode_receipt
from evidence.recompute import month_bounds
from tests.attacks.by_both import no_such_schedule, statement
from tests.attacks.by_keys import DAYS, SINCE, certificate, private
from tests.attacks.forging import Change, Kind, kind, packed, resign_log
from tests.unit.evidence import sealed_month as sm

COLLECTOR = sm.keys().collector
#: a collector that the plant's root certified too; no gateway's configuration names it
ANOTHER = sm.signer(77)
OVER_NS = month_bounds("Asia/Shanghai", "2026-06")[1]


def too_early() -> bytes:
    """Closed as final in June's middle, over a period that ends with June."""
    given = statement(0, (OVER_NS - sm.START_NS) // sm.SECOND, "final")
    month = sm.make_month(sm.items(), statement=given, closing="final", closed_ns=OVER_NS - 1)
    return sm.build(sm.contents(month, closing="final"))


def in_time() -> bytes:
    """The same, at the first instant of July."""
    given = statement(0, (OVER_NS - sm.START_NS) // sm.SECOND, "final")
    month = sm.make_month(sm.items(), statement=given, closing="final", closed_ns=OVER_NS)
    return sm.build(sm.contents(month, closing="final"))


def twice(closing: str) -> Callable[[], bytes]:
    """The log here holds an earlier close of the month, of which this one says nothing."""

    def first(index: int) -> bytes:
        streams = {sm.STREAM: [0, 2, bytes(32)]}
        told = {"month": "2026-06", "closing": closing, "streams": streams}
        return sm.entry(EntryKind.MONTH_CLOSE, b"another", index, stream="", detail=told)

    return lambda: sm.build(sm.contents(sm.make_month(sm.items(), between={4: first})))


def receipt(**fields: Any) -> Change:
    """The collector signs another receipt."""

    def change(files: sm.Files) -> None:
        path = paths.receipt(sm.STREAM)
        made = dataclasses.replace(decode_receipt(files[path], COLLECTOR.public_key), **fields)
        files[path] = encode_receipt(made, COLLECTOR)

    return change


def of_another() -> x509.Certificate:
    """The root's certificate of its key."""
    root = private(1), sm.keys().certificates["root"]
    return issue(
        "collector", sm.PLANT, "another", ANOTHER.public_key, issuer=root, not_before=SINCE,
        days=DAYS,
    )  # fmt: skip


def by_another(files: sm.Files) -> None:
    """A collector that no configuration names signs the log."""
    files[paths.COLLECTOR_CERTIFICATE] = certificate_to_pem(of_another())
    note = sm.log_note(sm.records(files[paths.LOG_ENTRIES]), ANOTHER)
    files[paths.LOG_CHECKPOINT] = note.encode()
    del files[paths.receipt(sm.STREAM)]


def taken_over(files: sm.Files) -> None:
    """The same, beside the certificate of the collector that the configuration names."""
    old = files[paths.COLLECTOR_CERTIFICATE]
    by_another(files)
    digest = sm.keys().certificates["collector"].fingerprint(sm.SHA256)
    files[paths.earlier_collector(digest)] = old


def beside(gateway: str, *, unfit: bool = False) -> Change:
    """Another gateway of the plant, configured and running, but without a reading so far.

    `unfit`: it has one frame of readings, of which nothing can be used.
    """

    def change(files: sm.Files) -> None:
        by, month = sm.signer(70), sm.month()
        config = {**sm.configuration(), "gateway": {"id": gateway, "slice": "00"}}
        made = sm.bodies(sm.configuration())
        beat = sm.frame_item(no_such_schedule(made[0]) if unfit else made[4])
        chain = sm.Chain(by, stream=gateway)
        chain.sign(TYP_CONFIG, sm.config_item(config).payload)
        chain.sign(beat.typ, beat.payload)
        entries = list(month.entries[:-1])
        for seq, (made, what) in enumerate(
            zip(chain.objects, (EntryKind.CONFIG, EntryKind.FRAME), strict=True)
        ):
            entries.append(
                sm.entry(
                    what, made, len(entries), seq=seq, stream=gateway,
                    certificate=key_sha256(by.public_key),
                )
            )  # fmt: skip
        spans = {s: [0, len(o) - 1, sm.sha256(o[-1])]
                 for s, o in ((sm.STREAM, month.objects), (gateway, chain.objects))}  # fmt: skip
        told = {"month": "2026-06", "closing": "interim", "streams": spans}
        entries.append(
            sm.entry(EntryKind.MONTH_CLOSE, month.statement, len(entries), stream="", detail=told)
        )
        known = certificate(by, name=gateway)
        path = paths.gateway_certificate(gateway, known.fingerprint(sm.SHA256))
        files[path] = certificate_to_pem(known)
        files[paths.frames(gateway, beat.hour)] = sm.seg(chain.objects)
        files[paths.config(sm.sha256(chain.objects[0]))] = chain.objects[0]
        files[paths.LOG_ENTRIES] = sm.seg(entries)
        files[paths.LOG_CHECKPOINT] = sm.log_note(entries).encode()
        del files[paths.receipt(sm.STREAM)], files[paths.close(sm.STREAM)]

    return change


def by_the_stolen_key(*earlier: x509.Certificate) -> Callable[[], bytes]:
    """The gateway names the collector's next key; whoever has the one before seals all the same."""

    def build() -> bytes:
        month = sm.make_month(sm.items(sm.configuration(ANOTHER)))
        return sm.build(sm.contents(month, earlier=earlier))

    return build


def unsaid(files: sm.Files) -> None:
    """What came after the gateway's last look at the log is signed anew, without the gateway."""
    entries = sm.records(files[paths.LOG_ENTRIES])
    assert decode_entry(entries[-2]).kind is EntryKind.REJECT
    files[paths.LOG_ENTRIES] = sm.seg([*entries[:-2], entries[-1]])
    resign_log(files)
    del files[paths.close(sm.STREAM)], files[paths.receipt(sm.STREAM)]


def dated(files: sm.Files) -> None:
    """A date on which nothing was closed."""
    files[bag.BAG_INFO] = files[bag.BAG_INFO].replace(b"2026-06-15", b"2026-06-16")


#: (name, why, archive, codes)
_CLOSES: list[tuple[str, str, Callable[[], bytes], set[str]]] = [
    ("final before its period is over",
     "A month is closed for good before its bad half; the rest is to count as a gap.",
     too_early, {"E-LOG-CLOSE"}),
    ("honest final month", "A month is closed at the first instant of the next: no tampering.",
     in_time, set()),
    ("a second close after a final one",
     "A final month is closed again, and nobody is to know of the first.",
     twice("final"), {"E-LOG-CLOSE"}),
    ("honest second close after an interim one",
     "An interim month is closed again: no tampering.", twice("interim"), {"N-INTERIM"}),
    ("bag of another day", "The bag is dated to a day on which nothing was closed.",
     packed(dated, COLLECTOR), {"E-BAG"}),
    ("receipt of an object that the log has not",
     "The collector confirms an object, and the log knows nothing of it.",
     packed(receipt(seq=10**12, head=bytes(32)), COLLECTOR), {"E-RECEIPT"}),
    ("receipt of another time", "A receipt says that an object came long before it did.",
     packed(receipt(received_ns=sm.START_NS), COLLECTOR), {"E-RECEIPT"}),
    ("another collector of the plant",
     "Whoever has an old collector's key signs log and seal again.",
     packed(by_another, ANOTHER), {"E-CERTIFICATE"}),
    ("a second gateway that has read nothing", "Months are of one gateway, with heartbeats too.",
     packed(beside("g2"), COLLECTOR), {"E-INPUT"}),
    ("a first gateway that has read nothing", "The same, and it stands before the other.",
     packed(beside("a1"), COLLECTOR), {"E-INPUT"}),
    ("a second gateway whose only frame does not fit", "The same, though nothing of it is used.",
     packed(beside("g2", unfit=True), COLLECTOR), {"E-INPUT", "W-UNFIT"}),
    ("honest new collector", "The collector has a new key; the gateway knows the old one only.",
     packed(taken_over, ANOTHER), {"N-KEY"}),
    ("a stolen collector's key after the gateway named the next",
     "A thief of the collector's key seals a month in which the plant had named its successor.",
     by_the_stolen_key(), {"E-CERTIFICATE"}),
    ("a stolen collector's key beside the certificate of the next",
     "The same thief puts the successor's certificate in: the report names both keys.",
     by_the_stolen_key(of_another()), {"N-KEY"}),
    ("a stolen collector's key without the gateway",
     "A thief of the collector's key leaves out what came after the gateway last saw the log.",
     packed(unsaid, COLLECTOR), {"W-NO-PLANT-SIGNATURE"}),
]  # fmt: skip

KINDS: list[Kind] = [
    kind(f"closing: {name}", why, build, *codes) for name, why, build, codes in _CLOSES
]
