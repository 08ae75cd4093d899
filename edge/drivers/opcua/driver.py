"""OPC UA: reads one server's nodes and nothing else.

The connection itself, its gate and its security are in `edge.drivers.opcua.session`; what is kept
here is which point is which node, what each answer means, and what is said of troubles:
- status code and source time of every value are kept (`edge.drivers.opcua.decode`);
- a lost connection is thrown away whole; the next one is new;
- whether the server lives is judged by asking it for its time, never by values that change.
"""

import asyncio
import logging
from collections.abc import Sequence
from time import monotonic

from edge.drivers.address import Address, parse_address, wrong
from edge.drivers.base import BoundPoint, DeviceError, DeviceSpec, Sample
from edge.drivers.complaints import Complaints
from edge.drivers.opcua.asking import Asking
from edge.drivers.opcua.certificates import check_credentials
from edge.drivers.opcua.credentials import CredentialError
from edge.drivers.opcua.decode import (
    Value,
    decode_value,
    is_unknown_node,
    operation_limit,
    status_quality,
)
from edge.drivers.opcua.options import NAMES, read_options
from edge.drivers.opcua.refusals import LoginRefusedError, RefusedError
from edge.drivers.opcua.security import OpcUaSecurity
from edge.drivers.opcua.session import (
    ITEMS_PER_CALL,
    KEEP_SESSION_S,
    NAMESPACES,
    NODES_PER_READ,
    DataValue,
    ReadValueId,
    Session,
    content_of,
    value_of,
)
from edge.drivers.opcua.settings import ask_setting
from edge.drivers.opcua.traffic import traffic_of
from edge.drivers.traffic import Traffic
from evidence.quality import Quality
from firmware_configs.profile import Setting

_LOG = logging.getLogger(__name__)

PORT = 4840  # registered with IANA for OPC UA
NODES_PER_REQUEST = 1000  # or fewer, when the server's OperationLimits say so
#: A refused identity is not tried again sooner: servers lock an account after a few wrong tries.
LOGIN_PAUSE_S = 600.0
#: What is pushed is held against what is read so often, or four times as long as a change may take.
COMPARE_S = 30.0
#: ... few at a time: many servers answer one question after the other, and reads go on meanwhile.
COMPARE_NODES = 100


