// What is said of each configuration of a file: one payload in hex a line, one line of JSON each.
//
//     node configs.mjs RULE-SETS FILE
//
// null for one that figures can be made by, else the code of the finding and what is wrong.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FormatError, NewerError } from "./cbor.mjs";
import { Computed } from "./computed.mjs";
import * as configuration from "./configuration.mjs";
import { content } from "./cose.mjs";
import { wrongWith } from "./figures.mjs";
import { Input } from "./input.mjs";
import { KNOWN, Rules } from "./rules.mjs";

function said(payload, rules) {
  try {
    const config = configuration.decode(content(payload));
    const wrong = wrongWith(config, rules);
    if (wrong !== null) return [wrong === "C-RULES" ? wrong : "E-CFG", wrong];
    new Input(rules).configure(config);
    new Computed(config, rules);
    return null;
  } catch (error) {
    if (error instanceof FormatError) return ["E-CFG", error.message];
    if (error instanceof NewerError) return ["C-FORMAT", error.message];
    throw error;
  }
}

const [folder, file] = process.argv.slice(2);
const rules = new Rules((table) => readFileSync(join(folder, `${table}.toml`)), KNOWN);
for (const line of readFileSync(file, "utf8").trim().split("\n")) {
  process.stdout.write(`${JSON.stringify(said(Buffer.from(line, "hex"), rules))}\n`);
}
