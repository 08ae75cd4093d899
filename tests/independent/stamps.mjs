// What is wrong with time stamps: node stamps.mjs SHA256 FILE.tsr... "" or a sentence a line, in JSON.

import { readFileSync } from "node:fs";
import { FormatError } from "./cbor.mjs";
import { sealStamp } from "./stamp.mjs";

const [digest, ...files] = process.argv.slice(2);
for (const file of files) {
  let wrong = "";
  try {
    sealStamp(readFileSync(file), Buffer.from(digest, "hex"));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    wrong = error.message;
  }
  process.stdout.write(`${JSON.stringify(wrong)}\n`);
}
