"""Certificates for TLS with the broker: a CA of their own, short lives, no evidence. Pure.

They let a machine through a broker's door and onto its own topics, and say nothing about readings:
whoever steals the CA's key can make noise, and can sign no object. Keys are P-256, which every
broker's TLS library takes. ADR 0044.

The common name is what brokers call a client: `<plant>/<gateway>`, `collector-<slice>`, or
`relay-<name>`; a broker that is one of several is `node-<name>`. A client's one URI names the key
too, for brokers that know no revocation list:
`urn:stackproof:broker:<name, / as :>:<key id, 16 hex digits>`.
"""

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from evidence import cose
from evidence.certify import as_private
from evidence.errors import KeyFileError, MalformedError
from evidence.keys import UNREADABLE, Certificate, Signer, key_id, key_usage, public_key
from evidence.points import NAME_ID
from evidence.suites import PublicKey

TYP_REQUEST = "stackproof-broker-request+csr"
#: RFC 5280, upper bound of a common name
NAME_MAX = 64
CA_DAYS, SERVER_DAYS, CLIENT_DAYS = 7300, 730, 30
REQUEST_BYTES_MAX = 4096
RELAY_PREFIX, NODE_PREFIX = "relay-", "node-"
#: a certificate begins a little early: clocks differ, and the new one is used at once
EARLY = dt.timedelta(minutes=5)


@dataclass(frozen=True)
class Ca:
    """Who certifies.

    Attributes:
        signer: its key.
        certificate: of that key, self-signed.
    """

    signer: Signer
    certificate: Certificate


@dataclass(frozen=True)
class BrokerRequest:
    """A gateway's wish for a certificate, signed by its evidence key and by the key it is for.

    Attributes:
        plant, gateway: who asks.
        key: of TLS; its private half is with the gateway.
    """

    plant: str
    gateway: str
    key: PublicKey


def gateway_name(plant: str, gateway: str) -> str:
    """What brokers call a gateway; MalformedError when it is too long for a certificate."""
    name = f"{plant}/{gateway}"
    if len(name) > NAME_MAX:
        raise MalformedError(
            f"{name!r} has {len(name)} characters; a certificate's name has at most {NAME_MAX}: "
            "TLS with the broker needs shorter ids of plant and gateway"
        )
    return name


def collector_name(slice_id: str) -> str:
    """What brokers call the collector of a slice; it has no /, so no gateway is called so."""
    return f"collector-{slice_id}"


def relay_name(name: str) -> str:
    """What brokers call a relay, which forwards for gateways that CLOUD.toml lists."""
    return f"{RELAY_PREFIX}{name}"


def node_name(name: str) -> str:
    """What one of several brokers is called; no client is called so, and it may use no topic."""
    return f"{NODE_PREFIX}{name}"


def uri_of(name: str, key: PublicKey) -> str:
    """The URI of a client's certificate."""
    return f"urn:stackproof:broker:{name.replace('/', ':')}:{key_id(key).hex()}"


def name_of(certificate: Certificate) -> str:
    """The common name; MalformedError when there is not exactly one."""
    try:
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except UNREADABLE as error:
        raise MalformedError(f"its subject cannot be read: {error}") from error
    if len(names) != 1 or not isinstance(names[0].value, str):
        raise MalformedError("it has no common name")
    return names[0].value


# -- certificates ---------------------------------------------------------------------------------


def make_ca(name: str, signer: Signer, begins: dt.datetime, days: int = CA_DAYS) -> Certificate:
    """A self-signed CA for one broker's clients and servers.

    Args:
        name: common name, 1 to 64 characters.
        signer: its key.
        begins: aware UTC.
        days: of validity.
    """
    builder = _begun(name, signer.public_key, None, begins, days)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return _signed(builder.add_extension(key_usage(is_authority=True), critical=True), signer)


def certify_server(
    hosts: Sequence[str], key: PublicKey, ca: Ca, begins: dt.datetime, days: int = SERVER_DAYS
) -> Certificate:
    """A broker's certificate.

    Args:
        hosts: names and IP addresses that clients reach it by; one at least.
        key: the broker's.
        ca: who certifies.
        begins: aware UTC.
        days: of validity, as far as the CA's reaches.

    Raises:
        KeyFileError: the CA has ended.
    """
    names = x509.SubjectAlternativeName([_host(host) for host in hosts])
    builder = _begun(hosts[0], key, ca, begins, days)
    return _leaf(builder, ca, names, ExtendedKeyUsageOID.SERVER_AUTH)


