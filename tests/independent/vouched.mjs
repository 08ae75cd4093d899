// Who vouches for the keys that persons sign with: RECORDS.md, "Who vouches for a key". Pure; no I/O.

import { FormatError } from "./cbor.mjs";
import { hex } from "./cose.mjs";

const ROWS_MAX = 20_000;
const UNCOUNTED = ["person", "person-end"];
const FIELDS = ["person", "name", "organisation", "role", "region"];

/** One text for each different row of each certifier. */
const line = (by, key, row) => JSON.stringify([hex(by), hex(key), ...FIELDS.map((name) => row[name])]);

export class Vouched {
  /** `root`: hash of the plant's root key, or null; `trusted`: hex hashes by `--witness`, or null. */
  constructor(root, trusted) {
    this.root = root;
    this.witnesses = [...(trusted ?? [])].map((one) => Buffer.from(one, "hex"))
      .filter((one) => root === null || !one.equals(root));
    this.rows = new Set();
    this.ends = new Map();
  }

  take(by, { certified, withdrawn }) {
    for (const row of certified) this.rows.add(line(by, row.get("key"), Object.fromEntries(row)));
    for (const row of withdrawn) {
      const place = hex(by) + hex(row.get("key"));
      const through = row.get("through_ns") ?? -1n;
      const known = this.ends.get(place) ?? through;
      this.ends.set(place, through < known ? through : known);
    }
    if (this.rows.size + this.ends.size > ROWS_MAX) throw new FormatError("too many rows of lists");
  }

  /** `person`: as enrolled; `at`: when the log received what was signed. */
  isCertified(person, at, among) {
    const { hash } = person.key;
    return among.some((by) => {
      const end = this.ends.get(hex(by) + hex(hash));
      return this.rows.has(line(by, hash, { ...person, person: person.id })) &&
        (end === undefined || at <= end);
    });
  }

  isOfWorks(person, at) {
    return this.root !== null && this.isCertified(person, at, [this.root]);
  }

  isWitness(person, at) {
    return this.witnesses.some((one) => one.equals(person.key.hash)) ||
      this.isCertified(person, at, this.witnesses);
  }

  /** `taken`: documents in the log's order; `seen`: [{signer, at}] of cosigned checkpoints here. */
  tell(taken, seen, report) {
    const told = new Set();
    const once = (code, { id, key }, what) => {
      const name = `${code} ${what} ${hex(key.hash)}`;
      if (!told.has(name)) report(code, `person ${id}`);
      told.add(name);
    };
    for (const { document, isEnded, signer, at } of taken) {
      const { kind } = document;
      if (signer.role === "collector" || UNCOUNTED.includes(kind)) continue;
      if (isEnded && kind !== "withdraw") continue;
      if (signer.role !== "reviewer") {
        if (!this.isOfWorks(signer, at)) once("W-PERSON", signer, "");
      } else if (["review-decision", "site-visit"].includes(kind) && !this.isWitness(signer, at)) {
        once("W-WITNESS", signer, "review");
      }
    }
    for (const { signer, at } of seen) {
      once(this.isWitness(signer, at) ? "N-WITNESS" : "W-WITNESS", signer, "log");
    }
  }
}
