// Configuration objects: FORMAT.md sections 5 and 9.

import * as cbor from "./cbor.mjs";
import { FormatError, NewerError } from "./cbor.mjs";
import * as configuration from "./configuration.mjs";
import * as cose from "./cose.mjs";
import { SignatureError, SuiteError, hex } from "./cose.mjs";

/** Configurations by the hash of their objects, each read and checked once. */
export class Configurations {
  constructor(archive, identities, log, report) {
    Object.assign(this, { archive, identities, log, report, known: new Map(), named: new Set(),
      isUndecided: false, bytes: 64 * 2 ** 20, items: 6_291_456 });
  }

  /** The configuration of that hash, signed before `seq`; null if it is missing, bad or newer. */
  get(hash, stream, where, seq) {
    const name = hex(hash);
    const path = `data/config/${name}.cose`;
    this.named.add(path);
    if (!this.archive.has(path)) {
      this.report("E-CFG-MISSING", where);
      return null;
    }
    if (!this.known.has(name)) this.known.set(name, this.read(path, name, stream));
    const found = this.known.get(name);
    if (found === null || found.seq < seq) return found;
    this.report("E-CFG", path, "it is named before it was signed");
    return null;
  }

  /** Hash of the newest configuration here that the stream had before `seq`; null for none. */
  newestBefore(stream, seq) {
    let newest = null;
    for (const path of this.archive.files.keys()) {
      if (!path.startsWith("data/config/")) continue;
      try {
        const object = cose.parse(this.archive.read(path));
        const header = cose.streamHeader(object);
        const isOne = header.stream === stream && header.seq < seq;
        if (isOne && (newest === null || header.seq > newest.seq)) {
          newest = { seq: header.seq, hash: object.hash };
        }
      } catch (error) {
        if (!(error instanceof FormatError)) throw error; // said where it is named
      }
    }
    if (newest !== null) this.named.add(`data/config/${hex(newest.hash)}.cose`);
    return newest?.hash ?? null;
  }

  /** Configurations that no object here names: those that were signed later may explain. */
  later(streams) {
    const found = [];
    for (const path of this.archive.files.keys()) {
      if (!path.startsWith("data/config/") || this.named.has(path)) continue;
      const object = this.laterObject(path, streams);
      if (object === null) this.report("E-FILE-EXTRA", path);
      else found.push({ path, object, header: cose.streamHeader(object) });
    }
    found.sort((a, b) => (a.header.seq < b.header.seq ? -1 : 1));
    for (const { path, object, header } of found) {
      const stream = streams.get(header.stream);
      stream.inUseAt(object, header);
      const config = this.read(path, hex(object.hash), header.stream, "E-FILE-EXTRA");
      if (config !== null) stream.settings.explain(config);
    }
  }

  /** One behind the last object here, which the log accepted; null for any other. */
  laterObject(path, streams) {
    try {
      const object = cose.parse(this.archive.read(path));
      const { stream, seq } = cose.streamHeader(object);
      const last = streams.get(stream)?.last;
      const entry = this.log.entryFor(stream, seq);
      const isOne = last && seq > last.seq && entry !== null &&
        entry.sha256.equals(object.hash) && entry.length === BigInt(object.data.length);
      return isOne ? object : null;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      return null;
    }
  }

  read(path, name, stream, code = "E-CFG") {
    const { identities, report } = this;
    try {
      const object = cose.parse(this.archive.read(path));
      if (hex(object.hash) !== name) throw new FormatError("it is not the one its name says");
      if (object.typ !== cose.CONFIG) throw new FormatError("it is no configuration");
      const header = cose.streamHeader(object);
      if (header.plant !== identities.plant || header.stream !== stream) {
        throw new FormatError("it is of another place");
      }
      const where = `${stream} seq ${header.seq}`;
      const key = identities.keyFor(stream, object.kid);
      if (key !== null) cose.verify(object, key);
      else if (identities.hasUnknownSuite(stream)) throw new SuiteError("its key");
      else report("E-SIG-UNKNOWN-KEY", where);
      const fields = cose.content(object.payload);
      this.bytes -= cbor.encode(fields).length;
      this.items -= cbor.items(fields);
      if (this.bytes < 0 || this.items < 0) throw new FormatError("too much in an archive");
      const found = configuration.decode(fields);
      if (found.plant !== identities.plant || found.gateway !== stream) {
        throw new FormatError("it is of another plant or gateway");
      }
      return { ...found, before: header.cfg, seq: header.seq };
    } catch (error) {
      if (error instanceof FormatError) report(code, path, error.message);
      else if (error instanceof SignatureError) report("E-SIG-BAD", path);
      else if (error instanceof SuiteError) report("C-SUITE", path, error.message);
      else if (error instanceof NewerError) report("C-FORMAT", path, error.message);
      else throw error;
      this.isUndecided ||= error instanceof SuiteError || error instanceof NewerError;
      return null;
    }
  }
}
