// Frames: FORMAT.md section 4. Pure; no I/O. Numbers stay in their wire bytes.

import * as cbor from "./cbor.mjs";
import { FormatError, NewerError } from "./cbor.mjs";
import { content } from "./cose.mjs";
import * as settings from "./settings.mjs";

/** tag -> [bytes, isFloat, isSigned] */
export const NUMBER_TYPES = new Map([
  [64, [1, false, false]], [69, [2, false, false]], [70, [4, false, false]],
  [71, [8, false, false]], [72, [1, false, true]], [77, [2, false, true]],
  [78, [4, false, true]], [79, [8, false, true]], [85, [4, true, true]], [86, [8, true, true]],
]);
const SOURCES = new Set(["ntp", "ptp", "free", "simulated"]);
const [TICKS_MAX, ROWS_MAX, DEVICES_MAX, REASON_MAX] = [4096, 20_000, 20_000, 200];
const I63 = 1n << 63n;

/** The body of a frame, blocks decoded; throws FormatError or NewerError. */
export function decodeBody(payload) {
  const body = content(payload, 2048 + payload.length);
  if (!(body instanceof Map)) throw new FormatError("a body is a map");
  const version = cbor.uint(body.get(1n), "version of the body");
  if (version !== 1n) throw new NewerError(`body of version ${version}`);
  cbor.map(body, "body", [1n, 2n, 3n, 4n, 5n], [6n, 7n]);
  const t0 = cbor.uint(body.get(2n), "t0", I63 - 1n);
  const sections = cbor.list(body.get(5n), "sections").map(section);
  for (let i = 1; i < sections.length; i++) {
    if (sections[i].schedule <= sections[i - 1].schedule) throw new FormatError("order of sections");
  }
  for (const { first } of sections) {
    if (first < t0) throw new FormatError("t0 is after a tick");
  }
  return {
    t0,
    clock: clock(body.get(3n)),
    flags: cbor.small(body.get(4n), "flags", 0, 15),
    sections,
    gap: body.has(6n) ? gap(body.get(6n), t0, sections) : null,
    events: body.has(7n) ? events(body.get(7n)) : [],
  };
}

function clock(value) {
  const [source, error, monotonic, boot] = cbor.list(value, "clock", 4);
  if (!SOURCES.has(cbor.string(source, "clock source"))) throw new FormatError("clock source");
  return {
    source,
    error: error === null ? null : cbor.uint(error, "clock error"),
    monotonic: cbor.int64(monotonic, "monotonic time"),
    boot: cbor.bytes(boot, "boot id", 16),
  };
}

function gap(value, t0, sections) {
  const [from, to, reason] = cbor.list(value, "gap", 3);
  cbor.int64(from, "gap");
  cbor.int64(to, "gap");
  if (from >= to) throw new FormatError("a gap has some length");
  const firsts = sections.map(({ first }) => first);
  const latest = firsts.length ? firsts.reduce((a, b) => (a < b ? a : b)) : t0;
  if (to > latest) throw new FormatError("gap ends after the frame's first tick");
  const { length } = [...cbor.string(reason, "reason of the gap")];
  if (length < 1 || length > REASON_MAX) throw new FormatError(`a reason of ${length} characters`);
  return { from, to, reason };
}

function events(value) {
  if (cbor.list(value, "events").length === 0) throw new FormatError("no events");
  for (const event of value) {
    if (!(event instanceof Map)) throw new FormatError("an event is a map");
    cbor.string(event.get("kind"), "kind of event");
    cbor.int64(event.get("at_ns"), "instant of event");
    if (event.get("kind") === "meter-settings") settings.checkEvent(event);
  }
  return value;
}

function section(value) {
  const parts = cbor.list(value, "section", 7);
  const first = cbor.int64(parts[1], "first tick");
  const step = cbor.uint(parts[2], "step", I63 - 1n);
  if (step === 0n) throw new FormatError("step 0");
  const ticks = cbor.small(parts[3], "ticks", 1, TICKS_MAX);
  if (first + step * BigInt(ticks) >= I63) throw new FormatError("ticks beyond 2^63 ns");
  const groups = cbor.list(parts[4], "groups").map((item) => group(item, ticks));
  if (groups.reduce((sum, g) => sum + g.rows, 0) > ROWS_MAX) throw new FormatError("too many rows");
  const devices = cbor.list(parts[5], "devices").map((item) => cbor.uint(item, "device"));
  if (devices.length > DEVICES_MAX || new Set(devices).size !== devices.length) {
    throw new FormatError("too many devices, or one twice");
  }
  const lag = block(parts[6], 78, 1, devices.length, ticks, "lag");
  return {
    schedule: cbor.uint(parts[0], "schedule"), first, step, ticks, groups, devices, lag,
    last: first + step * BigInt(ticks - 1),
  };
}

