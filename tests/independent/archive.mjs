// The container and the record files: FORMAT.md section 9. Reads one file, in pieces.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { createHash } from "node:crypto";
import { FormatError } from "./cbor.mjs";
import { crc32 } from "./crc32.mjs";
import { OBJECT_MAX } from "./cose.mjs";

const BLOCK = 512;
const CHUNK = 1 << 20;
const FILES_MAX = 100_000;
const [KEYS_MAX, STREAMS_MAX] = [10_000, 1_000];

/** The file is no archive as the format writes it; nothing else is looked at. */
export class ContainerError extends Error {}
/** A record file holds bytes that are no whole record. */
export class RecordError extends Error {}

const ZERO = Buffer.alloc(BLOCK);

function octal(value, digits) {
  return value.toString(8).padStart(digits, "0");
}

/** The one header of a path and a size; null if the path does not fit. */
function headerFor(path, size) {
  let [prefix, name] = ["", path];
  if (path.length > 100) {
    const cut = path.lastIndexOf("/", 155);
    if (cut <= 0 || path.length - cut - 1 > 100) return null;
    [prefix, name] = [path.slice(0, cut), path.slice(cut + 1)];
  }
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, "latin1");
  header.write("0000644\0" + "0000000\0" + "0000000\0", 100, "latin1");
  header.write(`${octal(size, 11)}\0${octal(0, 11)}\0        0`, 124, "latin1");
  header.write("ustar\x0000", 257, "latin1");
  header.write("0000000\0" + "0000000\0", 329, "latin1");
  header.write(prefix, 345, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148, "latin1");
  return header;
}

function field(header, at, length) {
  const raw = header.subarray(at, at + length);
  const end = raw.indexOf(0);
  return raw.subarray(0, end < 0 ? length : end).toString("latin1");
}

function isPath(path) {
  return /^[\x20-\x7e]+$/.test(path) &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/** An archive's files; `open` reads every header and all padding before it returns. */
export class Archive {
  constructor(file) {
    this.fd = openSync(file, "r");
    this.bytes = fstatSync(this.fd).size;
    this.files = new Map(); // path inside the top folder -> {offset, size}
    this.top = null;
    this.keys = 0; // files under data/keys
    this.streams = new Set();
  }

  close() {
    closeSync(this.fd);
  }

  readAt(offset, length) {
    const buffer = Buffer.alloc(length);
    let got = 0;
    while (got < length) {
      const count = readSync(this.fd, buffer, got, length - got, offset + got);
      if (count === 0) break;
      got += count;
    }
    if (got < length) throw new ContainerError(`cut at byte ${offset + got}`);
    return buffer;
  }

  open() {
    let at = 0;
    let before = null;
    for (;;) {
      const header = this.readAt(at, BLOCK);
      if (header.equals(ZERO)) break;
      const [name, prefix] = [field(header, 0, 100), field(header, 345, 155)];
      const path = prefix ? `${prefix}/${name}` : name;
      const digits = field(header, 124, 12);
      if (!/^[0-7]{11}$/.test(digits) || !isPath(path)) {
        throw new ContainerError(`header at byte ${at}`);
      }
      const size = parseInt(digits, 8);
      const expected = headerFor(path, size);
      if (expected === null || !expected.equals(header)) {
        throw new ContainerError(`header at byte ${at}`);
      }
      if (before !== null && path <= before) throw new ContainerError(`order at byte ${at}`);
      before = path;
      this.add(path, at + BLOCK, size);
      at += BLOCK + this.padded(at + BLOCK, size);
    }
    if (!this.readAt(at, 2 * BLOCK).equals(Buffer.alloc(2 * BLOCK))) {
      throw new ContainerError(`end mark at byte ${at}`);
    }
    if (at + 2 * BLOCK !== this.bytes) throw new ContainerError("bytes after the end mark");
    if (this.top === null) throw new ContainerError("no top folder");
  }

  add(path, offset, size) {
    const slash = path.indexOf("/");
    const top = path.slice(0, slash);
    if (slash < 0 || (this.top !== null && top !== this.top)) {
      throw new ContainerError("not exactly one top folder");
    }
    this.top = top;
    this.files.set(path.slice(slash + 1), { offset, size });
    if (this.files.size > FILES_MAX) throw new ContainerError("more than 100,000 files");
    const [room, kind, stream] = path.slice(slash + 1).split("/");
    if (room === "data" && kind === "keys") this.keys += 1;
    if (room === "data" && kind === "frames") this.streams.add(stream);
    if (this.keys > KEYS_MAX) throw new ContainerError("more than 10,000 files of keys");
    if (this.streams.size > STREAMS_MAX) throw new ContainerError("more than 1,000 streams");
  }

  padded(offset, size) {
    const whole = Math.ceil(size / BLOCK) * BLOCK;
    if (offset + whole > this.bytes) throw new ContainerError(`cut at byte ${this.bytes}`);
    const rest = this.readAt(offset + size, whole - size);
    if (rest.some((byte) => byte !== 0)) throw new ContainerError(`padding at byte ${offset + size}`);
    return whole;
  }

  has(path) {
    return this.files.has(path);
  }

  /** The whole of a small file; null if it is not there. */
  read(path, most = 4 * CHUNK) {
    const file = this.files.get(path);
    if (file === undefined) return null;
    if (file.size > most) throw new FormatError(`it has ${file.size} bytes`);
    return this.readAt(file.offset, file.size);
  }

  sha256(path) {
    const { offset, size } = this.files.get(path);
    const hash = createHash("sha256");
    for (let at = 0; at < size; at += CHUNK) {
      hash.update(this.readAt(offset + at, Math.min(CHUNK, size - at)));
    }
    return hash.digest();
  }

  /** The records of a record file, one after another; a bad one throws RecordError. */
  *records(path) {
    const { offset, size } = this.files.get(path);
    let at = 0;
    while (at < size) {
      if (size - at < 12) throw new RecordError(`record at byte ${at} is cut`);
      const head = this.readAt(offset + at, 12);
      if (head.toString("latin1", 0, 4) !== "SPR1") throw new RecordError(`no record at byte ${at}`);
      const length = head.readUInt32LE(4);
      if (length === 0 || length > OBJECT_MAX) throw new RecordError(`record at byte ${at}: length`);
      if (at + 12 + length > size) throw new RecordError(`record at byte ${at} is cut`);
      const data = this.readAt(offset + at + 12, length);
      if (crc32(data) !== head.readUInt32LE(8)) throw new RecordError(`record at byte ${at}: CRC`);
      yield data;
      at += 12 + length;
    }
  }
}
