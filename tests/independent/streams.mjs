// The objects of one stream, in order: FORMAT.md sections 4 to 6, step 5 of section 10.

import { isOneMonth } from "./calendar.mjs";
import * as cbor from "./cbor.mjs";
import { FormatError, NewerError } from "./cbor.mjs";
import { RecordError } from "./archive.mjs";
import { closeFields } from "./closing.mjs";
import { fitsConfiguration } from "./configuration.mjs";
import * as cose from "./cose.mjs";
import { SignatureError, SuiteError, hex } from "./cose.mjs";
import { decodeBody } from "./frame.mjs";
import { InForce } from "./in_force.mjs";
import { Gaps } from "./gaps.mjs";
import { KIND_OF_TYPE } from "./log.mjs";
import * as note from "./note.mjs";
import { Settings } from "./settings.mjs";

const SECOND = 1_000_000_000n;
const [AHEAD, BEHIND, LATE] = [60n * SECOND, 1200n * SECOND, 900n * SECOND];
const SPAN = 2n * 86_400n * SECOND;

/** Types of objects that no figure is made of. */
const BESIDE = new Set([cose.CONFIG, cose.ROTATE, cose.COSIGNATURE, cose.CLOSE]);

const hourOf = (ns) => {
  const seconds = Number((ns - (((ns % SECOND) + SECOND) % SECOND)) / SECOND);
  return new Date(seconds * 1000).toISOString().slice(0, 13).replace("T", "/");
};

export class Stream {
  constructor(id, context) {
    this.id = id;
    this.context = context; // {archive, identities, log, configurations, stated, report, counts}
    this.due = null;
    this.first = null;
    this.last = null; // {seq, hash} of the newest object
    this.t0 = null;
    this.tick = null;
    this.hour = null; // of the frame before
    this.waiting = []; // objects before the first frame
    this.keyHashes = new Set(); // of all keys that signed, as they may
    this.told = new Set(); // codes that are told once a stream
    this.keys = context.identities.of(id);
    this.anchored = false;
    this.gaps = new Gaps(context.stated?.period?.from ?? null);
    this.settings = new Settings(id, context.report);
    this.span = null; // {from, to, timeZone, simulated} of the good frames
    this.isSimulated = false; // a frame or its configuration says so
    this.inForce = new InForce(id, context, this.keys);
    this.wasBroken = false;
    this.isBroken = false; // an object is missing, bad or in no order
    this.atReceipt = null; // header of the object the receipt names
  }

  get isBroken() {
    return this.broken;
  }

  set isBroken(is) {
    this.broken = is;
    this.wasBroken ||= is;
  }

  /** What was before the archive's objects: rotate objects, and who signed configurations. */
  before(first) {
    const { archive, identities } = this.context;
    const found = [];
    for (const path of archive.files.keys()) {
      if (!path.startsWith("data/config/")) continue;
      try {
        const object = cose.parse(archive.read(path));
        const { stream, seq } = cose.streamHeader(object);
        const key = identities.keyFor(this.id, object.kid);
        if (stream === this.id && seq < first && key?.kind) found.push({ seq, key });
      } catch (error) {
        if (!(error instanceof FormatError)) throw error; // said where it is named
      }
    }
    found.sort((a, b) => (a.seq < b.seq ? -1 : 1));
    this.rotatedBeside((seq) => seq < first);
    for (const { seq, key } of found) this.inUse(key, seq);
  }

  /** Rotate objects under data/keys hand over where they stood in the stream. */
  rotatedBeside(isThere) {
    const own = this.context.identities.rotations.filter(({ stream }) => stream === this.id);
    own.sort((a, b) => (a.seq < b.seq ? -1 : 1));
    for (const { seq, signer, key } of own.filter((item) => isThere(item.seq))) {
      if (this.keys.current(seq) === null) this.keys.begin(signer);
      this.keys.rotate(seq, signer, key);
    }
  }

  report(code, seq, about) {
    this.context.report(code, `${this.id} seq ${seq}`, about);
  }

  file(path, hour) {
    const { archive, counts, report } = this.context;
    try {
      for (const data of archive.records(path)) {
        counts.objects += 1;
        let object;
        let header;
        try {
          object = cose.parse(data);
          header = cose.streamHeader(object);
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
          this.lose();
          const place = this.last === null ? path : `${path} after seq ${this.last.seq}`;
          report("E-FRAME", place, error.message);
          continue;
        }
        this.object(object, header, hour);
      }
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      report("E-RECORD", path, error.message);
      this.isBroken = true;
    }
  }

