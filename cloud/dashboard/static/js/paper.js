// What a message that is to be signed says, read from its own bytes: nobody signs blindly.
// RECORDS.md "Documents", FORMAT.md §2. The server makes the bytes; this believes none of them.
import { byteString, decode, hex, joined, same } from "./cbor.js";

const TYPE = "stackproof-record+cbor";
const ALGORITHMS = [-7, -9]; // ECDSA with SHA-256 on P-256: ES256, ESP256
const ALG = 1;
const KID = 4;
const CLAIMS = 15;
const TYP = 16;
const TAG_18 = 0xd2;

function keysAre(map, wanted) {
  return map instanceof Map && map.size === wanted.length && wanted.every((key) => map.has(key));
}

// The protected header and the payload of a Sig_structure (RFC 9052 §4.4), and what they say.
export function read(message) {
  const parts = decode(message);
  const isOurs = Array.isArray(parts) && parts.length === 4 && parts[0] === "Signature1"
    && parts.slice(1).every((part) => part instanceof Uint8Array) && parts[2].length === 0;
  if (!isOurs) throw new Error("the message is no document's");
  return said(parts[1], parts[3]);
}

// What a document of the log says; null where its payload is packed, which this cannot undo.
export function readDocument(data) {
  if (data[0] !== TAG_18) throw new Error("it is no signed document");
  const parts = decode(data.subarray(1));
  const isOurs = Array.isArray(parts) && parts.length === 4 && parts[1] instanceof Map && parts[1].size === 0
    && [0, 2, 3].every((at) => parts[at] instanceof Uint8Array);
  if (!isOurs) throw new Error("it is no signed document");
  return parts[2][0] === 0 ? said(parts[0], parts[2]) : null;
}

function said(header, payload) {
  const labels = decode(header);
  const claims = labels instanceof Map ? labels.get(CLAIMS) : null;
  if (!keysAre(labels, [ALG, KID, CLAIMS, TYP]) || !keysAre(claims, [1, 2, 6])) throw new Error("the header is no document's");
  if (labels.get(TYP) !== TYPE || !ALGORITHMS.includes(Number(labels.get(ALG)))) throw new Error("the header is of another type");
  if (payload[0] !== 0) throw new Error("the payload is packed");
  const fields = decode(payload.subarray(1));
  if (!(fields instanceof Map) || fields.get("version") !== BigInt(1)) throw new Error("the document is of another version");
  const allowed = ["version", "kind", "about", "body", "follows", "files"];
  if (![...fields.keys()].every((key) => allowed.includes(key))) throw new Error("the document has a field too many");
  return {
    header, payload, kid: labels.get(KID), plant: claims.get(1), person: claims.get(2), signed: Number(claims.get(6)),
    kind: fields.get("kind"), about: fields.get("about"), body: fields.get("body"),
    follows: (fields.get("follows") || []).map(hex),
    files: (fields.get("files") || []).map(([name, type, size, sha256]) => ({ name, type, size: Number(size), sha256: hex(sha256) })),
  };
}

// The document: COSE_Sign1 of what was read, and a signature of 64 bytes.
export function signed(paper, signature) {
  if (signature.length !== 64) throw new Error("the signature has not 64 bytes");
  const head = Uint8Array.from([TAG_18, 0x84]);
  return joined(head, byteString(paper.header), Uint8Array.from([0xa0]), byteString(paper.payload), byteString(signature));
}

// A value as people write it, see cloud/records/written.py: instants in the plant's own time.
export function written(name, value, zone) {
  if (Array.isArray(value)) return value.map((row) => writtenBody(row, zone));
  if (value instanceof Uint8Array) return hex(value);
  if (typeof value === "bigint" && name.endsWith("_ns")) return localText(value, zone);
  return String(value);
}

export function writtenBody(body, zone) {
  return Object.fromEntries(Array.from(body, ([name, value]) => [name, written(name, value, zone)]));
}

export function localText(ns, zone) {
  const second = BigInt(1000000000);
  const parts = new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  }).formatToParts(Number(ns / BigInt(1000000)));
  const part = (type) => parts.find((one) => one.type === type).value;
  const text = `${part("year").padStart(4, "0")}-${part("month")}-${part("day")} ${part("hour")}:${part("minute")}`;
  const seconds = part("second") === "00" ? "" : `:${part("second")}`;
  return text + seconds + (ns % second === BigInt(0) ? "" : ` +${ns % second} ns`);
}

// Throws unless the paper says what was asked for, every field of it and nothing else.
export function check(paper, wanted, zone) {
  const differs = (what) => { throw new Error(`what the collector gave to sign is another ${what} than what was written`); };
  for (const name of ["plant", "person", "kind", "about"]) if (paper[name] !== wanted[name]) differs(name);
  if (!same(paper.kid, wanted.key.slice(0, 8))) differs("key");
  const told = writtenBody(paper.body, zone);
  if (canonical(told) !== canonical(filled(wanted.body))) differs("body");
  if (wanted.follows.length && canonical(paper.follows) !== canonical(wanted.follows)) differs("list of what it follows");
  if (!wanted.follows.length && paper.follows.length && !wanted.kind.startsWith("person")) differs("list of what it follows");
  if (canonical(paper.files) !== canonical(wanted.files)) differs("list of files");
}

// Without what was left empty; only a region may be empty, for the nation.
function filled(body) {
  const rows = Object.entries(body).filter(([name, value]) => value !== "" || name === "region");
  return Object.fromEntries(rows.map(([name, value]) => [name, Array.isArray(value) ? value.map(filled) : value]));
}

function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join()}}`;
}
