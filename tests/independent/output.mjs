// The statement's output from its input as it stands in the file: FIGURES.md section 5. Pure.

import { FormatError } from "./cbor.mjs";
import * as fr from "./fractions.mjs";
import { crossChecks, flagsOf } from "./beside.mjs";
import { ANALYSED, BALANCE, OUTPUTS, factorsOf, listsOf } from "./sections.mjs";
import { checkInput } from "./shape.mjs";

const ONE = [1n, 1n];
const HUNDRED = [100n, 1n];
const THOUSAND = [1000n, 1n];
const CARBON_MAX = { t: [1n, 1n], "10^4 Nm3": [54n, 1n] };

/** Of a category: its total, its sign there, its sign in the sum of all. */
const COUNTS = {
  fuel: ["fuel_t", 1n, 1n], anode: ["anode_t", 1n, 1n], pfc: ["pfc_co2e_t", 1n, 1n],
  process: ["process_t", 1n, 1n], product: ["product_t", 1n, -1n],
  clinker: ["clinker_t", 1n, 1n], substitute: ["clinker_t", -1n, -1n],
};
/** What no works of a sector is without. */
const NEVER_WITHOUT = {
  aluminium: ["anode", "pfc"], cement: ["fuel", "clinker"], steel: ["fuel"],
};
const NOT_COVERED = [
  ["low-voltage (non-anode-effect) PFC", "formed below the anode-effect voltage; no public " +
    "coefficients; published measurements on Chinese lines put it at 10-90 % of the total"],
  ["start-up PFC", "pots in start-up stand outside producing cell-days and outside the slope method"],
];

function number(value, what) {
  const found = fr.parse(value);
  if (found === null) throw new FormatError(`${what} is no number`);
  return found;
}

function item(value, what) {
  if (!(value instanceof Map)) throw new FormatError(`${what} is none`);
  return value;
}

const isTyped = (provenance) =>
  provenance.has("typed") || provenance.get("frames")?.get("class") === "typed";

/** A figure of the input, as it is shown beside the result. */
function given(fields, key, unit) {
  const provenance = item(item(fields.get("provenance"), "provenance").get(key), "provenance");
  const [frames, typed] = [provenance.get("frames"), provenance.get("typed")];
  if (provenance.has("documents")) return ofDocuments(fields, key, unit, provenance);
  const source = typed ? `typed: ${typed.get("source")}`
    : `frames: ${frames.get("point") ?? frames.get("potline")} (${frames.get("rule")})`;
  return new Map([["basis", isTyped(provenance) ? "calculated" : "measured"], ["confidence", "given"],
    ["provenance", provenance], ["source", source], ["unit", unit], ["value", fields.get(key)]]);
}

/** Likewise of what persons signed. */
function ofDocuments(fields, key, unit, provenance) {
  const told = provenance.get("documents");
  const origin = told.has("origin") ? `: ${told.get("origin")}` : "";
  return new Map([["basis", told.get("rule") === "samples" ? "measured" : "calculated"],
    ["confidence", "given"], ["provenance", provenance],
    ["source", `documents: ${told.get("about")} (${told.get("rule")})${origin}`], ["unit", unit],
    ["value", fields.get(key)]]);
}

/** A figure that is made of others beside it. */
const made = (value, unit, source) => new Map([["basis", "calculated"], ["confidence", "given"],
  ["source", source], ["unit", unit], ["value", fr.exact(value)]]);

const percent = (parameter) => fr.sub(ONE, fr.div(parameter.exact, HUNDRED));
const line = (category, kind, quantity, emission, parameters) => new Map([
  ["category", category], ["kind", kind], ["quantity", fr.exact(quantity)],
  ["emission_t", fr.places(emission, 2)], ["parameters", parameters], ["uncertainty", new Map()],
]);

/** What the factors of the rule set make of one unit. */
export class Factors {
  constructor(rules) {
    this.rules = rules;
    this.used = new Set(); // names of rows that are not confirmed
  }

  row(key, table) {
    const found = this.rules.row(key, table);
    if (found === null) throw new FormatError(`the rule set has no ${key}`);
    if (found.row.confidence !== "confirmed") this.used.add(key);
    return found;
  }

  rows(names, table) {
    return Object.fromEntries(Object.entries(names).map(([key, row]) => [key, this.row(row, table)]));
  }

