"""Time zones of a plant's months: a month's is the one that its own last frame names.

A verifier of the month knows no other: what the plant is configured to later is of later months.
Any thread; reads evidence.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from cloud.collector.desk import PlantEvidence
from evidence import cose
from evidence.configuration import decode_configuration
from evidence.frame import header_of
from evidence.log import Kind

#: configurations that are kept decoded: of the plants that are looked at just now
KEPT = 8


def zone_named(evidence: PlantEvidence, stream: str, first: int, stop: int) -> str:
    """What the last frame of objects first..stop-1 names; "" when there is no frame."""
    for seq in range(stop - 1, first - 1, -1):
        stored = next(evidence.objects(stream, seq, seq + 1))
        if stored.kind is Kind.FRAME:
            cfg = header_of(cose.parse(stored.data)).cfg or b""
            return _zone(evidence, stream, evidence.configs(stream)[cfg])
    return ""


def zones_configured(evidence: PlantEvidence, stream: str) -> Iterator[str]:
    """Those of all configurations, each once, the newest first."""
    told = set[str]()
    for seq in sorted(evidence.configs(stream).values(), reverse=True):
        zone = _zone(evidence, stream, seq)
        if zone not in told:
            yield zone
        told.add(zone)


@lru_cache(maxsize=KEPT)
def configuration_of(data: bytes) -> Mapping[str, Any]:
    """What a signed configuration holds; whoever asks again soon is given the same map."""
    return decode_configuration(cose.parse(data).payload)


def _zone(evidence: PlantEvidence, stream: str, seq: int) -> str:
    data = next(evidence.objects(stream, seq, seq + 1)).data
    return str(configuration_of(data)["plant"]["time_zone"])
