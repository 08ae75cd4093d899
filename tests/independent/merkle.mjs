// The log's tree: FORMAT.md section 7, RFC 6962 section 2.1. Pure; no I/O.

import { FormatError } from "./cbor.mjs";
import { sha256 } from "./cose.mjs";

const [LEAF, NODE] = [Buffer.from([0]), Buffer.from([1])];
export const leafHash = (entry) => sha256(LEAF, entry);
const join = (left, right) => sha256(NODE, left, right);

/** Levels of the perfect subtrees whose leaves add up to `size`, largest first. */
function levels(size) {
  const found = [];
  for (let level = 63n; level >= 0n; level--) if ((size >> level) & 1n) found.push(level);
  return found;
}

/** A tree that begins as the roots of its first `start` leaves; tells older roots. Sizes: BigInt. */
export class Tree {
  constructor(start, roots) {
    const given = levels(start);
    if (given.length !== roots.length) throw new FormatError("wrong number of roots");
    this.size = start;
    this.nodes = new Map(); // level -> Map of index -> hash
    given.forEach((level, i) => this.put(level, (start >> level) - 1n, roots[i]));
  }

  put(level, index, hash) {
    if (!this.nodes.has(level)) this.nodes.set(level, new Map());
    this.nodes.get(level).set(index, hash);
  }

  append(leaf) {
    let [level, index, hash] = [0n, this.size, leaf];
    this.put(level, index, hash);
    while (index & 1n) {
      hash = join(this.nodes.get(level).get(index - 1n), hash);
      level += 1n;
      index >>= 1n;
      this.put(level, index, hash);
    }
    this.size += 1n;
  }

  /** The root when the tree had `size` leaves; start <= size <= this.size. */
  root(size = this.size) {
    if (size === 0n) return sha256();
    const parts = levels(size).map((level) =>
      this.nodes.get(level).get((size >> level) - 1n),
    );
    return parts.reduceRight((right, left) => join(left, right));
  }
}

/** The root that a leaf and its path lead to, null if the path is none of that place: RFC 9162 2.1.3.2. */
export function rootByPath(leaf, index, size, path) {
  if (index >= size) return null;
  let [fn, sn, root] = [index, size - 1n, leaf];
  for (const hash of path) {
    if (sn === 0n) return null;
    if (fn & 1n || fn === sn) {
      root = join(hash, root);
      while (!(fn & 1n) && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else root = join(root, hash);
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  return sn === 0n ? root : null;
}

/** True if `path` proves that a tree of `from` leaves and `first` grew to `to` and `second`. */
export function isConsistent(from, first, to, second, path) {
  if (from > to) return false;
  if (from === to) return path.length === 0 && first.equals(second);
  if (from === 0n) return path.length === 0;
  // RFC 9162 section 2.1.4.2, which verifies the proofs of RFC 6962 section 2.1.2
  const hashes = [...path];
  if (levels(from).length === 1) hashes.unshift(first);
  if (hashes.length === 0) return false;
  let [fn, sn] = [from - 1n, to - 1n];
  while (fn & 1n) [fn, sn] = [fn >> 1n, sn >> 1n];
  let [fr, sr] = [hashes[0], hashes[0]];
  for (const hash of hashes.slice(1)) {
    if (sn === 0n) return false;
    if (fn & 1n || fn === sn) {
      [fr, sr] = [join(hash, fr), join(hash, sr)];
      while (!(fn & 1n) && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else {
      sr = join(sr, hash);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  return sn === 0n && fr.equals(first) && sr.equals(second);
}
