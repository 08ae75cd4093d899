"""What no broker has to send, and would cost its client memory without end. Pure.

Tried against an agent: a library keeps each message of QoS 2 until the broker releases it (4 GB in
5 s), acknowledges whatever comes though nobody takes the answers (7 MB a second), and begins anew
at each word that the connection stands, so that nothing was ever signed. At the answer that it has
the wrong version it speaks 3.1 from then on, which nats-server does not, until it is started anew.
"""

#: MQTT 3.1.1, 2.2.1 and 3.3.1: the first byte of a packet
_KIND, _CONNACK, _PUBLISH, _QOS, _QOS_1 = 0xF0, 0x20, 0x30, 0x06, 0x02
#: the same, 3.2.2.3: behind the flags of a CONNACK
_OTHER_VERSION = b"\x01"
#: packets that wait to leave: more than a broker of ours has unacknowledged, and we send ahead
UNSENT_MAX = 16_384


def objection(first: int, rest: bytes | bytearray, unsent: int, *, is_in: bool) -> str:
    """Why to hang up on a broker, behind its name; "" for no reason.

    Args:
        first: first byte of the packet that came.
        rest: behind its length.
        unsent: packets that wait to leave.
        is_in: the broker has said that the connection stands.
    """
    if first & _KIND == _CONNACK and rest[1:2] == _OTHER_VERSION:
        return "says that it does not speak MQTT 3.1.1"
    if first & _KIND == _CONNACK and is_in:
        return "says again that the connection stands"
    if first & _KIND == _PUBLISH and first & _QOS > _QOS_1:
        return "sends at QoS 2, which nobody here has asked for"
    if unsent > UNSENT_MAX:
        return f"takes nothing, and {unsent} packets wait for it"
    return ""
