// What a certificate says, as far as FORMAT.md section 9 asks: RFC 5280. Pure; no I/O.

import { FormatError } from "./cbor.mjs";
import { as, inside, integer, items, only, time } from "./der.mjs";

const [KEY_ID, KEY_USAGE, NAMES, CONSTRAINTS, AUTHORITY] =
  ["551d0e", "551d0f", "551d11", "551d13", "551d23"];
const TRUE = 0xff;

/** {from, to (ns), issuer, subject (DER), names: [uri or null], isAuthority, signature}. */
export function told(der) {
  const [tbs, , signature] = items(only(der, 0x30, "certificate"));
  const fields = inside(tbs, 0x30, "certificate");
  const version = inside(fields.shift(), 0xa0, "version");
  if (version.length !== 1 || integer(version[0], "version") !== 2n) {
    throw new FormatError("it is no certificate of version 3");
  }
  const [serial, , issuer, validity, subject] = fields;
  if (integer(serial, "serial") <= 0n) throw new FormatError("its serial number is not positive");
  const dates = inside(validity, 0x30, "validity");
  const [from, to] = dates.map((date) => time(date, "validity"));
  if (dates.length !== 2 || from > to) throw new FormatError("its validity is none");
  const found = extensions(fields.at(-1));
  const names = found.has(NAMES) ? items(only(found.get(NAMES), 0x30, "names")) : [];
  return {
    from, to, issuer: issuer.whole, subject: subject?.whole,
    isAuthority: isAuthority(found.get(CONSTRAINTS)),
    signature: as(signature, 0x03, "signature").subarray(1), // after the count of unused bits
    names: names.map(({ tag, value }) => (tag === 0x86 ? value.toString("latin1") : null)),
  };
}

/** OID, hex -> contents; none twice, and those that our certificates have as RFC 5280 has them. */
function extensions(field) {
  const found = new Map();
  const [list, ...rest] = inside(field, 0xa3, "extensions");
  if (rest.length) throw new FormatError("extensions: not one list");
  for (const extension of inside(list, 0x30, "extensions")) {
    const parts = inside(extension, 0x30, "extension");
    const oid = as(parts[0], 0x06, "extension").toString("hex");
    if (parts.length === 3) isTrue(parts[1], "critical");
    if (parts.length > 3 || found.has(oid)) throw new FormatError("an extension stands twice");
    found.set(oid, as(parts.at(-1), 0x04, "extension"));
  }
  if (found.has(KEY_ID)) only(found.get(KEY_ID), 0x04, "key identifier");
  if (found.has(KEY_USAGE)) bits(only(found.get(KEY_USAGE), 0x03, "key usage"));
  if (found.has(AUTHORITY)) issuerKey(only(found.get(AUTHORITY), 0x30, "authority key identifier"));
  return found;
}

function isTrue(item, what) {
  const value = as(item, 0x01, what);
  if (value.length !== 1 || value[0] !== TRUE) throw new FormatError(`${what}: not true`);
}

function bits(value) {
  const unused = value[0];
  const last = value.at(-1);
  const isBits = value.length > 1 ? unused < 8 && (last & ((1 << unused) - 1)) === 0 : unused === 0;
  if (!isBits) throw new FormatError("key usage: no bits");
}

function issuerKey(value) {
  const tags = items(value).map(({ tag }) => tag);
  const isInOrder = tags.every((tag, i) => i === 0 || tags[i - 1] < tag);
  if (!isInOrder || tags.some((tag) => ![0x80, 0xa1, 0x82].includes(tag))) {
    throw new FormatError("authority key identifier: fields");
  }
}

function isAuthority(contents) {
  if (contents === undefined) return false;
  const fields = items(only(contents, 0x30, "basic constraints"));
  const ca = fields[0]?.tag === 0x01 ? fields.shift() : undefined;
  if (ca !== undefined) isTrue(ca, "basic constraints");
  const depth = fields.shift();
  if (depth !== undefined && integer(depth, "basic constraints") < 0n) {
    throw new FormatError("basic constraints: depth");
  }
  if (fields.length) throw new FormatError("basic constraints: more");
  return ca !== undefined;
}
