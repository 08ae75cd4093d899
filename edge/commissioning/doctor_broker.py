"""The broker: DNS, TCP, both certificates, and one try as the agent makes it.

With TLS each side says no in its own way; here each no gets a sentence that names whose certificate
it is about, and what to do.
"""

import asyncio
import ssl
from urllib.parse import urlsplit

from edge.broker_tls import ASK, BrokerTls
from edge.commissioning.findings import Check, failed, fine, has_failed
from edge.commissioning.reach import reach
from edge.config import Site
from edge.uplink.hello import NotLetInError, say_hello
from evidence.errors import EvidenceError

BROKER = "broker"
BROKER_TIMEOUT_S = 5.0
MQTT_PORT, MQTTS_PORT = 1883, 8883

LET_IN = "check uplink.url, and at the broker who may connect; readings wait in the spool"
#: of OpenSSL's X509_V_ERR_… (x509_vfy.h): what is wrong with the broker's certificate, what to do
_ITS = {
    10: ("ended", "have the broker's people give it another; look at this machine's clock too"),
    9: ("is not valid yet", "look at this machine's clock"),
    62: ("is for another name", "write in uplink.url the name that stands in it"),
    64: ("is for another address", "write in uplink.url the name or address that stands in it"),
    18: ("is by itself alone", "uplink.ca must hold the certificate of who certified the broker"),
    19: ("is by a stranger", "uplink.ca must hold the certificate of who certified the broker"),
    20: ("is by a stranger", "uplink.ca must hold the certificate of who certified the broker"),
}
#: of alerts (RFC 8446, 6.2): why the broker does not take ours
_OURS = {
    "CERTIFICATE_EXPIRED": f"it has ended. {ASK}",
    "UNKNOWN_CA": "the broker knows another CA: give it ca.crt of who certified this gateway",
    "CERTIFICATE_REVOKED": f"its key was revoked. Make another key. {ASK}",
    "CERTIFICATE_REQUIRED": f"it was not shown. {ASK}",
    "BAD_CERTIFICATE": "it has ended, or is by a CA that the broker does not know: its log says "
    f"which. {ASK}",
}


async def examine_broker(site: Site, now_ns: int) -> list[Check]:
    """Is the broker there, does each side take the other's certificate, does it let us in?"""
    if site.uplink.mode != "mqtt":
        return [fine(BROKER, "protocol", "none: what is signed leaves as files")]
    parts = urlsplit(site.uplink.url)
    port = parts.port or (MQTT_PORT if site.uplink.tls is None else MQTTS_PORT)
    checks = await reach(BROKER, parts.hostname or "", port, BROKER_TIMEOUT_S)
    if has_failed(checks):
        return checks
    context = None
    if site.uplink.tls is not None:
        own, context = _own(site, now_ns)
        checks += own
        if context is None:
            return checks
    name = f"{site.plant.id}-{site.gateway.id}-doctor"
    try:
        if (tls := BrokerTls.of(site)) is not None:
            await _shake_hands(parts.hostname or "", port, tls)
        await say_hello(parts.hostname or "", port, name, BROKER_TIMEOUT_S, context)
    except ssl.SSLError as error:
        return [*checks, _refused(error)]
    except (NotLetInError, OSError) as error:
        return [*checks, failed(BROKER, "protocol", _said(error, context), LET_IN)]
    how = "MQTT 3.1.1" if context is None else "MQTT 3.1.1, TLS by certificates"
    return [*checks, fine(BROKER, "protocol", f"the broker lets this gateway in ({how})")]


def _own(site: Site, now_ns: int) -> tuple[list[Check], ssl.SSLContext | None]:
    """The gateway's own files; no context where there is nothing to show."""
    try:
        tls = BrokerTls.of(site)
        if tls is None:
            return [], None
        context, ends = tls.context(), tls.certificate().not_valid_after_utc
    except EvidenceError as error:
        return [failed(BROKER, "certificate", str(error), ASK)], None
    if trouble := tls.trouble(now_ns):
        return [failed(BROKER, "certificate", trouble.removesuffix(f". {ASK}"), ASK)], context
    return [fine(BROKER, "certificate", f"{tls.name}, until {ends:%Y-%m-%d %H:%M} UTC")], context


async def _shake_hands(host: str, port: int, tls: BrokerTls) -> None:
    """TLS 1.2 by itself: its handshake ends with the broker's verdict on our certificate.

    With TLS 1.3 that comes later, and may be lost when the broker hangs up on what was sent by
    then. SSLError where a certificate is not taken; a broker without 1.2 says so by an alert, and
    is left to the next step.
    """
    context = tls.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        async with asyncio.timeout(BROKER_TIMEOUT_S):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
            writer.close()
    except TimeoutError:
        raise NotLetInError(f"accepts, and no TLS within {BROKER_TIMEOUT_S:g} s") from None
    except ssl.SSLError as error:
        if "PROTOCOL" not in (error.reason or ""):
            raise


def _refused(error: ssl.SSLError) -> Check:
    """Who does not take whose certificate."""
    if isinstance(error, ssl.SSLCertVerificationError):
        other = (f"is not taken: {error.verify_message}", "look at uplink.ca and at the broker")
        what, todo = _ITS.get(error.verify_code, other)
        sentence = f"the broker's certificate {what} ({error.verify_message})"
        return failed(BROKER, "certificate", sentence, todo)
    reason = error.reason or ""
    for alert, todo in _OURS.items():
        if alert in reason:
            sentence = f"the broker does not take this gateway's certificate ({reason})"
            return failed(BROKER, "certificate", sentence, todo)
    sentence = f"TLS fails: {error.reason or error}"
    return failed(BROKER, "certificate", sentence, "see that this port of the broker speaks TLS")


def _said(error: Exception, context: ssl.SSLContext | None) -> str:
    if context is None or isinstance(error, ssl.SSLError):
        return str(error)
    return (
        f"{error}; TLS stands, so the broker has no rights for this certificate, or it is revoked"
    )
