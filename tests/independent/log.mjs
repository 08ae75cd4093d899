// The plant log of an archive: FORMAT.md section 7, step 4 of section 10.

import * as cbor from "./cbor.mjs";
import { FormatError, NewerError } from "./cbor.mjs";
import { RecordError } from "./archive.mjs";
import { CLOSE, CONFIG, COSIGNATURE, FRAME, ROTATE } from "./cose.mjs";
import { ACCEPTING, KINDS, decodeEntry, isSound } from "./entries.mjs";
import { Tree, leafHash } from "./merkle.mjs";
import * as note from "./note.mjs";

export const KIND_OF_TYPE = new Map([
  [FRAME, 1], [CONFIG, 2], [ROTATE, 4], [COSIGNATURE, 12], [CLOSE, 13],
]);
const [STREAMS_MAX, KEYS_MAX, BEFORE_MAX, RECORDS_MAX] = [1_000, 10_000, 10_000, 20_000];

const RANGE = "data/log/range.cbor";
const ENTRIES = "data/log/entries.seg";
export const CHECKPOINT = "data/log/checkpoint";

/** True for a frame's entry and one that speaks of the same object. */
function isOfOne(frame, entry) {
  return frame.kind === KINDS.frame && frame.stream === entry.stream && frame.seq === entry.seq &&
    frame.sha256.equals(entry.sha256) && frame.length === entry.length &&
    frame.key !== null && entry.key !== null && frame.key.equals(entry.key);
}

export class Log {
  constructor() {
    this.start = 0n;
    this.tree = new Tree(0n, []);
    this.received = []; // of each entry from `start` on
    this.accepted = new Map(); // "stream seq" -> entry with its index
    this.newest = new Map(); // stream -> newest seq that was accepted
    this.keys = new Set(); // hashes of the keys of what was accepted
    this.isNewer = false; // an entry is newer than this program
    this.endsNewer = false; // the last one is
    this.gaps = new Map(); // the same key -> the gap entry that stands directly after
    this.orders = []; // entries of kind revoke and replace
    this.forks = []; // entries
    this.refused = new Set(); // streams of which objects were refused or kept aside
    this.closes = []; // entries that close a month
    this.records = []; // entries of documents
    this.last = null; // the last entry, if it could be read
    this.before = new Map(); // size -> root, of logs that gateways saw and that are not here
    this.isReadable = false;
    this.checkpoint = null; // if the collector signed it
  }

  get isWhole() {
    return this.isReadable && this.start === 0n && !this.isNewer;
  }

  get size() {
    return this.tree.size;
  }

  entryFor(stream, seq) {
    return this.accepted.get(`${stream} ${seq}`) ?? null;
  }

  /** When the entry before a log of this size was received; null if it is not in the archive. */
  receivedBefore(size) {
    return this.received[Number(size - 1n - this.start)] ?? null;
  }

  /** True, false, or null where the archive does not reach back so far. */
  hadRoot(size, root) {
    if (size > this.size) return false;
    if (size < this.start) return null;
    return this.tree.root(size).equals(root);
  }

  /** As `hadRoot`, of a root that a gateway names: of two older than the archive the first holds. */
  hadSeen(size, root) {
    if (size >= this.start) return this.hadRoot(size, root);
    if (!this.before.has(size) && this.before.size < BEFORE_MAX) this.before.set(size, root);
    return this.before.get(size)?.equals(root) ?? null;
  }

  load(archive, identities, report) {
    if (!this.loadRange(archive, report) || !this.loadEntries(archive, report)) return;
    this.isReadable = true;
    this.checkForks(report);
    for (const stream of this.refused) report("N-REJECTED", `stream ${stream}`);
    this.loadCheckpoint(archive, identities, report);
  }

  loadRange(archive, report) {
    const bytes = archive.read(RANGE);
    try {
      if (bytes === null) throw new FormatError("it is missing");
      const [size, roots] = cbor.list(cbor.decode(bytes), "range", 2);
      this.start = cbor.uint(size, "size", (1n << 63n) - 1n);
      this.tree = new Tree(this.start, cbor.list(roots, "roots").map((item) =>
        cbor.bytes(item, "root of a subtree", 32)));
      return true;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      report("E-LOG", RANGE, error.message);
      return false;
    }
  }

