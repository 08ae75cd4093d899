// A time stamp response, as far as FORMAT.md section 9 asks: RFC 3161 and RFC 5652. Pure; no I/O.

import { FormatError } from "./cbor.mjs";
import { as, inside, integer, items, only, time } from "./der.mjs";

const SHA256 = "608648016503040201";
const TST_INFO = "2a864886f70d0109100104";
const SIGNED_DATA = "2a864886f70d010702";
const BYTES_MAX = 64 << 10;

const oid = (item) => as(item, 0x06, "OID").toString("hex");

/**
 * The time that a response says, in nanoseconds since 1970; throws unless it is a granted one over
 * this SHA-256, with one signer and their certificate. No signature is checked.
 */
export function sealStamp(bytes, digest) {
  if (bytes.length > BYTES_MAX) throw new FormatError("more than 64 KiB");
  const [status, token] = items(only(bytes, 0x30, "response"));
  if (integer(inside(status, 0x30, "status")[0], "status") !== 0n) {
    throw new FormatError("the authority did not grant it");
  }
  const [type, wrapped] = inside(token, 0x30, "token");
  if (oid(type) !== SIGNED_DATA) throw new FormatError("it is no signed data");
  const data = items(only(as(wrapped, 0xa0, "signed data"), 0x30, "signed data"));
  const [, algorithms, content] = data;
  inside(algorithms, 0x31, "algorithms"); // in any order, as certificates are
  checkSigner(data);
  const [kind, octets] = inside(content, 0x30, "content");
  if (oid(kind) !== TST_INFO) throw new FormatError("it is no TSTInfo");
  return toldBy(only(as(octets, 0xa0, "content"), 0x04, "content"), digest);
}

/** Attributes, and the values of each, are sets in DER's order. */
function checkAttributes(attributes) {
  checkOrder(attributes, "attributes");
  for (const attribute of attributes) {
    const [type, values] = inside(attribute, 0x30, "attribute");
    oid(type);
    checkOrder(inside(values, 0x31, "attribute"), "attribute");
  }
}

function checkOrder(members, what) {
  for (let i = 1; i < members.length; i += 1) {
    if (Buffer.compare(members[i - 1].whole, members[i].whole) > 0) {
      throw new FormatError(`${what}: order`);
    }
  }
}

/** One signer, and one certificate that has the issuer and the number which they name. */
function checkSigner(data) {
  const signers = inside(data.at(-1), 0x31, "signers");
  if (signers.length !== 1) throw new FormatError("it has not exactly one signer");
  const parts = inside(signers[0], 0x30, "signer");
  for (const { tag, value } of parts) if (tag === 0xa0 || tag === 0xa1) checkAttributes(items(value));
  const [issuer, serial] = inside(parts[1], 0x30, "signer");
  const set = data.find(({ tag }) => tag === 0xa0);
  const held = set === undefined ? [] : items(set.value);
  const own = held.filter((certificate) => {
    const fields = inside(inside(certificate, 0x30, "certificate")[0], 0x30, "certificate");
    if (fields[0]?.tag === 0xa0) fields.shift();
    if (integer(fields[0], "serial") <= 0n) throw new FormatError("a serial number is not positive");
    return fields[0].whole.equals(serial.whole) && fields[2].whole.equals(issuer.whole);
  });
  if (new Set(own.map(({ whole }) => whole.toString("hex"))).size !== 1) {
    throw new FormatError("it has not exactly one certificate of its signer");
  }
}

/** The time in a TSTInfo over this SHA-256. */
function toldBy(bytes, digest) {
  const [version, , imprint, , at] = items(only(bytes, 0x30, "TSTInfo"));
  if (integer(version, "version") !== 1n) throw new FormatError("it is of another version");
  const [algorithm, hash] = inside(imprint, 0x30, "imprint");
  const isOverSha256 = oid(inside(algorithm, 0x30, "imprint")[0]) === SHA256;
  if (!isOverSha256 || !as(hash, 0x04, "imprint").equals(digest)) {
    throw new FormatError("it is over something else than this seal");
  }
  as(at, 0x18, "time");
  return time(at, "time");
}