class OpcUaDriver:
    """One OPC UA server behind `opc.tcp://host[:port][/path][?mode=read|subscribe…]`.

    `read` (the default) asks for every value at every read. `subscribe` has the server push
    changes and gives the newest of each node; the source time is then that of the last change.
    A node that the server has forgotten (deleted and made anew, say) without a word is found by
    reading all of them each `COMPARE_S`: one that twice is other than what was pushed; and so is
    one that it did not have at first. No read waits for that: of many nodes it can take seconds.

    Raises (at construction):
        DeviceError: with `retry` False when the URL, a point or a file of its security keys
            cannot work as configured.
    """

    def __init__(self, spec: DeviceSpec) -> None:
        self._spec = spec
        self._security = spec.security or OpcUaSecurity()
        address = parse_address(spec, port=PORT, options=NAMES)
        try:
            self._options = read_options(address.options)
        except ValueError as error:
            raise wrong(spec, str(error)) from None
        try:
            check_credentials(self._security)
        except CredentialError as error:
            raise DeviceError(f"device {spec.id}: {error}", retry=False, key=error.key) from None
        self._endpoint = _endpoint(address)
        self._name = f"device {spec.id} ({self._endpoint})"
        for bound in spec.points:
            _node(spec, bound, 0)  # a template that cannot work is known before connecting
        self._values = [Value.of(bound.register) for bound in spec.points]
        self._complaints = Complaints(_LOG, spec.id)
        self._wanted = False
        self._session: Session | None = None
        self._asking = Asking(self._at_hand, self._drop, NODES_PER_REQUEST)
        self._sessions = 0
        self._chunk = NODES_PER_REQUEST
        self._items_chunk = NODES_PER_REQUEST
        self._nodes: list[ReadValueId | None] = []
        self._newest: list[Sample] = []
        self._pushed: list[int] = []  # which of them the server is to push
        self._unknown: list[int] = []  # ... of which it had no node, or what no answer holds
        self._apart: dict[int, Sample] = {}  # what was pushed of those that were read otherwise
        self._compare_s = self._compared_s = 0.0
        self._comparing: asyncio.Task[None] | None = None
        self._login_refused: tuple[float, LoginRefusedError] | None = None

    def traffic(self) -> Traffic:
        """Services, nodes and intervals as they will be asked for."""
        return traffic_of(
            self._endpoint,
            self._security,
            self._options,
            [(bound.point.id, _node_shown(self._spec, bound)) for bound in self._spec.points],
            per_request=self._chunk,
            keep_session_s=KEEP_SESSION_S,
            compare=(COMPARE_S, min(self._chunk, COMPARE_NODES)),
        )

    async def connect(self) -> None:
        """Open channel and session and find the nodes; about six answers, each `timeout_s`."""
        self._wanted = True
        await self._open()

    async def read(self) -> Sequence[Sample]:
        """One sample a point; each question it asks takes at most `timeout_s`."""
        if not self._wanted:
            raise DeviceError(f"{self._name}: not connected; connect first")
        if not self._options.is_subscribing:
            await self._open()  # every value is asked for now: what was lost before costs none
        try:
            session = self._at_hand()
            if None in self._nodes:
                await self._find_nodes_again(session)
            if self._options.is_subscribing:
                await session.check_alive()
                self._compare_in_time(session)
                return list(self._newest)
            return await self._read_all()
        except Exception as error:  # whatever a server makes asyncua raise: it cannot be used
            await self._give_up()
            raise self._device_error(error) from error
        except BaseException:
            await self._give_up()
            raise

    def connection(self) -> int:
        """Another number after each new session."""
        return self._sessions

    async def read_setting(self, setting: Setting) -> str | Quality:
        """Ask for one setting; see `edge.drivers.base.ReadsSettings`."""
        try:
            return await ask_setting(self._at_hand(), setting)
        except TimeoutError:
            return Quality.NO_ANSWER
        except Exception as error:  # as of a read, which will meet it too
            raise self._device_error(error) from error

    async def close(self) -> None:
        """End session and connection; a read under way ends with DeviceError."""
        self._wanted = False
        if self._session is not None:
            await self._session.close()
        await self._give_up()

    async def _open(self) -> None:
        if self._session is not None and self._session.is_open:
            return
        await self._drop()
        try:
            self._mind_refused_login()
            self._session = session = Session(self._endpoint, self._security, self._spec.timeout_s)
            self._sessions += 1
            self._asking = Asking(self._at_hand, self._drop, NODES_PER_REQUEST)
            await session.open()
            await self._find_nodes(session)
            if self._options.is_subscribing:
                await self._subscribe(session)
        except LoginRefusedError as error:
            self._login_refused = self._login_refused or (monotonic(), error)
            await self._give_up()
            raise self._device_error(error) from error
        except Exception as error:  # whatever asyncua raises: the device is away
            await self._give_up()
            raise self._device_error(error) from error
        except BaseException:
            await self._give_up()
            raise

    def _mind_refused_login(self) -> None:
        """Raise the last refusal again, without a try, while its pause lasts."""
        if self._login_refused is None:
            return
        since_s, error = self._login_refused
        if monotonic() - since_s < LOGIN_PAUSE_S:
            raise error
        self._login_refused = None

    def _at_hand(self) -> Session:
        session = self._session
        if session is None or not session.is_open:
            raise ConnectionError((session and session.lost) or "the connection was lost")
        return session

    async def _find_nodes(self, session: Session) -> None:
        """Give every point its node id, with the index the server has for its namespace today."""
        # one a call: a server may take as few as that
        (namespaces,) = await session.ask([NAMESPACES])
        (per_read,) = await session.ask([NODES_PER_READ])
        (per_call,) = await session.ask([ITEMS_PER_CALL])
        uris = content_of(namespaces)
        if not isinstance(uris, list):
            raise ConnectionError("the server does not tell its namespaces")
        self._chunk = operation_limit(content_of(per_read), NODES_PER_REQUEST)
        self._items_chunk = operation_limit(content_of(per_call), NODES_PER_REQUEST)
        self._nodes = []
        for bound in self._spec.points:
            uri = bound.register.namespace
            if uri is not None and uri not in uris:
                self._nodes.append(None)
                self._complaints.say(f"namespace {uri}", "the server does not have it")
                continue
            if uri is not None:
                self._complaints.over(f"namespace {uri}")
            index = uris.index(uri) if uri is not None else 0
            self._nodes.append(_node(self._spec, bound, index))

    async def _find_nodes_again(self, session: Session) -> None:
        """Look once more for namespaces that were missing: the server may have been starting."""
        missing = self._nodes.count(None)
        await self._find_nodes(session)
        if self._options.is_subscribing and self._nodes.count(None) != missing:
            raise ConnectionError("the server has new namespaces; subscribe anew")

    async def _read_all(self, most: int = NODES_PER_REQUEST) -> list[Sample]:
        samples = [
            Sample(None, Quality.DEVICE_REFUSED if node is None else Quality.NO_ANSWER)
            for node in self._nodes
        ]
        asked = {index: node for index, node in enumerate(self._nodes) if node is not None}
        answers = await self._asking.answers(asked, min(self._chunk, most))
        for index, why in self._asking.refused.items():
            samples[index] = Sample(None, Quality.WRONG_ANSWER)
            self._complaints.say(self._point_id(index), why)
        for index, answer in answers.items():
            samples[index] = self._sample(index, answer)
        return samples

    def _sample(self, index: int, answer: DataValue) -> Sample:
        bound = self._spec.points[index]
        variant, status = answer.Value, answer.StatusCode
        sample = decode_value(
            variant.Value if variant is not None else None,
            self._values[index],
            status=status.value if status is not None else 0,  # Part 6, 5.2.2.17: absent is Good
            source_time=answer.SourceTimestamp,
        )
        if sample.quality is Quality.GOOD:
            self._complaints.over(bound.point.id)
        elif sample.quality is Quality.WRONG_ANSWER:
            kind = "Null" if variant is None else variant.VariantType.name
            kind += " array" if variant is not None and variant.is_array else ""
            wanted = bound.register.dtype.name.lower()
            self._complaints.say(
                bound.point.id, f"the server sends a {kind} that is no {wanted} exactly"
            )
        elif not sample.quality.usable and status is not None and not status.is_good():
            self._complaints.say(bound.point.id, f"the server says {status.name}")
        return sample

    def _compare_in_time(self, session: Session) -> None:
        """Begin to compare, now and then; what comes of it `check_alive` tells the next read."""
        is_under_way = self._comparing is not None and not self._comparing.done()
        if not is_under_way and monotonic() - self._compared_s >= self._compare_s:
            self._comparing = asyncio.create_task(self._compare(session))

    async def _compare(self, session: Session) -> None:
        """End the session's use when a node's value is other than what was pushed of it.

        A change may be under way: it counts where the next look, too, finds nothing pushed since.
        """
        try:
            found = self._found(await self._read_all(COMPARE_NODES))
        except TimeoutError:  # it has much to do; whether it lives is asked at each read
            found = ""
        except Exception as error:  # noqa: BLE001 - whatever a server makes asyncua raise: no use
            found = str(error) or type(error).__name__
        self._compared_s = monotonic()
        session.lost = session.lost or found

    def _found(self, read: Sequence[Sample]) -> str:
        """What is amiss with the subscription, as these values were read; "" for nothing."""
        apart = {
            index: self._newest[index]
            for index in self._pushed
            if read[index].quality is not Quality.NO_ANSWER
            and (read[index].raw, read[index].quality)
            != (self._newest[index].raw, self._newest[index].quality)
        }
        if found := [i for i in self._unknown if read[i].quality.usable]:
            return f"the server has {self._point_id(found[0])} now; subscribe anew"
        lost = [i for i, pushed in apart.items() if self._apart.get(i) is pushed]
        self._apart = apart
        if not lost:
            return ""
        more = f" and {len(lost) - 1} points more" if len(lost) > 1 else ""
        return f"the server pushes no changes of {self._point_id(lost[0])}{more}"

    def _point_id(self, index: int) -> str:
        return self._spec.points[index].point.id

    async def _subscribe(self, session: Session) -> None:
        self._newest = await self._read_all()
        too_long = self._asking.refused
        items = [(i, n) for i, n in enumerate(self._nodes) if n is not None and i not in too_long]
        made = await session.subscribe(items, self._options, self._items_chunk, self._note)
        statuses = [(i, s) for (i, _), s in zip(items, made.statuses, strict=True)]
        self._pushed = [i for i, status in statuses if status.is_good()]
        self._unknown = [i for i, status in statuses if is_unknown_node(status.value)]
        self._unknown += too_long
        self._compare_s = max(COMPARE_S, 4e-3 * (made.publishing_ms + made.sampling_ms))
        self._apart, self._compared_s = {}, monotonic()
        for what, asked_ms, made_ms in (
            ("publishes", self._options.publishing_ms, made.publishing_ms),
            ("samples some values", self._options.sampling_ms, made.sampling_ms),
        ):
            if made_ms > asked_ms:
                trouble = f"every {made_ms:g} ms at best, not every {asked_ms:g} ms"
                self._complaints.say(f"the server {what}", trouble)
        for (index, _), status in zip(items, made.statuses, strict=True):
            if not status.is_good():
                self._newest[index] = Sample(None, status_quality(status.value))
                self._complaints.say(
                    self._spec.points[index].point.id, f"cannot be subscribed: {status.name}"
                )

    def _note(self, index: int, value: DataValue) -> None:
        self._newest[index] = self._sample(index, value)

    async def _give_up(self) -> None:
        self._wanted = False
        await self._drop()

    async def _drop(self) -> None:
        comparing, self._comparing = self._comparing, None
        if comparing is not None and comparing is not asyncio.current_task():
            comparing.cancel()
        session, self._session = self._session, None
        if session is not None:
            await session.drop()

    def _device_error(self, error: Exception) -> DeviceError:
        if isinstance(error, RefusedError | CredentialError):
            return DeviceError(f"{self._name}: {error}")
        if isinstance(error, TimeoutError):
            reason = f"no answer within {self._spec.timeout_s:g} s"
        else:
            reason = str(error) or type(error).__name__
        return DeviceError(
            f"{self._name}: {reason}; check that the server runs and that the address is right"
        )


def _endpoint(address: Address) -> str:
    return f"opc.tcp://{address}{address.path}"


def _node_shown(spec: DeviceSpec, bound: BoundPoint) -> str:
    """The node with its namespace's URI in place of the index that the server has for it."""
    node: str = _node(spec, bound, 0).NodeId.to_string()
    uri = bound.register.namespace
    return node if uri is None else f"nsu={uri};{node}"


def _node(spec: DeviceSpec, bound: BoundPoint, namespace: int) -> ReadValueId:
    template, number = bound.register.node, {} if bound.n is None else {"n": bound.n}
    if template is None:
        reason = f"register {bound.register.name} of profile {spec.profile.id} has no node"
    else:
        try:
            return value_of(template.format(ns=namespace, **number))
        except KeyError as error:
            reason = f"node {template!r}: the point gives nothing for {error}"
        except (ValueError, IndexError) as error:
            reason = f"node {template!r}: {error}"
    raise DeviceError(f"device {spec.id}: point {bound.point.id}: {reason}", retry=False)
