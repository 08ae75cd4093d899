"""The way to the broker hop by hop: proxy, broker, both certificates, one try as the agent's.

With TLS each side says no in its own way; here each no gets a sentence that names whose certificate
it is about, and what to do.
"""

import asyncio
import ssl
import threading

from edge.broker_tls import ASK, RENEW_BROKER, BrokerTls
from edge.clock import Clock
from edge.commissioning.findings import Check, failed, fine, has_failed, warning
from edge.commissioning.reach import reach
from edge.commissioning.round_trip import look_at_delivery, watch_next
from edge.route import Route
from edge.site.config import Site
from edge.trouble import day_of
from edge.uplink.hello import NotLetInError, opened, say_hello
from edge.uplink.tunnel import ProxyError, connect
from evidence.broker_certificates import name_of
from evidence.errors import EvidenceError
from evidence.shown_life import Life, shown_life

BROKER, PROXY = "broker", "proxy"
BROKER_TIMEOUT_S = 5.0
COMES_BACK_S = 15.0  # frames close after 10 s at the latest, receipts come within one
BESIDE = "the running agent is left alone: what it has just signed is under receipt"

_IN = {
    "gateway": "the broker lets this gateway in",
    "relay": "the broker lets this relay in",
}
LET_IN = "check the broker's url, and at the broker who may connect; readings wait in the spool"
NO_RECEIPT = "no receipt comes for what the agent sends"
NO_TLS = "have the url begin with mqtts:// or wss:// (docs/deploy.md), unless a tunnel leads there"
#: of OpenSSL's X509_V_ERR_… (x509_vfy.h): what is wrong with the broker's certificate, what to do
_ITS = {
    10: ("ended", "have the broker's people give it another; look at this machine's clock too"),
    9: ("is not valid yet", "look at this machine's clock"),
    62: ("is for another name", "write in the url the name that stands in it"),
    64: ("is for another address", "write in the url the name or address that stands in it"),
    18: ("is by itself alone", "ca must hold the certificate of who certified the broker"),
    19: ("is by a stranger", "ca must hold the certificate of who certified the broker"),
    20: ("is by a stranger", "ca must hold the certificate of who certified the broker"),
}
#: of alerts (RFC 8446, 6.2): why the broker does not take ours
_OURS = {
    "CERTIFICATE_EXPIRED": "it has ended.",
    "UNKNOWN_CA": "the broker knows another CA: give it ca.crt of who certified this one's",
    "CERTIFICATE_REVOKED": "its key was revoked. Make another key.",
    "CERTIFICATE_REQUIRED": "it was not shown.",
    # what TLS 1.2 says of one that was not shown (RFC 5246, 7.4.6), and not only of that
    "HANDSHAKE_FAILURE": "it was not shown, or the two have no cipher in common: the broker's log "
    "says which.",
    "BAD_CERTIFICATE": "it has ended, or is by a CA that the broker does not know: its log says "
    "which.",
}


async def examine_broker(site: Site, clock: Clock) -> list[Check]:
    """Is the broker there, does each side take the other's certificate, does it let us in?

    Beside an agent whose objects come back under receipt nothing is said in MQTT: where the broker
    makes ids of certificates a CONNECT would throw the agent off.
    """
    if site.uplink.mode != "mqtt":
        return [fine(BROKER, "protocol", "none: what is signed leaves as files")]
    route, tls = site.uplink.route, BrokerTls.of(site)
    checks, context = await _way(route, tls, clock.wall_ns(), "gateway")
    if has_failed(checks):
        return checks
    if tls is not None and await _comes_back(site, clock):
        return [*checks, fine(BROKER, "protocol", f"{_IN['gateway']} ({BESIDE})")]
    name = f"{site.plant.id}-{site.gateway.id}-doctor"
    checks.append(await _hello(route, name, tls, context, "gateway"))
    now = await asyncio.to_thread(look_at_delivery, site, clock)
    if not has_failed(checks) and now.is_running and now.unanswered:
        checks.append(failed(BROKER, "protocol", NO_RECEIPT, now.unanswered))
    return checks


async def examine_route(
    route: Route, client_id: str, tls: BrokerTls | None, now_ns: int, who: str
) -> list[Check]:
    """The same of a "gateway"'s or a "relay"'s way, under a client id of its own."""
    checks, context = await _way(route, tls, now_ns, who)
    if has_failed(checks):
        return checks
    return [*checks, await _hello(route, client_id, tls, context, who)]


async def _way(
    route: Route, tls: BrokerTls | None, now_ns: int, who: str
) -> tuple[list[Check], ssl.SSLContext | None]:
    """Up to TLS; what it is spoken with."""
    checks = await _reach(route)
    if has_failed(checks):
        return checks, None
    if tls is None:
        said = f"{route.place} is reached without TLS: whoever is on the way reads all that is sent"
        is_open = [] if route.is_here else [warning(BROKER, "certificate", said, NO_TLS)]
        return [*checks, *is_open], None
    own, context = _own(tls, now_ns)
    checks += own
    if context is None:
        return checks, None
    try:
        if (life := await _shake_hands(route, tls)) is not None:
            checks.append(_its(life, now_ns))
    except ssl.SSLError as error:
        checks.append(_refused(error, who, tls.ask))
    except (NotLetInError, OSError) as error:
        checks.append(failed(BROKER, "protocol", _said(error, context), LET_IN))
    return checks, context


