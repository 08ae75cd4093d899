"""Keys and refusals as operators see them: look for new keys, where a stream stands, what is aside.

Call from the event loop's thread. What is read is read at once; what changes something is done on
the collector's thread, in its turn.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from cloud.collector.identity import Certified
from cloud.collector.intake import Intake
from cloud.collector.plant import KeyNews
from cloud.collector.service import Collector
from evidence.log import Entry


class KeyDesk:
    """Keys and refusals of the running collector's plants. LookupError for any other plant."""

    def __init__(self, collector: Collector, intake: Intake) -> None:
        self._collector, self._intake = collector, intake

    def plants(self) -> Sequence[str]:
        """Ids of the plants whose evidence is open, sorted."""
        return list(self._intake.plants)

    async def reload(self, plant: str) -> KeyNews:
        """Take in new certificates and orders from the operator's folder; they are on disk after.

        Raises:
            LookupError: no such plant.
            StoreError: the disk refused; nothing new counts.
        """
        self._intake.plants.require(plant)

        def work() -> KeyNews:
            news = self._intake.look_for_keys(plant)
            self._collector.commit_for(plant)
            return news

        return await asyncio.wrap_future(self._collector.submit(work))

    def stream(self, plant: str, gateway: str) -> Mapping[str, Any]:
        """Where a stream stands and which keys it has: what a replace order must say.

        Raises:
            LookupError: no such plant, or no certificate of this gateway.
        """
        enrolled = self._intake.plants.require(plant)
        if gateway not in enrolled.keyring.gateways:
            raise LookupError(f"plant {plant} has no certificate of a gateway {gateway}")
        stream = enrolled.store.reader.state.stream(gateway)
        keys = enrolled.keyring.of(gateway)
        in_use = keys.current(stream.next_seq)
        return {
            "plant": plant,
            "gateway": gateway,
            "seq": stream.next_seq - 1,
            "head": stream.head.hash.hex(),
            "through_ns": stream.through_ns,
            "key": None if in_use is None else in_use.hex(),
            "revoked": {key.hex(): through for key, through in dict(keys.revoked).items()},
            "certificates": [
                _certificate(certified) for certified in enrolled.keyring.certificates_of(gateway)
            ],
        }

    def quarantine(self, plant: str) -> Mapping[str, Any]:
        """What was refused and what is kept aside, newest first. Reads the log: not in the loop."""
        enrolled = self._intake.plants.require(plant)
        return {
            "plant": plant,
            "reasons": [asdict(notice) for notice in self._intake.rejects.notices(plant)],
            "kept": [_kept(entry) for entry in reversed(enrolled.kept_aside())],
        }


def _certificate(certified: Certified) -> Mapping[str, Any]:
    return {
        "key": certified.fingerprint.hex(),
        "sha256": certified.certificate_sha256.hex(),
        "not_before": certified.certificate.not_valid_before_utc.isoformat(),
        "not_after": certified.certificate.not_valid_after_utc.isoformat(),
    }


def _kept(entry: Entry) -> Mapping[str, Any]:
    """One object; its file in quarantine/ is named by gateway, seq and the hash's beginning."""
    return {
        "gateway": entry.stream,
        "reason": entry.verdict,
        "seq": entry.seq,
        "sha256": entry.sha256.hex(),
        "bytes": entry.length,
        "received_ns": entry.received_ns,
        "key": None if entry.certificate is None else entry.certificate.hex(),
    }
