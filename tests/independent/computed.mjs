// Computed points from measured ones: FIGURES.md section 6.

import { dayOf, monthOf } from "./calendar.mjs";
import { exact } from "./configuration.mjs";
import { Pot, rulesOf } from "./effects.mjs";
import * as fr from "./fractions.mjs";
import { placesOf, producingOf } from "./input.mjs";
import { Factors } from "./output.mjs";
import { Rates, ratesOf } from "./rates.mjs";
import { Held, rowsOf } from "./readings.mjs";
import { hasFlows, metersOf } from "./sections.mjs";
import { Total, unitFactor } from "./totalisers.mjs";

const [GOOD, PARTIAL, NO_INPUT] = [0, 18, 138];
const SECOND = 10n ** 9n;
const NS_DAY = [86_400n * SECOND, 1n];
const NS_MINUTE = [60n * SECOND, 1n];
const FARADAY = "aluminium.faraday";

const some = (usable, all) => (usable === 0 ? NO_INPUT : usable < all ? PARTIAL : GOOD);
const NOTHING = { count: 0n, quality: NO_INPUT };

/** An exact value as a count; nothing where its quality says that there is none. */
function counted(value, decimals, quality) {
  if (quality === NO_INPUT) return NOTHING;
  return { count: fr.round(fr.mul(value, [10n ** BigInt(decimals), 1n])), quality };
}

const listOf = (config, key) => config.fields.get("statement").get(key) ?? [];
const anodeOf = (config) => config.fields.get("statement").get("anode");

/** Ids and decimals of the points a configuration's calculation makes, in order. */
export function computedPoints(config, rules) {
  const found = [];
  const point = (id, decimals) => found.push({ id, decimals });
  const potlines = config.fields.get("potlines");
  for (const line of potlines) {
    const id = line.get("id");
    for (const [name, decimals] of [["producing", 0], ["effects_running", 0], ["aef_day", 4],
      ["aed_day", 4], ["aem_day", 4], ["metal_t_h", 6], ["cf4_now_kg_h", 6], ["c2f6_now_kg_h", 6],
      ["pfc_indicator_tco2e_h", 6], ["pfc_record_tco2e_h", 6]]) point(`${id}.${name}`, decimals);
    if (anodeOf(config)) point(`${id}.anode_co2_t_h`, 6);
    for (const pot of line.get("pots")) point(`${id}.pot-${pot.get("id")}.effect`, 0);
  }
  const fuels = listOf(config, "fuels");
  const haveFlows = fuels.every(hasFlows);
  if (rules.sector !== "aluminium") {
    for (const { id } of ratesOf(config.fields.get("statement"), rules)) point(id, 6);
  } else if (fuels.length && haveFlows) point("plant.gas_co2_t_h", 6);
  if (potlines.length && anodeOf(config) && haveFlows) point("plant.co2e_t_h", 6);
  if (listOf(config, "auxiliary").length) point("plant.energy_day_kwh", 3);
  return found;
}

/** What one potline gives at a tick. */
class Line {
  constructor(fields, places, interval, factors, anode) {
    this.fields = fields;
    this.current = places.get(fields.get("line_current"))[0];
    const quantity = this.current.fields.get("quantity").get("unit");
    const chosen = fields.get("indicator");
    const [slope, fraction] = chosen.get("edition") === "site"
      ? ["slope", "c2f6_fraction"].map((key) => exact(chosen.get(key)))
      : Object.values(factors.slope(chosen.get("edition"), fields.get("technology")))
        .map((row) => row.exact);
    const gwp = factors.gwp(chosen.get("gwp"));
    const efficiency = fr.div(exact(fields.get("current_efficiency_percent")), [100n, 1n]);
    this.perCount = fr.mul(fr.of(1n, 10n ** BigInt(this.current.decimals)), // t/h of one pot
      unitFactor(quantity, "kA"), factors.row(FARADAY, "physics").exact, efficiency, [1n, 24_000n]);
    this.cf4 = fr.mul(slope, [1440n, 1n]);
    this.fraction = fraction;
    this.indicator = factors.co2e([1n, 1n], this.fraction, gwp);
    this.record = factors.record().factor;
    this.anode = anode && fr.mul(exact(anode.get("gross_kg_per_t")), [1n, 1000n],
      factors.anode().factor);
    this.pots = fields.get("pots").map((pot) => {
      const [voltage] = places.get(pot.get("voltage"));
      const [state] = places.get(pot.get("state"));
      return { voltage: voltage.id, state: state.id, producing: producingOf(state),
        rules: rulesOf(fields.get("anode_effect"), voltage.decimals, interval) };
    });
  }