  /** tC in a unit of a fuel by some factors of one's own; its rows among the others are told. */
  carbon(kind, own) {
    if (own.carbon_ar) return { rows: {}, carbon: own.carbon_ar };
    const rest = ["ncv", "carbon_content"].filter((name) => !own[name]);
    const rows = this.rows(Object.fromEntries(rest.map((name) => [name, `fuel.${kind}.${name}`])));
    const [ncv, content] = ["ncv", "carbon_content"].map((name) => own[name] ?? rows[name].exact);
    return { rows, carbon: fr.mul(ncv, content) };
  }

  /** tCO2 of one unit of a fuel, by where it burns. */
  fuel(kind, use, own = {}) {
    const fuel = this.rules.kind("fuel", kind);
    if (fuel === null) throw new FormatError(`the rule set has no fuel ${kind}`);
    const oxidation = [`fuel.${fuel.state}.${use}`, `fuel.${fuel.state}`]
      .map((name) => `${name}.oxidation_percent`).find((name) => this.rules.row(name) !== null);
    const made = this.carbon(kind, own);
    if (Object.keys(own).length && fr.sub(made.carbon, CARBON_MAX[fuel.unit])[0] > 0n) {
      throw new FormatError("more carbon than fits");
    }
    const rows = { ...made.rows, ...this.rows(oxidation ? { oxidation_percent: oxidation } : {}) };
    const burnt = oxidation ? fr.div(rows.oxidation_percent.exact, HUNDRED) : ONE;
    const factor = fr.mul(made.carbon, burnt, this.row("carbon.co2_ratio").exact);
    return { rows, factor, unit: fuel.unit };
  }

  /** tCO2 of one unit of an entry of a list. */
  entry({ table, kinds }, kind, use, own = {}) {
    if (table === "fuel") return this.fuel(kind, use, own);
    if (own.factor) {
      if (fr.sub(own.factor, [4n, 1n])[0] > 0n) throw new FormatError("its factor is above 4");
      return { rows: {}, factor: own.factor, unit: this.rules.kind(kinds, kind).unit };
    }
    const rows = this.rows({ factor: `${table}.${kind}.factor` });
    return { rows, factor: rows.factor.exact, unit: this.rules.kind(kinds, kind).unit };
  }

  /** tCO2 of one tonne of gross anode. */
  anode(own = {}) {
    const rest = ANALYSED.filter((name) => !own[name]);
    const rows = this.rows(Object.fromEntries(rest.map((name) => [name, `anode.${name}`])));
    const [loss, sulfur, ash] = ANALYSED.map((name) => percent({ exact: own[name] ?? rows[name].exact }));
    const pure = fr.sub(fr.add(sulfur, ash), ONE);
    if ([loss, sulfur, ash, pure].some(([n]) => n < 0n)) throw new FormatError("more than all of it");
    const net = loss;
    return { rows, net, factor: fr.mul(net, pure, this.row("carbon.co2_ratio").exact) };
  }

  gwp(set) {
    return this.rows({ gwp_cf4: `${set}.cf4`, gwp_c2f6: `${set}.c2f6` }, "gwp");
  }

  /** tCO2e of masses of CF4 and C2F6 in kg. */
  co2e(cf4, c2f6, gwp) {
    return fr.div(fr.add(fr.mul(cf4, gwp.gwp_cf4.exact), fr.mul(c2f6, gwp.gwp_c2f6.exact)), THOUSAND);
  }

  record() {
    const rows = this.rows({ cf4_kg_t: "pfc.cf4_kg_t", c2f6_kg_t: "pfc.c2f6_kg_t" });
    const gwp = this.gwp(this.rules.gwp);
    return { rows: { ...rows, ...gwp }, factor: this.co2e(rows.cf4_kg_t.exact, rows.c2f6_kg_t.exact, gwp) };
  }

  slope(edition, technology) {
    return this.rows({ slope: `slope.${technology}.cf4`,
      c2f6_fraction: `slope.${technology}.c2f6_fraction` }, edition);
  }
}

const described = (rows) => Object.entries(rows).map(([key, row]) => [key, row.describe()]);

const UNITS = { carbon_content: "tC/GJ", factor: "tCO2/t" };

/** Numbers that stand in the input in place of rows; what cannot be one is refused. */
function ownOf(fields, names) {
  const own = Object.fromEntries(names.filter((name) => fields.has(name))
    .map((name) => [name, number(fields.get(name), name)]));
  for (const name of ["ncv", "carbon_content", "carbon_ar"]) {
    if (own[name]?.[0] === 0n) throw new FormatError(`${name} is nothing`);
  }
  if (own.carbon_content && fr.sub(own.carbon_content, ONE)[0] > 0n) {
    throw new FormatError("carbon_content is above 1");
  }
  if (own.carbon_ar && Object.keys(own).length > 1) throw new FormatError("carbon_ar with others");
  return own;
}

