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
import { rulesBy, wrongWith } from "./figures.mjs";
import { Input } from "./input.mjs";

function said(payload, rulesOf) {
  try {
    const config = configuration.decode(content(payload));
    const wrong = wrongWith(config, rulesOf);
    if (wrong !== null) return [wrong === "C-RULES" ? wrong : "E-CFG", wrong];
    new Input(rulesOf(config.ruleSet)).configure(config);
    new Computed(config, rulesOf(config.ruleSet));
    return null;
  } catch (error) {
    if (error instanceof FormatError) return ["E-CFG", error.message];
    if (error instanceof NewerError) return ["C-FORMAT", error.message];
    throw error;
  }
}

const [folder, file] = process.argv.slice(2);
const rulesOf = rulesBy((table) => readFileSync(join(folder, `${table}.toml`)));
for (const line of readFileSync(file, "utf8").trim().split("\n")) {
  process.stdout.write(`${JSON.stringify(said(Buffer.from(line, "hex"), rulesOf))}\n`);
}
