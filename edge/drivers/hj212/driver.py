"""HJ 212: what one CEMS logger sends on its second output, as samples; it asks for nothing.

What it guarantees, and where:
- it transmits nothing; with `answer=yes` acknowledgements only (`packet.only_acks`);
- a message counts when its checksum, form and MN fit, and once (`newest`);
- a value holds for two of the intervals its logger sends it in; after that it is STALE, however
  good it was, or NOT_CONNECTED when the logger is not there.
"""

import asyncio
import ipaddress
import logging
import re
from collections.abc import Mapping, Sequence

from edge.drivers.address import Address, parse_address, wrong
from edge.drivers.base import BoundPoint, DeviceError, DeviceSpec, Sample
from edge.drivers.complaints import Complaints
from edge.drivers.hj212.listener import Listener, PortTakenError, Subscriber
from edge.drivers.hj212.message import Message
from edge.drivers.hj212.newest import Newest, Value
from edge.drivers.traffic import Request, Traffic
from evidence.quality import Quality

_LOG = logging.getLogger(__name__)

#: option -> (command, seconds when the URL says nothing). Real time and minute data are sent as the
#: logger is set; 30 s and 10 min are the usual settings.
_INTERVALS = {"rtd_s": (2011, 30), "minutes_s": (2051, 600)}
_FIXED_S = {2061: 3600.0, 2031: 86_400.0}
_INTERVAL_S_MAX = 86_400
#: with `answer=yes` or without
_PROMISES = {
    False: "nothing is sent: the port only takes what the logger sends",
    True: "nothing is asked or set: acknowledgements (9013, 9014) without content only",
}
_MN = re.compile(r"[0-9A-Fa-f]{24}")
_PEERS_MAX = 16


class Hj212Driver:
    """One logger: `hj212://listen-host:port?mn=<24 hex>[&from=…][&rtd_s=…][&minutes_s=…][&answer=yes]`.

    Raises (at construction):
        DeviceError: with `retry` False when the URL or a point cannot work as configured.
    """  # noqa: E501 - a URL

    def __init__(self, spec: DeviceSpec) -> None:
        self._spec = spec
        options = ("mn", "from", "answer", *_INTERVALS)
        self._address = parse_address(spec, port=0, options=options)
        if self._address.path not in ("", "/"):
            raise wrong(spec, f"takes no path {self._address.path!r}")
        if not self._address.port:
            raise wrong(spec, "gives no port: write hj212://127.0.0.1:9212?mn=...")
        self._mn = _mn(spec, self._address)
        self._subscriber = Subscriber(
            device=spec.id,
            mn=self._mn,
            peers=_peers(spec, self._address),
            answers=_answers(spec, self._address),
            take=self._take,
            complain=lambda subject, trouble: self._complaints.say(subject, trouble),
        )
        self._values = [_value(spec, bound) for bound in spec.points]
        wanted = {command for command, _ in self._values}
        every_s = _intervals(spec, self._address)
        self._intervals_s = {command: every_s[command] for command in sorted(wanted)}
        self._name = f"device {spec.id} (port {self._address}, MN {self._mn})"
        self._complaints = Complaints(_LOG, spec.id)
        self._listener: Listener | None = None
        self._newest = Newest(self._intervals_s)
        self._heard = asyncio.Event()

    def traffic(self) -> Traffic:
        """Nothing, or an acknowledgement to each message that asks for one."""
        acks = [
            Request(f"9014 to each message CN {command} that asks for it", seconds)
            for command, seconds in self._intervals_s.items()
        ]
        heartbeats = Request("9013 to each heartbeat (CN 9015) that asks for it", None)
        answers = self._subscriber.answers
        return Traffic(
            protocol="HJ 212, the logger calls",
            endpoint=f"{self._address}, MN {self._mn}",
            promise=_PROMISES[answers],
            is_listening=True,
            requests=[*acks, heartbeats] if answers else [],
        )

    async def connect(self) -> None:
        """Listen, and give the logger `timeout_s` to send something; silence is no error.

        The logger calls, not we: a port that is open is all the connection there can be, and it
        stays open while the logger is away.
        """
        if self._listener is not None:
            return
        self._newest, self._heard = Newest(self._intervals_s), asyncio.Event()
        try:
            self._listener = await Listener.subscribe(
                self._address.host, self._address.port, self._subscriber
            )
        except PortTakenError as error:
            raise DeviceError(f"{self._name}: {error}", retry=False) from None
        except OSError as error:
            raise DeviceError(
                f"{self._name}: cannot listen: {error.strerror or error}; check that the address "
                "is this machine's and that nothing else has the port"
            ) from None
        try:
            async with asyncio.timeout(self._spec.timeout_s):
                await self._heard.wait()
        except TimeoutError:
            return
        except BaseException:
            await self.close()
            raise

    async def read(self) -> Sequence[Sample]:
        """The newest of each point; waits for nothing."""
        if self._listener is None:
            raise DeviceError(f"{self._name}: not connected; connect first")
        now_s = asyncio.get_running_loop().time()
        is_there = self._listener.is_connected(self._mn)
        if is_there:
            self._complaints.over("logger")
        else:
            self._complaints.say("logger", "is not connected, or has sent nothing yet")
        return [self._sample(command, value, now_s, is_there) for command, value in self._values]

    async def close(self) -> None:
        """Close the port, if no other device listens on it, and forget what was heard."""
        listener, self._listener = self._listener, None
        if listener is not None:
            await listener.unsubscribe(self._subscriber)

    def _sample(self, command: int, value: Value, now_s: float, is_there: bool) -> Sample:
        record = self._newest.current(command, now_s)
        if record is not None:
            self._complaints.over(f"CN {command}")
            return value.sample(record)
        last = self._newest.record(command)
        if not is_there:
            quality = Quality.NOT_CONNECTED
        elif last is None:
            quality = Quality.NO_ANSWER
        else:
            quality = Quality.STALE
        silent = "nothing new" if last else "nothing yet"
        self._complaints.say(f"CN {command}", f"{silent} for its interval")
        return Sample(None, quality, last.data_ns if last else None)

    def _take(self, message: Message) -> None:
        why_not = self._newest.offer(message, asyncio.get_running_loop().time())
        if why_not:
            self._complaints.say(f"messages of CN {message.cn}", f"one is left out: {why_not}")
        if message.cn in self._intervals_s:
            self._heard.set()


