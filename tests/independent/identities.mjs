// Certificates and orders: FORMAT.md sections 6 and 9, step 3 of section 10.

import { X509Certificate } from "node:crypto";
import * as cbor from "./cbor.mjs";
import { FormatError } from "./cbor.mjs";
import * as cose from "./cose.mjs";
import { SignatureError, SuiteError, hex, sha256 } from "./cose.mjs";
import { told } from "./x509.mjs";
import { StreamKeys, grouped, held } from "./keys.mjs";
import { isSmall } from "./points.mjs";

const KEYS_MAX = 1_000;
const CERTIFICATE_BYTES_MAX = 16 * 1024;
const REVOKE = "stackproof-revoke+cbor";
const REPLACE = "stackproof-replace+cbor";
const SEQ_MAX = (1n << 63n) - 1n;
const ID = /^[a-z0-9-]{1,40}$/;

/** The one PEM form: 64 columns, newlines, nothing beside it. */
function pem(der) {
  const lines = der.toString("base64").match(/.{1,64}/g);
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** {role, plant, name, key, hash, and what `told` says}; of an unknown suite key.kind is null, too. */
function read(der) {
  if (der.length > CERTIFICATE_BYTES_MAX) throw new FormatError("it is too long");
  let certificate;
  try {
    certificate = new X509Certificate(der);
  } catch {
    throw new FormatError("it is no X.509 certificate");
  }
  if (!certificate.raw.equals(der)) throw new FormatError("bytes after the certificate");
  const { names, ...said } = told(der);
  const parts = /^urn:stackproof:(root|gateway|collector):([^:]+):([^:]+)$/.exec(names[0] ?? "");
  const isNamed = names.length === 1 && parts !== null && ID.test(parts[2]) && ID.test(parts[3]);
  if (!isNamed) throw new FormatError("its name is none");
  return {
    certificate, role: parts[1], plant: parts[2], name: parts[3], key: keyOf(certificate), ...said,
    hash: sha256(der),
  };
}

function keyOf(certificate) {
  try {
    return cose.publicKey(certificate.publicKey);
  } catch (error) {
    const fault = error instanceof FormatError ? error.message : null;
    return { key: null, spki: null, hash: Buffer.alloc(32), kind: null, fault };
  }
}

/** True if the key of a certificate signed another one. */
function signed(by, found) {
  if (!found.certificate.verify(by.certificate.publicKey)) return false;
  return by.key.kind !== "ed25519" || !isSmall(found.signature.subarray(0, 32));
}

function within(item, ns) {
  return item.from <= ns && ns <= item.to;
}

/** Everything the archive says about who may sign. */
export class Identities {
  constructor() {
    this.plant = null;
    this.root = null; // as `read` gives it, if it is a good root
    this.isUndecided = false; // a root of an unknown suite: nothing that hangs on it is decided
    this.collector = null;
    this.earlier = []; // other certificates of the collector
    this.gateways = new Map(); // id -> certificates
    this.keys = new Map(); // gateway -> hashes of its keys
    this.orders = []; // {isRevoke, path, hash, ...fields}
    this.newer = new Set(); // hashes of orders that are newer than this program
    this.rotations = []; // not of this month: {stream, seq, signer, key, path}
  }

  load(archive, trusted, report) {
    this.loadRoot(archive, trusted, report);
    for (const path of archive.files.keys()) {
      const parts = /^data\/keys\/gateway-([a-z0-9-]{1,40})-([0-9a-f]{16})\.crt$/.exec(path);
      if (!parts) continue;
      const found = this.leaf(archive, path, "gateway", parts[1], report);
      if (found === null) continue;
      this.add(found);
      if (hex(found.hash).slice(0, 16) !== parts[2]) {
        report("E-CERTIFICATE", path, "it is not the one its name says");
      }
    }
    this.loadEarlier(archive, report);
    this.collector = this.leaf(archive, "data/keys/collector.crt", "collector", null, report);
    this.loadOrders(archive, report);
  }

  loadEarlier(archive, report) {
    for (const path of archive.files.keys()) {
      const parts = /^data\/keys\/collector-([0-9a-f]{16})\.crt$/.exec(path);
      const found = parts && this.leaf(archive, path, "collector", null, report);
      if (!found) continue;
      if (hex(found.hash).slice(0, 16) === parts[1]) this.earlier.push(found);
      else report("E-CERTIFICATE", path, "it is not the one its name says");
    }
  }

  /** The collector's keys of known suites; null while one of another suite is among them. */
  collectorKeys() {
    const all = [this.collector, ...this.earlier].map((item) => item?.key ?? null);
    return all.some((key) => key?.kind === null) ? null : all.filter((key) => key !== null);
  }

  file(archive, path, report) {
    try {
      const bytes = archive.read(path);
      if (bytes === null) throw new FormatError("it is missing");
      const body = /^-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)-----END CERTIFICATE-----\n$/
        .exec(bytes.toString("latin1"));
      if (!body) throw new FormatError("it is no PEM certificate");
      const der = Buffer.from(body[1], "base64");
      if (pem(der) !== bytes.toString("latin1")) throw new FormatError("it is in another PEM form");
      return read(der);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      report("E-CERTIFICATE", path, error.message);
      return null;
    }
  }

  loadRoot(archive, trusted, report) {
    const path = "data/keys/root.crt";
    const root = this.file(archive, path, report);
    if (root === null) return;
    this.plant = root.plant;
    if (root.key.fault) {
      report("E-CERTIFICATE", path, root.key.fault);
      return;
    }
    this.isUndecided = root.key.kind === null;
    if (this.isUndecided) report("C-SUITE", path);
    else if (root.role !== "root") report("E-CERTIFICATE", path, "it is no root");
    else {
      this.root = root;
      const isSelfSigned = root.isAuthority && root.issuer.equals(root.subject) &&
        signed(root, root);
      if (!isSelfSigned) report("E-CERTIFICATE", path, "it is not self-signed");
    }
    const hash = hex(root.key.hash);
    if (trusted !== null && !trusted.has(hash) && !trusted.has(`${root.plant}:${hash}`)) {
      report("E-TRUST", path);
    }
  }

  /** A certificate of a gateway or the collector, if it is good. */
  leaf(archive, path, role, name, report) {
    const found = this.file(archive, path, report);
    if (found === null) return null;
    if (this.isUndecided) return { ...found, key: { ...found.key, kind: null } };
    const wrong = this.wrongWith(found, role, name);
    if (wrong !== null) report("E-CERTIFICATE", path, wrong);
    else if (found.key.kind === null) report("C-SUITE", path);
    return wrong === null ? found : null;
  }

  wrongWith(found, role, name) {
    if (found.key.fault) return found.key.fault;
    if (this.root === null) return "the plant's root did not issue it";
    if (found.role !== role || found.plant !== this.plant || (name ?? found.name) !== found.name) {
      return "it is for somebody else than its name says";
    }
    const isIssued = found.issuer.equals(this.root.subject) && signed(this.root, found);
    if (!isIssued) return "the plant's root did not issue it";
    const keys = this.keysOf(found.name);
    const isNew = role === "gateway" && !keys.has(hex(found.key.hash));
    return isNew && keys.size === KEYS_MAX ? "its gateway has too many keys" : null;
  }

  keysOf(gateway) {
    if (!this.keys.has(gateway)) this.keys.set(gateway, new Set());
    return this.keys.get(gateway);
  }

  add(found) {
    this.keysOf(found.name).add(hex(found.key.hash));
    if (!this.gateways.has(found.name)) this.gateways.set(found.name, []);
    this.gateways.get(found.name).push(found);
  }

  /** A DER certificate inside an order or a rotate object. */
  inside(der, stream) {
    const found = read(cbor.bytes(der, "certificate"));
    const wrong = this.wrongWith(found, "gateway", stream);
    if (wrong !== null) throw new FormatError(wrong);
    return found;
  }

  /** The key of a gateway that a kid names: null if none, or {kind: null} if undecided. */
  keyFor(stream, kid) {
    const all = this.gateways.get(stream) ?? [];
    return all.find((item) => item.key.hash.subarray(0, 8).equals(kid))?.key ?? null;
  }

  hasUnknownSuite(stream) {
    return (this.gateways.get(stream) ?? []).some((item) => item.key.kind === null);
  }

  /** True if some certificate of this key was valid at that instant. */
  isValidAt(stream, keyHash, ns) {
    const all = this.gateways.get(stream) ?? [];
    return all.some((item) => item.key.hash.equals(keyHash) && within(item, ns));
  }

  /** False if no certificate with which the collector could close was valid; true if undecided. */
  wasCollectorValid(ns) {
    if (this.root === null || this.collector === null || this.collector.key.kind === null) return true;
    const isBefore = ns < this.collector.from;
    const isOwn = (item) => item.key.hash.equals(this.collector.key.hash);
    return [this.collector, ...this.earlier].some((item) => (isBefore || isOwn(item)) &&
      within(item, ns));
  }

  // -- orders -----------------------------------------------------------------------------------

  loadOrders(archive, report) {
    if (this.root === null) return; // said of the root
    const rotations = [];
    for (const path of archive.files.keys()) {
      const parts = /^data\/keys\/order-([0-9a-f]{64})\.cose$/.exec(path);
      if (!parts) continue;
      this.guarded("E-ORDER", path, report, () => {
        const data = archive.read(path);
        if (hex(sha256(data)) !== parts[1]) throw new FormatError("it is not the one its name says");
        const object = cose.parse(data);
        if (object.typ === cose.ROTATE) rotations.push({ path, object, ...this.handed(object) });
        else this.order(path, object);
      }, () => this.newer.add(parts[1]));
    }
    for (const rotation of rotations) {
      this.guarded("E-ORDER", rotation.path, report, () => this.rotation(rotation));
    }
    const replaces = this.orders.filter(({ isRevoke }) => !isRevoke);
    for (const same of grouped(replaces, (one) => `${one.stream} ${one.through}`).values()) {
      if (held(same) !== null) continue;
      for (const { path } of same) report("E-ORDER", path, "it contradicts another of its seq");
    }
  }

  guarded(code, where, report, action, isNewer = () => {}) {
    try {
      action();
    } catch (error) {
      if (error instanceof SuiteError || error instanceof cbor.NewerError) isNewer();
      if (error instanceof SuiteError) report("C-SUITE", where, error.message);
      else if (error instanceof cbor.NewerError) report("C-FORMAT", where, error.message);
      else if (error instanceof FormatError || error instanceof SignatureError) {
        report(code, where, error.message);
      } else throw error;
    }
  }

  order(path, object) {
    if (!object.kid.equals(this.root.key.hash.subarray(0, 8))) {
      throw new FormatError("it is not signed by the root");
    }
    verifyStrictly(object, this.root.key);
    if (object.typ !== REVOKE && object.typ !== REPLACE) throw new cbor.NewerError(object.typ);
    cose.plainHeader(object, object.typ);
    const isRevoke = object.typ === REVOKE;
    const fields = cbor.map(cose.content(object.payload), "order", isRevoke
      ? ["plant", "stream", "key", "through", "reason"]
      : ["plant", "stream", "old", "certificate", "seq", "head", "through_ns", "reason"]);
    const [plant, stream] = [fields.get("plant"), fields.get("stream")];
    if (plant !== this.plant) throw new FormatError("it is of another plant");
    if (!ID.test(cbor.string(stream, "stream"))) throw new FormatError("its stream is none");
    const length = [...cbor.string(fields.get("reason"), "reason")].length;
    if (length < 1 || length > 200) throw new FormatError("its reason is not 1 to 200 characters");
    const order = { isRevoke, path, stream, hash: object.hash, length: object.data.length };
    if (isRevoke) {
      order.key = cbor.bytes(fields.get("key"), "key", 32);
      const through = fields.get("through");
      order.through = through === null ? null : cbor.uint(through, "through", SEQ_MAX);
    } else {
      order.key = cbor.bytes(fields.get("old"), "old", 32);
      order.through = cbor.uint(fields.get("seq"), "seq", SEQ_MAX);
      order.head = cbor.bytes(fields.get("head"), "head", 32);
      order.throughNs = cbor.uint(fields.get("through_ns"), "through_ns", SEQ_MAX);
      order.certificate = this.inside(fields.get("certificate"), stream);
      this.add(order.certificate);
    }
    if (order.certificate?.key.kind === null) throw new SuiteError("a key of no known suite");
    this.orders.push(order);
  }

  /** A rotate object: in which stream and at which seq it hands over to which certificate. */
  handed(object) {
    const header = cose.streamHeader(object);
    if (header.plant !== this.plant) throw new FormatError("it is of another plant");
    const fields = cbor.map(cose.content(object.payload), "rotate", ["certificate"]);
    const certificate = this.inside(fields.get("certificate"), header.stream);
    this.add(certificate);
    if (certificate.key.kind === null) throw new SuiteError("a key of no known suite");
    return { stream: header.stream, seq: header.seq, key: certificate.key.hash };
  }

  /** Its signature: by a key that may stand in another rotate object only. */
  rotation({ path, object, stream, seq, key }) {
    const signer = this.keyFor(stream, object.kid);
    if (signer === null && this.hasUnknownSuite(stream)) throw new SuiteError("its key");
    if (signer === null) throw new FormatError("no certificate holds the key that signed it");
    verifyStrictly(object, signer);
    const isSecond = this.rotations.some((other) => other.stream === stream && other.seq === seq);
    if (isSecond) throw new FormatError("another one is of that seq");
    this.rotations.push({ stream, seq, signer: signer.hash, key, path });
  }

  /** The keys of a stream, and where each of them counts. */
  of(stream) {
    return new StreamKeys(this.orders.filter((order) => order.stream === stream));
  }
}

/** Throws unless this key signed it; nothing else vouches for its bytes. */
function verifyStrictly(object, key) {
  try {
    cose.verify(object, key);
  } catch (error) {
    if (error instanceof SuiteError && key.kind !== null) throw new SignatureError(error.message);
    throw error;
  }
}