def certify_node(
    name: str, hosts: Sequence[str], key: PublicKey, ca: Ca, begins: dt.datetime
) -> Certificate:
    """The certificate of one of several brokers, for its clients and for the other brokers.

    Args:
        name: of it, `node_name`.
        hosts: names and IP addresses that clients reach it by; the other brokers by the first.
        key: its own.
        ca: who certifies.
        begins: aware UTC; for `SERVER_DAYS`, as far as the CA's reaches.
    """
    names = x509.SubjectAlternativeName([_host(host) for host in hosts])
    builder = _begun(name, key, ca, begins, SERVER_DAYS)
    both = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
    return _leaf(builder, ca, names, *both)


def hosts_of(certificate: Certificate) -> list[str]:
    """Names and addresses of a broker's certificate; MalformedError when it has none."""
    hosts = _names(certificate, x509.DNSName, x509.IPAddress)
    if not hosts:
        raise MalformedError("it names no host")
    return hosts


def names_in(certificate: Certificate) -> list[str]:
    """Whom it is good for: hosts, and URIs of clients."""
    return _names(certificate, x509.DNSName, x509.IPAddress, x509.UniformResourceIdentifier)


def _names(certificate: Certificate, *kinds: type[x509.GeneralName]) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, *UNREADABLE):
        return []
    return [str(name.value) for name in found.value if isinstance(name, kinds)]


def certify_client(
    name: str, key: PublicKey, ca: Ca, begins: dt.datetime, days: int = CLIENT_DAYS
) -> Certificate:
    """A gateway's or collector's certificate; arguments as for `certify_server`."""
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri_of(name, key))])
    builder = _begun(name, key, ca, begins, days)
    return _leaf(builder, ca, names, ExtendedKeyUsageOID.CLIENT_AUTH)


def is_by(certificate: Certificate, ca: Certificate) -> bool:
    """Did this CA's key sign it?"""
    try:
        certificate.verify_directly_issued_by(ca)
    except (InvalidSignature, UnsupportedAlgorithm, *UNREADABLE):
        return False
    return True


def _leaf(
    builder: x509.CertificateBuilder, ca: Ca, names: x509.SubjectAlternativeName,
    *purposes: x509.ObjectIdentifier,
) -> Certificate:  # fmt: skip
    none = x509.BasicConstraints(ca=False, path_length=None)
    builder = builder.add_extension(none, critical=True)
    builder = builder.add_extension(key_usage(is_authority=False), critical=True)
    builder = builder.add_extension(names, critical=False)
    builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return _signed(builder, ca.signer)


def _begun(
    name: str, key: PublicKey, ca: Ca | None, begins: dt.datetime, days: int
) -> x509.CertificateBuilder:
    """What every certificate has; Python 3.13 asks for both key identifiers and the usage."""
    subject, issuer, by = _named(name), _named(name), key
    ends = begins + dt.timedelta(days=days)
    if ca is not None:
        issuer, by = ca.certificate.subject, public_key(ca.certificate)
        ends = min(ends, ca.certificate.not_valid_after_utc)  # nothing outlives who certified it
        if ends <= begins:
            raise KeyFileError(f"the broker's CA ended on {ends:%Y-%m-%d}: another has to be made")
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(begins - EARLY).not_valid_after(ends)
    own = x509.SubjectKeyIdentifier.from_public_key(key)
    return builder.add_extension(own, critical=False).add_extension(authority(by), critical=False)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def authority(key: PublicKey) -> x509.AuthorityKeyIdentifier:
    """Who signed, by his key."""
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def hash_for(signer: Signer) -> hashes.SHA256 | None:
    """What is hashed with; None where the signature's suite says it."""
    return None if isinstance(signer.public_key, ed25519.Ed25519PublicKey) else hashes.SHA256()


def _signed(builder: x509.CertificateBuilder, signer: Signer) -> Certificate:
    return builder.sign(as_private(signer), hash_for(signer))


# -- requests -------------------------------------------------------------------------------------


