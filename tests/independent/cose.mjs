// Signed objects and payloads: FORMAT.md section 2. Pure; no I/O.

import { createHash, verify as cryptoVerify } from "node:crypto";
import { inflateSync } from "node:zlib";
import * as cbor from "./cbor.mjs";
import { FormatError, NewerError } from "./cbor.mjs";
import { checkKey, isSmall } from "./points.mjs";
import { unzstd } from "./zstd.mjs";

export const OBJECT_MAX = 1 << 20;
const [ALG, KID, CWT, TYP] = [1n, 4n, 15n, 16n];
const [SEQ, PREV, ANCHOR, CFG] = [-65537n, -65538n, -65539n, -65540n];
const [HASH_ALG, CONTENT_TYPE] = [258n, 259n];

export const FRAME = "stackproof-frame+cbor";
export const CONFIG = "stackproof-config+cbor";
export const COSIGNATURE = "stackproof-cosignature+cbor";
export const CLOSE = "stackproof-close+cbor";
export const ROTATE = "stackproof-rotate+cbor";
export const STREAM_TYPES = new Set([FRAME, CONFIG, COSIGNATURE, CLOSE, ROTATE]);

/** A suite outside the table of section 2: C-SUITE. */
export class SuiteError extends Error {}
/** The signature does not verify. */
export class SignatureError extends Error {}

/** alg -> kind of key, as node:crypto names it */
const SUITES = new Map([[-19n, "ed25519"], [-8n, "ed25519"], [-9n, "ec"], [-7n, "ec"]]);

/** SEC 2, 2.4.2 */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

