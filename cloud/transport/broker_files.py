"""Configuration of a broker: TLS, who may come in, and who may publish and read what. Pure.

Everybody shows a certificate and is called by it. A gateway writes and reads its own topics, the
collector those of its slice, a relay what it needs of the streams it forwards, and nobody anything
else. Measured with mosquitto 2.0.21 and
nats-server 2.15.1:

- mosquitto calls a client by its common name, `<plant>/<gateway>`, so one pattern is right for all
  gateways; a revoked certificate is kept out by `crlfile`, and a name that has no key any more by
  `deny`, in sessions that stand too. It acknowledges what it drops. `use_username_as_clientid`
  makes the client id the common name, so nobody throws another off. A relay has a connection for
  each stream, and ids are the same for all listeners: with relays that is left out. Over WebSocket
  it does not look at `crlfile`, so it gets no such listener.
- mosquitto looks at rights when it delivers, and keeps any subscription: its memory has a bound.
- nats-server knows no revocation lists. It calls a client by its URI, which names the key, and lets
  in whom the list names: a revoked key is not on it. MQTT's `/` is its `.`; subscriptions need
  `$MQTT.sub.>`, by which its own protocol gives all that is delivered at QoS 1, to whomever it is:
  so each certificate is good for MQTT alone (`allowed_connection_types`; its WebSocket port speaks
  both). It acknowledges what it drops. Its own protocol's port needs the same TLS, or anybody on
  the machine could name himself as he likes there. Client ids are free in it.
- Each slice is an account of nats-server, with streams, retained messages, sessions and client ids
  of its own, so what one collector may do ends at its slice. An account that has no bound of its
  own fills the disk of all (tried: then no slice gets anything through), so several share it. All
  256 are there from the beginning (7 MB of memory): a node that reads of one later than another
  never hears of those who came to it there; one that is taken away holds reading up for 20 s.
- Several nats-servers as one say everything to each other, past all permissions, and any
  certificate of the CA that is good for a client would let its holder in there: so each takes the
  keys of the nodes and no other (`pinned_certs`). Streams are at three nodes; `stream_replicas`
  counts for those that do not exist yet.

Where client ids are free, they are secrets of those who use them (`evidence.client_id`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from cloud.broker import MAX_ACK_PENDING, MAX_PAYLOAD_BYTES
from cloud.collector.topics import (
    CERTIFICATE,
    CONFIG,
    FRAMES,
    LIVE,
    ORDER,
    PREFIX,
    RECEIPTS,
    RENEW,
    STATE,
)

RELAY = "relay"  # a relay's birth and last will
ROUTE_PORT = 6222
#: nodes that hold each stream: one of them may be lost
REPLICAS = 3
UP, DOWN = (FRAMES, LIVE, STATE, RENEW), (RECEIPTS, CONFIG, CERTIFICATE, ORDER)
#: what mosquitto keeps for a collector that does not come after: more is dropped and sent again
MAX_QUEUED_BYTES = 256 * 1024 * 1024
#: of what it has handed over and nobody has acknowledged; 1,000 large frames would be its memory
MAX_INFLIGHT_BYTES = 64 * 1024 * 1024
#: of mosquitto's memory: it keeps any subscription, granted or not (tried: 5 GB in 8 s by one). Who
#: needs more is cut off, and the broker goes on
MEMORY_BYTES = 1024 * 1024 * 1024
#: a packet holds a topic of 64 KiB besides; without a bound mosquitto takes 256 MB of one
MAX_PACKET_BYTES = MAX_PAYLOAD_BYTES + 64 * 1024 + 16
#: of nats-server's disk at one node, for all slices
MAX_FILE_MB = 4096
#: after which nats-server alone forgets what somebody subscribed who is away: ours ask anew. Not in
#: a cluster, where a node that is cut off would take who is connected to it for one of these
GONE = "1m"
#: connections that nats-server grants a slice, and more for each that its certificates need (of a
#: relay one a stream): it may not have missed old ones yet. Who opens them without end keeps nobody
#: of another slice out
SPARE_CONNECTIONS, CONNECTIONS_EACH = 64, 4
#: subscriptions of QoS 1 that one connection needs, of whomever. Each is a consumer, of which
#: nats-server 2.15 grants 1,000 where a file does not say more: 333 gateways, and no other one got
#: a receipt
FILTERS_EACH = 4
#: what a slice's collector may ask of nats-server: `cloud.transport.sessions`
PURGE_SESSIONS, PURGE_MESSAGES = (
    f"$JS.API.STREAM.PURGE.{stream}" for stream in ("$MQTT_sess", "$MQTT_msgs")
)
#: ids of all that there can be
SLICES = [f"{n:02x}" for n in range(256)]
_MQTT_ALONE = 'allowed_connection_types: ["MQTT", "MQTT_WS"]'
HEAD = "# written by stackproof cloud broker config; written anew by it, so change nothing here\n"


@dataclass(frozen=True)
class Place:
    """Where the broker will be.

    Attributes:
        folder: of these files and ca.crt, crl.pem, server.crt, server.pem; absolute.
        host, port: to listen on.
        user: as whom mosquitto goes on when root has started it; "" for its own.
        websocket: nats-server's port of MQTT over WebSocket, same TLS and rights; None: nowhere.
        node: which one of `Known.nodes` it is; "" for a broker alone.
        route_port: on which nodes reach each other, the same at all.
    """

    folder: str
    host: str
    port: int
    user: str = ""
    websocket: int | None = None
    node: str = ""
    route_port: int = ROUTE_PORT


@dataclass(frozen=True)
class Known:
    """Whom the broker lets in.

    Attributes:
        slices: whose collectors and gateways; of `conflict` there is none.
        nodes: the brokers that are one, where there are several.
    """

    slices: Sequence["KnownSlice"]
    nodes: Sequence["KnownNode"] = ()


@dataclass(frozen=True)
class KnownSlice:
    """A collector and those who speak to it.

    Attributes:
        file: its CLOUD.toml, which calls it for people.
        register: folder of its gateways' certificates.
        slice_id: whose topics.
        collector: its common name.
        collector_uri: of its certificate.
        gateways: (plant, gateway, URI of its certificate).
        relays: who forwards for gateways that do not come themselves.
        ended: (plant, gateway) whose every key is revoked.
    """

    file: Path
    register: Path
    slice_id: str
    collector: str
    collector_uri: str
    gateways: Sequence[tuple[str, str, str]]
    relays: Sequence["KnownRelay"] = ()
    ended: Sequence[tuple[str, str]] = ()

    @property
    def plants(self) -> dict[str, str]:
        """Plant -> one of its gateways that may come, itself or by a relay."""
        streams = [stream for relay in self.relays for stream in relay.streams]
        return dict([*streams, *((plant, gateway) for plant, gateway, _ in self.gateways)])


@dataclass(frozen=True)
class KnownRelay:
    """A relay.

    Attributes:
        name, uri: of its certificate.
        streams: (plant, gateway) that it forwards.
    """

    name: str
    uri: str
    streams: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class KnownNode:
    """One broker of several that are one.

    Attributes:
        name: of its certificate, `node-<name>`.
        host: at which the others reach it.
        key: SHA-256 of its TLS key, hex.
    """

    name: str
    host: str
    key: str


def conflict(slices: Sequence[KnownSlice]) -> str:
    """Why these collectors cannot have one broker, a sentence; "" where they can."""
    return next((said for pair in combinations(slices, 2) for said in _conflicts(*pair)), "")


def _conflicts(one: KnownSlice, other: KnownSlice) -> Iterator[str]:
    both = f"{one.file} and {other.file}"
    if one.slice_id == other.slice_id:
        yield f"{both} are both of slice {one.slice_id}: each collector needs a slice of its own"
    if one.collector == other.collector:
        yield (
            f"{both} are both {one.collector} at the broker: make the second one's certificate "
            "with cloud broker new --slice"
        )
    for plant in sorted(one.plants.keys() & other.plants.keys()):
        yield (
            f"plant {plant} is at two collectors: {plant}/{one.plants[plant]} at {one.file}, "
            f"{plant}/{other.plants[plant]} at {other.file}. Where it is no more: broker revoke "
            "each of its keys, or take it out of [[broker.relay]]"
        )
    for name in sorted({r.name for r in one.relays} & {r.name for r in other.relays}):
        yield f"{both} both name {name}: a relay forwards into one slice, make another one"


def mosquitto_files(place: Place, known: Known) -> dict[str, str]:
    """File name -> text: mosquitto.conf and its acl, of the one slice."""
    (only,) = known.slices
    base = f"{PREFIX}/{only.slice_id}"
    conf = f"""\
{HEAD}per_listener_settings false
allow_anonymous false
acl_file {place.folder}/acl
# what it loses is sent again: custody is in receipts
persistence false
max_inflight_messages 1000
max_inflight_bytes {MAX_INFLIGHT_BYTES}
max_queued_messages 10000
max_queued_bytes {MAX_QUEUED_BYTES}
message_size_limit {MAX_PAYLOAD_BYTES}
max_packet_size {MAX_PACKET_BYTES}
memory_limit {MEMORY_BYTES}
# nobody of ours has one kept; what it had the broker hold, a revoked one too, went with a restart
persistent_client_expiration 1h
listener {place.port} {place.host}
# nobody of ours sends at QoS 2, of which 1,000 may wait here half done, 2 GB of memory a client
max_qos 1
cafile {place.folder}/ca.crt
certfile {place.folder}/server.crt
keyfile {place.folder}/server.pem
crlfile {place.folder}/crl.pem
tls_version tlsv1.2
require_certificate true
use_identity_as_username true
"""
    conf += "" if only.relays else "use_username_as_clientid true\n"
    conf += f"user {place.user}\n" if place.user else ""
    acl = [f"user {only.collector}"]
    acl += [f"topic read {base}/+/+/{leaf}" for leaf in UP]
    acl += [f"topic write {base}/+/+/{leaf}" for leaf in DOWN]
    for relay in only.relays:
        acl += ["", f"user {relay.name}"]
        for plant, gateway in relay.streams:
            acl += [f"topic write {base}/{plant}/{gateway}/{leaf}" for leaf in (FRAMES, RELAY)]
            acl += [f"topic read {base}/{plant}/{gateway}/{RECEIPTS}"]
    for plant, gateway in only.ended:
        acl += ["", f"user {plant}/{gateway}", f"topic deny {PREFIX}/#"]
    acl += ["", "# every gateway: %u is <plant>/<gateway>, as its certificate says"]
    acl += [f"pattern write {base}/%u/{leaf}" for leaf in UP]
    acl += [f"pattern read {base}/%u/{leaf}" for leaf in DOWN]
    return {"mosquitto.conf": conf, "acl": HEAD + "\n".join(acl) + "\n"}


def nats_files(place: Place, known: Known) -> dict[str, str]:
    """File name -> text: nats.conf."""
    share = MAX_FILE_MB * (REPLICAS if place.node else 1) // len(known.slices)  # all copies count
    part = f", max_file: {share}MB" if len(known.slices) > 1 else ""
    used = {one.slice_id: _account(one, part) for one in known.slices}
    accounts = "".join(
        used.get(name, f"slice-{name} {{ jetstream: enabled }}\n") for name in SLICES
    )
    own = (
        f'cert_file: "{place.folder}/server.crt", key_file: "{place.folder}/server.pem", '
        f'ca_file: "{place.folder}/ca.crt"'
    )
    tls = f"tls {{ {own}, verify_and_map: true, timeout: 5 }}"
    more = (
        f"stream_replicas: {REPLICAS}" if place.node else f'consumer_inactive_threshold: "{GONE}"'
    )
    conf = f"""\
{HEAD}server_name: {place.node or "stackproof"}
listen: "127.0.0.1:-1"
{tls}
max_payload: {MAX_PAYLOAD_BYTES}
jetstream {{ store_dir: "{place.folder}/jetstream", max_mem: 64MB, max_file: {MAX_FILE_MB}MB }}
mqtt {{
  listen: "{_at(place.host, place.port)}"
  ack_wait: "30s", max_ack_pending: {MAX_ACK_PENDING}
  # nobody of ours sends so; what waits half done fills the disk of a slice, and lets nobody in
  reject_qos2_publish: true
  {tls}
  {more}
}}
accounts {{
{accounts}}}
"""
    if place.websocket is not None:
        conf += f'websocket {{ listen: "{_at(place.host, place.websocket)}", {tls} }}\n'
    if place.node:
        conf += _cluster(place, known.nodes, own)
    return {"nats.conf": conf}


def _account(known: KnownSlice, part: str) -> str:
    base = f"{PREFIX}/{known.slice_id}".replace("/", ".")
    mine = _user(known.collector_uri, [f"{base}.*.*"], writes=DOWN, reads=UP)
    may = f'"{PURGE_SESSIONS}", "{PURGE_MESSAGES}"'
    users = [mine.replace("publish: [", f"publish: [{may}, ")]
    users += [
        _user(uri, [f"{base}.{plant}.{gateway}"], writes=UP, reads=DOWN)
        for plant, gateway, uri in known.gateways
    ]
    for relay in known.relays:
        bases = [f"{base}.{plant}.{gateway}" for plant, gateway in relay.streams]
        users.append(_user(relay.uri, bases, writes=(FRAMES, RELAY), reads=(RECEIPTS,)))
    needed = 1 + len(known.gateways) + sum(len(relay.streams) for relay in known.relays)
    connections = SPARE_CONNECTIONS + CONNECTIONS_EACH * needed
    bound = f"{{ max_consumers: {FILTERS_EACH * connections}{part} }}"
    limits = f"jetstream: {bound}, limits {{ max_connections: {connections} }}"
    return f"slice-{known.slice_id} {{ {limits}, users: [\n{''.join(users)}] }}\n"


def _cluster(place: Place, nodes: Sequence[KnownNode], own: str) -> str:
    at = {node.name: _at(node.host, place.route_port) for node in nodes}
    routes = ", ".join(f'"nats-route://{address}"' for address in at.values())
    pinned = ", ".join(f'"{node.key}"' for node in nodes)
    return f"""\
cluster {{
  name: stackproof
  listen: "{_at(place.host, place.route_port)}", advertise: "{at[place.node]}"
  routes: [{routes}]
  # every certificate of the CA would do otherwise, a gateway's too
  tls {{ {own}, timeout: 5, pinned_certs: [{pinned}] }}
}}
"""


def _at(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _user(uri: str, bases: Sequence[str], *, writes: Sequence[str], reads: Sequence[str]) -> str:
    publish = ", ".join(f'"{base}.{leaf}"' for base in bases for leaf in writes)
    heard = [f'"{base}.{leaf}"' for base in bases for leaf in reads]
    subscribe = ", ".join([*heard, '"$MQTT.sub.>"'])
    allowed = f"publish: [{publish}], subscribe: [{subscribe}]"
    return f'  {{ user: "{uri}", {_MQTT_ALONE}, permissions: {{ {allowed} }} }}\n'
