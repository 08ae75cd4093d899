"""One connection to an OPC UA server: channel, session, subscription; here asyncua is touched.

What it guarantees, and where:
- reading services only: `_ReadsOnly` sees every request before it is sent, ours and asyncua's own,
  and lets through what reads; `Session.ask` is the one place that reads values;
- what a server sends has a bound (`edge.drivers.opcua.bounds`), and goes into no log as it is;
- a server must be believed (`edge.drivers.opcua.certificates`) before it is told who we are;
- asyncua's own reconnect is off: what it would hide is a gap that belongs into the evidence. A
  session that is lost is thrown away whole, client, socket and tasks (`drop`).
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from time import monotonic
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.client.ua_client import UaClientState
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.observer import Observer
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIdNames, ObjectIds
from asyncua.ua.uaerrors import UaError

from edge.drivers.opcua.bounds import ANSWER_BYTES_MAX, bind, check_life
from edge.drivers.opcua.certificates import Secured, certificate_of, check_dates, check_server
from edge.drivers.opcua.credentials import read_credentials
from edge.drivers.opcua.options import Options, Revised
from edge.drivers.opcua.refusals import (
    LOGIN_CODES,
    LoginRefusedError,
    RefusedError,
    by_server,
    clear_password,
    not_offered,
)
from edge.drivers.opcua.security import OpcUaSecurity

# What asyncua would log at each loss, with a traceback, reaches the caller as an error; what a
# server gives as its reason it would log whole, as CRITICAL.
for _name in ("asyncua.client", "asyncua.crypto", "asyncua.uaprotocol"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)

DataValue = ua.DataValue
ReadValueId = ua.ReadValueId

NAME = "stackproof edge"
ANONYMOUS_URI = "urn:stackproof:edge"  # ours while there is no certificate that says another
SESSION_MS = 60_000.0  # a server has few sessions; one we lost must not be held for an hour
CHANNEL_MS = 3_600_000  # after three quarters of it asyncua renews the channel's keys
KEEP_SESSION_S = 15.0  # asyncua reads the server's state this often, so slow polls keep theirs
CHILDREN_S = 60.0
NOTIFICATIONS_MAX = 2_000  # a message: 70 kB of numbers; what is more comes with the next
_SILENT_KEEPALIVES = 3  # missing in a row: the subscription is dead though the server is not

_ALLOWED = frozenset(
    {
        "GetEndpointsRequest", "CreateSessionRequest", "ActivateSessionRequest",
        "CloseSessionRequest", "ReadRequest", "BrowseRequest", "BrowseNextRequest",
        "CreateSubscriptionRequest", "CreateMonitoredItemsRequest", "PublishRequest",
        "DeleteSubscriptionsRequest",
    }
)  # fmt: skip


class _ReadsOnly(Observer):
    """The gate every request of a connection passes before it is sent."""

    def __init__(self, *, is_encrypted: bool) -> None:
        self._is_encrypted = is_encrypted

    def observe_request(self, request: Any) -> AbstractContextManager[None]:  # noqa: ANN401 - asyncua
        name = type(request).__name__
        if name not in _ALLOWED:
            raise RuntimeError(f"OPC UA {name} must never leave the edge")
        if name == "ActivateSessionRequest" and not self._is_encrypted:
            token = request.Parameters.UserIdentityToken
            if isinstance(token, ua.UserNameIdentityToken) and not token.EncryptionAlgorithm:
                raise clear_password()
        return nullcontext()


def value_of(node: str) -> ua.ReadValueId:
    """What asks for the Value of a node, given as "ns=2;s=name"; ValueError when it is no node."""
    try:
        return value_of_id(ua.NodeId.from_string(node))
    except UaError as error:
        raise ValueError(str(error)) from None


def value_of_id(node_id: ua.NodeId) -> ua.ReadValueId:
    """What asks for the Value of a node."""
    return ua.ReadValueId(NodeId=node_id, AttributeId=AttributeIds.Value)


def content_of(answer: ua.DataValue) -> Any:  # noqa: ANN401 - whatever a variant holds
    """What a DataValue holds; None when that is nothing."""
    return answer.Value.Value if answer.Value is not None else None


def attribute_of(node_id: ua.NodeId, attribute: int) -> ua.ReadValueId:
    """What asks for another attribute of a node."""
    return ua.ReadValueId(NodeId=node_id, AttributeId=AttributeIds(attribute))


def type_name(data_type: ua.NodeId) -> str:
    """The name of a data type of OPC UA's own, the node id of another."""
    number = data_type.Identifier if data_type.NamespaceIndex == 0 else None
    name = ObjectIdNames.get(number) if isinstance(number, int) else None
    return name or data_type.to_string()


