"""A sealed month in which one signed thing says something else, and everybody signs it.

Gateway, collector and root are all the forger's: signatures, hashes and the log's root are right
again after the change, so that what is said of it is said of the change alone.
"""

import base64
import copy
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from evidence import cbor, cose
from evidence.archive import paths
from evidence.blocks import compress, decompress
from evidence.errors import EvidenceError
from evidence.frame import TYP_CLOSE, TYP_COSIGNATURE, TYP_FRAME, TYP_ROTATE
from evidence.keys import FileSigner, certificate_to_pem, key_sha256
from evidence.log import Kind
from tests.attacks.by_keys import KNOWN, NEXT, OLD, ROOT, der, order, order_entry
from tests.attacks.forging import FOREIGN
from tests.independent import random_documents
from tests.independent.random_configurations import places
from tests.unit.evidence import sealed_month as sm

EDGES = (
    0, 1, 2, 3, 5, 7, 8, 15, 16, 255, 2**16, 2**31, 2**32, 2**53 + 1, 2**62, 2**63 - 1, 2**63,
    2**64 - 1, -1, -2, -(2**31), -(2**63),
)  # fmt: skip
TEXTS = (
    "", "x", "edge-1", "edge-9", "Edge-1", "interim", "final", "2026-06", "2026-07", "2026-00",
    "2026-13", "26-06", "２０２６-06", "accepted", "fork", "revoked", "malformed", "held", "root",
    "gateway", "collector", "ntp", "ptp", "gps", "meter-settings", "start", "1.5", "1e3", "x" * 128,
    "x" * 129, "x" * 200, "x" * 201, "\U0001d11e" * 200, "a\0b", "\ufeff", "__proto__", "size",
    "2026-06-15T04:59:40Z", "2026-06-15T04:59:40.5Z", "2026-06-31T00:00:00Z", "typed:x",
)  # fmt: skip
OTHER: tuple[Any, ...] = (
    None, True, False, b"", bytes(8), bytes(32), b"\xff" * 32, [], {}, [0], {"x": 1}, {1: 1},
)  # fmt: skip


def bent(value: Any, rng: random.Random) -> Any:
    """The value with one part of it changed, added, taken away, or put elsewhere."""
    made = [copy.deepcopy(value)]
    at, key = rng.choice(
        [(made, 0), *places(made[0])] if isinstance(value, dict | list) else [(made, 0)]
    )
    how = rng.random()
    if how < 0.75:
        at[key] = _other(at[key], rng)
    elif how < 0.85 and at is not made:
        del at[key]
    elif isinstance(at, list):
        at.insert(rng.randint(0, len(at)), copy.deepcopy(rng.choice([at[key], *OTHER])))
    else:
        kind = type(next(iter(at)))
        at[rng.choice(TEXTS) if kind is str else rng.choice(EDGES)] = rng.choice([at[key], *OTHER])
    return made[0]


def _other(old: Any, rng: random.Random) -> Any:
    if rng.random() < 0.15:
        return copy.deepcopy(rng.choice(OTHER))
    if isinstance(old, bool) or old is None:
        return rng.choice((True, False, None, 0, 1))
    if isinstance(old, int):
        return rng.choice((*EDGES, old + 1, old - 1, old * 2, str(old)))
    if isinstance(old, str):
        return rng.choice((*TEXTS, f"{old}x", old[:-1], old.upper()))
    if isinstance(old, bytes):
        flipped = bytes([*old[:-1], old[-1] ^ 1]) if old else b"\0"
        return rng.choice((flipped, old[:-1], old + b"\0", bytes(len(old)), b""))
    return copy.deepcopy(rng.choice(OTHER))


def _payload(data: bytes, rng: random.Random) -> bytes:
    """A payload of which the item, seldom the compression, is another."""
    item = cbor.encode(bent(cbor.decode(decompress(data)), rng))
    if rng.random() < 0.05:
        return bytes([rng.choice((0, 1, 2, 3, 9))]) + item
    return compress(item)


def _rebuilt(items: Sequence[sm.Item], **other: Any) -> bytes:
    return sm.build(sm.contents(sm.make_month(items, **other)))


def _frame(rng: random.Random) -> bytes:
    made = sm.items()
    at = rng.choice([i for i, item in enumerate(made) if item.typ == TYP_FRAME])
    made[at] = replace(made[at], payload=_payload(made[at].payload, rng))
    return _rebuilt(made)