  object(object, header, hour) {
    const { identities } = this.context;
    this.chain(object, header);
    if (header.plant !== identities.plant || header.stream !== this.id) {
      this.lose();
      this.report("E-FRAME", header.seq, "it is of another place");
      return;
    }
    for (const { head } of this.keys.replaces.get(header.seq - 1n) ?? []) {
      if (!header.prev.equals(head)) {
        this.report("E-ORDER", header.seq, "it follows another object than the order names");
      }
    }
    if (header.seq === this.context.receiptSeq.get(this.id)) this.atReceipt = { header, object };
    const entry = this.context.log.entryFor(this.id, header.seq);
    this.anchor(header, entry);
    this.inForce.follow(object, header);
    const signed = this.signature(object, header, entry);
    if (signed !== "bad") this.logged(object, header, entry);
    const isNewer = signed === "undecided" || !cose.STREAM_TYPES.has(object.typ);
    if (isNewer && !BESIDE.has(object.typ)) this.context.figures.isUndecided = true;
    if (signed === "bad") this.lose();
    if (signed === "bad" || signed === "undecided") return;
    if (!cose.STREAM_TYPES.has(object.typ)) {
      this.report("C-FORMAT", header.seq, object.typ);
      return;
    }
    try {
      if (object.typ === cose.FRAME) this.frame(object, header, entry, hour);
      else this.beside(object, header, entry, hour);
    } catch (error) {
      if (error instanceof NewerError) {
        this.report("C-FORMAT", header.seq, error.message);
        this.context.figures.isUndecided ||= object.typ === cose.FRAME;
      } else if (error instanceof FormatError) {
        this.report("E-FRAME", header.seq, error.message);
        this.lose();
      } else throw error;
    }
  }

  chain(object, header) {
    const { seq, prev } = header;
    if (this.last === null) {
      this.first = seq;
      this.before(seq);
      if (seq === 0n && !prev.equals(Buffer.alloc(32))) this.report("E-CHAIN", seq);
    } else if (seq !== this.due || !prev.equals(this.last.hash)) {
      this.report(seq > this.due ? "E-CHAIN-GAP" : "E-CHAIN", seq, `${this.due} is due`);
      this.isBroken = true;
    }
    this.last = { seq, hash: object.hash };
    this.due = seq + 1n;
  }

  lose() {
    this.isBroken = true;
    this.gaps.lose();
    this.inForce.lose();
  }

  anchor(header, entry) {
    const { log } = this.context;
    if (header.anchor === null) return;
    this.anchored = true;
    const { size, root } = header.anchor;
    const most = entry === null ? log.size : entry.index;
    if (size > most) this.report("E-ANCHOR", header.seq, `a log of ${size}, of ${most}`);
    else if (log.hadSeen(size, root) === false) this.report("E-ANCHOR", header.seq);
  }

  /** "good", "bad", "undecided", or "unknown": read, and no more. */
  signature(object, header, entry) {
    const { identities, counts } = this.context;
    const { seq } = header;
    const key = identities.keyFor(this.id, object.kid);
    if (key === null) {
      const isUndecided = identities.hasUnknownSuite(this.id);
      this.report(isUndecided ? "C-SUITE" : "E-SIG-UNKNOWN-KEY", seq);
      return isUndecided ? "undecided" : "unknown";
    }
    try {
      counts.signatures += 1;
      cose.verify(object, key);
    } catch (error) {
      if (error instanceof SuiteError) this.report("C-SUITE", seq, error.message);
      else if (error instanceof SignatureError) this.report("E-SIG-BAD", seq);
      else throw error;
      return error instanceof SuiteError ? "undecided" : "bad";
    }
    this.inUse(key, seq);
    if (entry !== null && !identities.isValidAt(this.id, key.hash, entry.received)) {
      this.report("E-KEY-EXPIRED", seq);
    }
    return "good";
  }

  inUse(key, seq) {
    if (this.keys.current(seq) === null) this.keys.begin(key.hash);
    if (this.keys.isRevoked(key.hash, seq)) this.report("E-KEY-REVOKED", seq);
    else if (!this.keys.current(seq).equals(key.hash)) this.report("E-KEY-CHANGE", seq);
    else this.keyHashes.add(hex(key.hash));
  }

  /** Told unless the key that signed an object behind those here is the stream's there. */
  inUseAt(object, { seq }) {
    const { identities, log } = this.context;
    const key = identities.keyFor(this.id, object.kid);
    if (!key?.kind) return; // said when it is read
    this.inUse(key, seq);
    if (!identities.isValidAt(this.id, key.hash, log.entryFor(this.id, seq).received)) {
      this.report("E-KEY-EXPIRED", seq);
    }
  }

  /** Throws unless this key is the stream's at that seq, which is after the archive's objects. */
  mayClose(key, seq) {
    if (this.keys.isRevoked(key.hash, seq)) throw new FormatError("its key is revoked");
    const current = this.keys.current(seq);
    if (current !== null && !current.equals(key.hash)) {
      throw new FormatError("another key is in use");
    }
  }

