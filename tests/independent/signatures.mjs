// Which of the Ed25519 vectors are accepted: node signatures.mjs ed25519.json. true or false a line.

import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { FormatError } from "./cbor.mjs";
import { isSigned, publicKey } from "./cose.mjs";

const SPKI = Buffer.from("302a300506032b6570032100", "hex"); // RFC 8410 section 4
const bytes = (text) => Buffer.from(text, "hex");

function accepted(key, message, signature) {
  try {
    const spki = Buffer.concat([SPKI, bytes(key)]);
    const by = publicKey(createPublicKey({ key: spki, format: "der", type: "spki" }));
    return isSigned(bytes(message), bytes(signature), by);
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

for (const [, , ...vector] of JSON.parse(readFileSync(process.argv[2], "utf8")).vectors) {
  process.stdout.write(`${accepted(...vector)}\n`);
}
