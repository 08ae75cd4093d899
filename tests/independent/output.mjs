// The statement's output from its input as it stands in the file: FIGURES.md section 5. Pure.

import { FormatError } from "./cbor.mjs";
import * as fr from "./fractions.mjs";
import { checkInput } from "./shape.mjs";

const ONE = [1n, 1n];
const HUNDRED = [100n, 1n];
const THOUSAND = [1000n, 1n];

const TOTALS = [["fuel", "fuel_t"], ["anode", "anode_t"], ["pfc", "pfc_co2e_t"]];
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
  const source = typed ? `typed: ${typed.get("source")}`
    : `frames: ${frames.get("point") ?? frames.get("potline")} (${frames.get("rule")})`;
  return new Map([["basis", isTyped(provenance) ? "calculated" : "measured"], ["confidence", "given"],
    ["provenance", provenance], ["source", source], ["unit", unit], ["value", fields.get(key)]]);
}

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

  /** tCO2 of one unit of a fuel. */
  fuel(kind) {
    const fuel = this.rules.fuels[kind];
    if (fuel === undefined) throw new FormatError(`the rule set has no fuel ${kind}`);
    const rows = this.rows({ ncv: `fuel.${kind}.ncv`, carbon_content: `fuel.${kind}.carbon_content`,
      oxidation_percent: `fuel.${fuel.state}.oxidation_percent` });
    const factor = fr.mul(rows.ncv.exact, rows.carbon_content.exact, rows.oxidation_percent.exact,
      [1n, 100n], this.row("carbon.co2_ratio").exact);
    return { rows, factor, unit: fuel.unit };
  }

  /** tCO2 of one tonne of gross anode. */
  anode() {
    const rows = this.rows({ loss_percent: "anode.loss_percent",
      sulfur_percent: "anode.sulfur_percent", ash_percent: "anode.ash_percent" });
    const net = percent(rows.loss_percent);
    const pure = fr.sub(percent(rows.sulfur_percent), fr.div(rows.ash_percent.exact, HUNDRED));
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

function fuelLine(factors, fields) {
  const kind = fields.get("kind");
  const quantity = number(fields.get("quantity"), "quantity");
  const { rows, factor, unit } = factors.fuel(kind);
  const parameters = new Map([...described(rows), ["quantity", given(fields, "quantity", unit)]]);
  return line("fuel", kind, quantity, fr.mul(quantity, factor), parameters);
}

function anodeLine(factors, fields) {
  const gross = number(fields.get("gross_t"), "gross_t");
  const { rows, net, factor } = factors.anode();
  const made = fr.mul(gross, net);
  const parameters = new Map([...described(rows), ["gross_t", given(fields, "gross_t", "t")],
    ["net_t", new Map([["basis", "calculated"], ["confidence", "given"],
      ["source", "gross_t × (1 - loss_percent ÷ 100)"], ["unit", "t"], ["value", fr.exact(made)]])]]);
  return line("anode", "prebaked-anode", made, fr.mul(gross, factor), parameters);
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

/** Output of an input; throws FormatError where the input cannot be used. */
export function outputOf(input, rules) {
  checkInput(input, rules);
  const factors = new Factors(rules);
  const lines = (input.get("fuel") ?? []).map((fields) => fuelLine(factors, fields));
  if (input.has("anode")) lines.push(anodeLine(factors, input.get("anode")));
  const pfc = input.has("pfc") ? pfcOf(factors, input.get("pfc")) : null;
  if (pfc) lines.push(pfc.line);
  const isOf = (item, ...categories) => categories.includes(item.get("category"));
  const total = (...categories) => fr.sum(lines.filter((item) => isOf(item, ...categories))
    .map((item) => fr.parse(item.get("emission_t"))));
  const all = total("fuel", "anode", "pfc");
  const found = new Map([
    ...["month", "plant", "rule_set", "closing", "period"].map((key) => [key, input.get(key)]),
    ["edition", rules.edition], ["lines", lines], ["units", new Map()],
    ["totals", new Map([...TOTALS.filter(([category]) => lines.some((item) => isOf(item, category)))
      .map(([category, key]) => [key, fr.places(total(category), 2)]),
      ["total_t", fr.places(all, 2)]])],
    ["gases", new Map([["co2_t", fr.places(total("fuel", "anode"), 2)],
      ...(pfc ? [["cf4_kg", fr.exact(pfc.cf4)], ["c2f6_kg", fr.exact(pfc.c2f6)]] : [])])],
    ["auxiliary", (input.get("auxiliary") ?? []).map((fields) => {
      number(fields.get("quantity"), "quantity");
      return new Map([["kind", fields.get("kind")], ["in_total", false],
        ["quantity", given(fields, "quantity", "MWh")]]);
    })],
  ]);
  if (pfc) found.set("pfc", pfc.pfc);
  if (input.has("output")) {
    const key = "aluminium_t";
    const metal = number(input.get("output").get(key), key);
    if (metal[0] > 0n) found.set("intensity", fr.places(fr.div(all, metal), 4));
  }
  const typed = [
    ...lines.map((item) => [item.get("category"), item.get("parameters")]),
    ...found.get("auxiliary").map((item) => ["auxiliary", item]),
    ["indicator", new Map([...(pfc?.pfc.get("indicator")?.get("parameters") ?? [])]
      .filter(([key]) => key !== "metal_t"))],
  ].flatMap(([category, parameters]) => [...parameters].filter(([, item]) =>
    item instanceof Map && item.has("provenance") && isTyped(item.get("provenance")))
    .map(([key]) => `typed:${category}.${key}`));
  found.set("flags", [...new Set([...input.get("flags"), ...typed,
    ...[...factors.used].map((row) => `unconfirmed:${row}`)])].sort());
  return found;
}