export function sha256(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

export const hex = (bytes) => Buffer.from(bytes).toString("hex");

/** A public key with its hash; kind is null where the suite is unknown. Throws of what is no key. */
export function publicKey(key) {
  const spki = key.export({ type: "spki", format: "der" });
  if (key.asymmetricKeyType === "ed25519") checkKey(spki.subarray(-32));
  const isP256 = key.asymmetricKeyType === "ec" &&
    key.asymmetricKeyDetails.namedCurve === "prime256v1";
  const known = key.asymmetricKeyType === "ed25519" || isP256;
  return { key, spki, hash: sha256(spki), kind: known ? key.asymmetricKeyType : null };
}

/** True if the signature over the bytes is good under a key of the table. */
export function isSigned(data, signature, by) {
  if (signature.length !== 64) return false;
  if (by.kind === "ed25519") {
    return !isSmall(signature.subarray(0, 32)) && cryptoVerify(null, data, by.key, signature);
  }
  return cryptoVerify("sha256", data, { key: by.key, dsaEncoding: "ieee-p1363" }, signature);
}

/** {protected, payload, signature, header, hash} of one COSE_Sign1; nothing is verified yet. */
export function parse(data) {
  if (data.length > OBJECT_MAX) throw new FormatError("more than 1 MiB");
  if (data[0] !== 0xd2) throw new FormatError("no COSE_Sign1: tag 18 is missing");
  const parts = cbor.list(cbor.decode(data.subarray(1)), "object", 4);
  const unprotected = cbor.map(parts[1], "unprotected map", []);
  cbor.bytes(parts[0], "protected header");
  cbor.bytes(parts[2], "payload");
  cbor.bytes(parts[3], "signature");
  const header = cbor.decode(parts[0]);
  if (!(header instanceof Map) || unprotected.size) throw new FormatError("header is no map");
  const [alg, kid, typ] = [header.get(ALG), header.get(KID), header.get(TYP)];
  if (typeof alg !== "bigint") throw new FormatError("alg is no number");
  cbor.bytes(kid, "kid", 8);
  cbor.string(typ, "typ");
  return {
    data, protected: parts[0], payload: parts[2], signature: parts[3], header, alg, kid, typ,
    hash: sha256(data),
  };
}

/** Hash of the object with (r, n-s) for (r, s): P-256's other way, which needs no key (FORMAT.md 2). */
export function rewritten({ data, signature }) {
  const [r, s] = [signature.subarray(0, 32), BigInt(`0x0${hex(signature.subarray(32, 64))}`)];
  const other = (P256_ORDER - (s % P256_ORDER)) % P256_ORDER;
  const bytes = Buffer.from(other.toString(16).padStart(64, "0"), "hex");
  return sha256(data.subarray(0, data.length - signature.length), r, bytes);
}

/** Throws unless `by` signed the object. */
export function verify(object, by) {
  const kind = SUITES.get(object.alg);
  if (kind === undefined) throw new SuiteError(`suite ${object.alg} unknown`);
  if (by.kind === null) throw new SuiteError("the key is of no known suite");
  const signed = cbor.encode(["Signature1", object.protected, Buffer.alloc(0), object.payload]);
  if (kind !== by.kind || !isSigned(signed, object.signature, by)) {
    throw new SignatureError("the signature does not verify");
  }
}

function exactly(header, required, optional = []) {
  cbor.map(header, "header", required, optional);
}

/** The header of a stream object: {plant, stream, seq, prev, anchor, cfg, signedAt}. */
export function streamHeader(object) {
  const { header } = object;
  exactly(header, [ALG, KID, TYP, CWT, SEQ, PREV], [ANCHOR, CFG]);
  const claims = cbor.map(header.get(CWT), "CWT claims", [1n, 2n, 6n]);
  let anchor = null;
  if (header.has(ANCHOR)) {
    const [size, root] = cbor.list(header.get(ANCHOR), "anchor", 2);
    anchor = { size: cbor.uint(size, "anchor's size"), root: cbor.bytes(root, "root", 32) };
  }
  return {
    plant: cbor.string(claims.get(1n), "plant"),
    stream: cbor.string(claims.get(2n), "stream"),
    signedAt: cbor.uint(claims.get(6n), "time of signing"),
    seq: cbor.uint(header.get(SEQ), "seq"),
    prev: cbor.bytes(header.get(PREV), "prev", 32),
    anchor,
    cfg: header.has(CFG) ? cbor.bytes(header.get(CFG), "cfg", 32) : null,
  };
}

/** Labels 1, 4 and 16 only, and this typ. */
export function plainHeader(object, typ) {
  exactly(object.header, [ALG, KID, TYP]);
  if (object.typ !== typ) throw new FormatError(`it is no ${typ}`);
}

/** The seal's header: a hash envelope over text. */
export function sealHeader(object, typ, contentType) {
  exactly(object.header, [ALG, KID, TYP, HASH_ALG, CONTENT_TYPE]);
  if (object.typ !== typ) throw new FormatError("it is no such seal");
  if (object.header.get(HASH_ALG) !== -16n || object.header.get(CONTENT_TYPE) !== contentType) {
    throw new FormatError(`it is no hash envelope over ${contentType}`);
  }
}

/** The CBOR bytes inside a payload. */
function unpack(payload) {
  if (payload.length === 0) throw new FormatError("the payload is empty");
  const data = payload.subarray(1);
  const most = Math.min(cbor.BYTES_MAX, 65_536 + 1024 * payload.length);
  switch (payload[0]) {
    case 0:
      return data;
    case 1:
      return unzstd(data, most);
    case 2:
      return unzlib(data, most);
  }
  throw new NewerError(`compression ${payload[0]} is newer`);
}

function unzlib(data, most) {
  let made;
  try {
    made = inflateSync(data, { info: true, maxOutputLength: most });
  } catch (error) {
    throw new FormatError(`not one zlib stream of at most ${most} bytes: ${error.code}`);
  }
  if (made.engine.bytesWritten !== data.length) throw new FormatError("bytes after the zlib stream");
  return made.buffer;
}

/** The item a payload holds, of so many arrays and maps at most. */
export function content(payload, nestedMax) {
  return cbor.decode(unpack(payload), 4096 + 16 * payload.length, nestedMax);
}
