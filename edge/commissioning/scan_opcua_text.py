"""What an OPC UA server offers, as lines for a person and as plain values for a program. Pure."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from edge.commissioning.scan_opcua import Found
from edge.drivers.opcua.browse import Listing


def lines(found: Found) -> Iterator[str]:
    """Endpoints, then variables."""
    yield from dict.fromkeys(offer.server for offer in found.offers)
    for offer in found.offers:
        yield f"  {offer.security:32} {offer.url}  logins: {' '.join(offer.logins) or 'not told'}"
    for thumbprint in dict.fromkeys(offer.thumbprint for offer in found.offers):
        if thumbprint:
            yield f"  certificate SHA-256 {thumbprint}"
    if found.listing is None:
        yield f"its variables: {found.trouble}"
        yield (
            "if it wants security, write the device into a site file and scan it there: stackproof "
            "edge scan SITE.toml DEVICE"
        )
    else:
        yield f"its variables: {len(found.listing.variables)}"
        yield from listing_lines(found.listing)


def as_map(found: Found) -> dict[str, Any]:
    """The same for programs."""
    told = {} if found.listing is None else listing_map(found.listing)
    return {
        "endpoints": [asdict(offer) for offer in found.offers],
        "trouble": found.trouble or None,
        **told,
    }


def listing_lines(listing: Listing) -> Iterator[str]:
    """The variables of a server: node, type, unit, path."""
    width = min(max((len(variable.node) for variable in listing.variables), default=0), 80)
    for variable in listing.variables:
        unit = f" [{variable.unit}]" if variable.unit else ""
        yield f"  {variable.node:{width}}  {variable.type:10} {variable.path}{unit}"
    uris = dict.fromkeys((v.node.partition(";")[0], v.namespace) for v in listing.variables)
    for index, uri in uris:
        if index.startswith("ns="):
            yield f"  {index} is {uri or 'not told'}"
    if listing.left_out:
        yield f"  there may be more: {listing.left_out}"


def listing_map(listing: Listing) -> dict[str, Any]:
    """The same for programs."""
    return {
        "variables": [
            {
                "node": variable.node,
                "namespace": variable.namespace,
                "path": variable.path,
                "type": variable.type,
                "unit": variable.unit,
            }
            for variable in listing.variables
        ],
        "left_out": listing.left_out or None,
    }
