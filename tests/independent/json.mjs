// The statement's JSON in its one form: FORMAT.md section 9. Integers become BigInt. Pure; no I/O.

import { FormatError, text } from "./cbor.mjs";

const DEPTH_MAX = 64;
const TOKEN = /[ \t\r\n]*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\.)*")|(-?(?:0|[1-9]\d{0,999}))(?![\d.eE])|(true|false|null)(?![a-z]))/y;

class Parser {
  constructor(source) {
    this.source = source;
    this.at = 0;
  }

  next() {
    TOKEN.lastIndex = this.at;
    const token = TOKEN.exec(this.source);
    if (token === null) throw new FormatError(`no JSON that a statement may hold at ${this.at}`);
    this.at = TOKEN.lastIndex;
    return token;
  }

  value(depth, token = this.next()) {
    const [, sign, string, integer, word] = token;
    if (depth > DEPTH_MAX) throw new FormatError("nested too deep");
    if (string !== undefined) return unquote(string);
    if (integer !== undefined) return BigInt(integer);
    if (word !== undefined) return { true: true, false: false, null: null }[word];
    if (sign === "{") return this.object(depth);
    if (sign === "[") return this.array(depth);
    throw new FormatError("no JSON value");
  }

  object(depth) {
    const found = new Map();
    for (let token = this.next(); token[1] !== "}"; ) {
      if (token[2] === undefined) throw new FormatError("a key is text");
      const key = unquote(token[2]);
      if (found.has(key)) throw new FormatError(`${key} stands twice`);
      if (this.next()[1] !== ":") throw new FormatError("a colon is missing");
      found.set(key, this.value(depth + 1));
      token = this.next();
      if (token[1] === ",") {
        token = this.next();
        if (token[1] === "}") throw new FormatError("comma before the end");
      } else if (token[1] !== "}") throw new FormatError("a comma is missing");
    }
    return found;
  }

  array(depth) {
    const found = [];
    for (let token = this.next(); token[1] !== "]"; ) {
      found.push(this.value(depth + 1, token));
      token = this.next();
      if (token[1] === ",") {
        token = this.next();
        if (token[1] === "]") throw new FormatError("comma before the end");
      } else if (token[1] !== "]") throw new FormatError("a comma is missing");
    }
    return found;
  }
}

function unquote(string) {
  try {
    return JSON.parse(string);
  } catch {
    throw new FormatError("an escape that is none");
  }
}

/** In the order of Unicode code points, which is that of UTF-8 bytes. */
const byCodePoint = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));

function spell(value, indent) {
  const inner = `${indent} `;
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return `[\n${value.map((item) => inner + spell(item, inner)).join(",\n")}\n${indent}]`;
  }
  if (value instanceof Map) {
    if (value.size === 0) return "{}";
    const keys = [...value.keys()].sort(byCodePoint);
    const lines = keys.map((key) => `${inner}${JSON.stringify(key)}: ${spell(value.get(key), inner)}`);
    return `{\n${lines.join(",\n")}\n${indent}}`;
  }
  return JSON.stringify(value);
}

/** Parse a statement and hold it to its one spelling. */
export function parse(bytes) {
  const source = text(bytes);
  const parser = new Parser(source);
  const value = parser.value(0);
  if (source.slice(parser.at).trim() !== "") throw new FormatError("something after the JSON");
  if (`${spell(value, "")}\n` !== source) throw new FormatError("it is not in the one JSON form");
  return value;
}
