// The time stamp's imprint: RFC 3161, as far as bare DER reading goes. Pure; no I/O.

import { FormatError } from "./cbor.mjs";

const SHA256 = "608648016503040201";
const TST_INFO = "2a864886f70d0109100104";
const SIGNED_DATA = "2a864886f70d010702";

/** The items inside a DER value: [{tag, value}]. */
function items(bytes) {
  const found = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 2 > bytes.length) throw new FormatError("DER is cut short");
    const tag = bytes[at];
    let length = bytes[at + 1];
    at += 2;
    if (length & 0x80) {
      const count = length & 0x7f;
      if (count < 1 || count > 4 || at + count > bytes.length) throw new FormatError("DER length");
      length = bytes.readUIntBE(at, count);
      at += count;
    }
    if (at + length > bytes.length) throw new FormatError("DER is cut short");
    found.push({ tag, value: bytes.subarray(at, at + length) });
    at += length;
  }
  return found;
}

function inside(item, tag) {
  if (item?.tag !== tag) throw new FormatError("it is no time stamp response");
  return items(item.value);
}

/** Throws unless this response was granted over this SHA-256. Its signature is not checked. */
export function sealStamp(bytes, digest) {
  const all = items(bytes);
  if (all.length !== 1) throw new FormatError("bytes after the response");
  const [status, token] = inside(all[0], 0x30);
  const granted = inside(status, 0x30)[0];
  if (granted?.tag !== 0x02 || ![0, 1].includes(granted.value[0]) || granted.value.length !== 1) {
    throw new FormatError("the authority refused");
  }
  const [type, wrapped] = inside(token, 0x30);
  if (type?.value.toString("hex") !== SIGNED_DATA) throw new FormatError("it is no signed data");
  const [, , content] = inside(inside(wrapped, 0xa0)[0], 0x30);
  const [kind, octets] = inside(content, 0x30);
  if (kind?.value.toString("hex") !== TST_INFO) throw new FormatError("it is no TSTInfo");
  const info = inside(inside(octets, 0xa0)[0], 0x04);
  const [, , imprint] = inside(info[0], 0x30);
  const [algorithm, hash] = inside(imprint, 0x30);
  const name = inside(algorithm, 0x30)[0];
  if (name?.value.toString("hex") !== SHA256 || hash?.tag !== 0x04 || !hash.value.equals(digest)) {
    throw new FormatError("it is over something else than this seal");
  }
}
