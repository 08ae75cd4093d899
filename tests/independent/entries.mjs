// One entry of the plant log, and what its kind must say: FORMAT.md section 7. Pure; no I/O.

import * as cbor from "./cbor.mjs";
import { FormatError, NewerError } from "./cbor.mjs";

export const KINDS = {
  frame: 1, config: 2, enrol: 3, rotate: 4, revoke: 5, replace: 6, gap: 7, record: 8, review: 9,
  reject: 10, monthClose: 11, cosignature: 12, plantClose: 13,
};
export const ACCEPTING = new Set([1, 2, 4, 12, 13]);

const ID = /^[a-z0-9-]{1,40}$/;
const ROLES = ["root", "collector", "gateway"];
const CLOSINGS = ["interim", "final"];
const ASIDE = new Set(["revoked", "expired", "key-change", "unknown-key"]);

/** One entry; throws FormatError or NewerError. */
export function decodeEntry(bytes) {
  const parts = cbor.list(cbor.decode(bytes), "entry");
  const version = cbor.uint(parts[0], "version of the entry");
  if (version === 0n) throw new FormatError("version 0");
  if (version !== 1n) throw new NewerError(`log entry of version ${version}`);
  cbor.list(parts, "entry", 12);
  const kind = Number(cbor.uint(parts[1], "kind"));
  const entry = {
    kind,
    received: cbor.uint(parts[2], "received_ns"),
    epoch: cbor.uint(parts[3], "epoch"),
    stream: cbor.string(parts[4], "stream"),
    seq: parts[5] === null ? null : cbor.uint(parts[5], "seq"),
    sha256: cbor.bytes(parts[6], "sha256", 32),
    length: cbor.uint(parts[7], "length"),
    key: parts[8] === null ? null : cbor.bytes(parts[8], "key_hash", 32),
    verdict: cbor.string(parts[9], "verdict"),
    second: parts[10] === null ? null : cbor.bytes(parts[10], "second_hash"),
    detail: parts[11],
  };
  if (!(entry.detail instanceof Map)) throw new FormatError("detail is no map");
  for (const key of entry.detail.keys()) cbor.string(key, "key of the detail");
  if (kind < 1 || kind > 13) throw new NewerError(`log entry of kind ${kind}`);
  return entry;
}

/** True if an entry says what its kind must say, and no more. */
export function isSound(entry) {
  const { kind, verdict, stream, seq, key, detail } = entry;
  if ((verdict === "accepted") === (kind === KINDS.reject) || verdict === "") return false;
  if (ACCEPTING.has(kind)) return ID.test(stream) && seq !== null && key !== null && !detail.size;
  const isOfPlant = stream === "" && seq === null;
  switch (kind) {
    case KINDS.enrol:
      return isEnrolment(entry);
    case KINDS.revoke:
      return ID.test(stream) && key !== null && has(detail, { key: isHash });
    case KINDS.replace:
      return ID.test(stream) && seq !== null && key !== null &&
        has(detail, { old: isHash, new: isHash });
    case KINDS.gap:
      return ID.test(stream) && seq !== null &&
        has(detail, { from_ns: isNumber, to_ns: isNumber, reason: isText });
    case KINDS.reject:
      return (stream === "" || ID.test(stream)) && isReject(entry);
    case KINDS.monthClose:
      return isOfPlant && key === null && isClose(detail);
    case KINDS.record:
      return isOfPlant && key !== null && has(detail, {
        kind: (value) => isText(value) && /^[a-z][a-z-]{0,39}$/.test(value),
        about: (value) => isText(value) && /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/.test(value),
        person: (value) => isText(value) && ID.test(value),
      });
    default:
      return isOfPlant; // reviews: read as they are
  }
}

const isText = (value) => typeof value === "string";
const isNumber = (value) => typeof value === "bigint";
const isBytes = (value, size) => Buffer.isBuffer(value) && value.length === size;
const isHash = (value) => isBytes(value, 32);

/** True if a detail has these fields, each of its kind, and no others. */
function has(detail, fields) {
  const names = Object.keys(fields);
  return detail.size === names.length &&
    names.every((name) => detail.has(name) && fields[name](detail.get(name)));
}

function isEnrolment({ stream, seq, key, detail }) {
  const [role, name] = [detail.get("role"), detail.get("name")];
  return seq === null && key === null && stream === (role === "gateway" ? name : "") &&
    has(detail, { role: (value) => ROLES.includes(value), name: isText, certificate_sha256: isHash });
}

function isReject({ verdict, seq, key, detail }) {
  if (verdict === "fork") {
    const held = detail.has("held") ? "held" : "held_before";
    return seq !== null && key !== null && has(detail, { prev: isHash, [held]: isHash });
  }
  if (ASIDE.has(verdict)) return has(detail, { kid: (value) => isBytes(value, 8) });
  return has(detail, { count: (value) => isNumber(value) && value >= 1n });
}

/** True for [first seq, last seq, hash of the last object]. */
export function isSpan(span) {
  if (!Array.isArray(span) || span.length !== 3 || !isHash(span[2])) return false;
  return span.slice(0, 2).every(isNumber) && span[0] >= 0n && span[0] <= span[1];
}

function isClose(detail) {
  const isMonth = (value) => isText(value) && /^\d{4}-(0[1-9]|1[0-2])$/.test(value);
  const isStreams = (value) => value instanceof Map && [...value.values()].every(isSpan);
  const fields = { month: isMonth, closing: (value) => CLOSINGS.includes(value), streams: isStreams };
  return has(detail, detail.has("replaces") ? { ...fields, replaces: isHash } : fields);
}
