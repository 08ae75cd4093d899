"""What is newer than the program: neither passed nor failed, and no hiding place for a forger.

Each archive is whole and agreed between gateway and collector; one part of it uses something that
nobody knows yet. The last kinds spoil a number to look like it, and fail.
"""

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from evidence import cbor, cose
from evidence.archive import bag, paths
from evidence.blocks import compress
from evidence.frame import TYP_CLOSE
from evidence.keys import FileSigner
from tests.attacks.by_both import payload, stated
from tests.attacks.by_strangers import GATEWAY_PATH
from tests.attacks.forging import SEG_4, Kind, both, delete, edit_objects, kind, packed, replace
from tests.unit.evidence import sealed_month as sm

RULES_2031 = "cets-ag-04.01-v09-2031"


class UnknownSuite(FileSigner):
    """Signs like any other and calls its algorithm by a number nobody knows."""

    @property
    def alg(self) -> int:
        """Far from every number in use."""
        return -65_000


class Mixed(sm.Chain):
    """Signs the object at one seq with an unknown suite, the others as the gateway does."""

    def __init__(self, seq: int) -> None:
        super().__init__(sm.keys().gateway)
        self._seq = seq

    def sign(self, *args: Any, **fields: Any) -> bytes:
        """The next object."""
        here = len(self.objects) == self._seq
        self.by = UnknownSuite(private(2)) if here else sm.keys().gateway
        return super().sign(*args, **fields)


def private(seed: int) -> ed25519.Ed25519PrivateKey:
    """The small plant's private key of a seed."""
    return ed25519.Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


def certificate(role: str, name: str, key: Any, issuer: Any = None) -> x509.Certificate:
    """As `evidence.keys.issue`, for a key of any kind."""
    root = sm.keys().certificates["root"]
    since = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    uri = f"urn:stackproof:{role}:{sm.PLANT}:{name}"
    builder = (
        x509.CertificateBuilder()
        .subject_name(root.subject)
        .issuer_name(root.subject)
        .public_key(key)
        .serial_number(7)
        .not_valid_before(since)
        .not_valid_after(since + dt.timedelta(days=400))
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=False
        )
    )
    return builder.sign(issuer or private(1), sm.SHA256 if issuer else None)


P384, P384_OTHER = (
    ec.derive_private_key(7, ec.SECP384R1()),
    ec.derive_private_key(8, ec.SECP384R1()),
)
RSA = rsa.generate_private_key(65537, 2048)


def _stream(stream: list[sm.Item], unknown: int = -1, **other: Any) -> Callable[[], bytes]:
    """The object at seq `unknown` is signed with an unknown suite; built anew at each call."""
    return lambda: sm.build(sm.contents(sm.make_month(stream, chain=Mixed(unknown), **other)))


def _typ(index: int, typ: str) -> list[sm.Item]:
    stream = sm.items()
    stream[index] = dataclasses.replace(stream[index], typ=typ)
    return stream


def _section(group: list[Any]) -> bytes:
    at = sm.START_NS + 10 * sm.SECOND
    section = [0, at, sm.SECOND, 1, [group], [0], bytes(4)]
    clock = ["ntp", 1, 0, bytes(16)]
    return compress(cbor.encode({1: 1, 2: at, 3: clock, 4: 8, 5: [section]}))


def _configured(**other: Any) -> list[sm.Item]:
    return [sm.config_item(sm.configuration() | other), *sm.items()[1:]]


def _of_2031() -> bytes:
    config = sm.configuration()
    config["plant"]["rule_set"] = RULES_2031

    def change(statement: dict[str, Any]) -> None:
        statement["input"]["rule_set"] = statement["output"]["rule_set"] = RULES_2031

    month = sm.make_month([sm.config_item(config), *sm.items()[1:]], statement=stated(change))
    return sm.build(sm.contents(month))


def _newer_close() -> bytes:
    chain = sm.Chain(sm.keys().gateway)
    month = sm.make_month(sm.items(), chain=chain)
    close = chain.sign(TYP_CLOSE, b"\x09...")
    return sm.build(sm.contents(month, closes={sm.STREAM: close}))


def _with_certificate(path: str, made: x509.Certificate, by: FileSigner | None) -> Any:
    return packed(replace(path, made.public_bytes(sm.PEM)), by)


def _with_gateway_key(key: Any) -> Any:
    """The gateway's certificate is of this key, in a file of the name that it must have."""
    made = certificate("gateway", sm.STREAM, key)
    der = made.public_bytes(serialization.Encoding.DER)
    path = paths.gateway_certificate(sm.STREAM, sm.sha256(der))
    return packed(both(delete(GATEWAY_PATH), replace(path, made.public_bytes(sm.PEM))), OMEGA)


def _seal_of_unknown_suite() -> bytes:
    files = sm.unpack(sm.honest())
    digest = sm.sha256(files[bag.TAG_MANIFEST])
    files[paths.SEAL] = bag.seal(digest, UnknownSuite(private(3)))
    return sm.repack(files, manifest=False)


def _close_of_unknown_suite() -> bytes:
    close = cose.parse(sm.month().close)
    header = {k: v for k, v in close.header.items() if k not in (cose.ALG, cose.KID)}
    files = sm.unpack(sm.honest())
    files[paths.close(sm.STREAM)] = cose.sign(UnknownSuite(private(2)), header, close.payload)
    return sm.repack(files, manifest=False)