def _mn(spec: DeviceSpec, address: Address) -> str:
    text = address.options.get("mn", "")
    if not _MN.fullmatch(text):
        raise wrong(spec, "gives no mn=, the logger's 24 hexadecimal digits")
    return text.upper()


def _answers(spec: DeviceSpec, address: Address) -> bool:
    text = address.options.get("answer", "no")
    if text not in ("yes", "no"):
        raise wrong(spec, f"answer {text!r} is not one of yes no")
    return text == "yes"


def _peers(spec: DeviceSpec, address: Address) -> frozenset[str]:
    """Who may send. Whoever reaches the port can say anything: the protocol proves no sender."""
    text = address.options.get("from", "")
    try:
        peers = frozenset(str(ipaddress.ip_address(peer)) for peer in text.split(",") if peer)
    except ValueError as error:
        raise wrong(spec, f"from: {error}; write from=192.0.2.7,192.0.2.8") from None
    if len(peers) > _PEERS_MAX:
        raise wrong(spec, f"from names more than {_PEERS_MAX} addresses")
    if not peers and not _is_loopback(address.host):
        raise wrong(
            spec, "listens beyond this machine and takes anybody's word: name the logger's "
            "address, from=192.0.2.7"
        )  # fmt: skip
    return peers


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _intervals(spec: DeviceSpec, address: Address) -> Mapping[int, float]:
    intervals_s = dict(_FIXED_S)
    for option, (command, usual_s) in _INTERVALS.items():
        text = address.options.get(option, str(usual_s))
        if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= _INTERVAL_S_MAX:
            raise wrong(spec, f"{option} {text!r} is not in 1..{_INTERVAL_S_MAX} seconds")
        intervals_s[command] = float(text)
    return intervals_s


def _value(spec: DeviceSpec, bound: BoundPoint) -> tuple[int, Value]:
    item = bound.register.item
    if item is None:
        raise DeviceError(
            f"device {spec.id}: point {bound.point.id}: register {bound.register.name} of profile "
            f"{spec.profile.id} has no HJ 212 factor, field and command",
            retry=False,
        )
    return item.command, Value(bound.register, item.factor, item.field)
