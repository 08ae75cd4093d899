"""Topics of one slice: what to subscribe, who a message is from, where an answer goes. Pure."""

import re
from typing import NamedTuple

from evidence.log_lines import about
from evidence.points import NAME_ID

PREFIX = "stackproof/v1"
SLICE_ID = re.compile(r"[0-9a-f]{2}")

FRAMES, LIVE, STATE, RECEIPTS, CONFIG = "frames", "live", "state", "receipts", "config"
#: requests for broker certificates, up, and what is issued, down and retained (ADR 0044)
RENEW, CERTIFICATE = "renew", "certificate"
#: the root's newest site order, down and retained (ADR 0051)
ORDER = "order"


class Sender(NamedTuple):
    """Whose topic a message came on. It says nothing about who sent it: signatures do.

    Attributes:
        plant: plant id.
        gateway: gateway id; the stream's name.
    """

    plant: str
    gateway: str

    def __str__(self) -> str:
        return f"{self.plant}/{self.gateway}"

    @property
    def about(self) -> dict[str, str]:
        """`extra` of a log call about it."""
        return about(self.plant, self.gateway)


def filters(slice_id: str, *, renews: bool = False) -> list[tuple[str, int]]:
    """(filter, QoS) of a collector's subscriptions: three for any number of plants.

    With `renews` a fourth: it answers requests for broker certificates.

    One alone at QoS 1: what nats-server has under way to a client it counts for all of these, and
    holds back what is more for 30 s, frames too, which then come out of order (ADR 0087).

    One filter a plant would not do: nats-server grants only some dozens of QoS 1 filters a session.
    """
    base = f"{PREFIX}/{slice_id}/+/+"
    found = [(f"{base}/{FRAMES}", 1), (f"{base}/{STATE}", 0), (f"{base}/{LIVE}", 0)]
    return [*found, (f"{base}/{RENEW}", 0)] if renews else found


def parse(topic: str, slice_id: str) -> tuple[Sender, str] | None:
    """(sender, last level) of a topic of this slice, None for anything else."""
    parts = topic.split("/")
    if len(parts) != 6 or "/".join(parts[:2]) != PREFIX or parts[2] != slice_id:
        return None
    if not (NAME_ID.fullmatch(parts[3]) and NAME_ID.fullmatch(parts[4])):
        return None
    return Sender(parts[3], parts[4]), parts[5]


def down(slice_id: str, sender: Sender, leaf: str) -> str:
    """Topic of a message to a gateway; `leaf` is RECEIPTS, CONFIG, CERTIFICATE or ORDER."""
    return f"{PREFIX}/{slice_id}/{sender.plant}/{sender.gateway}/{leaf}"