/** A line of a list's entry, and what is said of its quantity. */
function entryLine(factors, list, fields) {
  const kind = fields.get(list.name);
  const own = ownOf(fields, factorsOf(list.table));
  const { rows, factor, unit } = factors.entry(list, kind, fields.get("use"), own);
  const parts = BALANCE.filter(([part]) => fields.has(part));
  const parameters = new Map(described(rows));
  for (const name of Object.keys(own)) {
    const of = name === "ncv" ? `GJ/${unit}` : `tC/${unit}`;
    parameters.set(name, given(fields, name, UNITS[name] ?? of));
  }
  const flags = [];
  let quantity = null;
  if (parts.length) {
    quantity = fr.sum(parts.map(([part, sign]) => fr.mul(number(fields.get(part), part), [sign, 1n])));
    for (const [part] of parts) parameters.set(part, given(fields, part, unit));
    parameters.set("quantity", made(quantity, unit, "opening + purchased - closing - output"));
    if (!fields.has("opening") || !fields.has("closing")) flags.push("stock-incomplete");
    if (quantity[0] < 0n) flags.push("net-output");
  } else {
    quantity = number(fields.get("quantity"), "quantity");
    parameters.set("quantity", given(fields, "quantity", unit));
  }
  const found = line(list.table, kind, quantity, fr.mul(quantity, factor), parameters);
  if (fields.has("unit")) found.set("unit", fields.get("unit"));
  return [found, flags];
}

function anodeLine(factors, fields) {
  const gross = number(fields.get("gross_t"), "gross_t");
  const own = ownOf(fields, ANALYSED);
  const { rows, net, factor } = factors.anode(own);
  const used = fr.mul(gross, net);
  const parameters = new Map([...described(rows), ["gross_t", given(fields, "gross_t", "t")],
    ["net_t", made(used, "t", "gross_t × (1 - loss_percent ÷ 100)")]]);
  for (const name of Object.keys(own)) parameters.set(name, given(fields, name, "%"));
  return line("anode", "prebaked-anode", used, fr.mul(gross, factor), parameters);
}

function indicator(factors, fields, metal, shown) {
  const [edition, technology, set] = ["edition", "technology", "gwp"].map((key) => fields.get(key));
  const aem = number(fields.get("aem_min_per_cell_day"), "aem_min_per_cell_day");
  const gwp = factors.gwp(set);
  const rows = edition === "site" ? gwp : { ...factors.slope(edition, technology), ...gwp };
  const own = edition !== "site" ? [] : [["slope", "(kg CF4/t)/(AE-min/cell-day)"],
    ["c2f6_fraction", "kg C2F6/kg CF4"]];
  const coefficient = (name) => rows[name]?.exact ?? number(fields.get(name), name);
  const cf4 = fr.mul(coefficient("slope"), aem, metal);
  const c2f6 = fr.mul(cf4, coefficient("c2f6_fraction"));
  const key = "aem_min_per_cell_day";
  return new Map([
    ["method", "pfc.slope"], ["edition", edition], ["technology", technology], ["gwp", set],
    ["metal_t", fr.exact(metal)], [key, fields.get(key)],
    ["cf4_kg", fr.exact(cf4)], ["c2f6_kg", fr.exact(c2f6)],
    ["co2e_t", fr.exact(factors.co2e(cf4, c2f6, gwp))],
    ...own.map(([name]) => [name, fields.get(name)]),
    ["parameters", new Map([...described(rows),
      ...own.map(([name, unit]) => [name, given(fields, name, unit)]),
      [key, given(fields, key, "AE-min/cell-day")],
      ["metal_t", shown]])],
  ]);
}

function pfcOf(factors, fields) {
  const metal = number(fields.get("metal_t"), "metal_t");
  const shown = given(fields, "metal_t", "t");
  const { rows, factor } = factors.record();
  const emission = fr.mul(metal, factor);
  const [cf4, c2f6] = [rows.cf4_kg_t, rows.c2f6_kg_t].map((row) => fr.mul(metal, row.exact));
  const record = new Map([
    ["method", "metal × emission factors"], ["gwp", factors.rules.gwp],
    ["metal_t", fr.exact(metal)], ["cf4_kg", fr.exact(cf4)], ["c2f6_kg", fr.exact(c2f6)],
    ["co2e_t", fr.places(emission, 2)],
  ]);
  const parameters = new Map([...described(rows), ["metal_t", shown]]);
  const pfc = new Map([["record", record],
    ["not_covered", NOT_COVERED.map(([what, why]) => new Map([["what", what], ["why", why]]))]]);
  if (fields.has("indicator")) {
    pfc.set("indicator", indicator(factors, fields.get("indicator"), metal, shown));
  }
  return { pfc, line: line("pfc", "anode-effect-pfc", metal, emission, parameters), cf4, c2f6 };
}

