// CBOR as FORMAT.md section 1 allows it, and nothing else. Pure; no I/O.
//
// integers become BigInt, byte strings Buffer, text string, arrays Array, maps Map.

export const BYTES_MAX = 4 << 20;
export const DEPTH_MAX = 12;
const ITEMS_MAX = 1_048_576;

/** The bytes are not what the format allows; the verifier makes a finding of it. */
export class FormatError extends Error {}
/** Something is of a newer version than this program: C-FORMAT, no failure. */
export class NewerError extends Error {}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function text(bytes) {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new FormatError("text is not UTF-8");
  }
}

class Reader {
  constructor(bytes, itemsMax, nestedMax) {
    this.bytes = bytes;
    this.at = 0;
    this.left = Math.min(itemsMax, ITEMS_MAX);
    this.nestedLeft = nestedMax;
  }

  take(count) {
    if (this.at + count > this.bytes.length) throw new FormatError("CBOR is cut short");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  head() {
    const first = this.take(1)[0];
    const [major, info] = [first >> 5, first & 31];
    if (info < 24) return [major, info, BigInt(info)];
    if (info > 27) throw new FormatError("indefinite or reserved length");
    const bytes = this.take(1 << (info - 24));
    const value = BigInt(`0x${bytes.toString("hex")}`);
    const least = info === 24 ? 24n : 1n << BigInt(8 << (info - 25));
    if (major !== 7 && value < least) throw new FormatError("integer is not in its shortest form");
    return [major, info, value];
  }

  length(value) {
    if (value > BigInt(this.bytes.length - this.at)) throw new FormatError("CBOR is cut short");
    return Number(value);
  }

  item(depth) {
    if (this.left-- === 0) throw new FormatError("too many items");
    const [major, info, value] = this.head();
    if ((major === 4 || major === 5) && this.nestedLeft-- === 0) throw new FormatError("too nested");
    switch (major) {
      case 0:
        return value;
      case 1:
        if (value >= 1n << 63n) throw new FormatError("integer below -2^63");
        return -1n - value;
      case 2:
        return this.take(this.length(value));
      case 3:
        return text(this.take(this.length(value)));
      case 4:
        return this.array(this.length(value), depth + 1);
      case 5:
        return this.map(this.length(value), depth + 1);
      case 7:
        if (info === 20) return false;
        if (info === 21) return true;
        if (info === 22) return null;
    }
    throw new FormatError("tag, float or simple value");
  }

  array(count, depth) {
    if (depth > DEPTH_MAX) throw new FormatError("nested too deep");
    const found = [];
    for (let i = 0; i < count; i++) found.push(this.item(depth));
    return found;
  }

  map(count, depth) {
    if (depth > DEPTH_MAX) throw new FormatError("nested too deep");
    const found = new Map();
    let before = null;
    let kind = null;
    for (let i = 0; i < count; i++) {
      const start = this.at;
      const key = this.item(depth);
      const spelled = this.bytes.subarray(start, this.at);
      if (typeof key !== "string" && typeof key !== "bigint") throw new FormatError("kind of key");
      if (kind !== null && typeof key !== kind) throw new FormatError("keys of two kinds");
      kind = typeof key;
      if (before !== null) {
        if (Buffer.compare(before, spelled) >= 0) throw new FormatError("keys not in order");
        if (spelled.length < before.length) throw new FormatError("two orders of keys differ");
      }
      before = spelled;
      found.set(key, this.item(depth));
    }
    return found;
  }
}

/** One item and nothing after it. */
export function decode(bytes, itemsMax = ITEMS_MAX, nestedMax = ITEMS_MAX) {
  if (bytes.length > BYTES_MAX) throw new FormatError("more than 4 MiB of CBOR");
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const reader = new Reader(whole, itemsMax, nestedMax);
  const value = reader.item(0);
  if (reader.at !== bytes.length) throw new FormatError("bytes after the CBOR item");
  return value;
}

/** How many items a value is, keys of maps and itself among them. */
export function items(value) {
  const inside = value instanceof Map ? [...value].flat() : Array.isArray(value) ? value : [];
  return inside.reduce((sum, part) => sum + items(part), 1);
}

function head(major, value) {
  const n = BigInt(value);
  if (n < 24n) return Buffer.from([(major << 5) | Number(n)]);
  const size = n < 1n << 8n ? 0 : n < 1n << 16n ? 1 : n < 1n << 32n ? 2 : 3;
  const bytes = Buffer.from(n.toString(16).padStart(2 << size, "0"), "hex");
  return Buffer.concat([Buffer.from([(major << 5) | (24 + size)]), bytes]);
}

/** Deterministic encoding of what `decode` returns; plain numbers count as integers. */
export function encode(value) {
  if (value === null) return Buffer.from([0xf6]);
  if (typeof value === "boolean") return Buffer.from([value ? 0xf5 : 0xf4]);
  if (typeof value === "number" || typeof value === "bigint") {
    const n = BigInt(value);
    return n >= 0n ? head(0, n) : head(1, -1n - n);
  }
  if (typeof value === "string") {
    const bytes = Buffer.from(value, "utf8");
    return Buffer.concat([head(3, bytes.length), bytes]);
  }
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(encode)]);
  const pairs = [...value].map(([key, item]) => [encode(key), encode(item)]);
  pairs.sort((a, b) => Buffer.compare(a[0], b[0]));
  return Buffer.concat([head(5, pairs.length), ...pairs.flat()]);
}

// -- shapes -------------------------------------------------------------------------------------

const I64 = 1n << 63n;

export function fail(what) {
  throw new FormatError(what);
}

/** An unsigned integer, as BigInt. */
export function uint(value, what, most = (1n << 64n) - 1n) {
  if (typeof value !== "bigint" || value < 0n || value > most) fail(`${what} is no number there`);
  return value;
}

export function int64(value, what) {
  if (typeof value !== "bigint" || value < -I64 || value >= I64) fail(`${what} is no int64`);
  return value;
}

/** A small unsigned integer, as Number. */
export function small(value, what, least, most) {
  if (typeof value !== "bigint" || value < BigInt(least) || value > BigInt(most)) {
    fail(`${what} is not within ${least} to ${most}`);
  }
  return Number(value);
}

export function bytes(value, what, length = null) {
  if (!Buffer.isBuffer(value)) fail(`${what} is no byte string`);
  if (length !== null && value.length !== length) fail(`${what} has not ${length} bytes`);
  return value;
}

export function string(value, what) {
  if (typeof value !== "string") fail(`${what} is no text`);
  return value;
}

export function bool(value, what) {
  if (typeof value !== "boolean") fail(`${what} is neither true nor false`);
  return value;
}

export function list(value, what, length = null) {
  if (!Array.isArray(value)) fail(`${what} is no array`);
  if (length !== null && value.length !== length) fail(`${what} has not ${length} items`);
  return value;
}

/** A map with all of these keys, perhaps some optional ones, and no others. */
export function map(value, what, required, optional = []) {
  if (!(value instanceof Map)) fail(`${what} is no map`);
  for (const key of required) if (!value.has(key)) fail(`${what} has no ${key}`);
  const known = new Set([...required, ...optional]);
  for (const key of value.keys()) if (!known.has(key)) fail(`${what}: unknown field ${key}`);
  return value;
}
