// Read the test vectors: node vectors.mjs frames.json. One line of JSON a vector, in their order:
// {code} of why it is refused, or {says} in the vectors' own words.

import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { FormatError, NewerError } from "./cbor.mjs";
import * as cose from "./cose.mjs";
import { SignatureError, SuiteError, hex } from "./cose.mjs";
import { decodeBody, numberAt } from "./frame.mjs";

const LAG = 78;

/** Numbers of a block, a row a line. */
function rowsOf(values, type, rows, ticks) {
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: ticks }, (_, i) => numberAt(values, type, row * ticks + i)).join(" "));
}

function qualityOf({ runs, rows }, ticks) {
  const codes = Array.from({ length: rows }, () => new Array(ticks).fill(0));
  for (const { row, from, to, code } of runs) codes[row].fill(code, from, to + 1);
  return codes.map((row) => row.join(" "));
}

/** Integers as text, maps as objects. */
function plain(value) {
  if (typeof value === "bigint") return `${value}`;
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  }
  return value;
}

function groupOf(group, ticks) {
  const { dtype, rows, values, source } = group;
  return {
    group: Number(group.group), dtype, rows: rowsOf(values, dtype, rows, ticks),
    quality: qualityOf(group, ticks),
    source: source === null ? null : rowsOf(source, LAG, rows, ticks),
  };
}

function sectionOf({ schedule, first, step, ticks, devices, lag, groups }) {
  return {
    schedule: Number(schedule), first: `${first}`, step: `${step}`, ticks,
    devices: devices.map(Number), lag: rowsOf(lag, LAG, devices.length, ticks),
    groups: groups.map((group) => groupOf(group, ticks)),
  };
}

function read(data, key) {
  const object = cose.parse(data);
  const header = cose.streamHeader(object);
  cose.verify(object, key);
  if (!cose.STREAM_TYPES.has(object.typ)) throw new NewerError(object.typ);
  const { t0, clock, flags, gap, events, sections } = decodeBody(object.payload);
  const { anchor, cfg } = header;
  return {
    plant: header.plant, stream: header.stream, signed_at: `${header.signedAt}`,
    seq: `${header.seq}`, prev: hex(header.prev),
    anchor: anchor && [`${anchor.size}`, hex(anchor.root)], cfg: cfg && hex(cfg),
    t0: `${t0}`, flags: `${flags}`,
    clock: [clock.source, plain(clock.error), `${clock.monotonic}`, hex(clock.boot)],
    gap: gap && [`${gap.from}`, `${gap.to}`, gap.reason], events: plain(events),
    sections: sections.map(sectionOf),
  };
}

function answer({ object, key }) {
  const spki = createPublicKey({ key: Buffer.from(key, "hex"), format: "der", type: "spki" });
  try {
    return { says: read(Buffer.from(object, "hex"), cose.publicKey(spki)) };
  } catch (error) {
    if (error instanceof FormatError) return { code: "E-FRAME", why: error.message };
    if (error instanceof SignatureError) return { code: "E-SIG-BAD", why: error.message };
    if (error instanceof NewerError) return { code: "C-FORMAT", why: error.message };
    if (error instanceof SuiteError) return { code: "C-SUITE", why: error.message };
    throw error;
  }
}

for (const vector of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  process.stdout.write(`${JSON.stringify(answer(vector))}\n`);
}
