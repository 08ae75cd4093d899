// An OPC UA client on node-opcua: node read_nodes.mjs PKI URL NAMESPACE NODE...; {ns} in a node's id
// is the index of NAMESPACE, PKI a folder for its own keys. Without security.
// Prints a JSON array: of each node its value (64-bit integers as text), type, status, source time.
import { OPCUACertificateManager } from "node-opcua-certificate-manager";
import { AttributeIds, DataType, OPCUAClient } from "node-opcua-client";

const [pki, url, uri, ...nodes] = process.argv.slice(2);
const clientCertificateManager = new OPCUACertificateManager({ rootFolder: pki,
  automaticallyAcceptUnknownCertificate: true, disableFileWatchers: true });
await clientCertificateManager.initialize();
const client = OPCUAClient.create({ clientCertificateManager, endpointMustExist: false,
  connectionStrategy: { maxRetry: 0 } });
await client.connect(url);
const session = await client.createSession();
const index = (await session.readNamespaceArray()).indexOf(uri);
const read = await session.read(nodes.map((node) => (
  { nodeId: node.replace("{ns}", index), attributeId: AttributeIds.Value })));
const plain = ({ value }) => Array.isArray(value)
  ? String(BigInt.asIntN(64, (BigInt(value[0]) << 32n) | BigInt(value[1]))) : String(value);
console.log(JSON.stringify(read.map((found) => ({
  value: plain(found.value), type: DataType[found.value.dataType],
  status: found.statusCode.name, source_ms: found.sourceTimestamp?.getTime() }))));
await session.close();
await client.disconnect();
await clientCertificateManager.dispose();
