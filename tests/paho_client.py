"""paho's client for tests: it leaves no socket, which a later test would be blamed for."""

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode


class Client(paho.Client):
    """As paho's."""

    def loop_stop(self) -> MQTTErrorCode:
        """As paho's, which leaves the pair of sockets that wakes its thread to be collected."""
        code = super().loop_stop()
        self._reset_sockets(sockpair_only=True)
        return code
