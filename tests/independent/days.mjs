// The day and the month of instants: node days.mjs FILE, of lines "ZONE NS"; one line of JSON each.

import { readFileSync } from "node:fs";
import { dayOf, monthOf } from "./calendar.mjs";

for (const line of readFileSync(process.argv[2], "utf8").trim().split("\n")) {
  const [zone, ns] = line.split(" ");
  const told = [dayOf, monthOf].map((of) => of(zone, BigInt(ns)).map(String));
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
