"""A whole collector, `stackproof cloud run` with its own broker, with a kiln's month nobody closed.

Only the gateway is not the product's agent: it signed its month before, delivers it by MQTT, and
signs whatever close the collector asks for. The collector's clock starts at 3 November 2026, and so
only simulated plants count; accounts have the real one.
"""

import json
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path
from threading import Thread
from typing import Any

import paho.mqtt.client as paho

from edge.calc.folds.live import PlantCalc
from evidence.blocks import compress
from evidence.cbor import encode
from evidence.frame import TYP_CLOSE, TYP_CONFIG, TYP_FRAME, encode_body
from evidence.keys import key_sha256
from evidence.receipt import decode_close_request, encode_close
from evidence.recompute import month_bounds
from simulators.month_config import TIME_ZONE
from simulators.month_plant import HOUR_S
from simulators.month_plants import month_plant
from simulators.month_play import DAY_NS, frame_of, hour_body
from simulators.plants import load_any
from tests.e2e.conftest import Server
from tests.fraud.bent_months import BentPlant
from tests.integration.cloud.cloud_process import Cloud, wait
from tests.integration.cloud.spool_publisher import SpoolPublisher
from tests.unit.cloud.evidence_examples import ExamplePlant, Gateway
from tests.unit.evidence import sealed_month as sm

PLANT, MONTH, REGION, INTERVAL_S, SECOND = "mini", "2026-10", "370700", 900, 10**9
POINT, STARTS_AT = "coal-kiln.total", "2026-11-03T00:05:00+08:00"
FROM_NS, TO_NS = month_bounds(TIME_ZONE, MONTH)


def as_it_is(*_: Any) -> None:
    """Nothing is bent: what is wanted of the plant is another id."""


def measure(plant: ExamplePlant, gateway: Gateway) -> None:
    """The gateway signs its configuration, the month's readings, and those of two days more."""
    kiln = month_plant(
        load_any("kiln-normal"), points=None, pots=None, seed=None, interval_s=INTERVAL_S
    )
    works = BentPlant(kiln, POINT, as_it_is, PLANT)
    config = works.configuration(key_sha256(plant.collector.public_key))
    data = gateway.sign(TYP_CONFIG, compress(encode(config)), iat_s=FROM_NS // SECOND + 1)
    gateway.cfg = sm.sha256(gateway.append(data))
    source, calc = works.begin(FROM_NS), PlantCalc(config)
    for at_ns in range(FROM_NS, TO_NS + 2 * DAY_NS, HOUR_S * SECOND):
        body = hour_body(source.hour(), calc, config, at_ns)
        frame = frame_of(body, 0, HOUR_S // INTERVAL_S)
        iat_s = frame.sections[0].last_ns // SECOND + 1
        gateway.append(gateway.sign(TYP_FRAME, encode_body(frame), iat_s=iat_s))


class Agreeing(SpoolPublisher):
    """A gateway that signs every close it is asked for, once."""

    def _message(self, client: paho.Client, data: object, message: paho.MQTTMessage) -> None:
        known = len(self.requests)
        super()._message(client, data, message)
        for asked in self.requests[known:]:
            if asked not in self.requests[:known]:
                close = encode_close(decode_close_request(asked, self.collector))
                iat_s = (TO_NS + 2 * DAY_NS) // SECOND
                self.gateway.append(self.gateway.sign(TYP_CLOSE, close, iat_s=iat_s))


class RealWorks(Server):
    """The collector's process and the gateway.

    Args:
        folder: everything goes there.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(0)
        self._cloud = cloud = Cloud(folder)
        text = cloud.config.read_text().replace("accounts = false\n", "")
        cloud.config.write_text(f'{text}region = "{REGION}"\n')
        self._gateway = cloud.plant.gateways["edge-1"]
        self._publisher: Agreeing | None = None

    def start(self) -> None:
        """Until the plant is known; its readings arrive meanwhile."""
        signing = Thread(target=measure, args=(self._cloud.plant, self._gateway))
        signing.start()
        ready = self._cloud.start("--clock", "sim", "--from", STARTS_AT, "--speed", "1")
        self.port = int(ready["http"].rpartition(":")[2])
        self.token = (self._cloud.folder / "state/api.token").read_text().strip()
        key = self._cloud.plant.collector.public_key
        self._publisher = publisher = Agreeing(ready["broker"], self._gateway, key, "00")
        signing.join()
        wait(lambda: publisher.receipted >= 0)

    def wait_for_month(self) -> None:
        """Until all of it has arrived, and was counted."""
        wait(self._month_is_ready)

    def kill(self) -> None:
        if self._publisher is not None:
            self._publisher.stop()
        if self._cloud.process is not None:
            status, printed = self._cloud.end()
            assert status == 0, printed

    def archive(self) -> Path:
        """The sealed month, where it stands."""
        (path,) = self._cloud.folder.glob(f"**/{PLANT}-{MONTH}.tar")
        return path

    def _month_is_ready(self) -> bool:
        asked = urllib.request.Request(
            f"{self.url}/api/v1/plants/{PLANT}/months/{MONTH}",
            headers={"Authorization": f"Bearer {self.token}"},
        )
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                month = json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == HTTPStatus.NOT_FOUND:  # until its first reading is there
                return False
            raise
        return bool(month["state"] == "ready")