  /** A new month. */
  restart() {
    for (const pot of this.pots) pot.calc = new Pot(pot.rules);
    this.newDay();
  }

  newDay() {
    this.dayStart = this.pots.map(({ calc }) =>
      [calc.confirmed, calc.producingNs, calc.polarisedNs]);
  }

  /** Counts and qualities at a tick, in the order of the points; `at` tells readings. */
  tick(t, at) {
    const all = this.pots.length;
    let [producing, states, samples, running] = [0, 0, 0, 0];
    const effects = this.pots.map((pot) => {
      const [volts, stood] = [at(pot.voltage), at(pot.state)];
      const isStood = stood !== null && stood.row.isUsable(stood.i);
      const isProducing = isStood && pot.producing.has(stood.row.raw(stood.i));
      states += isStood ? 1 : 0;
      producing += isProducing ? 1 : 0;
      const count = volts === null ? null : volts.row.count(volts.i);
      const isSample = isStood && count !== null;
      if (isSample) pot.calc.sample(t, count, isProducing);
      samples += isSample ? 1 : 0;
      running += pot.calc.running === null ? 0 : 1;
      return isSample ? { count: pot.calc.running === null ? 0n : 1n, quality: GOOD } : NOTHING;
    });
    const reading = at(this.current.id);
    const current = reading === null ? null : reading.row.count(reading.i);
    const one = current === null ? fr.ZERO : fr.mul([current, 1n], this.perCount);
    const byCurrent = (quality) => (current === null ? NO_INPUT : quality);
    const [byState, bySample] = [some(states, all), some(samples, all)];
    const metal = fr.mul(one, [BigInt(producing), 1n]);
    const cf4 = fr.mul(this.cf4, one, [BigInt(running), 1n]);
    const hourly = (value, quality) => counted(value, 6, byCurrent(quality));
    const found = [
      counted([BigInt(producing), 1n], 0, byState), counted([BigInt(running), 1n], 0, bySample),
      ...this.day(), hourly(metal, byState), hourly(cf4, bySample),
      hourly(fr.mul(cf4, this.fraction), bySample), hourly(fr.mul(cf4, this.indicator), bySample),
      hourly(fr.mul(metal, this.record), byState),
    ];
    const plant = [found.at(-1)];
    if (this.anode) {
      found.push(hourly(fr.mul(metal, this.anode), byState));
      plant.push(found.at(-1));
    }
    return { found: [...found, ...effects], plant };
  }

  day() {
    const since = (key, index) => this.pots.reduce((sum, { calc }, i) =>
      sum + BigInt(calc[key]) - BigInt(this.dayStart[i][index]), 0n);
    const effects = [since("confirmed", 0), 1n];
    const producing = [since("producingNs", 1), 1n];
    const minutes = fr.div([since("polarisedNs", 2), 1n], NS_MINUTE);
    const days = fr.div(producing, NS_DAY);
    const perDay = (value) => (producing[0] > 0n ? counted(fr.div(value, days), 4, GOOD) : NOTHING);
    return [perDay(effects), effects[0] > 0n ? counted(fr.div(minutes, effects), 4, GOOD) : NOTHING,
      perDay(minutes)];
  }
}

