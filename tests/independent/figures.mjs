// Step 6 of FORMAT.md section 10: input from readings, output from input, computed points.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FormatError } from "./cbor.mjs";
import { checkCalculable, isItsCount } from "./calculable.mjs";
import { Computed, computedPoints } from "./computed.mjs";
import { Input, placesOf } from "./input.mjs";
import { outputOf } from "./output.mjs";
import { KNOWN, Rules, pathOf } from "./rules.mjs";

/** Where two JSON values differ: [path, stated, made]. */
export function differences(stated, made, path) {
  if (stated instanceof Map && made instanceof Map) {
    const keys = [...new Set([...stated.keys(), ...made.keys()])];
    return keys.flatMap((key) => differences(stated.get(key), made.get(key), `${path}.${key}`));
  }
  if (Array.isArray(stated) && Array.isArray(made) && stated.length === made.length) {
    return stated.flatMap((item, i) => differences(item, made[i], `${path}[${i}]`));
  }
  const isSame = stated === made ||
    (Array.isArray(stated) && Array.isArray(made) && !stated.length && !made.length);
  return isSame ? [] : [[path, stated, made]];
}

const EFFECTS_MAX = 1_000_000;
const I64 = 79;

const shown = (value) => JSON.stringify(value ?? null, (_, item) =>
  item instanceof Map ? Object.fromEntries(item) : typeof item === "bigint" ? `${item}` : item);

/** Rule sets by name, each read once; null for one that FIGURES.md is not written for. */
export function rulesBy(read, format = 1n) {
  const known = new Map();
  return (name) => {
    if (!KNOWN.has(name)) return null;
    const checks = format === 1n ? [] : ["counter-checks", "statement-checks"];
    if (!known.has(name)) known.set(name, new Rules(read, name, checks));
    return known.get(name);
  };
}

/** Why no figures can be made by a configuration: null, "C-RULES", or what is wrong. */
export function wrongWith(config, rulesOf) {
  try {
    const rules = rulesOf(config.ruleSet);
    if (rules === null) return "C-RULES";
    checkCalculable(config, placesOf(config), rules);
    const groups = config.groups.filter(({ computed }) => computed);
    if (groups.some(({ schedule, dtype }) => schedule !== 0 || dtype !== I64)) {
      return "computed points are i64 on schedule 0";
    }
    const own = groups.flatMap(({ points }) => points.map((index) => config.points[index]));
    const wanted = computedPoints(config, rules);
    const spelled = (points) => points.map(({ id, decimals }) => `${id} ${decimals}`).join("\n");
    if (groups.length > 1 || spelled(own) !== spelled(wanted) || !own.every(isItsCount)) {
      return "its computed points are others";
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return error.message;
  }
  return null;
}

export class Figures {
  /** `published`: folder of the published rule sets, or null. */
  constructor(archive, stated, published, report) {
    Object.assign(this, { archive, stated, published, report });
    this.rules = null;
    this.input = null; // of the only stream with frames
    this.computed = null;
    this.isUndecided = false; // something that the figures need is newer
    this.configured = new Map(); // hash of a configuration -> true if it can be calculated with
    this.hash = null;
    this.streams = new Set();
    if (stated !== null) this.load(stated.ruleSet);
  }

  load(name) {
    if (!KNOWN.has(name)) {
      this.report("C-RULES", "statement", `rule set ${name}`);
      this.isUndecided = true;
      return;
    }
    const own = (table) => this.archive.read(pathOf(table));
    const { published } = this;
    const read = published === null ? own : (table) => readFileSync(join(published, `${table}.toml`));
    this.rulesOf = rulesBy(read, this.stated.format);
    try {
      this.rules = this.rulesOf(name);
      const known = [...this.rules.tables.keys()].map(pathOf);
      for (const path of this.archive.files.keys()) {
        if (path.startsWith("data/rules/") && !known.includes(path)) {
          this.report("E-FILE-EXTRA", path, "no figure is made by it");
        }
      }
      for (const table of this.rules.tables.keys()) {
        if (!own(table)?.equals(read(table))) {
          this.report("E-RULES", pathOf(table), "it is not the published one");
        }
      }
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.report("E-RULES", pathOf(name), error.message);
    }
  }

  /** One frame of a stream that fits its configuration. */
  feed(stream, seq, hash, config, body) {
    if (this.rules === null || this.isUndecided) return;
    this.streams.add(stream.id);
    if (this.streams.size > 1) return;
    const where = `${stream.id} seq ${seq}`;
    if (!this.mayConfigure(hash, config, where)) return;
    if (stream.isBroken) this.computed = null; // running values are nobody's until they begin anew
    if (body.sections.length === 0) return;
    if (this.input.effects() > EFFECTS_MAX) {
      this.report("E-GROUPS", where, "more effects than a month may have");
      return;
    }
    this.input.feed(body);
    for (const [point, about] of this.computed?.check(body) ?? []) {
      this.report("E-COMPUTED", where, `${point}: ${about}`);
    }
  }

  /** A frame that does not fit: running values are nobody's until they begin anew. */
  passOver(stream, seq, hash, config) {
    this.streams.add(stream.id);
    if (this.rules !== null && !this.isUndecided && this.streams.size === 1) {
      this.mayConfigure(hash, config, `${stream.id} seq ${seq}`);
    }
    this.computed = null;
  }

  mayConfigure(hash, config, where) {
    if (!this.configured.has(hash)) this.configured.set(hash, wrongWith(config, this.rulesOf));
    const wrong = this.configured.get(hash);
    if (wrong !== null) {
      this.report(wrong === "C-RULES" ? wrong : "E-CFG", where, wrong);
      this.isUndecided ||= wrong === "C-RULES";
      return false;
    }
    if (hash !== this.hash) {
      this.hash = hash;
      this.input ??= new Input(this.rulesOf(config.ruleSet), this.stated.format);
      try {
        this.input.configure(config);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        this.report("E-CFG", where, error.message);
        this.configured.set(hash, error.message);
        return false;
      }
      this.computed = new Computed(config, this.rulesOf(config.ruleSet));
    }
    return true;
  }

  /** Compare the statement; `isOneStream`: frames of exactly one stream were good. */
  end(isOneStream, named, papers) {
    const { stated, rules, report } = this;
    if (stated === null) return;
    if (rules === null || this.isUndecided) {
      const [plant, ruleSet] = ["plant", "rule_set"].map((key) => stated.input.get(key));
      if (named !== null && plant !== named.plant) report("E-INPUT", "input.plant");
      if (named !== null && ruleSet !== named.ruleSet) report("E-INPUT", "input.rule_set");
      return;
    }
    try {
      const output = outputOf(stated.input, rules);
      for (const [path, old, made] of differences(stated.output, output, "output")) {
        report("E-TOTAL", path, `${shown(old)}, made again ${shown(made)}`);
      }
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      report("E-STATEMENT", "statement", error.message);
      return;
    }
    if (!isOneStream || stated.period === null) return;
    if (papers === null && this.input?.needsPapers) return; // what they are made of is newer
    if (this.input === null || this.input.month === null) {
      report("E-INPUT", "statement", "there are no readings that could be used");
      return;
    }
    const input = this.input.statement(stated.period, stated.closing, stated.month, papers ?? []);
    for (const [path, old, made] of differences(stated.input, input, "input")) {
      report("E-INPUT", path, `${shown(old)}, made again ${shown(made)}`);
    }
  }
}
