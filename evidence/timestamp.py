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

from evidence.errors import MalformedError, SignatureError
from evidence.keys import UNREADABLE, Certificate, certificate_from_der

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
        authority: subject of the certificate that signed, RFC 4514.
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
        MalformedError: no granted response, or without the certificate that signed it.
        SignatureError: it is about other bytes.
    """
    try:
        return _read(_parsed(response), data)
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

    stamp = read_stamp(response, data)
    verifier = VerifierBuilder(roots=list(authorities)).build()
    try:
        verifier.verify_message(_parsed(response), data)
    except VerificationError as error:
        sentence = f"{stamp.authority} is not the authority you trust, or did not sign it: {error}"
        raise SignatureError(sentence) from error
    except _STRANGE as error:
        raise MalformedError(f"the time stamp cannot be read: {error}") from error
    return stamp


def _parsed(response: bytes) -> "TimeStampResponse":
    from rfc3161_client import decode_timestamp_response

    if len(response) > RESPONSE_BYTES_MAX:
        raise MalformedError(f"the time stamp has more than {RESPONSE_BYTES_MAX} bytes")
    return decode_timestamp_response(response)


def _read(response: "TimeStampResponse", data: bytes) -> Stamp:
    if response.status != GRANTED:
        raise MalformedError(f"the authority did not grant the time stamp: {response.status}")
    told, signers = response.tst_info, list(response.signed_data.signer_infos)
    if told.message_imprint.hash_algorithm.dotted_string != SHA256_OID:
        raise MalformedError("the time stamp is not over a SHA-256 hash")
    if told.message_imprint.message != hashlib.sha256(data).digest():
        raise SignatureError("the time stamp is of other bytes than this seal")
    for certificate in map(certificate_from_der, response.signed_data.certificates):
        named = certificate.issuer, certificate.serial_number
        if named in [(signer.issuer, signer.serial_number) for signer in signers]:
            return Stamp(told.gen_time, certificate.subject.rfc4514_string())
    raise MalformedError("the time stamp lacks the certificate that signed it")
