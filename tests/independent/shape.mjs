// What a statement's input must look like for its output to be made: FIGURES.md section 4. Pure.

import { FormatError } from "./cbor.mjs";
import * as fr from "./fractions.mjs";
import { ANALYSED, BALANCE, OUTPUTS, UNIT, USES, factorsOf, listsOf, mayBeInParts, wordsOf } from
  "./sections.mjs";

const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/;
const EXACT = /^(0|[1-9]\d{0,29})(\.\d{0,14}[1-9])?$/;
const RATE = /^(0|[1-9]\d*)\.\d{12}$/;
export const SITE_TECHNOLOGIES = ["CWPB", "SWPB", "VSS", "HSS", "PFPB-L", "PFPB-M", "PFPB-MW"];
const ENTRIES_MAX = 1_000;
const COMPARED = ["rule_set", "month", "plant", "closing", "period", "potlines", "totalisers",
  "checks", "completeness", "reservations", "flags", "bridges"];

function demand(isSo, what) {
  if (!isSo) throw new FormatError(`the input's ${what}`);
}

const isText = (value) => typeof value === "string";

/** True for a map of exactly these fields. */
const has = (value, ...names) => value instanceof Map && value.size === names.length &&
  names.every((name) => value.has(name));
const allText = (value) => [...value.values()].every(isText);

/** Figures, where each comes from, and the fields named beside them. */
function figures(fields, names, form, others = []) {
  demand(has(fields, ...names, "provenance", ...others), names);
  const told = fields.get("provenance");
  demand(has(told, ...names), `${names}'s provenance`);
  for (const name of names) {
    demand(isText(fields.get(name)) && form.test(fields.get(name)), name);
    const from = told.get(name);
    if (has(from, "documents")) {
      demand(isOfDocuments(from.get("documents")), `${name}'s documents`);
      continue;
    }
    demand(has(from, "frames") || has(from, "frames", "typed"), `${name}'s provenance`);
    const [frames, typed] = [from.get("frames"), from.get("typed")];
    demand((has(frames, "class", "rule", "point") || has(frames, "class", "rule", "potline")) &&
      allText(frames), `${name}'s frames`);
    demand(typed === undefined || (has(typed, "gross_kg_per_t", "source") && allText(typed)),
      `${name}'s typed`);
  }
}

function isOfDocuments(told) {
  if (!(told instanceof Map)) return false;
  const rest = new Map(told);
  const hashes = rest.get("sha256");
  for (const key of ["sha256", "weights", "origin"]) rest.delete(key);
  const words = [...told].filter(([key]) => key !== "sha256").map(([, word]) => word);
  return has(rest, "about", "rule") && Array.isArray(hashes) && [...hashes, ...words].every(isText);
}

/** An indicator without the coefficients that edition "site" brings itself; they are looked at. */
function withoutOwn(indicator) {
  if (!(indicator instanceof Map) || indicator.get("edition") !== "site") return indicator;
  const told = indicator.get("provenance");
  demand(told instanceof Map, "indicator's provenance");
  demand(SITE_TECHNOLOGIES.includes(indicator.get("technology")), "indicator's technology");
  const rest = new Map(indicator);
  rest.set("provenance", new Map(told));
  for (const [key, most] of [["slope", 10n], ["c2f6_fraction", 1n]]) {
    demand(isText(indicator.get(key)) && EXACT.test(indicator.get(key)), `indicator's ${key}`);
    const [n, d] = fr.parse(indicator.get(key));
    demand(n <= most * d, `indicator's ${key}`);
    const from = told.get(key);
    demand(has(from, "typed") && has(from.get("typed"), "source") && allText(from.get("typed")),
      `${key}'s provenance`);
    rest.delete(key);
    rest.get("provenance").delete(key);
  }
  return rest;
}

