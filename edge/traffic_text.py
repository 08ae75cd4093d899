"""What is sent on each endpoint, as lines for people and as JSON. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from edge.drivers.traffic import EACH_READ, Request
from edge.site.traffic import Asked, Endpoint


def lines_of(endpoints: Sequence[Endpoint]) -> Iterator[str]:
    """The report of `edge check --traffic`."""
    yield "What is sent to devices, endpoint by endpoint. Nothing was opened to find this out."
    for endpoint in endpoints:
        yield ""
        yield _head(endpoint)
        for asked in endpoint.devices:
            yield f"  {asked.id}, read every {asked.interval_ns / 1e9:g} s"
            for request in asked.traffic.requests:
                yield f"    {_often(request)}: {_line(request)}"
                yield from (
                    f"      {item}  {point}"
                    for item, point in zip(request.items, request.points, strict=False)
                )
        yield from (f"  {sentence}" for sentence in _sums(endpoint))
        yield f"  {endpoint.first.promise}"


def _head(endpoint: Endpoint) -> str:
    first = endpoint.first
    count = endpoint.connections
    held = "no connection of ours" if first.is_listening else f"{count} connection"
    parts = [first.protocol, first.endpoint, first.settings, held + ("s" if count > 1 else "")]
    return ", ".join(filter(None, parts))


def _often(request: Request) -> str:
    if request.every_s is None:
        return "once a connection"
    if request.every_s == EACH_READ:
        return "each read"
    return f"every {request.every_s:g} s"


def _line(request: Request) -> str:
    parts = [request.what]
    if request.sent:
        parts.append(f"sends {len(request.sent)} bytes {shown_bytes(request)}")
    if request.answer_bytes:
        parts.append(f"answer {request.answer_bytes} bytes")
    if request.points and not request.items:
        parts.append(" ".join(request.points))
    return "; ".join(parts)


def shown_bytes(request: Request) -> str:
    """The bytes in hex, dots for those that count the questions."""
    return ".." * request.numbered + request.sent[request.numbered :].hex()


def _sums(endpoint: Endpoint) -> Iterator[str]:
    if not endpoint.requests_per_s:
        return
    yield (
        f"together: {endpoint.requests_per_s:.2f} requests/s, "
        f"{endpoint.sent_bytes_per_s:.0f} bytes/s sent, "
        f"{endpoint.answer_bytes_per_s:.0f} bytes/s answered"
        " (known bytes of the protocol; TCP and IP come on top)"
    )
    if endpoint.line_share:
        yield f"the line is busy {endpoint.line_share:.1%} of its time"
    if endpoint.gap_s:
        yield (
            f"requests_per_s {1 / endpoint.gap_s:g}: kept, {endpoint.busy_share:.0%} of what it "
            "allows is used"
        )
    yield (
        f"a tick takes at least {endpoint.tick_s:.3f} s of the "
        f"{endpoint.wait_s(endpoint.tightest):g} s that the agent waits for "
        f"{endpoint.tightest.id}; the devices' own time to answer comes on top"
    )
    notes = [note for asked in endpoint.devices for note in asked.traffic.notes]
    yield from dict.fromkeys(notes)


def as_json(endpoints: Sequence[Endpoint]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "protocol": endpoint.first.protocol,
            "endpoint": endpoint.first.endpoint,
            "settings": endpoint.first.settings,
            "connections": endpoint.connections,
            "devices": [_device(asked) for asked in endpoint.devices],
            "requests_per_s": round(endpoint.requests_per_s, 6),
            "sent_bytes_per_s": round(endpoint.sent_bytes_per_s, 3),
            "answer_bytes_per_s": round(endpoint.answer_bytes_per_s, 3),
            "line_share": round(endpoint.line_share, 6),
            "cap_per_s": round(1 / endpoint.gap_s, 6) if endpoint.gap_s else None,
            "tick_s": round(endpoint.tick_s, 6),
            "wait_s": endpoint.wait_s(endpoint.tightest),
            "promise": endpoint.first.promise,
        }
        for endpoint in endpoints
    ]


def _device(asked: Asked) -> dict[str, Any]:
    return {
        "id": asked.id,
        "interval_s": asked.interval_ns / 1e9,
        "pause_s": asked.traffic.pause_s,
        "requests": [_request(request) for request in asked.traffic.requests],
        "notes": list(asked.traffic.notes),
    }


def _request(request: Request) -> dict[str, Any]:
    return {
        "what": request.what,
        "often": _often(request),
        "points": list(request.points),
        "items": list(request.items),
        "sent": request.sent.hex(),
        "numbered": request.numbered,
        "answer_bytes": request.answer_bytes,
    }
