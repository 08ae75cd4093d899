"""What a scan found, as lines for a person and as plain values for a program. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from edge.commissioning.scan_hosts import Service
from edge.commissioning.scan_modbus import Unit


def unit_lines(units: Sequence[Unit], url: str) -> Iterator[str]:
    """Who answers on an endpoint."""
    for unit in units:
        yield f"unit {unit.unit:3}  {unit.said} ({1000 * unit.took_s:.0f} ms)"
    if len(units) > 1 and len({unit.said for unit in units}) == 1:
        yield "all say the same: a server that is no gateway often answers to every unit id"
    if units:
        table = "input" if "illegal function" in units[0].said else "holding"
        yield f'next: stackproof edge read "{_at(url, units[0].unit)}" {table}:0'
    else:
        yield "nobody answers: check the port; on a line baud, parity, stop bits, and A against B"


def _at(url: str, unit: int) -> str:
    head, _, query = url.partition("?")
    kept = [part for part in query.split("&") if part and not part.startswith("unit=")]
    return f"{head}?{'&'.join([f'unit={unit}', *kept])}"


def unit_map(units: Sequence[Unit]) -> dict[str, Any]:
    """The same for programs."""
    told = [{"unit": u.unit, "said": u.said, "took_ms": round(1000 * u.took_s, 3)} for u in units]
    return {"units": told}


def host_lines(services: Sequence[Service]) -> Iterator[str]:
    """What listens on hosts."""
    for service in services:
        state = "open" if service.knock.is_open else "-"
        yield f"{service.host:20} {service.port:5} {service.name:11} {state:5}" + (
            f"next: {service.next}" if service.knock.is_open else service.knock.sentence
        )


def host_map(services: Sequence[Service]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "services": [
            {
                "host": service.host,
                "port": service.port,
                "name": service.name,
                "open": service.knock.is_open,
                "sentence": service.knock.sentence,
            }
            for service in services
        ]
    }
