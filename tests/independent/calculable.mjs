// What a configuration must keep to so that figures can be made by it: FIGURES.md section 1. Pure.

import { FormatError } from "./cbor.mjs";
import { exact } from "./configuration.mjs";
import * as fr from "./fractions.mjs";
import { NUMBER_TYPES } from "./frame.mjs";
import { BESIDE, PARTS, UNIT, USES, entriesOf, metersOf } from "./sections.mjs";
import { SITE_TECHNOLOGIES } from "./shape.mjs";
import { countedIn, unitFactor } from "./totalisers.mjs";

const CONDITION = new Map([["reference", "0C-101.325kPa"], ["moisture", "dry"],
  ["fuel_basis", "ar"]]);
const SECONDS = 10n ** 9n;
const USING = ["point", "bridge", "flow_point", "purchased", "purchased_flow", "output", "output_flow",
  "power_point"];

function demand(isSo, what) {
  if (!isSo) throw new FormatError(what);
}

const list = (statement, key) => statement.get(key) ?? [];
const unitOf = (point) => point.fields.get("quantity").get("unit");

/** True if a point's number is its count. */
export const isItsCount = ({ decimals, scaling: { factor: [n, d], shift } }) =>
  shift[0] === 0n && n * 10n ** BigInt(decimals) === d;

/** Throws FormatError; `places` as of `placesOf`. */
export function checkCalculable(config, places, rules) {
  const [statement, potlines] = ["statement", "potlines"].map((key) => config.fields.get(key));
  const measured = (id) => {
    demand(places.has(id), `no such point is measured: ${id}`);
    return places.get(id)[0];
  };
  const there = [...statement.keys(), ...(potlines.length ? ["potlines"] : [])];
  for (const key of there) demand(PARTS[rules.sector].includes(key), `${key} of another sector`);
  const entries = entriesOf(statement);
  const used = [...(statement.has("metal") ? [statement.get("metal")] : []),
    ...entries.map(({ fields }) => fields), ...list(statement, "auxiliary"), ...list(statement, "beside")]
    .flatMap((fields) => USING.filter((key) => fields.has(key)).map((key) => fields.get(key)));
  once(used.map((id) => measured(id).id));
  once(list(statement, "burnt").map((fields) => measured(fields.get("flow_point")).id));
  const pots = potlines.flatMap((line) => line.get("pots"));
  once(pots.map((pot) => measured(pot.get("voltage")).id));
  for (const line of potlines) potline(line, config, places, measured, rules);
  const isIn = (id, wanted) => demand(unitFactor(unitOf(measured(id)), wanted) !== null, `${id}: unit`);
  for (const key of ["metal", "output"]) {
    if (statement.has(key)) isIn(statement.get(key).get("point"), "t");
  }
  for (const entry of list(statement, "auxiliary")) {
    isIn(entry.get("point"), "MWh");
    if (entry.has("power_point")) isIn(entry.get("power_point"), "MW");
  }
  for (const fields of list(statement, "beside")) beside(fields, statement, measured);
  for (const { fields, name, kinds } of entries) entryOf(fields, name, kinds, measured, rules);
  for (const fields of list(statement, "burnt")) entryOf(fields, "kind", "fuel", measured, rules);
  const feed = statement.get("kiln_feed");
  if (feed) {
    entryOf(feed, "kind", "clinker", measured, rules);
    demand(exact(feed.get("meal_per_clinker"))[0] > 0n, "meal_per_clinker");
  }
  const anode = statement.get("anode");
  if (anode) demand(exact(anode.get("gross_kg_per_t"))[0] > 0n, "gross_kg_per_t");
}

/** A totaliser that makes no figure, in the unit of what it is held against. */
function beside(fields, statement, measured) {
  const [check, of] = [fields.get("check"), fields.get("of")];
  let unit = BESIDE.get(check);
  if (unit === null) {
    const all = [...["metal", "output"].filter((key) => statement.has(key)).map((key) => statement.get(key)),
      ...entriesOf(statement).map((entry) => entry.fields)];
    demand(all.some((entry) => metersOf(entry).some(({ key }) => entry.get(key) === of)), `of ${of}`);
    unit = countedIn(measured(of));
  }
  demand(!fields.has("unit") || UNIT.test(fields.get("unit")), "unit");
  const point = measured(fields.get("point"));
  demand(unitFactor(unitOf(point), unit) !== null, `${point.id}: unit`);
  for (const [condition, needed] of CONDITION) {
    demand((point.fields.get("quantity").get(condition) ?? needed) === needed,
      `${point.id}: ${condition}`);
  }
}

