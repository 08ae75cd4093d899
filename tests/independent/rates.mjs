// The rates of a cement works and a steelworks: FIGURES.md section 6. Pure; no I/O.

import { exact } from "./configuration.mjs";
import * as fr from "./fractions.mjs";
import { entriesOf, hasFlows, metersOf } from "./sections.mjs";
import { unitFactor } from "./totalisers.mjs";

const DECIMALS = 6;
const SCALE = [10n ** BigInt(DECIMALS), 1n];

/** Ids of the rates of a section, each with its flows or with the signed rates it is a sum of. */
export function ratesOf(statement, rules) {
  const found = [];
  const entries = entriesOf(statement).map((entry) => ({ ...entry,
    kind: rules.idOf(entry.kinds, entry.fields.get(entry.name)) }));
  for (const entry of entries) {
    entry.id = `plant.${entry.table}-${entry.place}.${entry.kind}.co2_t_h`;
    if (!hasFlows(entry.fields)) continue;
    const flows = metersOf(entry.fields).map(({ flow, sign }) =>
      ({ point: entry.fields.get(flow), list: entry, kind: entry.kind, use: entry.fields.get("use"),
        times: [sign, 1n] }));
    found.push({ id: entry.id, flows });
  }
  const of = (...tables) => entries.filter(({ table }) => tables.includes(table));
  const plus = (tables) => of(...tables).map(({ id }) => [id, 1n]);
  const minus = (tables) => of(...tables).map(({ id }) => [id, -1n]);
  const isWhole = (...tables) => of(...tables).every(({ fields }) => hasFlows(fields));
  const haveFuels = of("fuel").length > 0;
  const sum = (id, parts) => found.push({ id, parts });
  if (haveFuels && isWhole("fuel")) sum("plant.fuel_co2_t_h", plus(["fuel"]));
  if (rules.sector === "cement") {
    const feed = statement.get("kiln_feed");
    if (feed) {
      const point = feed.get("flow_point");
      const times = fr.div([1n, 1n], exact(feed.get("meal_per_clinker")));
      const kind = rules.idOf("clinker", feed.get("kind"));
      found.push({ id: "plant.clinker_indicator_t_h", flows: [{ point, list: null, times }] });
      found.push({ id: "plant.clinker_indicator_co2_t_h",
        flows: [{ point, list: { table: "clinker", kinds: "clinker" }, kind, times }] });
      if (haveFuels && isWhole("fuel", "substitute")) {
        sum("plant.co2_indicator_t_h", [...plus(["fuel"]),
          ["plant.clinker_indicator_co2_t_h", 1n], ...minus(["substitute"])]);
      }
    }
    if (haveFuels && of("clinker").length && isWhole("fuel", "clinker", "substitute")) {
      sum("plant.co2e_t_h", [...plus(["fuel", "clinker"]), ...minus(["substitute"])]);
    }
    return found;
  }
  const burnt = (statement.get("burnt") ?? []).map((fields, i) => {
    const kind = rules.idOf("fuel", fields.get("kind"));
    const flows = [{ point: fields.get("flow_point"), list: { table: "fuel", kinds: "fuel" }, kind,
      times: [1n, 1n] }];
    return { id: `plant.burnt-${i + 1}.${kind}.co2_t_h`, flows };
  });
  found.push(...burnt);
  if (burnt.length) sum("plant.now_co2_t_h", burnt.map(({ id }) => [id, 1n]));
  if (haveFuels && isWhole("fuel", "process", "product")) {
    sum("plant.month_co2_t_h", [...plus(["fuel", "process"]), ...minus(["product"])]);
    if (burnt.length) {
      sum("plant.reconciliation_co2_t_h", [["plant.now_co2_t_h", 1n], ["plant.month_co2_t_h", -1n]]);
    }
  }
  return found;
}

/** The rates of one configuration, tick by tick. */
export class Rates {
  constructor(statement, rules, factors, places) {
    this.all = ratesOf(statement, rules).map((rate) => ({ ...rate,
      flows: (rate.flows ?? []).map(({ point: id, list, kind, use, times }) => {
        const [point] = places.get(id);
        const entry = list === null ? { factor: [1n, 1n], unit: "t" }
          : factors.entry(list, kind, use);
        const own = unitFactor(point.fields.get("quantity").get("unit").replace(/\/h$/, ""), entry.unit);
        return { id, factor: fr.mul(fr.of(1n, 10n ** BigInt(point.decimals)), own, entry.factor,
          times, SCALE) };
      }) }));
  }

  /** {count, quality} of each, in order; `at` tells readings, `nothing` is what none is. */
  tick(at, nothing) {
    const made = new Map();
    for (const { id, flows, parts = [] } of this.all) {
      let count = 0n;
      let isThere = true;
      for (const flow of flows) {
        const reading = at(flow.id);
        const read = reading === null ? null : reading.row.count(reading.i);
        if (read === null) isThere = false;
        else count += fr.round(fr.mul([read, 1n], flow.factor));
      }
      for (const [part, sign] of parts) {
        if (made.get(part) === nothing) isThere = false;
        else count += sign * made.get(part).count;
      }
      made.set(id, isThere ? { count, quality: 0 } : nothing);
    }
    return [...made.values()];
  }
}
