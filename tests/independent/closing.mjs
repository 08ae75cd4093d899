// Statement, receipts, seal and closes: FORMAT.md sections 8 and 9, steps 6 and 7 of section 10.

import * as cbor from "./cbor.mjs";
import { FormatError, NewerError } from "./cbor.mjs";
import * as cose from "./cose.mjs";
import { SignatureError, SuiteError, hex, sha256 } from "./cose.mjs";
import * as json from "./json.mjs";
import { monthStart } from "./calendar.mjs";
import { KINDS } from "./entries.mjs";
import { isConsistent } from "./merkle.mjs";
import * as note from "./note.mjs";
import { sealStamp } from "./stamp.mjs";
import { stateOf } from "./state.mjs";

const SIGNS = new Set(Buffer.from(",[{"));
const STATEMENT = "data/statement.json";
const STAMP_BEFORE_NS = 60n * 1_000_000_000n;
const [STATEMENT_MAX, SIGNS_MAX] = [16 << 20, 600_000];
const INSTANT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/;

function instant(spelled) {
  const parts = INSTANT.exec(spelled ?? "");
  const at = parts === null ? NaN : Date.parse(`${parts[1]}Z`);
  if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 19) !== parts[1]) return null;
  return BigInt(at) * 1_000_000n + BigInt((parts[2] ?? "0").padEnd(9, "0"));
}

/** What the statement says about itself; null if it cannot be used. */
export function loadStatement(archive, report) {
  try {
    const bytes = archive.read(STATEMENT, STATEMENT_MAX);
    if (bytes === null) throw new FormatError("it is missing");
    if (bytes.filter((byte) => SIGNS.has(byte)).length > SIGNS_MAX) throw new FormatError("signs");
    const value = json.parse(bytes);
    if (!(value instanceof Map)) throw new FormatError("it is no object");
    const format = value.get("format");
    if (typeof format !== "bigint" || format < 0n) throw new FormatError("format");
    if (format !== 1n && format !== 2n) throw new NewerError(`statement of format ${format}`);
    cbor.map(value, "statement", ["format", "simulated", "input", "output"], ["replaces"]);
    cbor.bool(value.get("simulated"), "simulated");
    const [input, output] = [value.get("input"), value.get("output")];
    const period = input instanceof Map ? input.get("period") : null;
    if (!(output instanceof Map) || !(period instanceof Map)) throw new FormatError("no period");
    const [month, closing] = [input.get("month"), input.get("closing")];
    cbor.string(month, "month");
    if (!["interim", "final"].includes(closing)) throw new FormatError("closing");
    const [from, to] = [instant(period.get("from")), instant(period.get("to"))];
    return {
      hash: sha256(bytes), length: bytes.length, month, closing, simulated: value.get("simulated"),
      period: from === null || to === null ? null
        : { from, to, fromText: period.get("from"), toText: period.get("to") },
      input, output,
      format, replaces: replaced(value), ruleSet: input.get("rule_set"),
      flags: Array.isArray(output.get("flags")) ? output.get("flags") : [],
    };
  } catch (error) {
    if (error instanceof NewerError) report("C-FORMAT", STATEMENT, error.message);
    else if (error instanceof FormatError) report("E-STATEMENT", STATEMENT, error.message);
    else throw error;
    return null;
  }
}

function replaced(value) {
  if (!value.has("replaces")) return null;
  const fields = cbor.map(value.get("replaces"), "replaces", ["statement_sha256", "reason"]);
  cbor.string(fields.get("reason"), "reason");
  const hash = cbor.string(fields.get("statement_sha256"), "statement_sha256");
  if (!/^[0-9a-f]{64}$/.test(hash)) throw new FormatError("what it replaces is no hash");
  return hash;
}

/** What a reader should see of the statement. */
export function tellStatement(stated, streams, archive, standing, report) {
  if (stated === null) return;
  if (stated.period === null) report("E-STATEMENT", "statement", "its period is none");
  if (stated.replaces !== null) report("N-AMENDED", "statement");
  if (stated.closing === "interim") report("N-INTERIM", "statement");
  const isSimulated = stated.simulated || streams.some((stream) => stream.isSimulated);
  if (isSimulated) report("N-SIMULATED", "statement");
  for (const [code, where] of stateOf(stated, archive, standing)) report(code, where);
}

