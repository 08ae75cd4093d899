// Documents of persons in an archive: RECORDS.md, "Persons", "What stands" and "Verifying".

import * as cbor from "./cbor.mjs";
import { FormatError, NewerError } from "./cbor.mjs";
import * as cose from "./cose.mjs";
import { SignatureError, SuiteError, hex, sha256 } from "./cose.mjs";
import { KINDS, decodeEntry } from "./entries.mjs";
import { leafHash, rootByPath } from "./merkle.mjs";
import * as note from "./note.mjs";
import { COSIGNED, LISTED, certifiedList, checkKind, envelope, followsAs, isFinal, isOfLevel, maySign, opened, personKey } from "./papers.mjs";

import { Vouched } from "./vouched.mjs";

const FOLDER = "data/records/";
const KEYS_MAX = 10_000;
const NO_FIGURES = ["person", "person-end", "approve", "withdraw"];
const PROOF_MAX = 16 << 10;

export class Documents {
  constructor(archive, identities, log, report, witnesses = null) {
    Object.assign(this, { archive, log, report });
    this.plant = identities.plant;
    const collectors = [...identities.earlier, identities.collector].filter((one) => one !== null);
    this.isNewer = identities.isUndecided || collectors.some(({ key }) => key.kind === null);
    this.collectors = collectors.map(({ key }) => key);
    this.persons = new Map(); // key hash -> {id, role, key, isEnded}
    this.head = null; // of the list of persons
    this.taken = new Map(); // hash -> {document, isEnded, writers}
    this.known = new Set();
    this.vouched = new Vouched(identities.root?.key.hash ?? null, witnesses);
    this.seen = []; // {signer, at} of each checkpoint of the log here that was cosigned
  }

  check() {
    const places = [...this.earlier(), ...this.log.records];
    places.sort((one, other) => (one.index < other.index ? -1 : 1));
    for (const entry of places) this.guarded(this.path(entry), () => this.take(entry));
    for (const path of this.archive.files.keys()) {
      if (!path.startsWith(FOLDER) || this.known.has(path) || this.isNewer) continue;
      this.report("E-FILE-EXTRA", path, "no document is or names it");
    }
    if (!this.isNewer) this.vouched.tell(this.taken.values(), this.seen, this.report);
  }

  guarded(path, act) {
    try {
      return act();
    } catch (error) {
      if (error instanceof SuiteError || error instanceof NewerError) {
        this.isNewer = true;
        this.report(error instanceof SuiteError ? "C-SUITE" : "C-FORMAT", path, error.message);
      } else if (error instanceof FormatError || error instanceof SignatureError) {
        this.report("E-DOCUMENT", path, error.message);
      } else throw error;
      return null;
    }
  }

  path(entry) {
    return `${FOLDER}${hex(entry.sha256)}.cose`;
  }

  earlier() {
    const found = [];
    for (const path of this.archive.files.keys()) {
      const parts = /^data\/records\/([0-9a-f]{64})\.proof$/.exec(path);
      if (!parts) continue;
      this.known.add(path);
      const entry = this.guarded(path, () => this.proved(path, parts[1]));
      if (entry !== null) found.push(entry);
    }
    return found;
  }

  proved(path, named) {
    if (this.archive.files.get(path).size > PROOF_MAX) throw new FormatError("it is too long");
    const [index, bytes, hashes] = cbor.list(cbor.decode(this.archive.read(path)), "proof", 3);
    cbor.uint(index, "index");
    cbor.bytes(bytes, "entry");
    for (const one of cbor.list(hashes, "path")) cbor.bytes(one, "hash", 32);
    if (index >= this.log.start) throw new FormatError("its entry is not of before");
    const { checkpoint } = this.log;
    const root = checkpoint && rootByPath(leafHash(bytes), index, checkpoint.size, hashes);
    if (root === null || !root.equals(checkpoint.root)) throw new FormatError("it leads elsewhere");
    const entry = { ...decodeEntry(bytes), index };
    if (entry.kind !== KINDS.record || hex(entry.sha256) !== named) {
      throw new FormatError("its entry is another's");
    }
    return entry;
  }

  take(entry) {
    const path = this.path(entry);
    this.known.add(path);
    const data = this.archive.read(path);
    if (data === null) throw new FormatError("it is missing");
    if (!sha256(data).equals(entry.sha256) || BigInt(data.length) !== entry.length) {
      throw new FormatError("it is not the one the log has");
    }
    if (this.isNewer) return;
    const { object, plant, person } = envelope(data);
    const signer = this.signer(person, object.kid);
    cose.verify(object, signer.key);
    const document = { ...opened(object), person };
    if (plant !== this.plant) throw new FormatError("it is of another plant");
    checkKind(document);
    if (!maySign(document.kind, signer.role)) throw new FormatError("not for that role to sign");
    if (!isOfLevel(document, signer.region?.length)) throw new FormatError("it is of another level");
    for (const file of document.files) this.file(file);
    const { kind, about } = document;
    const said = cbor.map(entry.detail, "detail", ["kind", "about", "person"]);
    if (said.get("kind") !== kind || said.get("about") !== about || said.get("person") !== person) {
      throw new FormatError("the entry says something else");
    }
    const keys = person === "collector" ? this.collectors : [signer.key];
    if (entry.key === null || !keys.some((key) => key.hash.equals(entry.key))) {
      throw new FormatError("the entry names another key");
    }
    if (this.taken.has(hex(cose.rewritten(object)))) throw new FormatError("the log has it twice");
    if (followsAs(kind) === "list") this.list(document, entry.sha256);
    if (kind === LISTED) {
      const by = personKey(document.body.get("by"));
      this.vouched.take(by.hash, certifiedList(document.body.get("list"), by, this.plant));
    }
    this.stand(document, entry.sha256, signer, entry.received);
    if (kind === COSIGNED) this.cosigned(document, signer, entry, path);
  }