def encode_broker_request(plant: str, gateway: str, evidence: Signer, tls: Signer) -> bytes:
    """A COSE_Sign1 by the evidence key over the PKCS#10 request (DER) of the TLS key.

    Raises:
        MalformedError: the ids are too long for a certificate.
    """
    subject = _named(gateway_name(plant, gateway))
    made = x509.CertificateSigningRequestBuilder().subject_name(subject)
    csr = made.sign(as_private(tls), hash_for(tls)).public_bytes(Encoding.DER)
    claims = {cose.CWT_ISS: plant, cose.CWT_SUB: gateway}
    return cose.sign(evidence, {cose.TYP: TYP_REQUEST, cose.CWT_CLAIMS: claims}, csr)


def who_asks(data: bytes) -> tuple[str, str, bytes]:
    """(plant, gateway, key id) that a request names, nothing of it verified yet.

    Raises:
        MalformedError, LimitError: it is no request.
    """
    envelope = _request(data)
    claims = envelope.header[cose.CWT_CLAIMS]
    return claims[cose.CWT_ISS], claims[cose.CWT_SUB], envelope.kid


def decode_broker_request(data: bytes, evidence: PublicKey) -> BrokerRequest:
    """A verified request.

    Args:
        data: as it came.
        evidence: the key that signs for that gateway now.

    Raises:
        SignatureError, UnknownSuiteError: not signed by it.
        MalformedError, LimitError: not a request, or not signed by the key it is for.
    """
    envelope = _request(data)
    cose.verify(envelope, evidence)
    plant, gateway, _ = who_asks(data)
    try:
        csr = x509.load_der_x509_csr(envelope.payload)
        is_held, key = csr.is_signature_valid, key_of_der(key_to_der(public_key(csr)))
        names = [part.value for part in csr.subject]
    except (*UNREADABLE, UnsupportedAlgorithm) as error:
        raise MalformedError(f"not a certificate request: {error}") from error
    if not is_held:
        raise MalformedError("the request is not signed by the key it asks for")
    if names != [gateway_name(plant, gateway)]:
        raise MalformedError(f"the request is for another name than {plant}/{gateway}")
    return BrokerRequest(plant, gateway, key)


def _request(data: bytes) -> cose.Envelope:
    if len(data) > REQUEST_BYTES_MAX:
        raise MalformedError(f"a request has at most {REQUEST_BYTES_MAX} bytes")
    envelope = cose.parse(data)
    if envelope.typ != TYP_REQUEST:
        raise MalformedError(f"{envelope.typ!r} is no request for a broker certificate")
    claims = envelope.header.get(cose.CWT_CLAIMS)
    if not isinstance(claims, dict) or set(claims) != {cose.CWT_ISS, cose.CWT_SUB}:
        raise MalformedError("the request does not say who asks")
    for name in claims.values():
        if not isinstance(name, str) or not NAME_ID.fullmatch(name):
            raise MalformedError("the request names no ids")
    return envelope


def key_to_der(key: PublicKey) -> bytes:
    """SubjectPublicKeyInfo of a key, DER."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_of_der(der: bytes) -> PublicKey:
    """The P-256 key of `key_to_der`; MalformedError for anything else."""
    try:
        key = load_der_public_key(der)
    except (*UNREADABLE, UnsupportedAlgorithm) as error:
        raise MalformedError(f"it is no public key: {error}") from error
    if not (isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)):
        raise MalformedError("the key of a broker certificate must be P-256")
    return key


# -- lives ----------------------------------------------------------------------------------------


def renews_at(certificate: Certificate) -> dt.datetime:
    """When a client asks for the next one: after two thirds of its life."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return begins + (ends - begins) * 2 / 3


def trouble_of(certificate: Certificate, now: dt.datetime) -> str:
    """What a person must know of a client's certificate, "" for nothing. Pure.

    A renewal gets a twelfth of the life for itself: 2.5 days of 30.
    """
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < begins:
        return f"it is not valid before {begins:%Y-%m-%d %H:%M} UTC: look at this machine's clock"
    if now > ends:
        return f"it ended on {ends:%Y-%m-%d %H:%M} UTC, and the broker lets nobody in with it"
    if now > renews_at(certificate) + (ends - begins) / 12:
        return (
            f"it ends on {ends:%Y-%m-%d %H:%M} UTC, and no renewal has come since "
            f"{renews_at(certificate):%Y-%m-%d %H:%M}"
        )
    return ""