/** The period and "simulated"; true if the figures are of one stream, as they must be. */
export function checkPeriod(stated, streams, figures, report) {
  const spans = streams.filter((stream) => stream.span !== null);
  if (stated === null || stated.period === null || figures.isUndecided) return false;
  if (spans.length !== 1 || figures.streams.size > 1) {
    report("E-INPUT", "statement", "it needs the frames of one gateway");
    return false;
  }
  const { first, span } = spans[0];
  const parts = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(stated.month);
  if (!parts) {
    report("E-STATEMENT", "statement", "its month is none");
    return false;
  }
  let bounds;
  try {
    const [year, month] = [Number(parts[1]), Number(parts[2]) - 1];
    bounds = [0, 1].map((more) => monthStart(span.config.timeZone, year, month + more));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    report("E-CFG", "statement", "its time zone is unknown");
    return true; // no frame could be calculated with
  }
  const from = first === 0n && span.from > bounds[0] ? span.from : bounds[0];
  const to = stated.closing === "interim" && span.to < bounds[1] ? span.to : bounds[1];
  if (stated.period.from !== from || stated.period.to !== to) report("E-INPUT", "input.period");
  if (spans[0].isSimulated !== stated.simulated) report("E-INPUT", "simulated");
  return true;
}

// -- the log's close ------------------------------------------------------------------------------

/** The log ends with the close of this month; each stream's span is the one it names. */
export function checkLogClose(log, identities, stated, streams, report) {
  const { last } = log;
  if (log.isReadable && log.endsNewer) return;
  if (!log.isReadable || last?.kind !== KINDS.monthClose) {
    report("E-LOG-CLOSE", "data/log/entries.seg");
    return;
  }
  if (!identities.wasCollectorValid(last.received)) {
    report("E-KEY-EXPIRED", "data/keys/collector.crt", "the month was closed outside its validity");
  }
  const { detail } = last;
  if (stated !== null) {
    if (!last.sha256.equals(stated.hash) || last.length !== BigInt(stated.length)) {
      report("E-LOG-CLOSE", STATEMENT);
    }
    for (const key of ["month", "closing"]) {
      if (detail.get(key) !== stated[key]) report("E-LOG-CLOSE", `statement ${key}`);
    }
    const replaces = detail.get("replaces");
    const named = Buffer.isBuffer(replaces) ? hex(replaces) : replaces ?? null;
    if (named !== stated.replaces) report("E-LOG-CLOSE", "statement replaces");
    if (stated.closing === "final" && stated.period && last.received < stated.period.to) {
      report("E-LOG-CLOSE", "statement period", "closed before it was over");
    }
    const before = log.closes.filter((item) => item !== last && item.detail.get("closing") === "final"
      && item.detail.get("month") === detail.get("month")).at(-1);
    if (before !== undefined && hex(before.sha256) !== stated.replaces) {
      report("E-LOG-CLOSE", "statement replaces", "it was closed as final before");
    }
    if (before === undefined && stated.replaces !== null && log.isWhole) {
      report("E-LOG-CLOSE", "statement replaces", "nothing came before it");
    }
  }
  const spans = detail.get("streams");
  if (!(spans instanceof Map)) {
    report("E-LOG-CLOSE", "data/log/entries.seg", "its streams are none");
    return;
  }
  for (const stream of streams) {
    if (!spans.has(stream.id)) report("E-LOG-CLOSE", `stream ${stream.id}`);
  }
  for (const [id, span] of spans) {
    const stream = streams.find((item) => item.id === id);
    const fits = Array.isArray(span) && span.length === 3 && stream?.last &&
      span[0] === stream.first && span[1] === stream.last.seq &&
      Buffer.isBuffer(span[2]) && span[2].equals(stream.last.hash);
    if (!fits) report("E-CHAIN-GAP", `stream ${id}`);
  }
}

// -- seal, receipts, closes -----------------------------------------------------------------------

function guarded(code, where, report, action) {
  try {
    action();
    return true;
  } catch (error) {
    if (error instanceof SuiteError) report("C-SUITE", where, error.message);
    else if (error instanceof NewerError) report("C-FORMAT", where, error.message);
    else if (error instanceof FormatError || error instanceof SignatureError) {
      report(code, where, error.message);
    } else throw error;
    return false;
  }
}

/** Throws unless this known key signed it; under such a key another alg is no signature. */
function verifyStrictly(object, key) {
  try {
    cose.verify(object, key);
  } catch (error) {
    if (error instanceof SuiteError && key.kind !== null) throw new SignatureError(error.message);
    throw error;
  }
}