  loadEntries(archive, report) {
    try {
      if (!archive.has(ENTRIES)) throw new FormatError("it is missing");
      for (const bytes of archive.records(ENTRIES)) this.entry(bytes, report);
      return true;
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof RecordError)) throw error;
      report("E-LOG", ENTRIES, error.message);
      return false;
    }
  }

  entry(bytes, report) {
    const index = this.size;
    const before = this.last;
    this.last = null;
    this.endsNewer = false;
    try {
      const entry = decodeEntry(bytes);
      entry.index = index;
      this.last = entry;
      this.judge(entry, before, report);
    } catch (error) {
      if (!(error instanceof NewerError)) throw error;
      this.isNewer = this.endsNewer = true;
      report("C-FORMAT", `log entry ${index}`, error.message);
      this.received.push(this.received.at(-1) ?? 0n);
    }
    this.tree.append(leafHash(bytes));
  }

  judge(entry, before, report) {
    const where = `log entry ${entry.index}`;
    const newest = this.received.at(-1) ?? 0n;
    if (entry.received < newest) {
      report("E-LOG", where, "time goes back");
      entry.received = newest;
    }
    this.received.push(entry.received);
    if (!isSound(entry)) report("E-LOG", where, "it does not say what its kind must say");
    if (entry.kind === KINDS.monthClose) this.closes.push(entry);
    if (entry.kind === KINDS.record) this.record(entry);
    const key = `${entry.stream} ${entry.seq}`;
    if (ACCEPTING.has(entry.kind)) {
      if (entry.verdict === "accepted") this.accept(entry, key, where, report);
    } else if (entry.kind === KINDS.gap) {
      if (before !== null && isOfOne(before, entry) && this.accepted.get(key) === before) {
        this.gaps.set(key, entry);
      } else report("E-LOG", where, "it does not stand after its frame");
    } else if (entry.kind === KINDS.revoke || entry.kind === KINDS.replace) this.orders.push(entry);
    else if (entry.kind === KINDS.reject) this.reject(entry, report);
  }

  accept(entry, key, where, report) {
    const before = this.newest.get(entry.stream) ?? -1n;
    if (entry.seq === null || entry.seq <= before) {
      report("E-LOG", where, "accepted a second time or out of order");
      return;
    }
    this.newest.set(entry.stream, entry.seq);
    this.keys.add(entry.key === null ? "" : entry.key.toString("hex"));
    if (this.newest.size > STREAMS_MAX) throw new FormatError("it accepts too many streams");
    if (this.keys.size > KEYS_MAX) throw new FormatError("it accepts too many keys");
    this.accepted.set(key, entry);
  }

  record(entry) {
    if (this.records.length === RECORDS_MAX) throw new FormatError("it has too many documents");
    this.records.push(entry);
  }

  reject(entry, report) {
    if (entry.verdict !== "fork") {
      this.refused.add(entry.stream);
      return;
    }
    report("W-FORK", `${entry.stream} seq ${entry.seq}`);
    if (isSound(entry)) this.forks.push(entry);
  }

  /** What a fork was other than is what the log accepted, as far as the archive tells. */
  checkForks(report) {
    for (const { stream, seq, detail } of this.forks) {
      for (const [name, at] of [["held", seq], ["held_before", seq - 1n]]) {
        const accepted = detail.has(name) ? this.entryFor(stream, at) : null;
        if (accepted !== null && !accepted.sha256.equals(detail.get(name))) {
          report("E-LOG", `${stream} seq ${seq}`, "its fork is of another object");
        }
      }
    }
  }

  loadCheckpoint(archive, identities, report) {
    try {
      const bytes = archive.read(CHECKPOINT);
      if (bytes === null) throw new FormatError("it is missing");
      const { collector, plant } = identities;
      const found = note.parse(bytes);
      if (collector === null) throw new FormatError("there is no collector to check it with");
      if (collector.key.kind === null) report("C-SUITE", CHECKPOINT);
      else if (!note.isSignedBy(found, collector.key)) {
        throw new FormatError("the collector did not sign it");
      }
      this.checkpoint = found;
      if (found.plant !== plant) throw new FormatError("it is of another plant");
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      report("E-CHECKPOINT", CHECKPOINT, error.message);
      return;
    }
    const { size, root } = this.checkpoint;
    if (size !== this.size || !root.equals(this.tree.root())) report("E-LOG-ROOT", CHECKPOINT);
  }

  /** An order for each revoke and replace entry, and the entry says what the order says. */
  checkOrders(identities, report) {
    const byHash = new Map(identities.orders.map((order) => [order.hash.toString("hex"), order]));
    const told = new Set(this.orders.map((entry) => entry.sha256.toString("hex")));
    for (const [hash, { path }] of this.isWhole ? byHash : []) {
      if (!told.has(hash)) report("E-ORDER", path, "the whole log has no entry for it");
    }
    for (const { isRevoke, path, stream, through, head } of identities.orders) {
      const accepted = isRevoke ? null : this.entryFor(stream, through);
      if (accepted !== null && !accepted.sha256.equals(head)) {
        report("E-ORDER", path, "it names another object than the log");
      }
    }
    for (const entry of this.orders) {
      const where = `log entry ${entry.index}`;
      const order = byHash.get(entry.sha256.toString("hex"));
      if (order === undefined && identities.newer.has(entry.sha256.toString("hex"))) continue;
      if (order === undefined) {
        report("E-ORDER", where, "its order is not in the archive");
        continue;
      }
      const isRevoke = entry.kind === KINDS.revoke;
      const named = isRevoke ? [["key", order.key]]
        : [["old", order.key], ["new", order.certificate?.key.hash]];
      const fits = order.isRevoke === isRevoke && order.stream === entry.stream &&
        order.through === entry.seq && BigInt(order.length) === entry.length &&
        entry.key !== null && entry.key.equals(identities.root.key.hash) &&
        entry.detail.size === named.length &&
        named.every(([name, hash]) => Buffer.isBuffer(entry.detail.get(name)) &&
          entry.detail.get(name).equals(hash));
      if (!fits) report("E-ORDER", where, "it says something else than its order");
    }
  }
}