function once(ids) {
  demand(new Set(ids).size === ids.length, "a point would count twice");
}

function entryOf(fields, name, kinds, measured, rules) {
  const id = rules.idOf(kinds, fields.get(name));
  demand(id !== null, `no such kind: ${fields.get(name)}`);
  demand(!fields.has("use") || USES.includes(fields.get("use")), "use");
  demand(!fields.has("unit") || UNIT.test(fields.get("unit")), "unit");
  const flows = new Set(["flow_point", "purchased_flow", "output_flow"]);
  for (const key of USING.filter((one) => fields.has(one))) {
    const point = measured(fields.get(key));
    const [unit, end] = [unitOf(point), flows.has(key) ? "/h" : ""];
    const own = unit.endsWith(end) ? unit.slice(0, unit.length - end.length) : "";
    demand(unitFactor(own, rules.kind(kinds, id).unit) !== null, `${point.id}: unit`);
    for (const [condition, needed] of CONDITION) {
      demand((point.fields.get("quantity").get(condition) ?? needed) === needed,
        `${point.id}: ${condition}`);
    }
  }
}

function potline(line, config, places, measured, rules) {
  const pots = line.get("pots");
  const about = (what) => `potline ${line.get("id")}: ${what}`;
  const voltages = pots.map((pot) => measured(pot.get("voltage")));
  for (const point of voltages) {
    demand(unitOf(point) === "V" && point.decimals === voltages[0].decimals &&
      places.get(point.id)[1] === 0, about("its voltages"));
  }
  for (const pot of pots) {
    const state = measured(pot.get("state"));
    demand(!NUMBER_TYPES.get(state.dtype)[1] && isItsCount(state), about("no state"));
  }
  const states = pots.map((pot) => (measured(pot.get("state")).fields.get("states") ?? [])
    .filter(([, word]) => word === "producing").map(([raw]) => raw));
  const spelled = states.map((raws) => [...new Set(raws)].sort().join(" "));
  demand(states[0].length > 0 && spelled.every((text) => text === spelled[0]), about("its states"));
  const current = measured(line.get("line_current"));
  demand(unitFactor(unitOf(current), "kA") !== null, about("its current"));
  const [n, d] = exact(line.get("current_efficiency_percent"));
  demand(n >= 50n * d && n <= 100n * d, about("its efficiency"));
  demand(hasCoefficients(line, rules), about("its indicator"));
  effectRules(line.get("anode_effect"), voltages[0].decimals, config.schedules[0], about);
}

/** An edition's coefficients, or the site's own and nothing less. */
function hasCoefficients(line, rules) {
  const indicator = line.get("indicator");
  const [edition, gwp] = ["edition", "gwp"].map((key) => indicator.get(key));
  const own = ["slope", "c2f6_fraction", "source"].filter((key) => indicator.has(key));
  if (rules.row(`${gwp}.cf4`, "gwp") === null) return false;
  if (edition === "site") {
    if (own.length !== 3 || !SITE_TECHNOLOGIES.includes(line.get("technology"))) return false;
    const [[a, b], [c, d]] = own.slice(0, 2).map((key) => exact(indicator.get(key)));
    return a > 0n && a <= 10n * b && c >= 0n && c <= d;
  }
  const slope = `slope.${line.get("technology")}`;
  return own.length === 0 && rules.tables.has(edition) && edition !== rules.name &&
    rules.row(`${slope}.cf4`, edition) !== null &&
    rules.row(`${slope}.c2f6_fraction`, edition) !== null;
}

function effectRules(fields, decimals, interval, about) {
  const whole = (key, step) => {
    const [n, d] = fr.mul(exact(fields.get(key)), [step, 1n]);
    demand(d === 1n, about(`${key} is too fine`));
    return n;
  };
  const [start, end, target] = ["v_start_v", "v_end_v", "target_v"].map((key) =>
    whole(key, 10n ** BigInt(decimals)));
  demand(target > 0n && target < end && end <= start, about("its voltages of effects"));
  const times = ["t_start_s", "t_end_s", "t_merge_s"].map((key) => whole(key, SECONDS));
  demand(times[0] >= 0n && times[1] >= 0n && 2n * times[2] >= 3n * interval, about("its times"));
  demand(fields.get("mode") !== "algebraic" || times[1] <= times[2], about("t_end_s of its mode"));
}