def _spoilt_frame() -> bytes:
    spoilt = sm.make_month(sm.items(), chain=Mixed(2)).objects[2]
    change = edit_objects(SEG_4, lambda o: [*o[:2], spoilt])
    return packed(change, sm.keys().collector)()


def _log_entry(data: bytes) -> Callable[[], bytes]:
    return _stream(sm.items(), first_entries=[sm.enrolment(), data])


NEWER_VERSION = compress(cbor.encode({1: 2, 9: "newer"}))
NEWEST_VERSION = compress(cbor.encode({1: 2**64 - 1}))
NEWER_KIND = [1, 99, sm.START_NS, 1, "", None, bytes(32), 0, None, "accepted", None, {}]
OMEGA = sm.keys().collector

#: (name, why, build, code)
_NEWER: list[tuple[str, str, Callable[[], bytes], str]] = [
    ("frame of an unknown suite", "A gateway of tomorrow signs a frame with SM2.",
     _stream(sm.items(), 2), "C-SUITE"),
    ("configuration of an unknown suite", "A gateway of tomorrow signs a configuration with SM2.",
     _stream(sm.items(), 0), "C-SUITE"),
    ("gateway key on P-384", "A gateway's key is on a curve that this version does not know.",
     _with_gateway_key(P384.public_key()), "C-SUITE"),
    ("gateway key of RSA", "A gateway's key is of RSA.",
     _with_gateway_key(RSA.public_key()), "C-SUITE"),
    ("collector key on P-384", "A collector's key is on a curve that this version does not know.",
     _with_certificate(paths.COLLECTOR_CERTIFICATE,
                       certificate("collector", "collector", P384.public_key()), None), "C-SUITE"),
    ("frame of a newer version", "A frame's map is of version 2.",
     _stream(payload(2, NEWER_VERSION)), "C-FORMAT"),
    ("frame of the newest version", "A frame's version is the largest number there is.",
     _stream(payload(2, NEWEST_VERSION)), "C-FORMAT"),
    ("frame of a newer compression", "A payload begins with a compression byte of 3.",
     _stream(payload(2, b"\x03" + cbor.encode({1: 1}))), "C-FORMAT"),
    ("frame of a newer filter", "A block is filtered by a method of tomorrow.",
     _stream(payload(2, _section([0, 64, 3, 1, b"\x00", [], b""]))), "C-FORMAT"),
    ("frame of a newer number type", "A block holds numbers of a type of tomorrow.",
     _stream(payload(2, _section([0, 200, 0, 1, b"\x00", [], b""]))), "C-FORMAT"),
    ("object of a newer type", "An object in the chain is of a type of tomorrow.",
     _stream(_typ(5, "stackproof-balance+cbor")), "C-FORMAT"),
    ("configuration of a newer format", "A configuration is of format 2.",
     _stream(_configured(format=2)), "C-FORMAT"),
    ("log entry of a newer version", "An entry of the log is of version 2.",
     _log_entry(cbor.encode([2, "everything else is new"])), "C-FORMAT"),
    ("log entry of a newer kind", "An entry of the log is of a kind of tomorrow.",
     _log_entry(cbor.encode(NEWER_KIND)), "C-FORMAT"),
    ("statement of a newer format", "A statement is of format 3.",
     _stream(sm.items(), statement=stated(lambda s: s.update(format=3))), "C-FORMAT"),
    ("close of a newer compression", "A gateway's close is packed by a method of tomorrow.",
     _newer_close, "C-FORMAT"),
    ("rule set of 2031", "The month follows a rule set that is published in five years.",
     _of_2031, "C-RULES"),
]  # fmt: skip

KINDS: list[Kind] = [
    *(kind(f"newer: {name}", story, build, code) for name, story, build, code in _NEWER),
    kind(
        "newer: root key on P-384, trust given",
        "A stranger's root is of a suite that cannot be compared with the keys one trusts.",
        _with_certificate(
            paths.ROOT_CERTIFICATE, certificate("root", sm.PLANT, P384.public_key(), P384), None
        ), "C-SUITE", "E-TRUST", more=True,
    ),
    kind(
        "newer: collector key on P-384 by another root",
        "A stranger hides behind a suite that nobody knows, without the root's signature.",
        _with_certificate(
            paths.COLLECTOR_CERTIFICATE,
            certificate("collector", "collector", P384.public_key(), P384_OTHER), None,
        ), "E-CERTIFICATE", more=True,
    ),
    kind(
        "newer: suite number of the seal spoilt",
        "Somebody writes an unknown suite into a seal, so that nobody dares to call it broken.",
        _seal_of_unknown_suite, "E-SEAL",
    ),
    kind(
        "newer: suite number of the close spoilt",
        "Somebody writes an unknown suite into the gateway's close.",
        _close_of_unknown_suite, "E-CLOSE",
    ),
    kind(
        "newer: suite number of a frame spoilt",
        "Somebody writes an unknown suite into a frame; log and chain know the bytes it had.",
        _spoilt_frame, "C-SUITE", "E-CHAIN", more=True,
    ),
]  # fmt: skip
