"""The list of certificates that let nobody in at a broker any more (RFC 5280, CRL). Pure."""

import contextlib
import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from evidence.broker_certificates import EARLY, Ca, authority, hash_for
from evidence.certify import as_private
from evidence.errors import MalformedError
from evidence.keys import UNREADABLE, public_key


class Listed(NamedTuple):
    """What a list says.

    Attributes:
        begins: the date by which brokers go.
        number: that rises from list to list; 0 for none.
        serials: of certificates.
    """

    begins: dt.datetime
    number: int
    serials: frozenset[int]


def revocation_list(
    ca: Ca, serials: Iterable[int], at: dt.datetime, before: bytes | None = None
) -> bytes:
    """A list (PEM) of these serial numbers, later by a second than the one before.

    A broker that reads lists anew holds the old one too, and goes by the later (OpenSSL: by whole
    seconds of `lastUpdate`, the first of two that are alike). It refuses everybody under one that
    has not begun or is out of date. So the dates count lists, from the CA's begin on, by no clock,
    and each list ends with the CA. After one that has not begun at `at` (a clock was ahead) comes
    an earlier one. Numbers rise always: `at`, or the one before and one more.
    """
    ends, last = ca.certificate.not_valid_after_utc, ca.certificate.not_valid_before_utc
    number = int(at.timestamp())
    with contextlib.suppress(MalformedError):  # one that nobody can read keeps nobody out
        told = read_list(before or b"")
        last = told.begins + dt.timedelta(seconds=1) if told.begins < at else at - EARLY
        number = max(number, told.number + 1)
    builder = x509.CertificateRevocationListBuilder().issuer_name(ca.certificate.subject)
    builder = builder.last_update(last).next_update(ends)
    builder = builder.add_extension(authority(public_key(ca.certificate)), critical=False)
    builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    for serial in sorted(set(serials)):
        row = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(last)
        builder = builder.add_revoked_certificate(row.build())
    key = as_private(ca.signer)
    return builder.sign(key, hash_for(ca.signer)).public_bytes(Encoding.PEM)


def read_list(pem: bytes) -> Listed:
    """What a list says; MalformedError when it is none."""
    try:
        found = x509.load_pem_x509_crl(pem)
        serials = frozenset(row.serial_number for row in found)
        with contextlib.suppress(x509.ExtensionNotFound):
            numbered = found.extensions.get_extension_for_class(x509.CRLNumber)
            return Listed(found.last_update_utc, numbered.value.crl_number, serials)
        return Listed(found.last_update_utc, 0, serials)
    except UNREADABLE as error:
        raise MalformedError(f"it is no revocation list: {error}") from error