const signed = (item, place) => {
  const [, ...signs] = COUNTS[item.get("category")];
  return fr.mul([signs[place], 1n], fr.parse(item.get("emission_t")));
};

/** Totals of lines by category, and of all. */
function totalsOf(lines) {
  const sums = new Map();
  for (const item of lines) {
    const [key] = COUNTS[item.get("category")];
    sums.set(key, fr.add(sums.get(key) ?? fr.ZERO, signed(item, 0)));
  }
  sums.set("total_t", fr.sum(lines.map((item) => signed(item, 1))));
  return new Map([...sums].map(([key, value]) => [key, fr.places(value, 2)]));
}

/** Output of an input; throws FormatError where the input cannot be used. */
export function outputOf(input, rules) {
  checkInput(input, rules);
  const factors = new Factors(rules);
  const [fuels, ...others] = listsOf(rules.sector);
  const made = (list) => (input.get(list.table) ?? []).map((fields) => entryLine(factors, list, fields));
  const [burnt, rest] = [made(fuels), others.flatMap(made)];
  const own = input.has("anode") ? [anodeLine(factors, input.get("anode"))] : [];
  const pfc = input.has("pfc") ? pfcOf(factors, input.get("pfc")) : null;
  if (pfc) own.push(pfc.line);
  const lines = [...[...burnt, ...rest].map(([item]) => item), ...own];
  const co2 = lines.filter((item) => item.get("category") !== "pfc");
  const all = fr.sum(lines.map((item) => signed(item, 1)));
  const units = [...new Set(lines.filter((item) => item.has("unit")).map((item) => item.get("unit")))];
  const found = new Map([
    ...["month", "plant", "rule_set", "closing", "period"].map((key) => [key, input.get(key)]),
    ["edition", rules.edition], ["lines", lines], ["totals", totalsOf(lines)],
    ["units", new Map(units.map((unit) =>
      [unit, totalsOf(lines.filter((item) => item.get("unit") === unit))]))],
    ["gases", new Map([["co2_t", fr.places(fr.sum(co2.map((item) => signed(item, 1))), 2)],
      ...(pfc ? [["cf4_kg", fr.exact(pfc.cf4)], ["c2f6_kg", fr.exact(pfc.c2f6)]] : [])])],
    ["auxiliary", (input.get("auxiliary") ?? []).map((fields) => {
      number(fields.get("quantity"), "quantity");
      return new Map([["kind", fields.get("kind")], ["in_total", false],
        ["quantity", given(fields, "quantity", "MWh")]]);
    })],
  ]);
  if (pfc) found.set("pfc", pfc.pfc);
  if (input.has("output")) {
    const key = OUTPUTS[rules.sector];
    const output = number(input.get("output").get(key), key);
    if (output[0] > 0n) found.set("intensity", fr.places(fr.div(all, output), 4));
  }
  const checks = crossChecks(input.get("cross_check") ?? [], lines, (line) => signed(line, 1), rules);
  if (checks.length) found.set("cross_checks", checks);
  const typed = [
    ...lines.map((item) => [item.get("category"), item.get("parameters")]),
    ...found.get("auxiliary").map((item) => ["auxiliary", item]),
    ["indicator", new Map([...(pfc?.pfc.get("indicator")?.get("parameters") ?? [])]
      .filter(([key]) => key !== "metal_t"))],
  ].flatMap(([category, parameters]) => [...parameters].filter(([, item]) =>
    item instanceof Map && item.has("provenance") && isTyped(item.get("provenance")))
    .map(([key]) => `typed:${category}.${key}`));
  const missing = NEVER_WITHOUT[rules.sector]
    .filter((name) => !lines.some((item) => item.get("category") === name));
  found.set("flags", [...new Set([...input.get("flags"), ...typed, ...flagsOf(checks),
    ...[...burnt, ...rest].flatMap(([, flags]) => flags), ...missing.map((name) => `no-${name}`),
    ...(all[0] < 0n ? ["total-below-zero"] : []),
    ...[...factors.used].map((row) => `unconfirmed:${row}`)])].sort());
  return found;
}
