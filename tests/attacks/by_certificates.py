"""Certificates that the plant's root has signed and that are none: two names, impossible dates.

Whoever rules the root, or a tool that signs what it is given, could make two readers see two things
in them. They are taken apart here as bytes, and signed again by the root.
"""

import base64
import datetime as dt
import textwrap
from collections.abc import Callable, Sequence

from cryptography import x509

from evidence.archive import paths
from evidence.keys import FileSigner, issue
from tests.attacks.by_closing import ANOTHER, by_another
from tests.attacks.by_keys import KNOWN, certificate, der
from tests.attacks.by_newer import private
from tests.attacks.by_strangers import GATEWAY_PATH
from tests.attacks.forging import Kind, kind, packed
from tests.unit.evidence import sealed_month as sm

GATEWAY, COLLECTOR = sm.keys().gateway, sm.keys().collector
NOTHING = x509.ObjectIdentifier("2.5.29.99")  # 55 1d 63: an extension that nobody has
WITHOUT_GATEWAY = {"E-CERTIFICATE", "E-SIG-UNKNOWN-KEY", "E-CLOSE"}
WITHOUT_COLLECTOR = {"E-CERTIFICATE", "E-CHECKPOINT", "E-SEAL", "E-CLOSE"}
#: in a certificate these stand as GeneralizedTime
FAR, FARTHER = dt.datetime(2060, 1, 1, tzinfo=dt.UTC), dt.datetime(2070, 1, 1, tzinfo=dt.UTC)


def uri(role: str, name: str) -> x509.GeneralName:
    return x509.UniformResourceIdentifier(f"urn:stackproof:{role}:{sm.PLANT}:{name}")


def signed(
    by: FileSigner,
    names: Sequence[x509.GeneralName],
    *,
    serial: int = 0x41414141,
    ca: bool = False,
    since: dt.datetime = KNOWN.not_valid_before_utc,
    until: dt.datetime = KNOWN.not_valid_after_utc,
    unknown: bytes = b"\x05\x00",
) -> bytes:
    """The DER of a certificate with these names, by the plant's root."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(KNOWN.subject)
        .issuer_name(KNOWN.issuer)
        .public_key(by.public_key)
        .serial_number(serial)
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.UnrecognizedExtension(NOTHING, unknown), critical=False)
    )
    return der(builder.sign(private(1), None))


def altered(made: bytes, old: bytes, new: bytes) -> bytes:
    """The same with other bytes, as many, in what the root signs; signed again."""
    tbs = x509.load_der_x509_certificate(made).tbs_certificate_bytes
    assert (tbs.count(old), len(old)) == (1, len(new))
    changed = tbs.replace(old, new)
    return made.replace(tbs, changed)[:-64] + private(1).sign(changed)


def pem(made: bytes) -> bytes:
    lines = textwrap.wrap(base64.b64encode(made).decode(), 64)
    text = "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])
    return text.encode()


def of_gateway(made: bytes) -> Callable[[], bytes]:
    """The honest archive with this in the place of the gateway's certificate."""

    def change(files: sm.Files) -> None:
        del files[GATEWAY_PATH]
        files[paths.gateway_certificate(sm.STREAM, sm.sha256(made))] = pem(made)

    return packed(change, COLLECTOR)


def of_collector(made: bytes) -> Callable[[], bytes]:
    """The honest archive with this in the place of the collector's certificate."""
    return packed(lambda files: files.update({paths.COLLECTOR_CERTIFICATE: pem(made)}), COLLECTOR)


OWN, OTHER = uri("gateway", sm.STREAM), x509.UniformResourceIdentifier("https://example.com")
GOOD = signed(GATEWAY, [OWN])
#: 16 KiB of DER, all a certificate may have; then one byte more
_FULL = 16 * 1024 - len(signed(GATEWAY, [OWN], unknown=bytes(15_000))) + 15_000
FULL = signed(GATEWAY, [OWN], unknown=bytes(_FULL))
YEAR_0 = altered(signed(GATEWAY, [OWN], since=FAR, until=FARTHER), b"20600101", b"00000101")
COLLECTOR_YEAR_0 = altered(
    signed(COLLECTOR, [uri("collector", "collector")], since=FAR, until=FARTHER),
    b"20600101", b"00000101",
)  # fmt: skip