  logged(object, header, entry) {
    const by = this.context.identities.keyFor(this.id, object.kid);
    const kind = KIND_OF_TYPE.get(object.typ);
    if (entry === null && this.context.log.isNewer) return;
    const fits = entry !== null && entry.sha256.equals(object.hash) &&
      entry.length === BigInt(object.data.length) && (kind === undefined || kind === entry.kind) &&
      (!by || by.kind === null || (entry.key !== null && entry.key.equals(by.hash)));
    if (!fits) this.report("E-LOG-FRAME", header.seq);
  }

  /** What can be said only after the last object. */
  end() {
    const { report, stated } = this.context;
    this.settings.end();
    this.endKeys();
    if (stated?.period && this.gaps.isHoleAtEnd(stated.period.to, stated.closing)) {
      report("W-GAP", `stream ${this.id}`, "not recorded");
    }
    if (this.last !== null && !this.anchored) report("N-NO-ANCHORS", `stream ${this.id}`);
    for (const code of this.told) report(code, `stream ${this.id}`);
    for (const name of this.keyHashes) {
      if (this.keys.goodThrough(Buffer.from(name, "hex")) !== null) {
        report("W-KEY-REVOKED", `stream ${this.id}`, name);
      }
    }
  }

  /** New devices of which the first object is here; rotate objects that are here, or after. */
  endKeys() {
    if (this.last === null) return;
    const isHere = (seq) => this.first <= seq && seq <= this.last.seq;
    for (const through of this.keys.replaces.keys()) {
      if (isHere(through + 1n)) this.report("N-KEY", through);
    }
    for (const { stream, seq, path } of this.context.identities.rotations) {
      if (stream !== this.id || !isHere(seq)) continue;
      this.context.report("E-ORDER", path, "it is to stand among the objects only");
    }
    this.rotatedBeside((seq) => seq > this.last.seq);
  }

  // -- frames -----------------------------------------------------------------------------------

  frame(object, header, entry, hour) {
    const { counts, log } = this.context;
    counts.frames += 1;
    const { seq } = header;
    const body = decodeBody(object.payload);
    this.place(body, seq, hour);
    if (body.gap !== null) {
      this.report("W-GAP", seq, body.gap.reason);
      this.gaps.tell(body.gap);
    }
    if (entry !== null && !isToldBy(body.gap, log.gaps.get(`${this.id} ${seq}`))) {
      this.report("E-LOG-FRAME", seq, "the log tells of another gap");
    }
    if (body.flags & 4) this.told.add("W-TYPED");
    this.isSimulated ||= (body.flags & 8) !== 0 || body.clock.source === "simulated";
    const ticks = body.sections.map((section) => section.last);
    const newest = ticks.length ? ticks.reduce((a, b) => (a > b ? a : b)) : null;
    this.times(body, newest, header, entry);
    this.figures(body, newest ?? body.t0, header);
  }

  place(body, seq, hour) {
    const own = hourOf(body.t0);
    if (own !== hour) this.report("E-FRAME-PLACE", seq);
    for (const other of this.waiting) {
      if (other.hour !== own) this.report("E-FRAME-PLACE", other.seq);
    }
    this.waiting = [];
    this.hour = own;
  }

  times(body, newest, header, entry) {
    const { log } = this.context;
    const { seq, anchor } = header;
    if (this.t0 !== null && body.t0 < this.t0) this.report("E-TIME", seq, "t0 goes back");
    this.t0 = body.t0;
    if (newest === null || entry === null) return;
    const seen = anchor === null ? null : log.receivedBefore(anchor.size);
    if (newest > entry.received + AHEAD || (seen !== null && newest < seen - BEHIND)) {
      this.told.add("W-CLOCK");
    }
    if (entry.received > newest + LATE) this.told.add("N-LATE");
  }

  ticks(body, seq) {
    const { stated } = this.context;
    if (body.sections.length === 0) return;
    const oldest = body.sections.map(({ first }) => first).reduce((a, b) => (a < b ? a : b));
    const newest = body.sections.map(({ last }) => last).reduce((a, b) => (a > b ? a : b));
    this.tick = this.tick === null || newest > this.tick ? newest : this.tick;
    if (stated?.period && (oldest < stated.period.from || newest >= stated.period.to)) {
      this.report("E-TIME", seq, "outside the period");
    }
  }