  cosigned({ person, body }, signer, { index, received: at }, path) {
    try {
      const seen = note.parse(Buffer.from(body.get("checkpoint")));
      const isSigned = this.collectors.some((one) => note.isSignedBy(seen, one));
      const name = `stackproof/${this.plant}/witness/${person}`;
      if (!isSigned || !note.isCosignedBy(seen, name, signer.key) || seen.plant !== this.plant) {
        throw new FormatError("it is not signed as it must be");
      }
      const isHere = seen.size >= this.log.start;
      if (seen.size > index || (isHere && !this.log.hadRoot(seen.size, seen.root))) {
        throw new FormatError("it is of another log");
      }
      if (isHere) this.seen.push({ signer, at });
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.report("E-COSIGNATURE", path, error.message);
    }
  }

  /** What stands and makes figures, as `Papers` takes it; null if something here is newer. */
  standing() {
    if (this.isNewer) return null;
    const all = [...this.taken].filter(([, { isEnded }]) => !isEnded);
    const approved = new Set(all.filter(([, { document }]) => document.kind === "approve")
      .flatMap(([, { document }]) => document.follows.map(hex)));
    return all.filter(([, { document }]) => !NO_FIGURES.includes(document.kind))
      .map(([own, { document: { kind, about, body } }]) =>
        ({ sha256: own, kind, about, body, isApproved: approved.has(own) }));
  }

  signer(person, kid) {
    const isNamed = ({ hash }) => hash.subarray(0, 8).equals(kid);
    if (person === "collector") {
      const key = this.collectors.find(isNamed);
      if (key !== undefined) return { key, role: "collector" };
    }
    for (const one of this.persons.values()) {
      if (one.id === person && !one.isEnded && isNamed(one.key)) return one;
    }
    throw new SignatureError("nobody of that name has that key");
  }

  file({ size, sha256: wanted }) {
    const path = `${FOLDER}files/${hex(wanted)}`;
    this.known.add(path);
    if (this.archive.files.get(path)?.size !== size) throw new FormatError("a file is not here");
    if (!this.archive.sha256(path).equals(wanted)) throw new FormatError("a file was changed");
  }

  list({ kind, about, body, follows }, own) {
    const isNext = this.head === null ? follows.length === 0
      : follows.length === 1 && follows[0].equals(this.head);
    if (!isNext) throw new FormatError("it does not follow the list of persons");
    if (kind === "person-end") {
      const person = this.persons.get(hex(body.get("key")));
      if (person === undefined || person.isEnded || person.id !== about) {
        throw new FormatError("there is no such key to end");
      }
      person.isEnded = true;
    } else {
      const key = personKey(body.get("key"));
      const active = [...this.persons.values()].filter(({ isEnded }) => !isEnded);
      const role = body.get("role");
      if (this.persons.has(hex(key.hash)) || this.persons.size >= KEYS_MAX || about === "collector" ||
          active.some((one) => one.id === about && one.role !== role)) {
        throw new FormatError("it cannot be enrolled");
      }
      const [name, organisation, region] = ["name", "organisation", "region"].map((one) => body.get(one));
      this.persons.set(hex(key.hash), { id: about, name, organisation, role, region, key, isEnded: false });
    }
    this.head = own;
  }

  stand(document, own, signer, at) {
    if (this.taken.has(hex(own))) throw new FormatError("the log has it twice");
    const as = followsAs(document.kind);
    const followed = document.follows.map((one) => this.taken.get(hex(one)));
    if (followed.includes(undefined)) throw new FormatError("what it follows is not here");
    const writers = new Set([document.person]);
    if (as !== "list") {
      for (const one of followed) {
        if (one.document.about !== document.about) throw new FormatError("it is about another thing");
        if (one.isEnded) throw new FormatError("what it follows stands no more");
        if (document.kind === "approve" && one.writers.has(document.person)) {
          throw new FormatError("its signer wrote that");
        }
        if (as === "decides" && isFinal(one.document.kind)) throw new FormatError("nobody ends that");
        if (as === "own" && one.document.person !== document.person) {
          throw new FormatError("it corrects another's");
        }
        if (as === "answers" && one.document.kind !== "review-question") {
          throw new FormatError("it answers no question");
        }
        if ((as === "corrects" || as === "own") && one.document.kind !== document.kind) {
          throw new FormatError("it corrects another kind");
        }
        for (const writer of one.writers) writers.add(writer);
      }
      if (document.kind !== "approve" && as !== "answers") for (const one of followed) one.isEnded = true;
    }
    this.taken.set(hex(own), { document, isEnded: false, writers, signer, at });
  }
}
