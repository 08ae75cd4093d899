// An OPC UA server on node-opcua: node node_server.mjs SETTINGS, a JSON object.
//   port, uri (application URI), certificate, key (PEM files), trusted (a client's PEM), pki
//   (folder), user, password, sessions (at most), many (so many further variables)
// Prints "READY url" once it listens, and "SEEN name" for each kind of request it gets.
import { OPCUACertificateManager } from "node-opcua-certificate-manager";
import { readCertificateChain } from "node-opcua-crypto";
import { MessageSecurityMode, SecurityPolicy } from "node-opcua-secure-channel";
import { OPCUAServer } from "node-opcua-server";
import { StatusCodes } from "node-opcua-status-code";
import { DataType, Variant, VariantArrayType } from "node-opcua-variant";

const given = JSON.parse(process.argv[2]);
const WHEN = new Date("2026-11-01T12:00:00.123Z");

const store = async (name) => {
  const made = new OPCUACertificateManager({
    rootFolder: `${given.pki}/${name}`, automaticallyAcceptUnknownCertificate: false,
    disableFileWatchers: true,
  });
  await made.initialize();
  await made.trustCertificate(readCertificateChain(given.trusted)[0]);
  return made;
};

const server = new OPCUAServer({
  port: given.port, host: "127.0.0.1", hostname: "127.0.0.1", resourcePath: "/test",
  serverInfo: { applicationUri: given.uri }, certificateFile: given.certificate,
  privateKeyFile: given.key, serverCertificateManager: await store("server"),
  userCertificateManager: await store("user"), allowAnonymous: given.anonymous ?? true,
  securityModes: [MessageSecurityMode.None, MessageSecurityMode.Sign,
    MessageSecurityMode.SignAndEncrypt],
  securityPolicies: [SecurityPolicy.None, SecurityPolicy.Basic256Sha256],
  serverCapabilities: { maxSessions: given.sessions ?? 10,
    operationLimits: { maxNodesPerRead: 700, maxMonitoredItemsPerCall: 300, maxNodesPerBrowse: 50 } },
  userManager: { isValidUser: (user, password) =>
    user === given.user && password === given.password },
});
await server.initialize();

const space = server.engine.addressSpace;
const namespace = space.registerNamespace("urn:stackproof:test:types");
const folder = namespace.addFolder(space.rootFolder.objects, { browseName: "Types" });
const add = (name, type, value, status = StatusCodes.Good, when = WHEN) => {
  const variable = namespace.addVariable({
    componentOf: folder, nodeId: `s=${name}`, browseName: name, dataType: type,
    minimumSamplingInterval: 20,
  });
  const arrayType = VariantArrayType.Scalar; // an Int64 is two halves, which is no array
  variable.setValueFromSource(
    new Variant({ dataType: DataType[type], arrayType, value }), status, when);
  return variable;
};
add("Boolean", "Boolean", true);
add("SByte", "SByte", -2);
add("Byte", "Byte", 165);
add("Int16", "Int16", -2);
add("UInt16", "UInt16", 0x1234);
add("Int32", "Int32", -2);
add("UInt32", "UInt32", 0x12345678);
add("Int64", "Int64", [0xffffffff, 0xfffffffe]); // high and low half of -2
add("UInt64", "UInt64", [0x01234567, 0x89abcdef]);
add("Float", "Float", 123456);
add("Double", "Double", -2);
add("Unsure", "Float", 4.5, StatusCodes.UncertainSensorNotAccurate);
add("Broken", "Float", 0, StatusCodes.BadSensorFailure);
add("Away", "Float", 0, StatusCodes.BadNoCommunication);
namespace.addAnalogDataItem({
  componentOf: folder, nodeId: "s=Flow", browseName: "Flow", dataType: "Double",
  engineeringUnitsRange: { low: 0, high: 100 },
  engineeringUnits: { namespaceUri: "http://www.opcfoundation.org/UA/units/un/cefact",
    unitId: 5067858, displayName: "m³/h", description: "cubic metre per hour" }, // MQH
}).setValueFromSource(new Variant({ dataType: DataType.Double, value: 12.5 }));
const counter = add("Counter", "UInt32", 0);
let count = 0;
setInterval(() => counter.setValueFromSource(
  new Variant({ dataType: DataType.UInt32, value: ++count })), 50);
if (given.many) {
  const many = namespace.addFolder(space.rootFolder.objects, { browseName: "Many" });
  for (let i = 0; i < given.many; i++) {
    namespace.addVariable({
      componentOf: many, nodeId: `s=Many-${i}`, browseName: `Many-${i}`, dataType: "Float",
    }).setValueFromSource(new Variant({ dataType: DataType.Float, value: i }));
  }
}
const seen = new Set();
server.on("request", (request) => {
  const name = request.constructor.name;
  if (!seen.has(name)) console.log(`SEEN ${name}`);
  seen.add(name);
});
await server.start();
console.log(`READY ${server.getEndpointUrl()}`);