  figures(body, newest, header) {
    const { configurations, counts, figures } = this.context;
    const where = `${this.id} seq ${header.seq}`;
    for (const { groups, ticks } of body.sections) {
      for (const { rows } of groups) counts.readings += rows * ticks;
    }
    const config = header.cfg && configurations.get(header.cfg, this.id, where, header.seq);
    if (config) this.isSimulated ||= config.simulated;
    if (config) this.context.named.take(config);
    if (config) this.inForce.inherited(config, this.first);
    const isInOrder = body.sections.every(
      ({ first, last }) => last - body.t0 <= SPAN && (this.tick === null || first > this.tick));
    const fits = config && isInOrder && isOneMonth(config.timeZone, body.t0, newest) &&
      body.sections.every((section) => fitsConfiguration(section, config));
    if (fits || !config) this.ticks(body, header.seq);
    if (fits && this.gaps.isHoleBefore(config, body.sections)) {
      this.report("W-GAP", header.seq, "not recorded");
    }
    if (config) this.settings.frame(config, body, header.seq);
    if (header.cfg === null) this.report("E-CFG-MISSING", header.seq);
    if (config && !fits) {
      this.report("W-UNFIT", header.seq);
      figures.passOver(this, header.seq, hex(header.cfg), config);
      return;
    }
    if (!fits) {
      this.isBroken = true;
      figures.isUndecided ||= configurations.isUndecided;
      return;
    }
    for (const { first, last, step } of body.sections) {
      const span = this.span ?? { from: first, to: last + step, config };
      span.from = first < span.from ? first : span.from;
      span.to = last + step > span.to ? last + step : span.to;
      this.span = span;
    }
    figures.feed(this, header.seq, hex(header.cfg), config, body);
    this.isBroken = false;
  }

  // -- other objects ----------------------------------------------------------------------------

  beside(object, header, entry, hour) {
    const { seq } = header;
    if (this.hour === null) this.waiting.push({ seq, hour });
    else if (this.hour !== hour) this.report("E-FRAME-PLACE", seq);
    if (object.typ === cose.ROTATE) this.rotate(object, seq);
    else if (object.typ === cose.COSIGNATURE) this.cosignature(object, header, entry);
    else if (object.typ === cose.CLOSE) closeFields(object.payload);
    else if (object.typ === cose.CONFIG) {
      const config = this.inForce.changed(object, header);
      if (config !== null) this.settings.explain(config);
    }
  }

  rotate(object, seq) {
    const { identities } = this.context;
    const fields = cbor.map(cose.content(object.payload), "rotate", ["certificate"]);
    const der = cbor.bytes(fields.get("certificate"), "certificate");
    try {
      const certificate = identities.inside(der, this.id);
      identities.add(certificate);
      if (certificate.key.kind === null) throw new SuiteError("a key of no known suite");
      const hash = identities.keyFor(this.id, object.kid)?.hash;
      if (hash === undefined) return; // a key nobody knows hands over nothing
      if (this.keys.handsOver(seq, hash, certificate.key.hash)) {
        this.keys.rotate(seq, hash, certificate.key.hash);
        this.report("N-KEY", seq);
      } else if (this.keys.current(seq).equals(hash) && !this.keys.isRevoked(hash, seq)) {
        this.report("E-KEY-CHANGE", seq, "it hands over to a key that the stream had before");
      }
    } catch (error) {
      if (error instanceof FormatError) this.report("E-CERTIFICATE", seq, error.message);
      else if (error instanceof SuiteError) this.report("C-SUITE", seq, error.message);
      else throw error;
    }
  }

  cosignature(object, header, entry) {
    const { identities, log } = this.context;
    if (identities.keyFor(this.id, object.kid) === null) return; // nobody's: that is said
    try {
      const fields = cbor.map(cose.content(object.payload), "cosignature", ["checkpoint"]);
      const found = note.parse(Buffer.from(cbor.string(fields.get("checkpoint"), "checkpoint")));
      const by = identities.keyFor(this.id, object.kid);
      const { plant } = identities;
      const keys = identities.collectorKeys() ?? [];
      if (found.plant !== plant || !keys.some((key) => note.isSignedBy(found, key))) {
        throw new FormatError("the collector did not sign the checkpoint");
      }
      if (!note.isCosignedBy(found, `stackproof/${plant}/${this.id}`, by)) {
        throw new FormatError("the gateway did not cosign the checkpoint");
      }
      const most = entry === null ? log.size : entry.index;
      if (found.size > most || log.hadSeen(found.size, found.root) === false) {
        throw new FormatError("it is of another log");
      }
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.report("E-COSIGNATURE", header.seq, error.message);
    }
  }
}

/** True if the log's entry tells the frame's gap; both may be none. */
function isToldBy(gap, told) {
  if (told === undefined || gap === null) return told === undefined && gap === null;
  const { detail } = told;
  return detail.size === 3 &&
    detail.get("from_ns") === gap.from && detail.get("to_ns") === gap.to &&
    detail.get("reason") === gap.reason;
}
