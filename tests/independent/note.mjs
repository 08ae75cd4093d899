// Checkpoints and cosignatures in signed notes: FORMAT.md section 7. Pure; no I/O.

import { FormatError, text } from "./cbor.mjs";
import { isSigned, sha256 } from "./cose.mjs";

const NOTE_MAX = 4 << 10;
const SIGNATURE_LINE = /^\u2014 (\S+) ([A-Za-z0-9+/]+={0,2})$/;

function base64(line, what) {
  const bytes = Buffer.from(line, "base64");
  if (bytes.toString("base64") !== line) throw new FormatError(`${what} is no base64`);
  return bytes;
}

/** {plant, size, root, signed: bytes, lines: [{name, id, signature}]}; nothing is verified. */
export function parse(bytes) {
  if (bytes.length > NOTE_MAX) throw new FormatError("a note has at most 4 KiB");
  const whole = text(bytes);
  const [body, rest, ...more] = whole.split("\n\n");
  if (rest === undefined || more.length || !rest.endsWith("\n")) throw new FormatError("no note");
  const lines = body.split("\n");
  if (lines.length !== 3) throw new FormatError("a checkpoint has three lines");
  const plant = /^stackproof\/([a-z0-9-]{1,40})$/.exec(lines[0]);
  if (!plant) throw new FormatError("origin of the checkpoint");
  if (!/^(0|[1-9][0-9]{0,18})$/.test(lines[1])) throw new FormatError("size of the checkpoint");
  const root = base64(lines[2], "root");
  if (root.length !== 32) throw new FormatError("root of the checkpoint");
  const signatures = rest.slice(0, -1).split("\n").map((line) => {
    const parts = SIGNATURE_LINE.exec(line);
    if (!parts) throw new FormatError("a signature line of the note");
    const blob = base64(parts[2], "signature");
    if (blob.length < 5) throw new FormatError("a signature line is too short");
    return { name: parts[1], id: blob.subarray(0, 4), signature: blob.subarray(4) };
  });
  const size = BigInt(lines[1]);
  return { plant: plant[1], origin: lines[0], size, root, signed: Buffer.from(`${body}\n`),
    lines: signatures };
}

function keyId(name, by, types) {
  const [ed25519, p256] = types;
  const tail = by.kind === "ed25519"
    ? [Buffer.from([ed25519]), by.spki.subarray(-32)]
    : [Buffer.from([0xff]), Buffer.from(p256), by.spki];
  return sha256(Buffer.from(`${name}\n`), ...tail).subarray(0, 4);
}

/** True if one of the note's lines is the log's signature by this key. */
export function isSignedBy(note, by) {
  if (by.kind === null) return false;
  const id = keyId(note.origin, by, [1, "ESP256"]);
  return note.lines.some((line) =>
    line.name === note.origin && line.id.equals(id) && isSigned(note.signed, line.signature, by));
}

/** True if one of the note's lines is a cosignature by this key under this name. */
export function isCosignedBy(note, name, by) {
  if (by.kind === null) return false;
  const id = keyId(name, by, [4, "ESP256-cosignature"]);
  return note.lines.some((line) => {
    if (line.name !== name || !line.id.equals(id) || line.signature.length !== 72) return false;
    const at = line.signature.readBigUInt64BE(0);
    const signed = Buffer.concat([Buffer.from(`cosignature/v1\ntime ${at}\n`), note.signed]);
    return isSigned(signed, line.signature.subarray(8), by);
  });
}
