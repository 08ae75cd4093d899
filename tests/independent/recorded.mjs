// Figures that persons sign: FIGURES.md section 7. Pure; no I/O.

import * as fr from "./fractions.mjs";
import { brought } from "./bridging.mjs";
import { mayBeInParts } from "./sections.mjs";

export const HOUR = 3_600n * 10n ** 9n;
export const REACH = 288n * HOUR;
const ONE = [1n, 1n];
const HUNDRED = [100n, 1n];
const WATER = [23n, 1000n];
const MOST = [10n ** 15n, 1n];
const PLACES = 15;
const CARBON_MAX = { t: [1n, 1n], "10^4 Nm3": [54n, 1n] };
const NAMES = { fuel: ["ncv", "carbon_content", "carbon"],
  anode: ["loss_percent", "sulfur_percent", "ash_percent"] };
const MOISTURES = [["total-moisture", "ar", [60n, 1n]], ["moisture", "ad", [40n, 1n]]];
const MOST_DRIED = { ncv: [40n, 1n], carbon: ONE };
const HIGHEST = { ncv: [10_000n, 1n], carbon_content: ONE, factor: [4n, 1n], loss_percent: HUNDRED,
  sulfur_percent: [50n, 1n], ash_percent: [50n, 1n] };
const PERCENT = { "%": ONE };

/** Nothing can be made of documents that there are. */
export class Unfit extends Error {}

export function demand(isSo) {
  if (!isSo) throw new Unfit();
}

