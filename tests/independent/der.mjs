// DER as certificates and time stamps use it: X.690. Pure; no I/O.

import { FormatError } from "./cbor.mjs";

/** The items of a DER value, their lengths in the one shortest form: [{tag, value, whole}]. */
export function items(bytes) {
  const found = [];
  let at = 0;
  while (at < bytes.length) {
    const from = at;
    if (at + 2 > bytes.length) throw new FormatError("DER is cut short");
    const tag = bytes[at];
    let length = bytes[at + 1];
    at += 2;
    if ((tag & 0x1f) === 0x1f) throw new FormatError("a DER tag of several bytes");
    if (length & 0x80) {
      const count = length & 0x7f;
      if (count < 1 || count > 4 || at + count > bytes.length) throw new FormatError("DER length");
      length = bytes.readUIntBE(at, count);
      at += count;
      if (length < 0x80 || length < 256 ** (count - 1)) throw new FormatError("a longer DER length");
    }
    if (at + length > bytes.length) throw new FormatError("DER is cut short");
    at += length;
    found.push({ tag, value: bytes.subarray(at - length, at), whole: bytes.subarray(from, at) });
  }
  return found;
}

/** The one item of this tag that the bytes are; throws if they are anything else. */
export function only(bytes, tag, what) {
  const all = items(bytes);
  if (all.length !== 1) throw new FormatError(`${what}: not one DER value`);
  return as(all[0], tag, what);
}

/** The value of an item that has to have this tag. */
export function as(item, tag, what) {
  if (item?.tag !== tag) throw new FormatError(`${what}: another DER tag`);
  return item.value;
}

/** The items inside an item that has to have this tag. */
export function inside(item, tag, what) {
  return items(as(item, tag, what));
}

/** An INTEGER in its one shortest form. */
export function integer(item, what) {
  const value = as(item, 0x02, what);
  const isLonger = value.length > 1 &&
    ((value[0] === 0 && value[1] < 0x80) || (value[0] === 0xff && value[1] >= 0x80));
  if (value.length === 0 || isLonger) throw new FormatError(`${what}: no integer`);
  return BigInt.asIntN(8 * value.length, BigInt(`0x${value.toString("hex")}`));
}

/** A UTCTime or GeneralizedTime in UTC, of the years 1 to 9999, in nanoseconds since 1970. */
export function time(item, what) {
  const text = item?.value.toString("latin1") ?? "";
  const parts = (item?.tag === 0x17 ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
    : item?.tag === 0x18 ? /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d*[1-9])?Z$/ : /$^/).exec(text);
  if (!parts) throw new FormatError(`${what}: no time`);
  let [year, month, day, hour, minute, second] = parts.slice(1).map(Number);
  if (item.tag === 0x17) year += year < 50 ? 2000 : 1900;
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, day);
  at.setUTCHours(hour, minute, second);
  const isDate = at.getUTCMonth() === month - 1 && at.getUTCDate() === day && hour < 24 &&
    minute < 60 && second < 60;
  if (year < 1 || !isDate) throw new FormatError(`${what}: no time`);
  return BigInt(at.getTime()) * 1_000_000n;
}