async def _hello(
    route: Route, client_id: str, tls: BrokerTls | None, context: ssl.SSLContext | None, who: str
) -> Check:
    """One try as the agent's."""
    try:
        await say_hello(route, client_id, BROKER_TIMEOUT_S, context)
    except ssl.SSLError as error:
        return _refused(error, who, ASK if tls is None else tls.ask)
    except (NotLetInError, OSError) as error:
        return failed(BROKER, "protocol", _said(error, context), LET_IN)
    how = "MQTT 3.1.1" if context is None else "MQTT 3.1.1, TLS by certificates"
    how += ", over WebSocket" if route.path else ""
    return fine(BROKER, "protocol", f"{_IN[who]} ({how})")


async def _comes_back(site: Site, clock: Clock) -> bool:
    """What a running agent signs from now on is soon under receipt."""
    end = threading.Event()
    try:
        trip = await asyncio.to_thread(watch_next, site, clock, end, COMES_BACK_S)
    finally:
        end.set()  # Ctrl-C does not wait for it
    return trip.is_done


async def _reach(route: Route) -> list[Check]:
    """Proxy, if there is one, and the broker's port."""
    proxy = route.proxy
    if proxy is None:
        return await reach(BROKER, route.host, route.port, BROKER_TIMEOUT_S)
    checks = await reach(PROXY, proxy.host, proxy.port, BROKER_TIMEOUT_S)
    if has_failed(checks):
        return checks
    try:
        (await asyncio.to_thread(connect, route, BROKER_TIMEOUT_S)).close()
    except ProxyError as error:
        subject = BROKER if error.at_broker else PROXY
        return [*checks, failed(subject, error.layer, error.sentence, error.todo)]
    through = f"{route.place} accepts, through the proxy, which looks its name up"
    return [*checks, fine(BROKER, "tcp", through)]


def _own(tls: BrokerTls, now_ns: int) -> tuple[list[Check], ssl.SSLContext | None]:
    """Our own files; no context where there is nothing to show."""
    try:
        context, certificate = tls.context(), tls.certificate()
    except EvidenceError as error:
        return [failed(BROKER, "certificate", str(error), tls.ask)], None
    if trouble := tls.trouble(now_ns):
        sentence = trouble.removesuffix(f". {tls.ask}")
        return [failed(BROKER, "certificate", sentence, tls.ask)], context
    ends = certificate.not_valid_after_utc
    sentence = f"{name_of(certificate)}, until {ends:%Y-%m-%d %H:%M} UTC"
    return [fine(BROKER, "certificate", sentence)], context


def _its(life: Life, now_ns: int) -> Check:
    """The broker's own certificate, which was believed."""
    days = life.left_days(now_ns)
    sentence = f"the broker's certificate: until {day_of(life.ends_ns)}, {days} days left"
    if life.ends_soon(now_ns):
        return warning(BROKER, "certificate", sentence, RENEW_BROKER)
    return fine(BROKER, "certificate", sentence)


async def _shake_hands(route: Route, tls: BrokerTls) -> Life | None:
    """TLS 1.2 by itself: its handshake ends with the broker's verdict on our certificate.

    With TLS 1.3 that comes later, and may be lost when the broker hangs up on what was sent by
    then. SSLError where a certificate is not taken; a broker without 1.2 says so by an alert, and
    is left to the next step. Gives the life of the certificate that the broker has shown.
    """
    context = tls.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        async with opened(route, BROKER_TIMEOUT_S, context) as (_, writer):
            return shown_life(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
    except TimeoutError:
        raise NotLetInError(f"accepts, and no TLS within {BROKER_TIMEOUT_S:g} s") from None
    except ssl.SSLError as error:
        if "PROTOCOL" not in (error.reason or ""):
            raise
        return None


def _refused(error: ssl.SSLError, who: str, ask: str) -> Check:
    """Who does not take whose certificate."""
    if isinstance(error, ssl.SSLCertVerificationError):
        other = (f"is not taken: {error.verify_message}", "look at ca and at the broker")
        what, todo = _ITS.get(error.verify_code, other)
        sentence = f"the broker's certificate {what} ({error.verify_message})"
        return failed(BROKER, "certificate", sentence, todo)
    reason = error.reason or ""
    for alert, todo in _OURS.items():
        if alert in reason:
            sentence = f"the broker does not take this {who}'s certificate ({reason})"
            return failed(BROKER, "certificate", sentence, f"{todo} {ask}")
    sentence = f"TLS fails: {error.reason or error}"
    return failed(BROKER, "certificate", sentence, "see that this port of the broker speaks TLS")


def _said(error: Exception, context: ssl.SSLContext | None) -> str:
    if context is None or isinstance(error, ssl.SSLError):
        return str(error)
    return (
        f"{error}; TLS stands, so the broker has no rights for this certificate, or it is revoked"
    )
