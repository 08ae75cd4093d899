"""An OPC UA server as a process of its own, to be killed: asyncua's, with one node that stays.

    python -m tests.integration.drivers.opcua_child PORT CERTIFICATE KEY

Takes connections without security and with it (SignAndEncrypt). Says READY when it does.
"""

import asyncio
import sys

from asyncua import Server, ua

from tests.integration.drivers.opcua_pki import SERVER_URI

NODE, VALUE = "ns=2;s=volt", 4.25


async def main(port: int, certificate: str, key: str) -> None:
    """Serve for ever."""
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/child")
    await server.set_application_uri(SERVER_URI)
    await server.load_certificate(certificate)
    await server.load_private_key(key)
    server.set_security_policy(
        [
            ua.SecurityPolicyType.NoSecurity,
            ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
        ]
    )
    await server.register_namespace("urn:stackproof:test:child")
    await server.nodes.objects.add_variable(
        ua.NodeId(ua.String("volt"), ua.Int16(2)), "volt", VALUE, ua.VariantType.Float
    )
    await server.start()
    sys.stdout.write("READY\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), *sys.argv[2:]))