/** A document's number: longer than a configuration's may be. */
function decimal(text) {
  const [, sign, whole, rest = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  return fr.of(BigInt(sign + whole + rest), 10n ** BigInt(rest.length));
}

const isLess = (x, y) => fr.sub(x, y)[0] < 0n;
export const printed = (x) => fr.exact(fr.of(fr.round(fr.mul(x, [10n ** BigInt(PLACES), 1n])), 10n ** BigInt(PLACES)));

function unitsOf(name, unit) {
  if (name === "ncv") {
    return unit === "t" ? { "GJ/t": ONE, "MJ/kg": ONE, "kJ/kg": [1n, 1000n], "J/g": [1n, 1000n] }
      : { "GJ/10^4 Nm3": ONE, "MJ/Nm3": [10n, 1n], "kJ/Nm3": [1n, 100n] };
  }
  if (name === "carbon_content") return { "tC/GJ": ONE, "kgC/GJ": [1n, 1000n], "tC/TJ": [1n, 1000n] };
  if (name === "carbon") return unit === "t" ? { "tC/t": ONE, "%": [1n, 100n] } : { "tC/10^4 Nm3": ONE };
  return name === "factor" ? { "tCO2/t": ONE, "kgCO2/t": [1n, 1000n] } : PERCENT;
}

const AMOUNTS = { t: { t: ONE, kg: [1n, 1000n] },
  "10^4 Nm3": { "10^4 Nm3": ONE, Nm3: [1n, 10_000n] } };

/** A number with its unit, in the statement's. */
function inUnit(row, known) {
  const unit = row.get("unit");
  demand(Object.hasOwn(known, unit));
  return fr.mul(decimal(row.get("value")), known[unit]);
}

const only = (all) => {
  demand(all.length === 1);
  return all[0];
};

export const provenance = (about, rule, papers, more = []) => new Map([["documents", new Map([
  ["about", about], ["rule", rule],
  ["sha256", [...new Set(papers.map(({ sha256 }) => sha256))].sort()], ...more])]]);

/** Documents that stand, {sha256, kind, about, body, isApproved}, beside a month and a period. */
export class Papers {
  constructor(all, month, period) {
    Object.assign(this, { all, month, period });
    this.by = new Map();
    for (const paper of all) {
      const key = `${paper.kind} ${paper.about}`;
      this.by.set(key, [...(this.by.get(key) ?? []), paper]);
    }
  }

  standing(kind, about) {
    return this.by.get(`${kind} ${about}`) ?? [];
  }

  counting(kind, about) {
    return this.standing(kind, about).filter(({ isApproved }) => isApproved);
  }

  takings(sample) {
    return ["sample-taken", "sample-composed"].flatMap((kind) => this.counting(kind, sample));
  }

  isTaking({ kind, body }, source) {
    return (kind === "sample-taken" || kind === "sample-composed") && body.get("source") === source &&
      isOf(body, this.month);
  }

  samples(source) {
    return this.all.filter((paper) => paper.isApproved && this.isTaking(paper, source));
  }

  isAtEdge({ body }, i, most = HOUR) {
    const apart = body.get("at_ns") - this.period[i];
    return apart <= most && apart >= -most;
  }

  /** True if a document would make a figure, or be compared, if it were approved. */
  isWaiting(source, bridge) {
    const takings = this.all.filter((paper) => this.isTaking(paper, source));
    const results = takings.flatMap(({ about }) => this.standing("sample-result", about));
    const amounts = ["invoice", "count", "parameter"].flatMap((kind) => this.standing(kind, source))
      .filter(({ body }) => overlap(body, this.period) > 0n);
    const most = bridge === undefined ? HOUR : REACH;
    const stocks = this.standing("stock-take", source)
      .filter((paper) => this.isAtEdge(paper, 0, most) || this.isAtEdge(paper, 1, most));
    const near = [this.period[0] - REACH, this.period[1] + REACH];
    const told = bridge === undefined ? [] : this.standing("count", bridge)
      .filter(({ body }) => overlap(body, near) > 0n);
    return [...takings, ...results, ...amounts, ...stocks, ...told].some(({ isApproved }) => !isApproved);
  }

  // -- factors ------------------------------------------------------------------------------------

  /** {found: name in the input -> [text, provenance], flags}; `carbon` as of Factors.carbon. */
  factors(source, table, kind, carbon) {
    const found = new Map();
    const flags = [];
    const refuse = (name) => flags.push(`not-usable:${source}.${name}`);
    for (const name of NAMES[table] ?? ["factor"]) {
      try {
        const factor = this.factor(source, name, kind);
        if (factor !== null) found.set(name, factor);
      } catch (error) {
        if (!(error instanceof Unfit)) throw error;
        refuse(name);
      }
    }
    if (found.has("carbon")) return { found: new Map([["carbon_ar", found.get("carbon")]]), flags };
    const own = ["ncv", "carbon_content"].filter((name) => found.has(name));
    if (own.length) {
      const value = carbon(Object.fromEntries(own.map((name) => [name, decimal(found.get(name)[0])])));
      if (isLess(CARBON_MAX[kind.unit], value)) {
        own.forEach(refuse);
        return { found: new Map(), flags };
      }
    }
    return { found, flags };
  }

  factor(source, name, kind) {
    const found = this.bySamples(source, name, kind) ?? this.byParameter(source, name, kind);
    if (found === null) return null;
    const value = decimal(found[0]);
    const highest = name === "carbon" ? CARBON_MAX[kind.unit] : HIGHEST[name];
    const mayBeZero = !["ncv", "carbon_content", "carbon"].includes(name);
    demand(value[0] > 0n || (value[0] === 0n && mayBeZero));
    demand(!isLess(highest, value));
    return found;
  }

  byParameter(source, name, kind) {
    const [from, to] = this.period;
    const all = this.counting("parameter", source).filter(({ body }) =>
      body.get("name") === name && body.get("from_ns") <= from && body.get("to_ns") >= to);
    if (!all.length) return null;
    const { body } = only(all);
    demand(body.get("basis") === (isBased(name, kind) ? "ar" : undefined));
    const value = inUnit(body, unitsOf(name, kind.unit));
    return [printed(value), provenance(source, "parameter", all, [["origin", body.get("origin")]])];
  }

  bySamples(source, name, kind) {
    const given = this.samples(source).filter(({ about }) => this.rows(about, name).length);
    const composed = given.filter((paper) => paper.kind === "sample-composed");
    const parts = new Set(composed.flatMap(({ body }) => body.get("parts").map((row) => row.get("sample"))));
    if (!given.length) return null;
    const used = given.filter(({ about }) => !parts.has(about));
    demand(used.length > 0);
    const [values, masses, papers] = [[], [], []];
    for (const taking of used) {
      demand(this.takings(taking.about).length === 1);
      const [value, results] = this.value(taking.about, name, kind);
      const [mass, told] = this.mass(taking);
      values.push(value);
      masses.push(mass);
      papers.push(taking, ...results, ...told);
    }
    demand(new Set(papers.map(({ sha256 }) => sha256)).size <= 1_000);
    const said = masses.filter((mass) => mass !== null);
    demand(said.length === 0 || said.length === masses.length);
    const weights = said.length ? said : values.map(() => ONE);
    const all = fr.sum(weights);
    demand(all[0] > 0n);
    const mean = fr.div(fr.sum(values.map((value, i) => fr.mul(value, weights[i]))), all);
    return [printed(mean), provenance(source, "samples", papers,
      [["weights", said.length ? "mass" : "equal"]])];
  }

  mass({ kind, body }) {
    const tonnes = (one) => decimal(one.get("stands_for_t"));
    if (kind === "sample-taken") return [body.has("stands_for_t") ? tonnes(body) : null, []];
    const told = body.get("parts").map((row) => this.takings(row.get("sample")));
    if (told.some((all) => all.length !== 1 || !all[0].body.has("stands_for_t"))) return [null, []];
    const papers = told.flat();
    return [fr.sum(papers.map((paper) => tonnes(paper.body))), papers];
  }

  rows(sample, name) {
    return this.counting("sample-result", sample).flatMap((paper) => paper.body.get("values")
      .filter((row) => row.get("name") === name).map((row) => ({ paper, row })));
  }

  value(sample, name, kind) {
    const all = this.rows(sample, name);
    const units = unitsOf(name, kind.unit);
    const on = (basis) => all.filter(({ row }) => row.get("basis") === basis);
    const received = isBased(name, kind) ? on("ar") : all;
    if (!isBased(name, kind) || received.length) {
      const { paper, row } = only(received);
      demand(isBased(name, kind) || !row.has("basis"));
      return [inUnit(row, units), [paper]];
    }
    const dried = only(on("ad"));
    const waters = MOISTURES.map(([water]) => only(this.rows(sample, water)));
    const [total, ad] = waters.map(({ row }, i) => {
      demand([undefined, MOISTURES[i][1]].includes(row.get("basis")));
      return within(inUnit(row, PERCENT), MOISTURES[i][2]);
    });
    const value = within(inUnit(dried.row, units), MOST_DRIED[name]);
    demand(!isLess(total, ad));
    const drier = fr.div(fr.sub(HUNDRED, total), fr.sub(HUNDRED, ad));
    const made = name === "carbon" ? fr.mul(value, drier)
      : fr.sub(fr.mul(fr.add(value, fr.mul(WATER, ad)), drier), fr.mul(WATER, total));
    return [made, [dried, ...waters].map(({ paper }) => paper)];
  }

  // -- amounts ------------------------------------------------------------------------------------

  /** Key in the input -> {value, rule, papers}; throws Unfit. */
  amounts(source, table, unit) {
    const counted = () => {
      const found = this.counts(source, unit);
      return found === null ? new Map() : new Map([["quantity", found]]);
    };
    if (table === "clinker") return this.clinker(source, unit) ?? counted();
    if (!mayBeInParts(table)) return counted();
    const parts = this.stocks(source, unit);
    for (const part of ["purchased", "output"]) {
      const found = this.invoices(source, unit, part);
      if (found !== null) parts.set(part, found);
    }
    return parts.size ? parts : counted();
  }

  clinker(source, unit) {
    const parts = this.stocks(source, unit);
    if (!parts.size) return null;
    const used = this.counts(source, unit);
    const [despatched, purchased] = ["output", "purchased"]
      .map((part) => this.invoices(source, unit, part));
    demand(used !== null && despatched !== null);
    const [opening, closing] = ["opening", "closing"].map((key) => parts.get(key));
    const all = [despatched, used, closing, opening, ...(purchased ? [purchased] : [])];
    const value = fr.sum(all.map((part) => (part === opening || part === purchased
      ? fr.sub(fr.ZERO, part.value) : part.value)));
    demand(value[0] >= 0n);
    const papers = all.flatMap((part) => part.papers);
    return new Map([["quantity", { value, rule: "stock-taking", papers }]]);
  }

  stocks(source, unit) {
    const found = new Map();
    for (const [i, key] of ["opening", "closing"].entries()) {
      const there = this.counting("stock-take", source).filter((paper) => this.isAtEdge(paper, i));
      demand(there.length <= 1);
      if (there.length) found.set(key, total(there, "stock-take", unit));
    }
    demand(found.size !== 1);
    return found;
  }

  invoices(source, unit, part) {
    const own = this.counting("invoice", source).filter(({ body }) => body.get("part") === part);
    return this.ofPeriod(own, "invoices", unit);
  }

  counts(source, unit) {
    return this.ofPeriod(this.counting("count", source), "counts", unit);
  }

  ofPeriod(own, rule, unit) {
    const [from, to] = this.period;
    const found = own.filter(({ body }) => {
      const common = overlap(body, this.period);
      if (common <= 0n) return false;
      const isInside = body.get("from_ns") >= from - HOUR && body.get("to_ns") <= to + HOUR;
      const isIts = isOf(body, this.period);
      demand((isInside && isIts) || (common <= HOUR && !isIts));
      return isInside && isIts;
    });
    return found.length ? total(found, rule, unit) : null;
  }

  /** What documents say of a quantity that a meter counted; null if nothing; throws Unfit. */
  second(source, table, unit, key) {
    if (key !== "quantity") return this.invoices(source, unit, key);
    const counted = this.counts(source, unit);
    return counted ?? (mayBeInParts(table) ? this.invoices(source, unit, "purchased") : null);
  }
}

export const amountOf = ({ body }, unit) => inUnit(body, AMOUNTS[unit] ?? {});

function total(papers, rule, unit) {
  const value = fr.sum(papers.map((paper) => amountOf(paper, unit)));
  demand(value[0] >= 0n && isLess(value, MOST) && papers.length <= 1_000);
  return { value, rule, papers };
}

const isBased = (name, kind) => kind.state === "solid" && (name === "ncv" || name === "carbon");
const within = (value, highest) => {
  demand(value[0] >= 0n && !isLess(highest, value));
  return value;
};
export const isOf = (body, [from, to]) => {
  const middle = body.get("from_ns") + body.get("to_ns");
  return middle >= 2n * from && middle < 2n * to;
};
const overlap = (body, [from, to]) => {
  const [a, b] = [body.get("from_ns"), body.get("to_ns")];
  return (b < to ? b : to) - (a > from ? a : from);
};

const APART = [5n, 1n];

/** What documents add to the rows of a month. */
export class Beside {
  constructor(papers) {
    this.papers = papers;
    this.asked = new Set();
    this.told = new Set();
    this.own = new Set();
    this.checks = [];
    this.bridges = [];
    this.bridgeOf = new Map();
  }

  flags() {
    const all = [...this.asked];
    return [...this.own, ...all.filter((one) => !this.told.has(one)).map((one) => `no-document:${one}`),
      ...all.filter((one) => this.papers.isWaiting(one, this.bridgeOf.get(one))).map((one) => `not-approved:${one}`)];
  }

  /** Factors put into a row that is a Map. */
  add(row, source, table, kind, carbon) {
    this.asked.add(source);
    const { found, flags } = this.papers.factors(source, table, kind, carbon);
    for (const flag of flags) this.own.add(flag);
    for (const [name, [text, from]] of found) {
      row.set(name, text);
      row.get("provenance").set(name, from);
      this.told.add(source);
    }
  }

  /** The row of an entry without a meter, null if there is none. */
  recorded(source, table, words, kind, isWhole, bridge) {
    this.asked.add(source);
    let found = new Map();
    try {
      demand(isWhole);
      if (bridge !== null) this.bridgeOf.set(source, bridge.point.id);
      found = bridge === null ? this.papers.amounts(source, table, kind.unit)
        : brought(this, source, table, kind.unit, bridge);
      if (!found.size) this.own.add(`no-records:${source}`);
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      this.own.add(`not-usable:${source}.amount`);
    }
    if (!found.size) return null;
    this.told.add(source);
    return new Map([...words, ...[...found].map(([key, { value }]) => [key, printed(value)]),
      ["provenance", new Map([...found].map(([key, { rule, papers }]) =>
        [key, provenance(source, rule, papers)]))]]);
  }

  /** Documents against what a meter counted. */
  compare(source, table, kind, key, point, quantity) {
    let second = null;
    try {
      second = this.papers.second(source, table, kind.unit, key);
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      this.own.add(`not-usable:${source}.${key}`);
    }
    if (second === null) return;
    this.told.add(source);
    const check = new Map([["check", "documents against the totaliser"], ["point", point],
      ["totaliser", fr.exact(quantity)], ["recorded", printed(second.value)],
      ...provenance(source, second.rule, second.papers)]);
    if (quantity[0] !== 0n) {
      const apart = fr.mul(fr.div(fr.sub(second.value, quantity), quantity), HUNDRED);
      check.set("difference_percent", fr.places(apart, 2));
      if (isLess(APART, apart) || isLess(apart, fr.sub(fr.ZERO, APART))) this.own.add(`apart:${source}`);
    }
    this.checks.push(check);
  }
}
