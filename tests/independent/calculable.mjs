// What a configuration must keep to so that figures can be made by it: FIGURES.md section 1. Pure.

import { FormatError } from "./cbor.mjs";
import { exact } from "./configuration.mjs";
import * as fr from "./fractions.mjs";
import { NUMBER_TYPES } from "./frame.mjs";
import { SITE_TECHNOLOGIES } from "./shape.mjs";
import { unitFactor } from "./totalisers.mjs";

const CONDITION = new Map([["reference", "0C-101.325kPa"], ["moisture", "dry"]]);
const SECONDS = 10n ** 9n;

function demand(isSo, what) {
  if (!isSo) throw new FormatError(what);
}

const list = (statement, key) => statement.get(key) ?? [];
const unitOf = (point) => point.fields.get("quantity").get("unit");

/** True if a point's number is its count. */
export const isItsCount = ({ decimals, scaling: { factor: [n, d], shift } }) =>
  shift[0] === 0n && n * 10n ** BigInt(decimals) === d;

/** The rule set's id of a fuel that is named by id or in Chinese; null if there is none. */
export function fuelOf(rules, name) {
  if (Object.hasOwn(rules.fuels, name)) return name;
  return Object.keys(rules.fuels).find((id) => rules.fuels[id].zh === name) ?? null;
}

/** Throws FormatError; `places` as of `placesOf`. */
export function checkCalculable(config, places, rules) {
  const [statement, potlines] = ["statement", "potlines"].map((key) => config.fields.get(key));
  const measured = (id) => {
    demand(places.has(id), `no such point is measured: ${id}`);
    return places.get(id)[0];
  };
  const entries = [...(statement.has("metal") ? [statement.get("metal")] : []),
    ...list(statement, "fuels"), ...list(statement, "auxiliary")];
  once(entries.flatMap((entry) => ["point", "flow_point", "power_point"]
    .filter((key) => entry.has(key)).map((key) => entry.get(key))).map((id) => measured(id).id));
  const pots = potlines.flatMap((line) => line.get("pots"));
  once(pots.map((pot) => measured(pot.get("voltage")).id));
  for (const line of potlines) potline(line, config, places, measured, rules);
  const isIn = (id, wanted) => demand(unitFactor(unitOf(measured(id)), wanted) !== null, `${id}: unit`);
  if (statement.has("metal")) isIn(statement.get("metal").get("point"), "t");
  for (const entry of list(statement, "auxiliary")) {
    isIn(entry.get("point"), "MWh");
    if (entry.has("power_point")) isIn(entry.get("power_point"), "MW");
  }
  for (const entry of list(statement, "fuels")) fuel(entry, measured, rules);
  const anode = statement.get("anode");
  if (anode) demand(exact(anode.get("gross_kg_per_t"))[0] > 0n, "gross_kg_per_t");
}

function once(ids) {
  demand(new Set(ids).size === ids.length, "a point would count twice");
}

function fuel(entry, measured, rules) {
  const kind = fuelOf(rules, entry.get("kind"));
  demand(kind !== null, `no such fuel: ${entry.get("kind")}`);
  for (const [key, end] of [["point", ""], ["flow_point", "/h"]]) {
    if (!entry.has(key)) continue;
    const point = measured(entry.get(key));
    const unit = unitOf(point);
    const own = unit.endsWith(end) ? unit.slice(0, unit.length - end.length) : "";
    demand(unitFactor(own, rules.fuels[kind].unit) !== null, `${point.id}: unit`);
    for (const [name, needed] of CONDITION) {
      demand((point.fields.get("quantity").get(name) ?? needed) === needed, `${point.id}: ${name}`);
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
}
