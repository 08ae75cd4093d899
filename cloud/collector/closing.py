"""The collector as months see it: `desk.EvidenceDesk` over the running collector."""

import asyncio
from collections.abc import Sequence

from cloud.collector.desk import PlantKeys
from cloud.collector.intake import Intake
from cloud.collector.key_desk import KeyDesk
from cloud.collector.service import Collector
from cloud.collector.topics import CONFIG, Sender
from cloud.database.objects import Appended
from cloud.database.reader import PlantReader
from cloud.errors import LateDocumentError
from evidence import cose
from evidence.keys import Signer
from evidence.log import Entry
from evidence.receipt import CloseRequest, decode_close, encode_close_request


class Desk:
    """Evidence to read, entries to add, closes to ask for. Call from the event loop's thread."""

    def __init__(self, collector: Collector, intake: Intake, signer: Signer) -> None:
        self._collector, self._intake, self._signer = collector, intake, signer

    @property
    def signer(self) -> Signer:
        """The collector's key."""
        return self._signer

    def plants(self) -> Sequence[str]:
        """Ids of the plants whose evidence is open, sorted."""
        return list(self._intake.plants)

    def evidence(self, plant: str) -> PlantReader:
        """A plant's evidence; LookupError for a plant this collector does not hold."""
        return self._intake.plant(plant).reader

    def keys(self, plant: str) -> PlantKeys:
        """A plant's certificates; LookupError likewise."""
        enrolled = self._intake.plants.require(plant)
        gateways = {(c.name, c.certificate_sha256): c.pem for c in enrolled.keyring.certificates}
        return PlantKeys(enrolled.identity.root.pem, enrolled.identity.collector.pem, gateways)

    def receipt(self, plant: str, stream: str) -> bytes | None:
        """The newest signed receipt of a stream, None before its first object."""
        return self._collector.receipt(Sender(plant, stream))

    async def look_for_keys(self, plant: str) -> Sequence[str]:
        """Log what waits in the key folder; what does not count. Errors as `KeyDesk.reload`."""
        return (await KeyDesk(self._collector, self._intake).reload(plant)).problems

    async def append_entry(
        self, plant: str, entry: Entry, documents: int | None = None
    ) -> Appended:
        """As `EvidenceDesk.append_entry`."""
        store = self._intake.plant(plant)
        self._intake.watch.require_clock()

        def work() -> Appended:
            self._intake.plant(plant)  # it may wait for its disk by now
            if documents not in (None, len(store.reader.records)):
                raise LateDocumentError("a document was logged meanwhile")
            index = store.stage(entry)
            self._collector.commit_for(plant)
            committed = store.reader.committed
            return Appended(index, committed.checkpoint, committed.state.tree.root())

        return await asyncio.wrap_future(self._collector.submit(work))

    async def request_close(self, plant: str, stream: str, request: CloseRequest) -> None:
        """Publish a close request for a gateway, signed and retained.

        Raises:
            KeyFileError: the collector's token does not sign.
        """

        def work() -> None:
            payload = encode_close_request(request, self._signer)
            self._collector.say(Sender(plant, stream), CONFIG, payload)

        await asyncio.wrap_future(self._collector.submit(work))

    async def plant_close(self, request: CloseRequest, timeout_s: float) -> bytes | None:
        """The close object in which the gateway signed this; None when none came in time."""
        reader = self.evidence(request.plant)
        news = self._collector.watch_closes()
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    news.clear()
                    found = await asyncio.to_thread(_newest_close, reader, request.stream)
                    if found is not None and found[0] == request:
                        return found[1]
                    await news.wait()
        except TimeoutError:
            return None
        finally:
            self._collector.unwatch(news)


def _newest_close(reader: PlantReader, stream: str) -> tuple[CloseRequest, bytes] | None:
    """What a stream's newest close object signs, and its bytes."""
    seq = reader.state.stream(stream).close_seq
    if seq is None:
        return None
    (found,) = reader.objects(stream, seq, seq + 1)
    return decode_close(cose.parse(found.data).payload), found.data
