"""RFC 3161 time stamps over a seal: somebody outside vouches that it existed at a time. Pure.

Needs the optional package rfc3161-client (extra `tsa`); `is_available` says whether it is there.
Asking an authority over the network is the caller's.
"""

import datetime as dt
import hashlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from evidence.errors import MalformedError, SignatureError
from evidence.keys import UNREADABLE, Certificate, certificate_from_der
from evidence.stamp_order import in_order

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

RESPONSE_BYTES_MAX = 64 * 1024
SHA256_OID = "2.16.840.1.101.3.4.2.1"
GRANTED = 0

#: what the time stamp library raises at bytes that are no response, or name strange attributes
_STRANGE = (*UNREADABLE, LookupError)


@dataclass(frozen=True)
class Stamp:
    """What a time stamp says.

    Attributes:
        at: when the authority saw the bytes, aware UTC, by its own clock.
        authority: subject of its signer's certificate, RFC 4514; true only if it was checked.
    """

    at: dt.datetime
    authority: str


def is_available() -> bool:
    """True when the optional package is installed."""
    return importlib.util.find_spec("rfc3161_client") is not None


def stamp_request(data: bytes) -> bytes:
    """A request to stamp these bytes: DER, SHA-256, with a nonce and the wish for certificates."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256)
    return request.nonce(nonce=True).cert_request(cert_request=True).build().as_bytes()


def read_stamp(response: bytes, data: bytes) -> Stamp:
    """What a time stamp response says, if it is about these bytes; its signature is not checked.

    Args:
        response: DER, as the authority sent it.
        data: what must have been stamped.

    Raises:
        MalformedError: no granted response of one signer, with one certificate of theirs.
        SignatureError: it is about other bytes.
    """
    try:
        return _read(_parsed(response), data)[0]
    except _STRANGE as error:
        raise MalformedError(f"the time stamp cannot be read: {error}") from error


def check_stamp(response: bytes, data: bytes, authorities: Sequence[Certificate]) -> Stamp:
    """A time stamp of these bytes by an authority the reader trusts.

    Args:
        response: DER, as the authority sent it.
        data: what must have been stamped.
        authorities: root certificates, and intermediate ones the response may lack.

    Raises:
        MalformedError, SignatureError: as `read_stamp`, or not signed by any of the authorities
            with a certificate for time stamps that was valid then.
    """
    from rfc3161_client import VerificationError, VerifierBuilder

    verifier = VerifierBuilder(roots=list(authorities)).build()
    try:
        stamp, signer = _read(_parsed(response), data)
        try:
            verifier.verify_message(_parsed(response), data)
        except VerificationError as error:
            raise SignatureError(_why_not(signer, stamp.at, authorities)) from error
    except _STRANGE as error:
        raise MalformedError(f"the time stamp cannot be read: {error}") from error
    return stamp


def _why_not(signer: Certificate, at: dt.datetime, authorities: Sequence[Certificate]) -> str:
    """What a reader can do something about, of a stamp that does not verify."""
    if not signer.not_valid_before_utc <= at <= signer.not_valid_after_utc:
        return "the certificate that signed the time stamp was not valid at the time it says"
    if not _is_for_stamps(signer):
        return "the certificate that signed the time stamp is not for time stamps"
    if signer in authorities:
        return "it needs the root certificate of the authority, not the one that signed the stamp"
    return "the time stamp is not by an authority you trust, or its signature does not hold"


def _is_for_stamps(signer: Certificate) -> bool:
    """RFC 3161 §2.3: the one purpose, critical."""
    try:
        usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return False
    return usage.critical and list(usage.value) == [ExtendedKeyUsageOID.TIME_STAMPING]


def _parsed(response: bytes) -> "TimeStampResponse":
    from rfc3161_client import decode_timestamp_response

    if len(response) > RESPONSE_BYTES_MAX:
        raise MalformedError(f"the time stamp has more than {RESPONSE_BYTES_MAX} bytes")
    return decode_timestamp_response(in_order(response))


def _read(response: "TimeStampResponse", data: bytes) -> tuple[Stamp, Certificate]:
    if response.status != GRANTED:
        raise MalformedError(f"the authority did not grant the time stamp: {response.status}")
    told, signers = response.tst_info, list(response.signed_data.signer_infos)
    if told.version != 1 or len(signers) != 1:
        raise MalformedError("the time stamp is of another version, or has not exactly one signer")
    if told.message_imprint.hash_algorithm.dotted_string != SHA256_OID:
        raise MalformedError("the time stamp is not over a SHA-256 hash")
    if told.message_imprint.message != hashlib.sha256(data).digest():
        raise SignatureError("the time stamp is of other bytes than this seal")
    named = signers[0].issuer, signers[0].serial_number
    held = map(certificate_from_der, response.signed_data.certificates)
    own = [one for one in held if (one.issuer, one.serial_number) == named]
    if not own:
        raise MalformedError("the time stamp lacks the certificate that signed it")
    if len(own) > 1:
        raise MalformedError("the time stamp has two certificates of its signer")
    return Stamp(told.gen_time, own[0].subject.rfc4514_string()), own[0]
