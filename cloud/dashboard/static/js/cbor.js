// Reads the deterministic CBOR (RFC 8949 §4.2) of documents, strictly: what is not in its one
// shortest form is refused. Integers are BigInt, byte strings Uint8Array, maps are Map.
const DEPTH_MAX = 12;

class Reader {
  constructor(data) {
    this.data = data;
    this.at = 0;
  }

  take(length) {
    if (length > this.data.length - this.at) throw new Error("CBOR is cut");
    this.at += length;
    return this.data.subarray(this.at - length, this.at);
  }

  // The argument of a head, in its shortest form.
  argument(low) {
    if (low < 24) return BigInt(low);
    if (low > 27) throw new Error("CBOR of a form that is not used");
    let value = BigInt(0);
    for (const byte of this.take(1 << (low - 24))) value = value * BigInt(256) + BigInt(byte);
    const least = [24, 256, 65536, 4294967296][low - 24];
    if (value < BigInt(least)) throw new Error("CBOR integer is not in its shortest form");
    return value;
  }

  length(low) {
    const value = this.argument(low);
    if (value > BigInt(this.data.length)) throw new Error("CBOR is cut");
    return Number(value);
  }

  item(depth) {
    if (depth > DEPTH_MAX) throw new Error("CBOR is nested too deeply");
    const head = this.take(1)[0];
    const low = head & 31;
    switch (head >> 5) {
      case 0: return this.argument(low);
      case 1: return BigInt(-1) - this.argument(low);
      case 2: return this.take(this.length(low)).slice();
      case 3: return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.take(this.length(low)));
      case 4: return this.list(this.length(low), depth);
      case 5: return this.map(this.length(low), depth);
      case 7: return this.simple(low);
      default: throw new Error("CBOR of a kind that is not used");
    }
  }

  list(length, depth) {
    const items = [];
    for (let i = 0; i < length; i += 1) items.push(this.item(depth + 1));
    return items;
  }

  // Keys in the order of their bytes, so none stands twice.
  map(length, depth) {
    const found = new Map();
    let before = null;
    for (let i = 0; i < length; i += 1) {
      const start = this.at;
      const key = this.item(depth + 1);
      if (typeof key !== "string" && typeof key !== "bigint") throw new Error("CBOR map with an odd key");
      const bytes = this.data.subarray(start, this.at);
      if (before !== null && compare(before, bytes) >= 0) throw new Error("CBOR map is not in order");
      before = bytes;
      found.set(typeof key === "bigint" ? Number(key) : key, this.item(depth + 1));
    }
    return found;
  }

  simple(low) {
    if (low === 20) return false;
    if (low === 21) return true;
    throw new Error("CBOR of a kind that is not used");
  }
}

function compare(one, other) {
  for (let i = 0; i < Math.min(one.length, other.length); i += 1) {
    if (one[i] !== other[i]) return one[i] - other[i];
  }
  return one.length - other.length;
}

export function decode(data) {
  const reader = new Reader(data);
  const found = reader.item(0);
  if (reader.at !== data.length) throw new Error("CBOR has trailing bytes");
  return found;
}

// The head of a byte string, and the string.
export function byteString(data) {
  const n = data.length;
  let head;
  if (n < 24) head = [0x40 | n];
  else if (n < 256) head = [0x58, n];
  else if (n < 65536) head = [0x59, n >> 8, n & 255];
  else head = [0x5a, n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255];
  return joined(Uint8Array.from(head), data);
}

export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export const hex = (data) => Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
export const same = (one, other) => hex(one) === hex(other);