#: (name, who and why, certificate of the gateway)
_GATEWAYS: list[tuple[str, str, bytes]] = [
    ("a host's name beside the gateway's", "A certificate serves as a web server's too.",
     signed(GATEWAY, [OWN, x509.DNSName("edge.example")])),
    ("an address beside the gateway's name", "A certificate is somebody else's too.",
     signed(GATEWAY, [OWN, OTHER])),
    ("two names of ours", "A gateway's certificate is the collector's too.",
     signed(GATEWAY, [OWN, uri("collector", "collector")])),
    ("the names twice", "One reader sees the first list of names, another the second.",
     altered(GOOD, b"\x55\x1d\x63", b"\x55\x1d\x11")),
    ("basic constraints twice", "One reader takes it for an authority's, another does not.",
     altered(GOOD, b"\x55\x1d\x63", b"\x55\x1d\x13")),
    ("basic constraints neither true nor false", "One reader takes it for an authority's.",
     altered(signed(GATEWAY, [OWN], ca=True), b"\x30\x03\x01\x01\xff", b"\x30\x03\x01\x01\x01")),
    ("serial number of zero", "A careless tool counts from zero.",
     altered(GOOD, b"\x02\x04AAAA", b"\x02\x04\x00\x00\x00\x00")),
    ("serial number below zero", "A careless tool counts with a sign.",
     altered(GOOD, b"\x02\x04AAAA", b"\x02\x04\x81AAA")),
    ("valid since the year 0", "A date that no calendar has makes a reader fall over.", YEAR_0),
    ("valid since month 13", "A date that no calendar has makes a reader fall over.",
     altered(signed(GATEWAY, [OWN], until=FARTHER), b"20700101", b"20701301")),
    ("an end before its beginning", "A tool swaps the dates.",
     altered(signed(GATEWAY, [OWN], since=FAR, until=FARTHER), b"20600101", b"20800101")),
    ("a byte too long", "A reader is to choke on names without end.",
     signed(GATEWAY, [OWN], unknown=bytes(_FULL + 1))),
    ("names without end", "A reader is to choke on names without end.",
     signed(GATEWAY, [OWN, *[x509.UniformResourceIdentifier("u")] * 300_000])),
]  # fmt: skip

#: (name, who and why, certificate of the collector)
_COLLECTORS: list[tuple[str, str, bytes]] = [
    ("collector's name in capitals", "A collector is called as no id may be.",
     signed(COLLECTOR, [uri("collector", "Collector.One")])),
    ("collector's name with a space", "A collector is called as no id may be.",
     signed(COLLECTOR, [uri("collector", "my collector")])),
    ("collector's name too long", "A collector is called as no id may be.",
     signed(COLLECTOR, [uri("collector", "c" * 41)])),
    ("collector valid since the year 0", "A date that no calendar has makes a reader fall over.",
     COLLECTOR_YEAR_0),
]  # fmt: skip

# -- renewed ------------------------------------------------------------------------------------

JULY = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)  # after the close
AS_IT_WAS = sm.keys().certificates["collector"]


def collector(by: FileSigner, since: dt.datetime, days: int = 400) -> x509.Certificate:
    return certificate(by, role="collector", name="collector", since=since, days=days)


def sealed_again(own: x509.Certificate, *others: x509.Certificate) -> Callable[[], bytes]:
    """The honest month under a certificate of the same key, others of the collector beside it."""
    return lambda: sm.build(sm.contents(sm.month(), collector=own, earlier=others))


def sealed_by_another(files: sm.Files) -> None:
    """The collector has another key since July, and seals again what it closed in June."""
    by_another(files)
    files[paths.COLLECTOR_CERTIFICATE] = pem(der(collector(ANOTHER, JULY)))
    files[paths.earlier_collector(sm.sha256(der(AS_IT_WAS)))] = pem(der(AS_IT_WAS))


def certified_again() -> bytes:
    """The root has another certificate of its key since July."""
    key = private(1)
    root = issue(
        "root", sm.PLANT, sm.PLANT, key.public_key(), issuer=key, not_before=JULY, days=400
    )
    return sm.build(sm.contents(sm.month(), root=root))


#: (name, who and why, archive, codes)
_RENEWED: list[tuple[str, str, Callable[[], bytes], set[str]]] = [
    ("honest month sealed again under a renewed certificate",
     "The collector's certificate was renewed after the close: no tampering.",
     sealed_again(collector(COLLECTOR, JULY), AS_IT_WAS), set()),
    ("honest month sealed again under a new key",
     "The collector's key was changed after the close: no tampering.",
     packed(sealed_by_another, ANOTHER), {"N-KEY"}),
    ("honest month after the root was certified again",
     "The root's certificate was renewed under its key: no tampering.", certified_again, set()),
    ("renewed certificate without the one before",
     "Nothing shows that the collector could close a month in June.",
     sealed_again(collector(COLLECTOR, JULY)), {"E-KEY-EXPIRED"}),
    ("ended certificate beside a good one of a new key",
     "A thief of the collector's old key closes a month after its end.",
     sealed_again(collector(COLLECTOR, KNOWN.not_valid_before_utc, 9),
                  collector(ANOTHER, KNOWN.not_valid_before_utc)), {"E-KEY-EXPIRED"}),
]  # fmt: skip

KINDS: list[Kind] = [
    kind("certificates: an honest one as these are made", "Nothing is wrong: no tampering.",
         of_gateway(GOOD)),
    kind("certificates: an honest one as long as may be", "Nothing is wrong: no tampering.",
         of_gateway(FULL)),
    *(kind(f"certificates: {name}", story, of_gateway(made), *WITHOUT_GATEWAY)
      for name, story, made in _GATEWAYS),
    *(kind(f"certificates: {name}", story, of_collector(made), *WITHOUT_COLLECTOR)
      for name, story, made in _COLLECTORS),
    *(kind(f"certificates: {name}", story, build, *codes)
      for name, story, build, codes in _RENEWED),
]  # fmt: skip
