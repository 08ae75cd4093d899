// What stands beside the figures and makes none: rows of the input and what they find. FIGURES.md sections 4 and 5. Pure.

import * as fr from "./fractions.mjs";
import { countedIn } from "./totalisers.mjs";

const LIMITS = "statement-checks";
const GJ = [36n, 10n];
const HUNDRED = [100n, 1n];

const orderOf = ([a, b], [c, d]) => (a < c || (a === c && b < d) ? -1 : 1);

/** Rows of `cross_check`; `entries` have all their readings, `frames` tells where a figure is from. */
export function crossCheckRows(entries, frames) {
  const found = [];
  const sums = new Map();
  for (const { table, beside, items } of entries) {
    if (table !== "beside") continue;
    const [item] = items;
    const [check, unit] = [beside.get("check"), beside.get("unit") ?? ""];
    if (check !== "second-meter") {
      const key = JSON.stringify([check, unit]);
      sums.set(key, [...(sums.get(key) ?? []), item]);
      continue;
    }
    const of = beside.get("of");
    const ofTables = (tables) => entries.filter(({ table: one }) => tables(one)).flatMap((one) => one.items)
      .filter(({ point }) => point.id === of);
    const counting = ofTables((one) => one !== "beside" && one !== "output");
    const first = counting.length ? counting : ofTables((one) => one === "output");
    if (!first.length) continue;
    found.push(new Map([
      ["check", "second-source"], ["what", of], ["unit", countedIn(first[0].point)],
      ["first", fr.exact(fr.sum(first.map((one) => one.quantity())))],
      ["second", fr.exact(item.quantity())],
      ["provenance", new Map([["first", frames(first[0])], ["second", frames(item)]])],
    ]));
  }
  for (const [key, items] of [...sums].map(([key, all]) => [JSON.parse(key), all])
    .sort(([a], [b]) => orderOf(a, b))) {
    const [check, unit] = key;
    const whole = fr.sum(items.map((item) => item.quantity()));
    const names = items.map(({ point }) => point.id).join(" ");
    const [name, amount] = check === "stack-co2" ? ["measured_co2_t", whole]
      : ["used_gj", fr.mul(whole, GJ)];
    found.push(new Map([
      ["check", check === "stack-co2" ? "carbon" : "energy"],
      ...(check === "stack-co2" ? [["stacks", names.length <= 64 ? names : `${items.length} meters`]] : []),
      ...(unit ? [["unit", unit]] : []), [name, fr.exact(amount)],
      ["provenance", new Map([[name, frames(...items)]])],
    ]));
  }
  return found;
}

/** What the rows find of the lines; `counted` is a line's tCO2 with its sign. */
export function crossChecks(rows, lines, counted, rules) {
  return rows.map((row) => {
    const number = (key) => fr.parse(row.get(key));
    const unit = row.get("unit");
    const mine = lines.filter((line) => unit === undefined || line.get("unit") === unit);
    if (row.get("check") === "second-source") {
      const [first, second] = [number("first"), number("second")];
      const said = `${row.get("what")}: ${fr.exact(second)} against ${fr.exact(first)} ${unit}`;
      return apart(rules, "second-source", row.get("what"), first, second, said);
    }
    if (row.get("check") === "carbon") {
      const co2 = fr.sum(mine.filter((line) => line.get("category") !== "pfc").map(counted));
      const measured = number("measured_co2_t");
      const said = `CO2 measured at ${row.get("stacks")} ${fr.exact(measured)} t against ` +
        `${fr.exact(co2)} t of the lines`;
      return apart(rules, "carbon", unit ?? "", co2, measured, said);
    }
    const fuels = mine.filter((line) => line.get("category") === "fuel");
    const without = fuels.filter((line) => !line.get("parameters").has("ncv"));
    if (without.length || !fuels.length) {
      const why = without.length ? `${without.map((line) => line.get("kind")).join(" ")} given without ncv`
        : "no fuel is given";
      return shown(rules, "energy", unit ?? "", null, `heat of the fuels: ${why}`);
    }
    const heat = fr.sum(fuels.map((line) => fr.mul(...["quantity", "ncv"]
      .map((key) => fr.parse(line.get("parameters").get(key).get("value"))))));
    const used = number("used_gj");
    const said = `heat used ${fr.exact(used)} GJ against ${fr.exact(heat)} GJ of fuels`;
    return apart(rules, "energy", unit ?? "", heat, used, said);
  });
}

/** Flags of the checks that are not within. */
export const flagsOf = (checks) => checks.filter((check) => check.get("result") !== "within")
  .map((check) => [check.get("result") === "outside" ? "check" : "not-checked", check.get("check"),
    ...(check.get("what") ? [check.get("what")] : [])].join(":"));

function apart(rules, check, what, first, second, said) {
  if (first[0] === 0n) return shown(rules, check, what, null, `${said}: the first is zero`);
  return shown(rules, check, what, fr.mul(fr.div(fr.sub(second, first), first), HUNDRED), said);
}

function shown(rules, check, what, statistic, said) {
  const name = `${check.replace("-", "_")}.percent`;
  const { row, exact: high } = rules.row(name, LIMITS);
  const low = fr.sub(fr.ZERO, high);
  const titles = row.source.map((key) => rules.tables.get(LIMITS).source[key].title);
  const isWithin = statistic !== null && fr.sub(statistic, low)[0] >= 0n && fr.sub(high, statistic)[0] >= 0n;
  const result = statistic === null ? "not-checked" : isWithin ? "within" : "outside";
  const found = new Map([
    ["check", check], ["what", what], ["result", result], ["unit", "%"], ["low", fr.exact(low)],
    ["high", fr.exact(high)], ["rows", [name]], ["confidence", row.confidence],
    ["source", `${titles.join("; ")}: ${row.locator}`],
  ]);
  if (statistic === null) return found.set("sentence", `Not checked: ${said}.`);
  const value = fr.places(statistic, 3);
  const doubt = row.confidence === "confirmed" ? "" : ` (limit ${row.confidence})`;
  const sentence = `${said}: ${value} %, ${result} ${fr.exact(low)} to ${fr.exact(high)}${doubt}.`;
  return found.set("statistic", value).set("sentence", sentence[0].toUpperCase() + sentence.slice(1));
}