def _of_server(number: int) -> ua.ReadValueId:
    return value_of_id(ua.NodeId(ua.Int32(number)))


NAMESPACES = _of_server(ObjectIds.Server_NamespaceArray)
NODES_PER_BROWSE = _of_server(ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerBrowse)
NODES_PER_READ = _of_server(ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead)
ITEMS_PER_CALL = _of_server(
    ObjectIds.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall
)
OBJECTS = ua.NodeId(ua.Int32(ObjectIds.ObjectsFolder))
_SERVER_TIME = _of_server(ObjectIds.Server_ServerStatus_CurrentTime)


class Session:
    """A connection, used once: opened, asked, and thrown away.

    Attributes:
        lost: why connection or subscription can no longer be trusted; "" while they can.
        is_passing: says whether an answer that is too long is running past.
    """

    def __init__(
        self, endpoint: str, security: OpcUaSecurity, timeout_s: float,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
    ) -> None:  # fmt: skip
        self._security = security
        self._client = Client(endpoint, timeout=timeout_s, watchdog_intervall=KEEP_SESSION_S)
        uaclient = self._client.uaclient
        uaclient.observer = _ReadsOnly(
            is_encrypted=security.mode == ua.MessageSecurityMode.SignAndEncrypt.name
        )
        self.is_passing = bind(uaclient, answer_bytes_max, partial(setattr, self, "lost"))
        self._secured: Secured | None = None
        self.lost = ""
        self._heard_s = 0.0
        self._silent_after_s = 0.0
        self._sequence = 0
        self._on_value: Callable[[int, ua.DataValue], None] = lambda _, __: None

    @property
    def is_open(self) -> bool:
        """True until the connection is lost or ended."""
        return self._client.state is UaClientState.CONNECTED

    async def open(self) -> None:
        """Make channel and session.

        Raises:
            RefusedError: by us or by the server; the sentence says what to do.
            CredentialError: a file cannot be used.
            Exception: whatever a server or a broken link makes asyncua raise.
        """
        client = self._client
        client.name = client.description = NAME
        client.application_uri = ANONYMOUS_URI
        client.session_timeout = SESSION_MS  # type: ignore[assignment] # a Duration, not an int
        client.secure_channel_timeout = CHANNEL_MS
        if (credentials := read_credentials(self._security)) is not None:
            await self._secure(Secured(self._security, credentials))
        try:
            await client.connect()
        except UaError as error:
            raise self._explained(error) from error
        except (ConnectionError, AssertionError) as error:  # asserts that no fault is the answer
            if self._secured is None:
                raise
            raise RefusedError(
                "the server ended the connection while it was being secured; a server that does "
                "not trust this client may do so: " + self._by_server("BadSecurityChecksFailed")
            ) from error
        check_life(client.secure_channel_timeout)

    async def offers(self) -> list[ua.EndpointDescription]:
        """What the server offers to anybody: asked over a channel of its own, which is ended."""
        return await self._client.connect_and_get_server_endpoints()

    async def _secure(self, secured: Secured) -> None:
        """Get the server's certificate, check it, and use it and ours from here on."""
        self._secured, client = secured, self._client
        await check_dates(secured.certificate, f"this client's {secured.credentials.own.where}")
        client.application_uri = secured.uri
        mode = ua.MessageSecurityMode[self._security.mode]
        offers = await self.offers()
        for offer in offers:
            if offer.SecurityMode == mode and offer.SecurityPolicyUri == (
                SecurityPolicyBasic256Sha256.URI
            ):
                break
        else:
            raise not_offered(self._security.policy, (_offer_name(offer) for offer in offers))
        server = certificate_of(offer.ServerCertificate)
        await check_server(server, offer.Server, secured)
        policy = SecurityPolicyBasic256Sha256(  # type: ignore[no-untyped-call] # asyncua
            server, secured.certificate, secured.key, mode
        )
        client.security_policy = policy  # type: ignore[assignment] # it says the first one's class
        client.uaclient.set_security(policy)
        if secured.credentials.user:
            client.set_user(secured.credentials.user)
            client.set_password(secured.credentials.password)
        client.user_certificate = secured.user_certificate
        client.user_private_key = secured.user_key

    def _by_server(self, code: str) -> str:
        own = self._secured.thumbprint if self._secured else ""
        return by_server(code, self._security, own, self._client.application_uri)

    def _explained(self, error: UaError) -> Exception:
        code = type(error).__name__
        sentence = self._by_server(code)
        if not sentence:
            return error
        return LoginRefusedError(sentence) if code in LOGIN_CODES else RefusedError(sentence)

    async def ask(self, nodes: Sequence[ua.ReadValueId]) -> list[ua.DataValue]:
        """The one place that reads: one Read service call."""
        parameters = ua.ReadParameters(
            MaxAge=0,
            TimestampsToReturn=ua.TimestampsToReturn.Source,
            NodesToRead=list(nodes),
        )
        return await self._client.uaclient.read(parameters)

    async def subscribe(
        self,
        items: Sequence[tuple[int, ua.ReadValueId]],
        options: Options,
        per_call: int,
        on_value: Callable[[int, ua.DataValue], None],
    ) -> Revised:
        """Have the server push the values of nodes.

        Args:
            items: a handle and what to watch, each.
            options: how often, and how many values may wait.
            per_call: items a request holds at most.
            on_value: called with handle and value for every one that comes.
        """
        self._on_value = on_value
        made = await self._client.uaclient.create_subscription(
            ua.CreateSubscriptionParameters(
                RequestedPublishingInterval=options.publishing_ms,
                RequestedLifetimeCount=options.lifetimes,
                RequestedMaxKeepAliveCount=options.keepalives,
                MaxNotificationsPerPublish=NOTIFICATIONS_MAX,
                PublishingEnabled=True,
            ),
            self._published,
        )
        keepalive_ms = made.RevisedPublishingInterval * made.RevisedMaxKeepAliveCount
        self._silent_after_s = _SILENT_KEEPALIVES * keepalive_ms / 1000
        self._heard_s = monotonic()
        statuses: list[ua.StatusCode] = []
        slowest = 0.0
        for start in range(0, len(items), per_call):
            part = items[start : start + per_call]
            request = ua.CreateMonitoredItemsParameters(
                SubscriptionId=made.SubscriptionId,
                TimestampsToReturn=ua.TimestampsToReturn.Source,
                ItemsToCreate=[_monitored(handle, node, options) for handle, node in part],
            )
            results = await self._client.uaclient.create_monitored_items(request)
            for _, result in zip(part, results, strict=True):
                statuses.append(result.StatusCode)
                if result.StatusCode.is_good():
                    slowest = max(slowest, result.RevisedSamplingInterval)
        return Revised(made.RevisedPublishingInterval, tuple(statuses), slowest)

    def _published(self, result: ua.PublishResult) -> None:
        """Called by asyncua for every answer to Publish, keep-alives included."""
        self._heard_s = monotonic()
        message = result.NotificationMessage
        if self.lost or not message.NotificationData:
            return  # what went wrong first is what is told; or a keep-alive
        # a missing number is a message that nobody will send again: values unknown (Part 4, 7.26)
        expected = self._sequence % 0xFFFF_FFFF + 1
        if self._sequence and message.SequenceNumber not in (expected, 0):
            self.lost = f"notification {expected} of the subscription was lost"
            return
        self._sequence = message.SequenceNumber
        try:
            for note in message.NotificationData:
                if isinstance(note, ua.DataChangeNotification):
                    for item in note.MonitoredItems:
                        self._on_value(item.ClientHandle, item.Value)
                elif isinstance(note, ua.StatusChangeNotification):
                    self.lost = f"the server ended the subscription: {note.Status.name}"
        except Exception as error:  # noqa: BLE001 - asyncua would swallow it, and the values with it
            self.lost = f"a notification could not be understood: {error!r}"

    async def check_alive(self) -> None:
        """ConnectionError when server or subscription is dead, however quiet good values are."""
        (answer,) = await self.ask([_SERVER_TIME])
        if answer.StatusCode is not None and not answer.StatusCode.is_good():
            raise ConnectionError(f"the server does not tell its time: {answer.StatusCode.name}")
        silent_s = monotonic() - self._heard_s
        if silent_s > self._silent_after_s:
            raise ConnectionError(f"the subscription has been silent for {silent_s:.0f} s")
        if self.lost:
            raise ConnectionError(self.lost)

    async def children(self, nodes: Sequence[ua.NodeId], each_max: int) -> list[Any]:
        """Browse, and BrowseNext for `CHILDREN_S`: for each node the references below it."""
        ends_s = monotonic() + CHILDREN_S
        wanted = ua.BrowseParameters(
            RequestedMaxReferencesPerNode=ua.UInt32(each_max),
            NodesToBrowse=[_below(n) for n in nodes],
        )
        results = await self._client.uaclient.browse(wanted)
        found: list[Any] = [list(result.References or ()) for result in results]
        for place, result in enumerate(results):
            point = result.ContinuationPoint
            while point:
                # the last question gives the server its memory of the list back
                is_enough = len(found[place]) >= each_max or monotonic() > ends_s
                (more,) = await self._client.uaclient.browse_next(
                    ua.BrowseNextParameters(
                        ReleaseContinuationPoints=is_enough, ContinuationPoints=[point]
                    )
                )
                found[place] += more.References or ()
                point = None if is_enough else more.ContinuationPoint
        return found

    async def close(self) -> None:
        """End session and connection; raises nothing."""
        if self.is_open:
            await self._client.disconnect()

    async def drop(self) -> None:
        """Throw the client away at once: its socket, then every task it has started."""
        # asyncua leaves the socket open when its watchdog has given up, and does not wait for the
        # tasks it cancels; hence the reach into its private names
        client = self._client
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


def _offer_name(offer: ua.EndpointDescription) -> str:
    policy = str(offer.SecurityPolicyUri).rpartition("#")[2]
    return f"{policy}-{offer.SecurityMode.name}"


def _monitored(
    handle: int, node: ua.ReadValueId, options: Options
) -> ua.MonitoredItemCreateRequest:
    return ua.MonitoredItemCreateRequest(
        ItemToMonitor=node,
        MonitoringMode=ua.MonitoringMode.Reporting,
        RequestedParameters=ua.MonitoringParameters(
            ClientHandle=handle,
            SamplingInterval=options.sampling_ms,
            QueueSize=options.queue,
            DiscardOldest=True,
        ),
    )


def _below(node: ua.NodeId) -> ua.BrowseDescription:
    return ua.BrowseDescription(
        NodeId=node,
        BrowseDirection=ua.BrowseDirection.Forward,
        ReferenceTypeId=ua.NodeId(ua.Int32(ObjectIds.HierarchicalReferences)),
        IncludeSubtypes=True,
        NodeClassMask=ua.NodeClass.Object | ua.NodeClass.Variable,
        ResultMask=ua.BrowseResultMask.All,
    )
