"""Somebody with a broker login who publishes anything on anybody's topics, as fast as it goes."""

import os
from urllib.parse import urlsplit

from paho.mqtt.enums import CallbackAPIVersion

from tests.paho_client import Client

MESSAGES = 8_000
JUNK_BYTES = 20_000


def flood(url: str, genuine: bytes) -> None:
    """Publish `MESSAGES` messages, half of them on `mini/edge-1/frames`; returns when all are out.

    Args:
        url: of the broker.
        genuine: an object that was signed; it is sent with something after it.
    """
    parts = urlsplit(url)
    client = Client(CallbackAPIVersion.VERSION2, client_id="flooder")
    client.connect(parts.hostname or "", parts.port or 1883)
    client.loop_start()
    try:
        for n in range(MESSAGES):
            junk = os.urandom(JUNK_BYTES) if n % 3 else genuine + os.urandom(9)
            if n % 2:
                topic = "mini/edge-1/frames"
            else:
                topic = f"{('mini', f'p{n}')[n % 4 // 2]}/e{n}/{('frames', 'live', 'state')[n % 3]}"
            last = client.publish(f"stackproof/v1/00/{topic}", junk, qos=0)
        last.wait_for_publish(30)
        client.disconnect()
    finally:
        client.loop_stop()