function group(value, ticks) {
  const [index, dtype, filter, rows, data, runs, source] = cbor.list(value, "group", 7);
  const type = Number(cbor.uint(dtype, "number type"));
  if (!NUMBER_TYPES.has(type)) throw new NewerError(`number type ${type} is newer`);
  const kind = Number(cbor.uint(filter, "filter"));
  if (kind > 2) throw new NewerError(`filter ${kind} is newer`);
  const count = cbor.small(rows, "rows", 1, ROWS_MAX);
  cbor.bytes(source, "source");
  return {
    group: cbor.uint(index, "group"), dtype: type, filter: kind, rows: count,
    values: block(data, type, kind, count, ticks, "data"),
    runs: quality(runs, count, ticks),
    source: source.length ? block(source, 78, 1, count, ticks, "source") : null,
  };
}

function quality(value, rows, ticks) {
  const flat = cbor.list(value, "runs");
  if (flat.length % 4) throw new FormatError("runs are quadruples");
  const found = [];
  for (let i = 0; i < flat.length; i += 4) {
    const run = {
      row: cbor.small(flat[i], "row of a run", 0, rows - 1),
      from: cbor.small(flat[i + 1], "first tick of a run", 0, ticks - 1),
      to: cbor.small(flat[i + 2], "last tick of a run", 0, ticks - 1),
      code: cbor.small(flat[i + 3], "quality", 1, 255),
    };
    if (run.from > run.to) throw new FormatError("a run ends before it begins");
    const before = found.at(-1);
    if (before !== undefined) {
      if (run.row < before.row) throw new FormatError("order of runs");
      if (run.row === before.row) {
        if (run.from <= before.to) throw new FormatError("runs overlap");
        if (run.from === before.to + 1 && run.code === before.code) {
          throw new FormatError("runs of one code side by side");
        }
      }
    }
    found.push(run);
  }
  return found;
}

/** rows x ticks numbers in their little-endian bytes, filters undone. */
function block(data, type, filter, rows, ticks, what) {
  const [size, isFloat] = NUMBER_TYPES.get(type);
  cbor.bytes(data, what, rows * ticks * size);
  if (filter === 0) return data;
  if ((filter === 1) === isFloat) throw new FormatError(`filter ${filter} on such numbers`);
  const steps = unshuffle(data, size);
  const words = size === 1 ? new Uint8Array(steps.buffer, steps.byteOffset, steps.length)
    : size === 2 ? new Uint16Array(steps.buffer) : size === 4 ? new Uint32Array(steps.buffer)
    : new BigUint64Array(steps.buffer);
  for (let row = 0; row < rows; row++) {
    if (filter === 2) unxor(words, row * ticks, ticks, size);
    else if (size === 8) undelta64(words, row * ticks, ticks);
    else undelta(words, row * ticks, ticks);
  }
  return Buffer.from(words.buffer, words.byteOffset, steps.length);
}

function unshuffle(data, size) {
  const count = data.length / size;
  const steps = new Uint8Array(data.length);
  for (let plane = 0; plane < size; plane++) {
    for (let i = 0; i < count; i++) steps[i * size + plane] = data[plane * count + i];
  }
  return steps;
}

// Typed arrays reduce modulo 2^bits when they are written, which is what the format says.
function undelta(words, at, ticks) {
  let before = 0;
  for (let i = at; i < at + ticks; i++) {
    words[i] = before + ((words[i] >>> 1) ^ -(words[i] & 1));
    before = words[i];
  }
}

function undelta64(words, at, ticks) {
  let before = 0n;
  for (let i = at; i < at + ticks; i++) {
    words[i] = before + ((words[i] >> 1n) ^ -(words[i] & 1n));
    before = words[i];
  }
}

function unxor(words, at, ticks, size) {
  let before = size === 8 ? 0n : 0;
  for (let i = at; i < at + ticks; i++) {
    words[i] ^= before;
    before = words[i];
  }
}

const INTEGERS = new Map([
  [64, (b, i) => BigInt(b[i])], [69, (b, i) => BigInt(b.readUInt16LE(2 * i))],
  [70, (b, i) => BigInt(b.readUInt32LE(4 * i))], [71, (b, i) => b.readBigUInt64LE(8 * i)],
  [72, (b, i) => BigInt(b.readInt8(i))], [77, (b, i) => BigInt(b.readInt16LE(2 * i))],
  [78, (b, i) => BigInt(b.readInt32LE(4 * i))], [79, (b, i) => b.readBigInt64LE(8 * i)],
]);

/** One number of a block: BigInt for integers, the bits as hex (big-endian) for floats. */
export function numberAt(values, type, index) {
  if (INTEGERS.has(type)) return INTEGERS.get(type)(values, index);
  const [size] = NUMBER_TYPES.get(type);
  const bytes = values.subarray(index * size, (index + 1) * size);
  return Buffer.from(bytes).reverse().toString("hex");
}
