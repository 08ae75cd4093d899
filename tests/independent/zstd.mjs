// Exactly one Zstandard frame (RFC 8878) of at most 4 MiB. Pure; fzstd does the entropy coding.
//
// fzstd is lenient: it takes several frames, skips skippable ones and ignores the checksum. So the
// frame is walked here first, block by block, and its checksum (XXH64) is computed here.

import { Decompress } from "fzstd";
import { FormatError } from "./cbor.mjs";

const BLOCK_MAX = 128 << 10;
const [WINDOW_MIN, WINDOW_MAX] = [128 << 10, 8 << 20];
const WINDOW_4_MIB = (22 - 10) << 3; // holds all that may come out
const MASK = (1n << 64n) - 1n;
const [P1, P2, P3, P4, P5] = [
  0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n, 0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
];

const turn = (x, n) => ((x << n) | (x >> (64n - n))) & MASK;
const round = (acc, lane) => (turn((acc + lane * P2) & MASK, 31n) * P1) & MASK;

/** XXH64 with seed 0. */
export function xxh64(data) {
  let at = 0;
  let hash = P5;
  if (data.length >= 32) {
    const acc = [(P1 + P2) & MASK, P2, 0n, (0n - P1) & MASK];
    for (; at + 32 <= data.length; at += 32) {
      for (let i = 0; i < 4; i++) acc[i] = round(acc[i], data.readBigUInt64LE(at + 8 * i));
    }
    hash = turn(acc[0], 1n) + turn(acc[1], 7n) + turn(acc[2], 12n) + turn(acc[3], 18n);
    for (const lane of acc) hash = ((hash ^ round(0n, lane)) * P1 + P4) & MASK;
  }
  hash = (hash + BigInt(data.length)) & MASK;
  for (; at + 8 <= data.length; at += 8) {
    hash = (turn(hash ^ round(0n, data.readBigUInt64LE(at)), 27n) * P1 + P4) & MASK;
  }
  if (at + 4 <= data.length) {
    hash = (turn(hash ^ (BigInt(data.readUInt32LE(at)) * P1 & MASK), 23n) * P2 + P3) & MASK;
    at += 4;
  }
  for (; at < data.length; at++) hash = (turn(hash ^ (BigInt(data[at]) * P5 & MASK), 11n) * P1) & MASK;
  hash = ((hash ^ (hash >> 33n)) * P2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * P3) & MASK;
  return hash ^ (hash >> 32n);
}

/** {size: content size or null, single: bool, window, checksum: bool, blocks: where the first block begins} */
function header(data) {
  if (data.length < 6 || data.readUInt32LE(0) !== 0xfd2fb528) {
    throw new FormatError("not a Zstandard frame");
  }
  const flags = data[4];
  if (flags & 8) throw new FormatError("reserved bit of a Zstandard frame");
  const single = (flags & 32) !== 0;
  let at = 5;
  let window = null;
  if (!single) {
    const log = 10 + (data[at] >> 3);
    window = 2 ** log + (2 ** log / 8) * (data[at] & 7);
    at += 1;
  }
  const dictionary = [0, 1, 2, 4][flags & 3];
  if (at + dictionary > data.length) throw new FormatError("Zstandard frame is cut short");
  if (data.subarray(at, at + dictionary).some((b) => b !== 0)) {
    throw new FormatError("Zstandard frame asks for a dictionary");
  }
  at += dictionary;
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][flags >> 6];
  if (at + sizeBytes > data.length) throw new FormatError("Zstandard frame is cut short");
  let size = null;
  if (sizeBytes === 8) size = Number(data.readBigUInt64LE(at));
  else if (sizeBytes) size = data.readUIntLE(at, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
  return { size, single, window: window ?? size, checksum: (flags & 4) !== 0, blocks: at + sizeBytes };
}

/** Where each block ends; throws unless the frame ends with the data. */
function walk(data, frame) {
  let at = frame.blocks;
  const ends = [];
  for (let last = false; !last; ) {
    if (at + 3 > data.length) throw new FormatError("Zstandard frame is cut short");
    const word = data.readUIntLE(at, 3);
    const [kind, size] = [(word >> 1) & 3, word >> 3];
    last = (word & 1) === 1;
    if (kind === 3) throw new FormatError("reserved block type");
    if (size > Math.min(BLOCK_MAX, Math.max(frame.window, 1))) {
      throw new FormatError("Zstandard block is too large");
    }
    at += 3 + (kind === 1 ? 1 : size);
    if (at > data.length) throw new FormatError("Zstandard frame is cut short");
    ends.push(at);
  }
  if (at + (frame.checksum ? 4 : 0) !== data.length) {
    throw new FormatError("Zstandard frame is cut short, or bytes follow it");
  }
  return ends;
}

export function unzstd(data, most) {
  const frame = header(data);
  if (frame.size !== null && frame.size > most) throw new FormatError("too much comes out");
  if (!frame.single && (frame.window < WINDOW_MIN || frame.window > WINDOW_MAX)) {
    throw new FormatError("Zstandard window is too large or too small");
  }
  const ends = walk(data, frame);
  const whole = Buffer.from(data); // matches may reach further back than the frame's window
  if (!frame.single) whole[5] = WINDOW_4_MIB;
  const parts = [];
  let length = 0;
  try {
    const stream = new Decompress((part) => {
      length += part.length;
      if (length > most) throw new FormatError("too much comes out");
      parts.push(Buffer.from(part));
    });
    let from = 0;
    for (const end of ends) {
      stream.push(whole.subarray(from, end), false);
      from = end;
    }
    stream.push(whole.subarray(from), true);
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError(`Zstandard data is broken: ${error.message}`);
  }
  const made = Buffer.concat(parts);
  if (frame.size !== null && frame.size !== made.length) {
    throw new FormatError("Zstandard frame says another size");
  }
  if (frame.checksum && Number(xxh64(made) & 0xffffffffn) !== data.readUInt32LE(data.length - 4)) {
    throw new FormatError("Zstandard checksum differs");
  }
  return made;
}
