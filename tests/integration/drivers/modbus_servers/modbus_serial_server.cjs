// A Modbus TCP server on npm's modbus-serial: what stands in its registers is written there by
// Node's Buffer, from a text file of lines as libmodbus_server.c has them.
//
//   node modbus_serial_server.cjs FILE PORT      says "READY port"; addresses 0 to 1999 exist
"use strict";
const { readFileSync } = require("node:fs");
const { ServerTCP } = require("modbus-serial");

const CELLS = 2000;
const ILLEGAL_ADDRESS = { modbusErrorCode: 2, msg: "illegal data address" };
const WRITE = {
  u16: (b, v) => b.writeUInt16BE(Number(v)), i16: (b, v) => b.writeInt16BE(Number(v)),
  u32: (b, v) => b.writeUInt32BE(Number(v)), i32: (b, v) => b.writeInt32BE(Number(v)),
  u64: (b, v) => b.writeBigUInt64BE(BigInt(v)), i64: (b, v) => b.writeBigInt64BE(BigInt(v)),
  f32: (b, v) => b.writeFloatBE(Number(v)), f64: (b, v) => b.writeDoubleBE(Number(v)),
};

// The bytes of a value in the order they are sent; a digit of BCD is a hexadecimal one.
function bytesOf(type, order, value) {
  let bytes;
  if (type === "text") {
    bytes = Buffer.from(value.padEnd(value.length + (value.length % 2), "\0"), "ascii");
    return order === "BADC" || order === "DCBA" ? bytes.swap16() : bytes;
  }
  const size = Number(type.replace(/[a-z]+/, "")) / 8;
  if (type.startsWith("bcd")) bytes = Buffer.from(value.padStart(2 * size, "0"), "hex");
  else WRITE[type]((bytes = Buffer.alloc(size)), value);
  if (order === "BADC") return bytes.swap16();
  if (order === "DCBA") return bytes.reverse();
  return order === "CDAB" ? bytes.reverse().swap16() : bytes;
}

const registers = { holding: Buffer.alloc(2 * CELLS), input: Buffer.alloc(2 * CELLS) };
const bits = { coil: new Set(), discrete: new Set() };
for (const line of readFileSync(process.argv[2], "ascii").split("\n").filter(Boolean)) {
  const [table, address, type, order, value] = line.split(" ");
  if (table in registers) bytesOf(type, order, value).copy(registers[table], 2 * Number(address));
  else if (value === "1") bits[table].add(Number(address));
}

const word = (table) => (address) => {
  if (address >= CELLS) throw ILLEGAL_ADDRESS;
  return registers[table].readUInt16BE(2 * address);
};
const server = new ServerTCP(
  {
    getHoldingRegister: word("holding"), getInputRegister: word("input"),
    getCoil: (address) => bits.coil.has(address),
    getDiscreteInput: (address) => bits.discrete.has(address),
  },
  { host: "127.0.0.1", port: Number(process.argv[3]), unitID: 0 },
);
server.on("initialized", () => console.log("READY " + process.argv[3]));
server.on("serverError", (error) => console.error(error.message));
server.on("socketError", (error) => console.error(error.message));
