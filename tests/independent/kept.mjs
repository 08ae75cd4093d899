// What a reviewer kept: note files and receipt files of FORMAT.md section 9, step 8 of section 10.

import { readFileSync } from "node:fs";
import { FormatError, NewerError, text } from "./cbor.mjs";
import { crc32 } from "./crc32.mjs";
import * as cose from "./cose.mjs";
import { SignatureError, SuiteError } from "./cose.mjs";
import { receiptFields } from "./closing.mjs";
import * as note from "./note.mjs";

const [FILE_MAX, KEPT_MAX] = [16 << 20, 10_000];
const RECEIPT = "stackproof-receipt+cbor";

/** The reviewer has another file than was meant: there is no verdict. */
export class NotKeptError extends Error {}

function* notes(bytes) {
  const lines = text(bytes).split("\n");
  if (lines.pop() !== "") throw new FormatError("a note ends with a newline");
  let own = [];
  for (const [at, line] of lines.entries()) {
    own.push(line);
    const isLast = own.length > 4 && line.startsWith("\u2014 ") && !lines[at + 1]?.startsWith("\u2014 ");
    if (!isLast) continue;
    yield note.parse(Buffer.from(`${own.join("\n")}\n`));
    own = [];
  }
  if (own.length) throw new FormatError("a note is cut");
}

function* records(bytes) {
  for (let at = 0; at < bytes.length; ) {
    const length = at + 12 <= bytes.length ? bytes.readUInt32LE(at + 4) : 0;
    const data = bytes.subarray(at + 12, at + 12 + length);
    if (bytes.toString("latin1", at, at + 4) !== "SPR1" || length === 0 ||
        length > cose.OBJECT_MAX || data.length !== length ||
        crc32(data) !== bytes.readUInt32LE(at + 8)) throw new FormatError("no whole record");
    yield data;
    at += 12 + length;
  }
}

function receipt(bytes) {
  const object = cose.parse(bytes);
  if (object.typ !== RECEIPT) throw new FormatError("it is no receipt");
  return object;
}

/** [{where, note} or {where, object}] of some files; throws NotKeptError. */
export function load(names) {
  const found = [];
  for (const name of names) {
    try {
      const bytes = readFileSync(name);
      if (bytes.length > FILE_MAX) throw new FormatError("more than 16 MiB");
      const start = bytes.toString("latin1", 0, 4);
      const held = bytes[0] === 0xd2 ? [{ object: receipt(bytes) }]
        : start === "SPR1" ? [...records(bytes)].map((one) => ({ object: receipt(one) }))
          : [...notes(bytes)].map((one) => ({ note: one }));
      if (held.length === 0) throw new FormatError("it is empty");
      held.forEach((one, i) => {
        found.push({ where: held.length === 1 ? name : `${name} no. ${i + 1}`, ...one });
      });
    } catch (error) {
      if (error instanceof FormatError) throw new NotKeptError(`${name}: ${error.message}`);
      throw error;
    }
  }
  if (found.length > KEPT_MAX) throw new NotKeptError("more than 10,000");
  return found;
}

/** Compare them with the archive's log; `count` is called for each that could be compared. */
export function check(kept, identities, log, count, report) {
  const { plant } = identities;
  if (!plant) return;
  const keys = [identities.collector, ...identities.earlier].flatMap((one) =>
    one === null || one.key.kind === null ? [] : [one.key]);
  for (const one of kept) {
    try {
      if (one.note) root(one.where, signed(one.note, plant, keys), log, count, report);
      else checkReceipt(one, plant, keys, log, count, report);
    } catch (error) {
      if (error instanceof NewerError) report("C-FORMAT", one.where, error.message);
      else if (error instanceof FormatError) throw new NotKeptError(`${one.where}: ${error.message}`);
      else if (!(error instanceof SignatureError || error instanceof SuiteError)) throw error;
    }
  }
}

function signed(found, plant, keys) {
  if (found.plant !== plant) throw new FormatError("it is of another plant");
  if (!keys.some((key) => note.isSignedBy(found, key))) throw new SignatureError("no key of these");
  return found;
}

function root(where, found, log, count, report) {
  if (!log.isReadable) return;
  if (found.size >= log.start && found.size <= log.size) {
    count();
    if (!log.tree.root(found.size).equals(found.root)) report("E-KEPT", where, "another root");
    return;
  }
  const before = log.before.get(found.size) ?? found.root;
  log.before.set(found.size, before);
  if (!before.equals(found.root)) report("E-KEPT", where, "another root than seen elsewhere");
}

function checkReceipt({ where, object }, plant, keys, log, count, report) {
  const key = keys.find((one) => object.kid.equals(one.hash.subarray(0, 8)));
  if (key === undefined) throw new SignatureError("no key of these");
  cose.verify(object, key);
  cose.plainHeader(object, RECEIPT);
  const held = receiptFields(object);
  if (held.plant !== plant) throw new FormatError("it is of another plant");
  root(where, signed(held.note, plant, keys), log, count, report);
  const entry = log.entryFor(held.stream, held.seq);
  if (entry === null) {
    const isHere = held.index >= log.start && held.index < log.size;
    if (log.isReadable && !log.isNewer && isHere) report("E-KEPT", where, "no such object");
  } else if (!entry.sha256.equals(held.head) || entry.index !== held.index ||
      entry.received !== held.received) report("E-KEPT", where, "another object");
}
