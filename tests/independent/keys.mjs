// Which key signs where in one stream: FORMAT.md section 6, "Keys".

import { hex } from "./cose.mjs";

const bySeq = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** Of the replaces of one seq, the key that none of them replaces; null if they contradict. */
export function held(orders) {
  const replaced = new Set(orders.map(({ key }) => hex(key)));
  const ends = orders.filter(({ certificate }) => !replaced.has(hex(certificate.key.hash)));
  return ends.length === 1 && replaced.size === orders.length ? ends[0].certificate.key.hash : null;
}

/** The items in groups, by what a function says of each. */
export function grouped(items, by) {
  const groups = new Map();
  for (const item of items) {
    const name = by(item);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(item);
  }
  return groups;
}

export class StreamKeys {
  constructor(orders) {
    this.ended = grouped(orders, ({ key }) => hex(key)); // by the key that they end
    this.replaces = grouped(orders.filter(({ isRevoke }) => !isRevoke), ({ through }) => through);
    this.first = null; // hash of the key that signed what is known first
    this.rotates = []; // {seq, signer, key}
    this.steps = null; // [{after: seq, key}], ascending, as far as it is known
  }

  begin(key) {
    if (this.first !== null) return;
    this.first = key;
    this.steps = null;
  }

  rotate(seq, signer, key) {
    this.rotates.push({ seq, signer, key });
    this.steps = null;
  }

  /** For how long a key is good: null without an end, -1n for none at all. */
  goodThrough(key) {
    const ends = (this.ended.get(hex(key)) ?? []).map(({ through }) => through ?? -1n);
    return ends.length === 0 ? null : ends.reduce((a, b) => (a < b ? a : b));
  }

  isRevoked(key, seq) {
    const through = this.goodThrough(key);
    return through !== null && seq > through;
  }

  /** True if the object after this seq is the first of a new device. */
  isReplacedAt(seq) {
    return this.replaces.has(seq);
  }

  /** The key in use at a seq, null if none is known yet. */
  current(seq) {
    this.steps ??= this.walk();
    return this.steps.findLast(({ after }) => after < seq)?.key ?? this.first;
  }

  /** True if a rotate object at this seq hands the stream to a key. */
  handsOver(seq, signer, key) {
    const current = this.current(seq);
    return current !== null && current.equals(signer) && !this.isRevoked(signer, seq) &&
      !this.had(seq, key);
  }

  /** True if the stream had this key at that seq or before. */
  had(seq, key) {
    this.steps ??= this.walk();
    const before = this.steps.filter(({ after }) => after < seq).map((step) => step.key);
    return [this.first, ...before].some((one) => one?.equals(key));
  }

  walk() {
    this.steps = [];
    const seqs = [...this.rotates.map(({ seq }) => seq), ...this.replaces.keys()];
    for (const after of [...new Set(seqs)].sort(bySeq)) {
      const rotate = this.rotates.find(({ seq }) => seq === after);
      if (rotate && this.handsOver(after, rotate.signer, rotate.key)) {
        this.steps.push({ after, key: rotate.key });
      }
      const key = this.replaces.has(after) ? held(this.replaces.get(after)) : null;
      if (key !== null) this.steps.push({ after, key });
    }
    return this.steps;
  }
}
