"""OPC UA: reads one server's nodes and nothing else; the only file that touches asyncua.

What it guarantees, and where:
- reading services only: `_ReadsOnly` sees every request of the session before it is sent, ours
  and asyncua's own, and lets through what reads; `OpcUaDriver._ask` is the one place that reads;
- status code and source time of every value are kept (`edge.drivers.opcua.decode`);
- a lost connection is thrown away whole, client, session and tasks; the next one is new. asyncua's
  own reconnect is off: what it would hide is a gap that belongs into the evidence;
- whether the server lives is judged by asking it for its time, never by values that change.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from time import monotonic
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.client.ua_client import UaClientState
from asyncua.observer import Observer
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.uaerrors import UaError

from edge.drivers.address import Address, parse_address, wrong
from edge.drivers.base import BoundPoint, DeviceError, DeviceSpec, Sample
from edge.drivers.complaints import Complaints
from edge.drivers.opcua.decode import Value, decode_value, status_quality
from evidence.quality import Quality

_LOG = logging.getLogger(__name__)
# What asyncua would log at each loss, with a traceback, reaches the caller as a DeviceError.
logging.getLogger("asyncua.client").setLevel(logging.CRITICAL)

PORT = 4840  # registered with IANA for OPC UA
NODES_PER_REQUEST = 1000  # or fewer, when the server's OperationLimits say so

#: Subscriptions: what we ask of the server. The page shows a change within 250 ms (decisions).
PUBLISHING_MS = 250.0
SAMPLING_MS = 100.0
QUEUE_SIZE = 10
KEEPALIVE_COUNT = 20  # publishing intervals without a change until it says "still here": 5 s
LIFETIME_COUNT = 240  # publishing intervals it keeps a subscription nobody fetches from: 60 s
_SILENT_KEEPALIVES = 3  # missing in a row: the subscription is dead though the server is not

SESSION_MS = 60_000.0  # a server has few sessions; one we lost must not be held for an hour
_KEEP_SESSION_S = 15.0  # asyncua reads the server's state this often, so slow polls keep theirs

_ALLOWED = frozenset(
    {
        "CreateSessionRequest", "ActivateSessionRequest", "CloseSessionRequest", "ReadRequest",
        "CreateSubscriptionRequest", "CreateMonitoredItemsRequest", "PublishRequest",
        "DeleteSubscriptionsRequest",
    }
)  # fmt: skip


def _value_of(node_id: ua.NodeId) -> ua.ReadValueId:
    return ua.ReadValueId(NodeId=node_id, AttributeId=AttributeIds.Value)


_NAMESPACES, _NODES_PER_READ, _SERVER_TIME = (
    _value_of(ua.NodeId(ua.Int32(number)))
    for number in (
        ObjectIds.Server_NamespaceArray,
        ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead,
        ObjectIds.Server_ServerStatus_CurrentTime,
    )
)


class _ReadsOnly(Observer):
    """The gate every request of a session passes before it is sent."""

    def observe_request(self, request: Any) -> AbstractContextManager[None]:  # noqa: ANN401 - asyncua
        name = type(request).__name__
        if name not in _ALLOWED:
            raise RuntimeError(f"OPC UA {name} must never leave the edge")
        return nullcontext()


class OpcUaDriver:
    """One OPC UA server behind `opc.tcp://host[:port][/path][?mode=read|subscribe]`.

    `read` (the default) asks for every value at every read. `subscribe` has the server push
    changes and gives the newest of each node; the source time is then that of the last change.

    Raises (at construction):
        DeviceError: with `retry` False when the URL or a point cannot work as configured.
    """

    def __init__(self, spec: DeviceSpec) -> None:
        self._spec = spec
        address = parse_address(spec, port=PORT, options=("mode",))
        mode = address.options.get("mode", "read")
        if mode not in ("read", "subscribe"):
            raise wrong(spec, f"mode {mode!r} is not one of read subscribe")
        self._is_subscribing = mode == "subscribe"
        self._endpoint = _endpoint(address)
        self._name = f"device {spec.id} ({self._endpoint})"
        for bound in spec.points:
            _node_id(spec, bound, 0)  # a template that cannot work is known before connecting
        self._values = [Value.of(bound.register) for bound in spec.points]
        self._complaints = Complaints(_LOG, spec.id)
        self._wanted = False
        self._client: Client | None = None
        self._chunk = NODES_PER_REQUEST
        self._nodes: list[ua.ReadValueId | None] = []
        self._newest: list[Sample] = []
        self._heard_s = 0.0
        self._silent_after_s = 0.0
        self._lost = ""

    async def connect(self) -> None:
        """Open channel and session and find the nodes; about six answers, each `timeout_s`."""
        self._wanted = True
        await self._open()

    async def read(self) -> Sequence[Sample]:
        """One sample a point; each question it asks takes at most `timeout_s`."""
        if not self._wanted:
            raise DeviceError(f"{self._name}: not connected; connect first")
        await self._open()
        try:
            if None in self._nodes:
                await self._find_nodes_again()
            if self._is_subscribing:
                await self._check_alive()
                return list(self._newest)
            return await self._read_all()
        except Exception as error:  # whatever a server makes asyncua raise: it cannot be used
            await self._give_up()
            raise self._device_error(error) from error
        except BaseException:
            await self._give_up()
            raise

    async def close(self) -> None:
        """End session and connection; a read under way ends with DeviceError."""
        self._wanted = False
        client = self._client
        if client is not None and client.state is UaClientState.CONNECTED:
            await client.disconnect()  # logs what fails and raises nothing
        await self._give_up()

    async def _open(self) -> None:
        if self._client is not None and self._client.state is UaClientState.CONNECTED:
            return
        await self._drop()
        self._client = client = Client(
            self._endpoint, timeout=self._spec.timeout_s, watchdog_intervall=_KEEP_SESSION_S
        )
        client.name = client.description = "stackproof edge"
        client.application_uri = "urn:stackproof:edge"
        client.session_timeout = SESSION_MS  # type: ignore[assignment] # a Duration, not an int
        client.uaclient.observer = _ReadsOnly()
        self._lost = ""
        try:
            await client.connect()
            await self._find_nodes()
            if self._is_subscribing:
                await self._subscribe(client)
        except Exception as error:
            await self._give_up()
            raise self._device_error(error) from error
        except BaseException:
            await self._give_up()
            raise

    async def _ask(self, nodes: Sequence[ua.ReadValueId]) -> list[ua.DataValue]:
        """The one place that reads: one Read service call."""
        if self._client is None:
            raise ConnectionError("the connection was closed")
        parameters = ua.ReadParameters(
            MaxAge=0,
            TimestampsToReturn=ua.TimestampsToReturn.Source,
            NodesToRead=list(nodes),
        )
        return await self._client.uaclient.read(parameters)

    async def _find_nodes(self) -> None:
        """Give every point its node id, with the index the server has for its namespace today."""
        uris_answer, limit_answer = await self._ask([_NAMESPACES, _NODES_PER_READ])
        uris = uris_answer.Value.Value if uris_answer.Value else None
        if not isinstance(uris, list):
            raise ConnectionError("the server does not tell its namespaces")
        limit = limit_answer.Value.Value if limit_answer.Value else None
        if isinstance(limit, int) and limit > 0:  # 0: no limit of the server's own
            self._chunk = min(NODES_PER_REQUEST, limit)
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
            self._nodes.append(_value_of(_node_id(self._spec, bound, index)))

    async def _find_nodes_again(self) -> None:
        """Look once more for namespaces that were missing: the server may have been starting."""
        missing = self._nodes.count(None)
        await self._find_nodes()
        if self._is_subscribing and self._nodes.count(None) != missing:
            raise ConnectionError("the server has new namespaces; subscribe anew")

    async def _read_all(self) -> list[Sample]:
        samples = [Sample(None, Quality.NO_ANSWER)] * len(self._nodes)
        asked = [(i, node) for i, node in enumerate(self._nodes) if node is not None]
        for index, node in enumerate(self._nodes):
            if node is None:
                samples[index] = Sample(None, Quality.DEVICE_REFUSED)
        for start in range(0, len(asked), self._chunk):
            part = asked[start : start + self._chunk]
            try:
                answers = await self._ask([node for _, node in part])
            except TimeoutError:
                if start == 0:
                    raise
                await self._drop()  # the rest of this read is NO_ANSWER; the next one reconnects
                return samples
            if len(answers) != len(part):
                answers = [ua.DataValue()] * len(part)  # no value: WRONG_ANSWER, each of them
            for (index, _), answer in zip(part, answers, strict=True):
                samples[index] = self._sample(index, answer)
        return samples

    def _sample(self, index: int, answer: ua.DataValue) -> Sample:
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

    async def _subscribe(self, client: Client) -> None:
        self._newest = await self._read_all()
        parameters = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=PUBLISHING_MS,
            RequestedLifetimeCount=LIFETIME_COUNT,
            RequestedMaxKeepAliveCount=KEEPALIVE_COUNT,
            MaxNotificationsPerPublish=0,  # no limit
            PublishingEnabled=True,
        )
        made = await client.uaclient.create_subscription(parameters, self._published)
        keepalive_ms = made.RevisedPublishingInterval * made.RevisedMaxKeepAliveCount
        self._silent_after_s = _SILENT_KEEPALIVES * keepalive_ms / 1000
        self._heard_s = monotonic()
        if made.RevisedPublishingInterval > PUBLISHING_MS:
            _LOG.warning(
                "%s: the server publishes every %s ms at best", self._name,
                made.RevisedPublishingInterval,
            )  # fmt: skip
        asked = [(i, node) for i, node in enumerate(self._nodes) if node is not None]
        for start in range(0, len(asked), self._chunk):
            part = asked[start : start + self._chunk]
            request = ua.CreateMonitoredItemsParameters(
                SubscriptionId=made.SubscriptionId,
                TimestampsToReturn=ua.TimestampsToReturn.Source,
                ItemsToCreate=[_monitored(index, node) for index, node in part],
            )
            results = await client.uaclient.create_monitored_items(request)
            for (index, _), result in zip(part, results, strict=True):
                if not result.StatusCode.is_good():
                    quality = status_quality(result.StatusCode.value)
                    self._newest[index] = Sample(None, quality)
                    self._complaints.say(
                        self._spec.points[index].point.id,
                        f"cannot be subscribed: {result.StatusCode.name}",
                    )

    def _published(self, result: ua.PublishResult) -> None:
        """Called by asyncua for every answer to Publish, keep-alives included."""
        self._heard_s = monotonic()
        for note in result.NotificationMessage.NotificationData or ():
            if isinstance(note, ua.DataChangeNotification):
                for item in note.MonitoredItems:
                    self._newest[item.ClientHandle] = self._sample(item.ClientHandle, item.Value)
            elif isinstance(note, ua.StatusChangeNotification):
                self._lost = f"the server ended the subscription: {note.Status.name}"

    async def _check_alive(self) -> None:
        """Raise when the server or its subscription is dead, however quiet good values are."""
        (answer,) = await self._ask([_SERVER_TIME])
        if answer.StatusCode is not None and not answer.StatusCode.is_good():
            raise ConnectionError(f"the server does not tell its time: {answer.StatusCode.name}")
        silent_s = monotonic() - self._heard_s
        if silent_s > self._silent_after_s:
            raise ConnectionError(f"the subscription has been silent for {silent_s:.0f} s")
        if self._lost:
            raise ConnectionError(self._lost)

    async def _give_up(self) -> None:
        self._wanted = False
        await self._drop()

    async def _drop(self) -> None:
        """Throw the client away at once: its socket, then every task it has started.

        asyncua leaves the socket open when its own watchdog has given up, and does not wait for
        the tasks it cancels; hence the reach into its private names.
        """
        client, self._client = self._client, None
        if client is None:
            return
        protocol = client.uaclient.protocol
        if protocol is not None and protocol.transport is not None:
            protocol.transport.abort()
        tasks = [
            task
            for task in (
                client._supervisor_task,
                client._stale_watchdog_task,
                client._renew_channel_task,
                client.uaclient._publish_task,
            )
            if task is not None
        ]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # the loop lets go of the socket in its next turn

    def _device_error(self, error: Exception) -> DeviceError:
        if isinstance(error, TimeoutError):
            reason = f"no answer within {self._spec.timeout_s:g} s"
        else:
            reason = str(error) or type(error).__name__
        return DeviceError(
            f"{self._name}: {reason}; check that the server runs and that the address is right"
        )


def _endpoint(address: Address) -> str:
    return f"opc.tcp://{address}{address.path}"


def _node_id(spec: DeviceSpec, bound: BoundPoint, namespace: int) -> ua.NodeId:
    template, number = bound.register.node, {} if bound.n is None else {"n": bound.n}
    if template is None:
        reason = f"register {bound.register.name} of profile {spec.profile.id} has no node"
    else:
        try:
            return ua.NodeId.from_string(template.format(ns=namespace, **number))
        except KeyError as error:
            reason = f"node {template!r}: the point gives nothing for {error}"
        except (ValueError, IndexError, UaError) as error:
            reason = f"node {template!r}: {error}"
    raise DeviceError(f"device {spec.id}: point {bound.point.id}: {reason}", retry=False)


def _monitored(index: int, node: ua.ReadValueId) -> ua.MonitoredItemCreateRequest:
    return ua.MonitoredItemCreateRequest(
        ItemToMonitor=node,
        MonitoringMode=ua.MonitoringMode.Reporting,
        RequestedParameters=ua.MonitoringParameters(
            ClientHandle=index,
            SamplingInterval=SAMPLING_MS,
            QueueSize=QUEUE_SIZE,
            DiscardOldest=True,
        ),
    )