/** Rows of a list; `parts` and `words` may be there, in quantity's place and beside it. */
function entries(input, table, name, isKind, parts = [], words = []) {
  if (!input.has(table)) return;
  const all = input.get(table);
  demand(Array.isArray(all) && all.length <= ENTRIES_MAX, table);
  for (const fields of all) {
    demand(fields instanceof Map, table);
    const there = (names) => names.filter((one) => fields.has(one));
    const own = there(parts);
    const factors = table === "auxiliary" ? [] : there(factorsOf(table));
    figures(fields, [...(own.length ? own : ["quantity"]), ...factors], EXACT,
      [name, ...there(words)]);
    demand(isText(fields.get(name)) && isKind(fields.get(name)), `${name} of ${table}`);
    demand(!fields.has("use") || USES.includes(fields.get("use")), `use of ${table}`);
    demand(!fields.has("unit") || (isText(fields.get("unit")) && UNIT.test(fields.get("unit"))),
      `unit of ${table}`);
  }
}

/** Throws FormatError unless an output can be made of it. */
export function checkInput(input, rules) {
  demand(isText(input.get("month")) && MONTH.test(input.get("month")), "month");
  const flags = input.get("flags");
  demand(Array.isArray(flags) && flags.every(isText), "flags");
  const lists = listsOf(rules.sector);
  for (const { table, name, kinds } of lists) {
    const parts = mayBeInParts(table) ? BALANCE.map(([part]) => part) : [];
    entries(input, table, name, (id) => rules.kind(kinds, id) !== null, parts, wordsOf(table));
  }
  entries(input, "auxiliary", "kind", (kind) => kind === "electricity");
  if (input.has("cross_check")) checks(input.get("cross_check"));
  if (input.has("output")) figures(input.get("output"), [OUTPUTS[rules.sector]], EXACT);
  const own = rules.sector === "aluminium" ? ["anode", "pfc"] : [];
  if (own.length) smelter(input);
  const known = [...COMPARED, ...lists.map(({ table }) => table), "auxiliary", "output", "cross_check", ...own];
  for (const key of input.keys()) demand(known.includes(key), `field ${key}`);
}

/** Check -> its figures, words it has and may have. */
const CHECKS = new Map([["second-source", [["first", "second"], ["what", "unit"], []]],
  ["carbon", [["measured_co2_t"], ["stacks"], ["unit"]]], ["energy", [["used_gj"], [], ["unit"]]]]);

function checks(rows) {
  demand(Array.isArray(rows) && rows.length <= ENTRIES_MAX, "cross_check");
  for (const row of rows) {
    demand(row instanceof Map && CHECKS.has(row.get("check")), "cross_check");
    const [names, words, may] = CHECKS.get(row.get("check"));
    const there = [...words, ...may.filter((word) => row.has(word))];
    figures(row, names, EXACT, ["check", ...there]);
    const isWord = (text) => isText(text) && [...text].length > 0 && [...text].length <= 64;
    demand(there.every((word) => isWord(row.get(word))), "cross_check");
    const isUnit = row.get("check") === "second-source"
      ? (unit) => ["t", "10^4 Nm3", "MWh"].includes(unit) : (unit) => UNIT.test(unit);
    demand(!row.has("unit") || isUnit(row.get("unit")), "cross_check");
  }
}

function smelter(input) {
  if (input.has("anode")) {
    const anode = input.get("anode");
    const analysed = anode instanceof Map ? ANALYSED.filter((key) => anode.has(key)) : [];
    figures(anode, ["gross_t", ...analysed], EXACT);
  }
  if (!input.has("pfc")) return;
  const pfc = input.get("pfc");
  const indicator = pfc instanceof Map ? pfc.get("indicator") : undefined;
  figures(pfc, ["metal_t"], EXACT, indicator === undefined ? [] : ["indicator"]);
  if (indicator === undefined) return;
  const words = ["technology", "edition", "gwp"];
  figures(withoutOwn(indicator), ["aem_min_per_cell_day"], RATE, words);
  demand(words.every((word) => isText(indicator.get(word))), "indicator");
  const [whole, rest] = indicator.get("aem_min_per_cell_day").split(".");
  demand(Number(whole) < 1440 || (whole === "1440" && /^0*$/.test(rest)), "minutes of a day");
}