function byCollector(object, identities) {
  const { collector } = identities;
  if (collector === null) throw new FormatError("there is no collector to check it with");
  if (collector.key.kind === null) throw new SuiteError("the collector's key");
  if (!object.kid.equals(collector.key.hash.subarray(0, 8))) {
    throw new FormatError("it names another key");
  }
  return collector.key;
}

export function checkSeal(archive, identities, log, tagHash, report) {
  const path = "seal/seal.cose";
  guarded("E-SEAL", path, report, () => {
    sealed(archive, path, identities, tagHash, "stackproof-seal+cose", "text/plain");
  });
  const stamp = "seal/seal.tsr";
  const over = "seal/stamp.cose";
  if (!archive.has(stamp) && !archive.has(over)) return;
  const isAsItCame = guarded("E-TIMESTAMP", over, report, () => {
    if (!archive.has(stamp)) throw new FormatError("there is no time stamp");
    if (identities.collector === null) return;
    const hash = sha256(archive.read(stamp));
    sealed(archive, over, identities, hash, "stackproof-stamp+cose", "application/timestamp-reply");
  });
  if (!isAsItCame) return;
  guarded("E-TIMESTAMP", stamp, report, () => {
    if (!archive.has(path)) throw new FormatError("there is no seal");
    const at = sealStamp(archive.read(stamp), sha256(archive.read(path)));
    const isClosed = log.isReadable && log.last?.kind === KINDS.monthClose;
    if (isClosed && at < log.last.received - STAMP_BEFORE_NS) report("W-CLOCK", stamp);
  });
}

function sealed(archive, path, identities, hash, typ, contentType) {
  if (!archive.has(path)) throw new FormatError("it is missing");
  const object = cose.parse(archive.read(path));
  verifyStrictly(object, byCollector(object, identities));
  cose.sealHeader(object, typ, contentType);
  if (hash === null || !object.payload.equals(hash)) throw new FormatError("it is over other bytes");
}

const RECEIPT = ["plant", "stream", "seq", "head", "log_index", "received_ns", "checkpoint",
  "since", "path"];

/** The fields of a receipt, each of its kind. */
export function receiptFields({ payload }) {
  const fields = cbor.map(cose.content(payload), "receipt", RECEIPT);
  const path_ = cbor.list(fields.get("path"), "path").map((h) => cbor.bytes(h, "hash", 32));
  if (path_.length > 128) throw new FormatError("its proof is too long");
  return {
    path_, plant: cbor.string(fields.get("plant"), "plant"),
    stream: cbor.string(fields.get("stream"), "stream"),
    seq: cbor.uint(fields.get("seq"), "seq"), head: cbor.bytes(fields.get("head"), "head", 32),
    index: cbor.uint(fields.get("log_index"), "log_index"),
    received: cbor.uint(fields.get("received_ns"), "received_ns"),
    note: note.parse(Buffer.from(cbor.string(fields.get("checkpoint"), "checkpoint"))),
    since: cbor.uint(fields.get("since"), "since"),
  };
}

/** Which seq each stream's receipt names: read before the streams are. */
export function loadReceipts(archive, identities, streams, report) {
  const found = new Map();
  if (identities.collector === null) return found; // nothing tells whose they are
  for (const path of archive.files.keys()) {
    const parts = /^data\/receipts\/([a-z0-9-]{1,40})\.cose$/.exec(path);
    if (!parts || !streams.has(parts[1])) continue;
    guarded("E-RECEIPT", path, report, () => {
      const object = cose.parse(archive.read(path));
      cose.verify(object, byCollector(object, identities));
      cose.plainHeader(object, "stackproof-receipt+cbor");
      const receipt = { path, ...receiptFields(object) };
      if (receipt.plant !== identities.plant || receipt.stream !== parts[1]) {
        throw new FormatError("it is of another place");
      }
      found.set(parts[1], receipt);
    });
  }
  return found;
}

export function checkReceipts(receipts, identities, log, streams, report) {
  for (const [id, receipt] of receipts) {
    const stream = streams.find((item) => item.id === id);
    if (stream === undefined) continue; // E-FILE-EXTRA, said elsewhere
    guarded("E-RECEIPT", receipt.path, report, () => {
      const entry = log.entryFor(id, receipt.seq);
      if (entry !== null && (!entry.sha256.equals(receipt.head) ||
          entry.index !== receipt.index || entry.received !== receipt.received)) {
        throw new FormatError("it names another object than the log");
      }
      if (entry === null && log.isReadable && !log.isNewer && !isOutside(receipt, stream, log)) {
        throw new FormatError("the log has no such object");
      }
      const object = stream.atReceipt;
      if (object !== null && !object.object.hash.equals(receipt.head)) {
        throw new FormatError("it names another object than this archive");
      }
      checkReceiptsTree(receipt, object?.header.anchor, object !== null, identities, log);
    });
  }
}