def _configuration(rng: random.Random) -> bytes:
    made = sm.items()
    made[0] = replace(made[0], payload=_payload(made[0].payload, rng))
    return _rebuilt(made)


def _header(rng: random.Random) -> bytes:
    made = sm.items()
    at = rng.randrange(len(made))
    fields: Mapping[str, Callable[[], Any]] = {
        "typ": lambda: rng.choice(("stackproof-x+cbor", TYP_FRAME, TYP_CLOSE, "")),
        "plant": lambda: rng.choice(TEXTS), "stream": lambda: rng.choice(TEXTS),
        "iat_s": lambda: rng.choice([n for n in EDGES if n >= 0]),
        "seq": lambda: rng.choice([n for n in EDGES if n >= 0]),
        "prev": lambda: rng.randbytes(32), "cfg": lambda: rng.choice((None, rng.randbytes(32))),
        "anchor": lambda: rng.choice((None, (rng.choice(EDGES[:12]), rng.randbytes(32)))),
    }  # fmt: skip
    name = rng.choice(list(fields))
    if rng.random() < 0.2:
        return _rebuilt(made, chain=Foreign(at, rng))
    made[at] = replace(made[at], fields={name: fields[name]()})
    return _rebuilt(made)


def _beside(rng: random.Random) -> bytes:
    """An object that is no frame more, as it may be or not; seldom by a key nobody knows."""
    made = sm.items()
    month = sm.month()
    close = cose.parse(month.close).payload
    payloads = {
        TYP_CLOSE: close,
        TYP_ROTATE: compress(cbor.encode({"certificate": der(rng.choice((NEXT, KNOWN)))})),
        TYP_COSIGNATURE: compress(cbor.encode({"checkpoint": sm.log_note(month.entries[:2])})),
    }
    typ = rng.choice(list(payloads))
    payload = payloads[typ]
    if rng.random() < 0.85:
        payload = _payload(payload, rng)
    at = rng.randint(1, len(made))
    made.insert(at, sm.Item(typ, payload, made[at - 1].hour))
    chain = Foreign(at if rng.random() < 0.4 else None)
    return _rebuilt(made, chain=chain)


class Foreign(sm.Chain):
    """Signs one object with a key that nobody knows."""

    def __init__(self, seq: int | None, rng: random.Random | None = None) -> None:
        super().__init__(OLD)
        self._seq, self._rng = seq, rng

    def sign(self, *args: Any, **fields: Any) -> bytes:
        """The next object."""
        is_it = len(self.objects) == self._seq
        self.by = FOREIGN if is_it and self._rng is None else OLD
        data = super().sign(*args, **fields)
        if is_it and self._rng is not None:
            self.objects[-1] = data = _resigned(data, self._rng)
        return data


def _entry(rng: random.Random) -> bytes:
    """An entry of the log says something else, or stands there beside the others."""
    entries = list(sm.month().entries)
    at = rng.randrange(len(entries))
    entry = cbor.decode(entries[at])
    if rng.random() < 0.4:
        entry[1] = rng.choice([kind.value for kind in Kind])
        entry[4], entry[5], entry[8] = rng.choice(("", "edge-1")), rng.choice((None, 3)), None
    else:
        entry = bent(entry, rng)
    made = cbor.encode(entry)
    entries[at : at + rng.choice((0, 1))] = [made]
    files = sm.unpack(sm.honest())
    files[paths.LOG_ENTRIES] = sm.seg(entries)
    files[paths.LOG_CHECKPOINT] = sm.log_note(entries).encode()
    return sm.repack(files, by=sm.keys().collector)


def _detail(rng: random.Random) -> bytes:
    """What closes the month says something else."""
    detail = cbor.decode(sm.month().entries[-1])[11]
    name = rng.choice([*detail, "replaces"])
    return _rebuilt(sm.items(), detail={name: bent(detail.get(name, bytes(32)), rng)})


