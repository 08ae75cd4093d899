"""Keys and refusals as operators see them: look for new keys, where a stream stands, what is aside.

Call from the event loop's thread. What is read is read at once; what changes something is done on
the collector's thread, in its turn.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from cloud.collector.identity import Certified
from cloud.collector.intake import Intake
from cloud.collector.plant import KeyNews
from cloud.collector.service import Collector
from cloud.collector.site_orders import CarriedOrder, read_site_orders
from cloud.collector.topics import ORDER, Sender
from evidence.log import Entry


class KeyDesk:
    """Keys and refusals of the running collector's plants. LookupError for any other plant.

    `on_ordered` is told plant, gateway and number of each site order that is handed to the broker,
    in the event loop's thread.
    """

    def __init__(
        self, collector: Collector, intake: Intake,
        on_ordered: Callable[[str, str, int], None] = lambda *_: None,
    ) -> None:  # fmt: skip
        self._collector, self._intake, self._on_ordered = collector, intake, on_ordered
        self._carried: dict[Sender, CarriedOrder] = {}

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
            carried, problems = self._carry(plant)
            return replace(
                news, taken=(*news.taken, *carried), problems=(*news.problems, *problems)
            )

        done = await asyncio.wrap_future(self._collector.submit(work))
        self._tell_ordered(plant)
        return done

    async def carry(self, plant: str) -> Sequence[str]:
        """Hand the newest site orders to the broker; a sentence for each file that is none.

        Raises:
            LookupError: no such plant.
        """
        _, problems = await asyncio.wrap_future(self._collector.submit(lambda: self._carry(plant)))
        self._tell_ordered(plant)
        return problems

    def _tell_ordered(self, plant: str) -> None:
        for sender, carried in list(self._carried.items()):
            if sender.plant == plant:
                self._on_ordered(plant, sender.gateway, carried.number)

    def _carry(self, plant: str) -> tuple[Sequence[str], Sequence[str]]:
        """What is new among the site orders, and what is wrong with others."""
        enrolled = self._intake.plants.require(plant)
        found, problems = read_site_orders(enrolled.identity.key_folder, enrolled.identity)
        told = []
        for gateway, carried in found.items():
            sender = Sender(plant, gateway)
            if gateway not in enrolled.keyring.gateways:
                problems.append(f"{carried.name}: no certificate of a gateway {gateway}")
                continue
            before, self._carried[sender] = self._carried.get(sender), carried
            known = carried if before is None else before
            problems += [
                f"{name}: site order with a lower number than {carried.name} "
                f"({carried.number}), not sent on: sign it anew with a higher"
                for name in sorted(carried.older - known.older - {known.name})
            ]
            if before is None or before.data != carried.data:
                self._collector.say(sender, ORDER, carried.data)
                told.append(f"{carried.name}: site order {carried.number} for {gateway}, sent on")
        return told, problems

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
