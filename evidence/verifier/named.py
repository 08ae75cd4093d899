"""What the month's configurations name that its closing hangs on: time zone and collector."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from evidence.archive import paths
from evidence.findings import Report
from evidence.keys import key_sha256
from evidence.suites import PublicKey
from evidence.time_zones import time_zone


@dataclass
class Named:
    """Taken from each configuration that a frame names.

    Attributes:
        collector: `key_sha256` of the key whose receipts the gateway honoured last, None for none.
        collectors: of all of them.
    """

    collector: bytes | None = None
    collectors: set[bytes] = field(default_factory=set)
    _zone: str = ""
    _cfg: bytes = b""

    def take(self, cfg: bytes, config: Mapping[str, Any]) -> None:
        """The next frame names this configuration."""
        if cfg == self._cfg:
            return
        self._cfg = cfg
        plant, collector = config.get("plant"), config.get("collector")
        self._zone = str(plant.get("time_zone")) if isinstance(plant, dict) else ""
        key = collector.get("key_sha256") if isinstance(collector, dict) else None
        self.collector = key if isinstance(key, bytes) else None
        if self.collector is not None:
            self.collectors.add(self.collector)

    def date(self, instant_ns: int) -> str | None:
        """The day of an instant in the plant's time zone, "YYYY-MM-DD"; None when it has none."""
        try:
            zone = time_zone(self._zone)
        except ValueError:
            return None  # the figures say so
        return f"{datetime.fromtimestamp(instant_ns // 10**9, UTC).astimezone(zone):%Y-%m-%d}"

    def tell(self, report: Report, own: PublicKey, earlier: Iterable[PublicKey]) -> None:
        """Compare with the collector that sealed the month.

        Args:
            report: takes the finding.
            own: the key that sealed it.
            earlier: the other keys of the collector that the archive holds certificates of.
        """
        if not self._cfg:
            return
        sealed = key_sha256(own)
        if not self.collectors & {sealed, *map(key_sha256, earlier)}:
            sentence = "No configuration here names a key of this collector: it is another's."
            report.add("E-CERTIFICATE", paths.COLLECTOR_CERTIFICATE, sentence)
        elif self.collector != sealed:
            named = self.collector.hex() if self.collector is not None else "none"
            sentence = f"It sealed with key {sealed.hex()}; the gateway last named {named}."
            report.add("N-KEY", paths.COLLECTOR_CERTIFICATE, sentence)
