"""What an OPC UA server offers: its endpoints, and the variables it has. Read-only and bounded.

Endpoints are told to anybody. Variables are browsed in a session, for which a server may want
security: give the site file and the device then, instead of a URL.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edge.commissioning.look_opcua import device_error, endpoint_of
from edge.drivers.base import DeviceSpec
from edge.drivers.opcua.browse import BrowseLimits, Listing, browse_server
from edge.drivers.opcua.credentials import thumbprint_of
from edge.drivers.opcua.refusals import grouped, named
from edge.drivers.opcua.security import OpcUaSecurity
from edge.drivers.opcua.session import Session


@dataclass(frozen=True)
class Offer:
    """One endpoint of a server.

    Attributes:
        url: where it says it listens.
        security: policy and mode, "Basic256Sha256-SignAndEncrypt"; "none".
        logins: kinds of identity it takes.
        thumbprint: of its certificate, "AB:CD:…"; "" when it shows none.
        server: name and application URI.
    """

    url: str
    security: str
    logins: tuple[str, ...]
    thumbprint: str
    server: str


@dataclass(frozen=True)
class Found:
    """What a server has told.

    Attributes:
        offers: its endpoints.
        listing: its variables; None when it gave no session.
        trouble: why there is no listing; "" when there is one.
    """

    offers: tuple[Offer, ...]
    listing: Listing | None = None
    trouble: str = ""


async def scan_server(
    spec: DeviceSpec, limits: BrowseLimits, progress: Callable[[str], None]
) -> Found:
    """Endpoints, then variables.

    Args:
        spec: its url, security and timeout are used.
        limits: where listing stops.
        progress: told what is done.

    Raises:
        DeviceError: the server does not even tell its endpoints.
    """
    progress("asking for endpoints")
    try:
        offers = await _offers(spec)
    except Exception as error:  # whatever a server makes asyncua raise: it cannot be used
        raise device_error(spec, error) from error
    progress("browsing")
    try:
        listing = await browse_server(
            endpoint_of(spec), spec.security or OpcUaSecurity(), limits, timeout_s=spec.timeout_s
        )
    except Exception as error:  # noqa: BLE001 - whatever asyncua raises, endpoints are told
        return Found(offers, None, str(device_error(spec, error)))
    return Found(offers, listing)


async def _offers(spec: DeviceSpec) -> tuple[Offer, ...]:
    session = Session(endpoint_of(spec), OpcUaSecurity(), spec.timeout_s)
    try:
        return tuple(_offer(offer) for offer in await session.offers())
    finally:
        await session.drop()


def _offer(offer: Any) -> Offer:  # noqa: ANN401 - an EndpointDescription
    policy = named(offer.SecurityPolicyUri).rpartition("#")[2]
    mode = named(getattr(offer.SecurityMode, "name", offer.SecurityMode)).rstrip("_")
    tokens: Sequence[Any] = offer.UserIdentityTokens or ()
    names = dict.fromkeys(named(getattr(token.TokenType, "name", "")) for token in tokens)
    certificate = bytes(offer.ServerCertificate or b"")
    name, uri = named(offer.Server.ApplicationName.Text), named(offer.Server.ApplicationUri)
    return Offer(
        url=named(offer.EndpointUrl),
        security="none" if policy == "None" else f"{policy}-{mode}",
        logins=tuple(names),
        thumbprint=grouped(thumbprint_of(certificate)) if certificate else "",
        server=f"{name} ({uri})",
    )
