"""A plant's OPC UA gateway, driven by its device profile. The one simulator file with asyncua.

Read-only: it stands on the loopback of a demonstration. Without security it lets everybody in; with
it, everybody who shows a certificate, and its own is made by itself at each start. Every value
carries the instant of its physical step as source time. Written for asyncua 2.1.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from asyncua import ua
from asyncua.crypto import cert_gen
from asyncua.server.server import Server
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes

from evidence.points import Dtype
from firmware_configs.profile import Profile, Register
from simulators.encode import raw_number
from simulators.manner import WELL, Manner
from simulators.modbus_pdu import BUSY
from simulators.served import Readings, ServeError

_EPOCH = ua.DateTime(1970, 1, 1, tzinfo=UTC)

_VARIANTS = {
    Dtype.U8: ua.VariantType.Byte, Dtype.U16: ua.VariantType.UInt16,
    Dtype.U32: ua.VariantType.UInt32, Dtype.U64: ua.VariantType.UInt64,
    Dtype.I8: ua.VariantType.SByte, Dtype.I16: ua.VariantType.Int16,
    Dtype.I32: ua.VariantType.Int32, Dtype.I64: ua.VariantType.Int64,
    Dtype.F32: ua.VariantType.Float, Dtype.F64: ua.VariantType.Double,
}  # fmt: skip


class OpcUaGateway:
    """One server, one port, one path."""

    def __init__(
        self, profile: Profile, *, host: str, port: int, pots: int, path: str = "/potline",
        is_secured: bool = False,
    ) -> None:  # fmt: skip
        """Nothing is opened yet; `port` 0 lets the machine choose one."""
        self._profile = profile
        self._host, self._port, self._path = host, port, path
        self._pots = pots
        self._server: Server | None = None
        self._nodes: list[tuple[str, Register, ua.NodeId]] = []
        self._manner = WELL
        self._is_secured = is_secured
        self._certificate = 0
        self.thumbprint = ""

    @property
    def url(self) -> str:
        """As a site file writes it."""
        return f"opc.tcp://{self._host}:{self._port}{self._path}"

    @property
    def rows(self) -> Mapping[str, Register]:
        """Its rows by name, each pot's for itself."""
        return {
            register.name.format(n=n): register
            for register in self._profile.registers
            for n in self._numbers(register)
        }

    def immunity(self, kind: str) -> str | None:
        """It has no words, and its bytes are a library's."""
        if kind == "certificate":
            return None if self._is_secured else "it is served without security"
        return None if kind in {"exception", "busy", "clock-jump"} else "it speaks OPC UA"

    def behave(self, manner: Manner) -> None:
        """Behave so from the next publishing on; of a manner what `immunity` allows counts."""
        self._manner = manner

    async def start(self) -> None:
        """Build the address space and listen; ServeError when the port cannot be had."""
        server = Server()
        await server.init()
        server.set_endpoint(self.url)
        server.set_server_name(self._profile.title)
        uri = f"urn:{self._profile.id.replace('/', ':')}"
        await server.set_application_uri(uri)
        if self._is_secured:
            await self._show_certificate(server, uri)
        else:
            server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        self._nodes = []
        for register in self._profile.registers:
            index = await server.register_namespace(str(register.namespace))
            for n in self._numbers(register):
                await self._add(server, register, index, n)
        try:
            await server.start()
        except OSError as error:
            raise ServeError(
                f"{self._profile.id}: cannot listen on {self.url}: {error.strerror}"
            ) from None
        self._server = server
        self._port = port_of(server)

    async def _show_certificate(self, server: Server, uri: str) -> None:
        """One that nobody has seen before."""
        with TemporaryDirectory() as name:
            key, certificate = Path(name, "key.pem"), Path(name, "certificate.der")
            x509 = cert_gen.x509  # type: ignore[attr-defined] # keys are evidence's; asyncua's own
            use = [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]
            await cert_gen.setup_self_signed_certificate(
                key, certificate, uri, "localhost", use, {}
            )
            self.thumbprint = _sha256(certificate)
            await server.load_certificate(certificate)
            await server.load_private_key(key)
        server.set_security_policy([
            ua.SecurityPolicyType.Basic256Sha256_Sign,
            ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
        ])  # fmt: skip

    def _numbers(self, register: Register) -> Sequence[int]:
        return range(1, self._pots + 1) if "{n" in register.name else [0]

    async def _add(self, server: Server, register: Register, index: int, n: int) -> None:
        name = register.name.format(n=n)
        node_id = ua.NodeId.from_string(str(register.node).format(ns=index, n=n))
        variable = await server.nodes.objects.add_variable(
            node_id, ua.QualifiedName(name, index), 0, _VARIANTS[register.dtype]
        )
        waiting = ua.StatusCode(ua.UInt32(StatusCodes.BadWaitingForInitialData))
        await variable.write_value(ua.DataValue(StatusCode=waiting))
        self._nodes.append((name, register, node_id))

    async def publish(self, readings: Readings, source_ns: int) -> None:
        """Write every node; subscribers hear of those whose value has changed."""
        if self._server is None:
            return
        if self._manner.certificate != self._certificate:
            self._certificate = self._manner.certificate
            await self.stop()
            await self.start()
        at = _EPOCH + timedelta(microseconds=source_ns // 1000, seconds=self._manner.clock_s)
        space = self._server.iserver.aspace
        if (code := self._manner.exception) is not None:
            bad = (
                StatusCodes.BadResourceUnavailable if code == BUSY else StatusCodes.BadDeviceFailure
            )
            failed = ua.DataValue(
                StatusCode=ua.StatusCode(ua.UInt32(bad)), SourceTimestamp=at, ServerTimestamp=at
            )
            for _, _, node_id in self._nodes:
                await space.write_attribute_value(node_id, AttributeIds.Value, failed)
            return
        for name, register, node_id in self._nodes:
            raw = raw_number(
                self._profile, register, readings[name], {},
                is_bounded=name in self._manner.bounded,
            )  # fmt: skip
            value = ua.DataValue(
                ua.Variant(raw, _VARIANTS[register.dtype]), SourceTimestamp=at, ServerTimestamp=at
            )
            await space.write_attribute_value(node_id, AttributeIds.Value, value)

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            await self._server.stop()
            self._server = None


def _sha256(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def port_of(server: Server) -> int:
    """The port it listens on; asyncua says it nowhere, so its own server object is asked."""
    listener = server.bserver._server if server.bserver else None
    if not isinstance(listener, asyncio.Server):
        raise ServeError(f"{server.endpoint.geturl()}: asyncua did not start to listen")
    return int(listener.sockets[0].getsockname()[1])