export class Computed {
  constructor(config, rules) {
    this.config = config;
    const places = placesOf(config);
    const factors = new Factors(rules);
    this.lines = config.fields.get("potlines").map((fields) =>
      new Line(fields, places, config.schedules[0], factors, anodeOf(config)));
    const isSmelter = rules.sector === "aluminium";
    this.rates = isSmelter ? null : new Rates(config.fields.get("statement"), rules, factors, places);
    const fuels = isSmelter ? listOf(config, "fuels") : [];
    this.isWhole = fuels.every(hasFlows);
    const burnt = this.isWhole ? fuels : [];
    this.flows = burnt.flatMap((fuel) => metersOf(fuel).map(({ flow, sign }) => {
      const [point] = places.get(fuel.get(flow));
      const { factor, unit } = factors.fuel(rules.idOf("fuel", fuel.get("kind")), fuel.get("use"));
      const own = unitFactor(point.fields.get("quantity").get("unit").replace(/\/h$/, ""), unit);
      return { id: point.id,
        factor: fr.mul(fr.of(sign, 10n ** BigInt(point.decimals)), own, factor) };
    }));
    this.meters = listOf(config, "auxiliary").map((other) => {
      const [point] = places.get(other.get("point"));
      const own = unitFactor(point.fields.get("quantity").get("unit"), "kWh");
      return { id: point.id, factor: fr.mul(fr.of(1n, 10n ** BigInt(point.decimals)), own) };
    });
    this.held = new Map();
    for (const [id, [, schedule]] of places) if (schedule !== 0) this.held.set(id, new Held());
    this.month = this.day = null; // [from, to)
  }

  /** Each computed point that is otherwise in a frame, once: [id, what is wrong]. */
  check(body) {
    const byId = new Map();
    let fast = null;
    for (const section of body.sections) {
      const rows = rowsOf(section, this.config);
      for (const row of rows.measured) {
        byId.set(row.point.id, row);
        this.held.get(row.point.id)?.add(row);
      }
      if (section.schedule === 0n) fast = { section, computed: rows.computed };
    }
    const wrong = new Map();
    for (let i = 0; fast !== null && i < fast.section.ticks; i++) {
      const t = fast.section.first + fast.section.step * BigInt(i);
      const made = this.tick(t, i, byId);
      fast.computed.forEach((row, k) => {
        const [count, quality] = [row.count(i) ?? BigInt(row.raw(i)), row.quality(i)];
        const wanted = made[k];
        if (wrong.has(row.point.id) || (count === wanted.count && quality === wanted.quality)) return;
        wrong.set(row.point.id, `at ${t} it is ${count} (quality ${quality}), made again ` +
          `${wanted.count} (quality ${wanted.quality})`);
      });
    }
    return [...wrong];
  }

  tick(t, i, byId) {
    this.turn(t);
    for (const held of this.held.values()) held.advance(t);
    const at = (id) => {
      const held = this.held.get(id);
      if (held !== undefined) return held.reading(t);
      return byId.has(id) ? { row: byId.get(id), i } : null;
    };
    const lines = this.lines.map((line) => line.tick(t, at));
    const found = lines.flatMap((line) => line.found);
    const parts = lines.flatMap((line) => line.plant);
    if (this.rates !== null) found.push(...this.rates.tick(at, NOTHING));
    if (this.flows.length) {
      const gas = this.gas(at);
      found.push(gas);
      parts.push(gas);
    }
    if (this.lines.length && anodeOf(this.config) && this.isWhole) {
      const quality = Math.max(...parts.map((part) => part.quality));
      const count = parts.reduce((sum, part) => sum + part.count, 0n);
      found.push(quality === NO_INPUT ? NOTHING : { count, quality });
    }
    if (this.meters.length) found.push(this.energy(at));
    return found;
  }

  /** A new month or a new day begins. */
  turn(t) {
    const { timeZone } = this.config;
    if (this.month === null || t >= this.month[1]) {
      this.month = monthOf(timeZone, t);
      for (const held of this.held.values()) held.forget();
      for (const line of this.lines) line.restart();
    }
    if (this.day === null || t >= this.day[1]) {
      this.day = dayOf(timeZone, t);
      for (const line of this.lines) line.newDay();
      for (const meter of this.meters) meter.total = new Total();
    }
  }

  gas(at) {
    let sum = 0n;
    for (const { id, factor } of this.flows) {
      const reading = at(id);
      const count = reading === null ? null : reading.row.count(reading.i);
      if (count === null) return NOTHING;
      sum += counted(fr.mul([count, 1n], factor), 6, GOOD).count;
    }
    return { count: sum, quality: GOOD };
  }

  energy(at) {
    let [sum, isWhole] = [0n, true];
    for (const meter of this.meters) {
      const reading = at(meter.id);
      const count = reading === null ? null : reading.row.count(reading.i);
      if (count === null) isWhole = false;
      else meter.total.add(count);
      sum += counted(fr.mul([meter.total.total, 1n], meter.factor), 3, GOOD).count;
    }
    return isWhole ? { count: sum, quality: GOOD } : NOTHING;
  }
}