/** True for an object before or after the stream's here, with its entry before or after the log's. */
function isOutside({ seq, index, received }, { first, last }, log) {
  if (index < log.start) return first === null || seq < first;
  return index >= log.size && (last === null || seq > last.seq) && received >= log.received.at(-1);
}

function checkReceiptsTree(receipt, anchor, isHere, identities, log) {
  const { size, root } = receipt.note;
  if (receipt.note.plant !== identities.plant ||
      !note.isSignedBy(receipt.note, identities.collector.key)) {
    throw new FormatError("the collector did not sign its checkpoint");
  }
  if (receipt.index >= size) throw new FormatError("its entry is not in its checkpoint");
  if (size <= log.size && log.hadRoot(size, root) === false) {
    throw new FormatError("its checkpoint is of another log");
  }
  if (receipt.since === 0n && receipt.path_.length) throw new FormatError("a proof from nothing");
  if (!isHere && (receipt.since < log.start || receipt.since > log.size)) return;
  const own = isHere ? anchor : { size: receipt.since, root: log.tree.root(receipt.since) };
  const [since, old] = own ? [own.size, own.root] : [0n, null];
  if (receipt.since !== since) throw new FormatError("it begins at another log than its object");
  if (since !== 0n && (since > size || !isConsistent(since, old, size, root, receipt.path_))) {
    throw new FormatError("its proof of consistency is none");
  }
}

const CLOSE_FIELDS = ["plant", "stream", "month", "closing", "statement_sha256", "seq", "head",
  "log_size", "log_root"];

export function checkCloses(archive, identities, log, stated, streams, report) {
  for (const stream of streams) {
    const path = `seal/close-${stream.id}.cose`;
    if (!archive.has(path)) {
      report("W-NO-PLANT-SIGNATURE", path);
      continue;
    }
    guarded("E-CLOSE", path, report, () => {
      const object = cose.parse(archive.read(path));
      const header = cose.streamHeader(object);
      if (header.plant !== identities.plant || header.stream !== stream.id) {
        throw new FormatError("it is of another place");
      }
      if (object.typ !== cose.CLOSE) throw new FormatError("it is no close");
      const key = identities.keyFor(stream.id, object.kid);
      if (key === null && identities.hasUnknownSuite(stream.id)) throw new SuiteError("its key");
      if (key === null) throw new FormatError("it is signed by a key that is not the gateway's");
      verifyStrictly(object, key);
      stream.mayClose(key, header.seq);
      const fields = closeFields(object.payload);
      compareClose(fields, header, stream, log, stated, identities);
    });
  }
}

/** The fields of a close, each of its kind. */
export function closeFields(payload) {
  const fields = cbor.map(cose.content(payload), "close", CLOSE_FIELDS);
  for (const key of ["plant", "stream", "month", "closing"]) cbor.string(fields.get(key), key);
  for (const key of ["statement_sha256", "head", "log_root"]) cbor.bytes(fields.get(key), key, 32);
  for (const key of ["seq", "log_size"]) cbor.uint(fields.get(key), key);
  return fields;
}

function compareClose(fields, header, stream, log, stated, identities) {
  const wanted = new Map([
    ["plant", identities.plant], ["stream", stream.id], ["seq", stream.last?.seq],
    ["head", stream.last?.hash], ["log_size", log.checkpoint?.size],
    ["log_root", log.checkpoint?.root],
  ]);
  if (stated !== null) {
    wanted.set("month", stated.month).set("closing", stated.closing);
    wanted.set("statement_sha256", stated.hash);
  }
  const wrong = [...wanted].filter(([key, value]) => {
    const own = fields.get(key);
    return Buffer.isBuffer(value) ? !Buffer.isBuffer(own) || !own.equals(value) : own !== value;
  });
  if (wrong.length) throw new FormatError(`it says another ${wrong.map(([key]) => key).join(", ")}`);
  if (header.seq <= stream.last.seq) throw new FormatError("it does not stand after its month");
  if (header.seq === stream.last.seq + 1n && !header.prev.equals(stream.last.hash)) {
    throw new FormatError("it does not follow the month's last object");
  }
}