def _statement(rng: random.Random) -> bytes:
    made = bent(json.loads(sm.month().statement), rng)
    data = json.dumps(made, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    return _rebuilt(sm.items(), statement=data.encode())


def _signed(path: str, by: FileSigner, rng: random.Random) -> bytes:
    """A file signed anew, its payload or a label of its header changed."""
    files = sm.unpack(sm.honest())
    envelope = cose.parse(files[path])
    header = {label: value for label, value in envelope.header.items() if label > 4 or label < 0}
    payload = envelope.payload
    if path == paths.SEAL or rng.random() < 0.25:
        header = bent(header, rng)
    else:
        payload = _payload(payload, rng)
    files[path] = _resigned(cose.sign(by, header, payload), rng)
    is_tag = path.startswith("seal/")
    return sm.repack(files, by=None if is_tag else sm.keys().collector)


def _resigned(data: bytes, rng: random.Random) -> bytes:
    """Seldom a signed object of another number of suite, or of a kid that is another's."""
    if rng.random() < 0.8:
        return data
    protected, unprotected, payload, signature = cbor.decode(data[1:])
    header = cbor.decode(protected)
    label, value = rng.choice(((1, 99), (1, -8), (1, -9), (4, bytes(8)), (4, FOREIGN.kid)))
    made = cbor.encode({**header, label: value})
    if rng.random() < 0.5:
        signature = sm.keys().gateway.sign(cbor.encode(["Signature1", made, b"", payload]))
    return data[:1] + cbor.encode([made, unprotected, payload, signature])


def _tag_file(rng: random.Random) -> bytes:
    """A line of bag-info.txt says something else."""
    files = sm.unpack(sm.honest())
    lines = files["bag-info.txt"].decode().splitlines()[:-1]
    at = rng.randrange(len(lines))
    key, _, value = lines[at].partition(": ")
    lines[at : at + rng.choice((0, 1, 1))] = [f"{key}: {_other(value, rng)}"]
    files["bag-info.txt"] = "".join(f"{line}\n" for line in lines).encode() + b"Payload-Oxum: 0.0\n"
    return sm.repack(files, by=sm.keys().collector)


def _order(rng: random.Random) -> bytes:
    """An order of the root says something else; the log tells of it as it is."""
    old, new = key_sha256(OLD.public_key), der(NEXT)
    fields: dict[str, Any] = {"plant": sm.PLANT, "stream": sm.STREAM, "reason": "stolen"}
    replaces = rng.random() < 0.6
    at = rng.choice((0, 2, 5, 6, 9))
    month = sm.month()
    if replaces:
        head = sm.sha256(month.objects[min(at, 5)])
        fields |= {"old": old, "certificate": new, "seq": at, "head": head, "through_ns": 1}
    else:
        fields |= {"key": old, "through": at}
    if rng.random() < 0.8:
        fields = bent(fields, rng)
    data = order(f"stackproof-{'replace' if replaces else 'revoke'}+cbor", fields, ROOT)
    entry = order_entry(data, at, replaces=replaces)
    made = sm.make_month(sm.items(), between={rng.choice((2, 5)): entry})
    return sm.build(sm.contents(made, orders=[data]))


def _certificate(rng: random.Random) -> bytes:
    """A byte of a certificate is another, and its file is called what it is."""
    files = sm.unpack(sm.honest())
    data = bytearray(der(KNOWN))
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    body = certificate_to_pem(KNOWN)
    for path in [path for path in files if path.startswith("data/keys/gateway")]:
        del files[path]
    text = base64.b64encode(bytes(data)).decode()
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    body = "\n".join(
        ["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""]
    ).encode()
    files[paths.gateway_certificate(sm.STREAM, sm.sha256(bytes(data)))] = body
    return sm.repack(files, by=sm.keys().collector)


HOW: dict[str, Callable[[random.Random], bytes]] = {
    "frame": _frame, "configuration": _configuration, "header": _header, "beside": _beside,
    "entry": _entry, "detail": _detail, "statement": _statement, "tag file": _tag_file,
    "order": _order, "certificate": _certificate,
    "document": lambda rng: random_documents.month(rng, bent, compress),
    "receipt": lambda rng: _signed(paths.receipt(sm.STREAM), sm.keys().collector, rng),
    "close": lambda rng: _signed(paths.close(sm.STREAM), sm.keys().gateway, rng),
    "seal": lambda rng: _signed(paths.SEAL, sm.keys().collector, rng),
}  # fmt: skip


def month(seed: int) -> tuple[str, bytes] | None:
    """(what was changed, archive), None where the change cannot be written."""
    rng = random.Random(seed)
    name = list(HOW)[seed % len(HOW)]
    try:
        return name, HOW[name](rng)
    except (EvidenceError, ValueError, TypeError, OverflowError, KeyError, IndexError):
        return None
