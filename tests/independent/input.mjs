// The statement's input, made again from the readings: FIGURES.md sections 1 to 4.

import * as cbor from "./cbor.mjs";
import { FormatError } from "./cbor.mjs";
import { monthOf } from "./calendar.mjs";
import { exact } from "./configuration.mjs";
import { Outside, Pot, overTarget, rulesOf } from "./effects.mjs";
import { Due } from "./due.mjs";
import * as fr from "./fractions.mjs";
import { Factors } from "./output.mjs";
import { Held, rowsOf } from "./readings.mjs";
import { Beside, Papers } from "./recorded.mjs";
import { crossCheckRows } from "./beside.mjs";
import { BESIDE, OUTPUTS, entriesOf, listsOf, metersOf, wordsOf } from "./sections.mjs";
import { Marked } from "./bridging.mjs";
import { CoveredFlow, Counter, MarkedCounter } from "./counters.mjs";
import { Flow, Totaliser, countedIn } from "./totalisers.mjs";

const EFFECTS_LISTED = 20_000;
const SLOW = 5n * 10n ** 9n;
const SECOND = 10n ** 9n;
const DAY = 86_400n * SECOND;
const READ = ["schedules", "points", "groups", "potlines", "statement"];
const seconds = (ns) => fr.exact([ns, SECOND]);

/** Where a point is read: by its id, [point, index of its schedule]. */
export function placesOf(config) {
  const found = new Map();
  for (const { schedule, points, computed } of config.groups) {
    if (computed) continue;
    for (const index of points) found.set(config.points[index].id, [config.points[index], schedule]);
  }
  return found;
}

/** A potline of one configuration, with its pots. */
class Potline {
  constructor(fields, places, intervalNs) {
    this.fields = fields;
    this.slowest = 0n; // interval in force at a tick
    this.pots = fields.get("pots").map((pot) => {
      const [voltage] = places.get(pot.get("voltage"));
      const [state] = places.get(pot.get("state"));
      const rules = rulesOf(fields.get("anode_effect"), voltage.decimals, intervalNs);
      return {
        id: pot.get("id"), voltage: voltage.id, state: state.id, producing: producingOf(state),
        calc: new Pot(rules),
        outside: new Outside(state.fields.get("states"), producingOf(state), rules.mergeNs),
      };
    });
    const points = ["voltage", "state"].flatMap((key) =>
      this.pots.map((pot) => places.get(pot[key])[0]));
    this.class = classOf(points);
    const current = places.get(fields.get("line_current"))[0];
    this.same = spelled([fields, ...[...points, current].map((point) => point.fields)]);
  }

  /** As the statement has it, with the first of its effects. */
  describe(most) {
    const sums = this.sums();
    const { producing, polarised, effects } = sums;
    const found = new Map([
      ["id", this.fields.get("id")], ["technology", this.fields.get("technology")],
      ["anode_effect_rules", this.fields.get("anode_effect")],
      ["effect_count", BigInt(effects.length)], ["polarised_s", seconds(polarised)],
      ["producing_pot_s", seconds(producing)], ["over_target_v_s", fr.exact(sums.integral)],
      ["effects", effects.slice(0, most).map(({ pot, effect, rules }) => describeEffect(pot, effect, rules))],
      ["pots", this.pots.map((pot) => new Map([
        ["id", pot.id], ["effects", BigInt(pot.calc.effects.length)],
        ["polarised_s", seconds(polarisedOf(pot))],
        ["producing_s", seconds(pot.calc.producingNs)],
      ]))],
    ]);
    for (const [key, value] of ratesOf(sums)) found.set(key, fr.places(value, 12));
    const outside = this.pots.flatMap((pot) => [...pot.outside.times].filter(([, ns]) => ns > 0n)
      .map(([word, ns]) => new Map([["pot", pot.id], ["state", word], ["time_s", seconds(ns)]])));
    if (outside.length) found.set("outside", outside);
    if (this.slowest > SLOW) found.set("sampling", this.sampling(BigInt(effects.length)));
    return found;
  }

  /** What its sampling cannot see. */
  sampling(effects) {
    const { startNs } = this.pots[0].calc.rules;
    const needed = (startNs + this.slowest - 1n) / this.slowest;
    return new Map([["interval_s", 1n], ["duration_uncertainty_s", 1n],
      ["total_uncertainty_s", effects], ["never_seen_up_to_s", needed],
      ["always_seen_from_s", needed + 1n]].map(([key, times]) => [key, seconds(times * this.slowest)]));
  }

  sums() {
    const effects = this.pots.flatMap((pot) => pot.calc.effects.map((effect) =>
      ({ pot: pot.id, effect, rules: pot.calc.rules })));
    effects.sort((a, b) => (a.effect.start < b.effect.start ? -1
      : a.effect.start > b.effect.start ? 1 : a.pot < b.pot ? -1 : 1));
    return {
      effects, producing: this.pots.reduce((sum, pot) => sum + pot.calc.producingNs, 0n),
      polarised: this.pots.reduce((sum, pot) => sum + polarisedOf(pot), 0n),
      integral: fr.sum(effects.map(({ effect, rules }) => overTarget(effect, rules))),
    };
  }
}

/** Every totaliser that is read for an entry. */
const readOf = ({ items, bridge }) => (bridge === null ? items : [...items, bridge]);
const classOf = (points) => {
  const classes = points.map((point) => point.fields.get("provenance"));
  return classes.includes("typed") ? "typed" : classes[0];
};
const polarisedOf = (pot) => pot.calc.effects.reduce((sum, effect) => sum + effect.polarised, 0n);
const spelled = (value) => cbor.encode(value).toString("hex");

/** The raw values that are called "producing". */
export function producingOf(state) {
  const states = state.fields.get("states") ?? [];
  return new Set(states.filter(([, word]) => word === "producing").map(([raw]) => raw.toString()));
}

function describeEffect(pot, effect, rules) {
  const found = new Map([
    ["pot", pot], ["start_ns", effect.start], ["polarised_ns", effect.polarised],
    ["integral_v_s", fr.places(overTarget(effect, rules), rules.decimals + 9)],
    ["v_max", fr.decimal(effect.most, rules.decimals)], ["crossings", BigInt(effect.crossings)],
    ["flags", [...(effect.hole ? ["hole"] : []), ...effect.flags].sort()],
  ]);
  if (effect.end !== null) found.set("end_ns", effect.end);
  return found;
}

function ratesOf({ producing, polarised, effects, integral }) {
  const days = fr.of(producing, DAY);
  const minutes = fr.of(polarised, 60n * SECOND);
  const found = [];
  if (producing > 0n) {
    found.push(["producing_cell_days", days],
      ["aef_per_cell_day", fr.div([BigInt(effects.length), 1n], days)],
      ["aem_min_per_cell_day", fr.div(minutes, days)],
      ["aeo_mv", fr.div(fr.mul(integral, [1000n, 1n]), fr.of(producing, SECOND))]);
    if (effects.length) found.push(["aed_min", fr.div(minutes, [BigInt(effects.length), 1n])]);
  }
  return found;
}

export class Input {
  constructor(rules, format) {
    this.rules = rules;
    this.format = format; // of the statement: by whose rules counters are read
    this.config = null;
    this.read = null; // what the calculation reads of the configuration
    this.held = new Map(); // point id -> what stands at a tick of schedule 0
    this.month = null; // [from, to) of the very first tick
    this.lastTick = null;
    this.flags = new Set();
    this.usable = new Map(); // point id -> usable readings
    this.reserved = new Map(); // point id -> those of them that are not good
    this.byCode = new Map(); // quality code -> likewise, of all points
    this.due = new Due();
    this.allPotlines = []; // of this configuration and earlier ones
    this.potlines = []; // of this one
    this.allEntries = []; // of the statement sections; each has its totalisers, or none
    this.entries = [];
    this.hasSources = false;
  }

  configure(config) {
    const fixed = [config.plant, config.timeZone, config.ruleSet].join(" ");
    if ((this.fixed ?? fixed) !== fixed) throw new FormatError("another plant, zone or rule set");
    this.fixed = fixed;
    const read = spelled(READ.map((key) => config.fields.get(key)));
    if (read !== this.read) {
      if (this.read !== null) this.flags.add("configuration-changed");
      this.held = new Map();
    }
    this.read = read;
    const before = this.potlines;
    const isFirst = this.config === null;
    this.config = config;
    this.places = placesOf(config);
    this.due.next = new Map([...this.places]
      .map(([id, [, schedule]]) => [id, config.schedules[schedule]]));
    for (const [id, [, schedule]] of this.places) {
      if (!this.usable.has(id)) this.usable.set(id, 0n);
      if (schedule !== 0 && !this.held.has(id)) this.held.set(id, new Held());
    }
    this.potlines = config.fields.get("potlines").map((fields) => {
      const made = new Potline(fields, this.places, config.schedules[0]);
      const old = before.find((line) => line.same === made.same);
      for (const { calc } of old?.pots ?? []) calc.rules.intervalNs = config.schedules[0];
      return old ?? made;
    });
    this.entries = this.entriesOf(config, isFirst);
    for (const entry of this.allEntries) entry.isWhole &&= this.entries.includes(entry);
    for (const old of before.filter((item) => !this.potlines.includes(item))) {
      for (const pot of old.pots) pot.calc.cut();
    }
    for (const [all, some] of [[this.allPotlines, this.potlines], [this.allEntries, this.entries]]) {
      all.push(...some.filter((item) => !all.includes(item)));
    }
    const pots = this.allPotlines.reduce((sum, line) => sum + line.pots.length, 0);
    if (this.allTotalisers.length > 1_000 || this.allPotlines.length > 200 || pots > 20_000 ||
        this.usable.size > 100_000 ||
        this.allEntries.filter(({ source }) => source !== undefined).length > 100) throw new FormatError("more parts than a month may have");
  }

  get totalisers() {
    return this.entries.flatMap(readOf);
  }

  get allTotalisers() {
    return this.allEntries.flatMap(readOf);
  }

  /** What persons signed makes figures, or says why a counter leapt. */
  get needsPapers() {
    return this.hasSources || this.allTotalisers.some(({ asksPapers }) => asksPapers);
  }

  /** Of all pots so far. */
  effects() {
    return this.allPotlines.flatMap((line) => line.pots)
      .reduce((sum, pot) => sum + pot.calc.effects.length, 0);
  }

  entriesOf(config, isFirst) {
    const statement = config.fields.get("statement");
    const wanted = []; // [list of the input, words of its row, unit, fields, meters]
    const plain = [{ key: "point", name: "quantity", sign: 1n }];
    if (statement.has("metal")) wanted.push(["metal", [], "t", statement.get("metal"), plain]);
    for (const { table, name, kinds, fields } of entriesOf(statement)) {
      const id = this.rules.idOf(kinds, fields.get(name));
      const words = wordsOf(table).filter((word) => fields.has(word));
      const kind = this.rules.kind(kinds, id);
      wanted.push([table, [[name, id], ...words.map((word) => [word, fields.get(word)])],
        kind.unit, fields, metersOf(fields), { id, source: fields.get("source"), kind }]);
    }
    if (statement.has("output")) wanted.push(["output", [], "t", statement.get("output"), plain]);
    for (const other of statement.get("auxiliary") ?? []) {
      wanted.push(["auxiliary", [["kind", other.get("kind")]], "MWh", other,
        [{ ...plain[0], flow: "power_point" }]]);
    }
    for (const other of statement.get("beside") ?? []) {
      const unit = BESIDE.get(other.get("check")) ?? countedIn(this.places.get(other.get("of"))[0]);
      wanted.push(["beside", [], unit, other, plain, { beside: other }]);
    }
    const named = wanted.filter(([, , , , , of]) => of?.source !== undefined);
    this.hasSources ||= named.length > 0 || statement.get("anode")?.has("about") === true;
    return wanted.map(([table, words, unit, fields, meters, of = {}]) => {
      const at = (id) => this.places.get(id)[0];
      const isBridged = fields.has("bridge");
      const named = meters.flatMap(({ key, flow }) => [key, ...(fields.has(flow) ? [flow] : [])]);
      if (isBridged) named.push("bridge");
      const same = spelled([table, fields, ...named.map((key) => at(fields.get(key)).fields)]);
      const old = this.entries.find((entry) => entry.same === same);
      if (old !== undefined) return old;
      const entry = { table, words, same, items: [], bridge: null, isWhole: isFirst, ...of };
      const [One, WithMarks, Beside] = this.format === 1n ? [Totaliser, Marked, Flow]
        : [Counter, MarkedCounter, CoveredFlow];
      const bridge = fields.get("bridge");
      if (isBridged) entry.bridge = new WithMarks("bridge", at(bridge), unit, null, this.rules);
      for (const { key, flow, name } of meters) {
        const beside = fields.has(flow) ? new Beside(at(fields.get(flow)), unit) : null;
        entry.items.push(new One(name, at(fields.get(key)), unit, beside, this.rules));
      }
      return entry;
    });
  }

  feed(body) {
    const sections = body.sections.map((section) =>
      ({ section, rows: rowsOf(section, this.config).measured }));
    for (const { section } of sections) {
      this.month ??= monthOf(this.config.timeZone, section.first);
    }
    this.due.begin(sections.map(({ section }) => {
      const [from, to] = this.within(section);
      return from < to ? section.first + section.step * BigInt(from) : null;
    }).filter((tick) => tick !== null));
    const byId = new Map();
    for (const { section, rows } of sections) {
      const [from, to] = this.within(section);
      for (const row of rows) {
        byId.set(row.point.id, row);
        this.held.get(row.point.id)?.add(row, from, to);
        let count = 0n;
        for (let i = from; i < to; i++) {
          if (!row.isUsable(i)) continue;
          count += 1n;
          if (row.quality(i) !== 0) this.reserve(row.point.id, row.quality(i));
        }
        this.usable.set(row.point.id, this.usable.get(row.point.id) + count);
      }
    }
    for (const item of this.totalisers) this.feedMeter(item, byId);
    const fast = sections.find(({ section }) => section.schedule === 0n);
    if (fast) this.feedPots(fast.section, byId);
  }

  /** The flow up to each tick before the totaliser at it. */
  feedMeter(item, byId) {
    const ticks = [];
    for (const [order, part] of [item.flow, item].entries()) {
      const row = part && byId.get(part.point.id);
      if (!row) continue;
      const [from, to] = this.within(row.section);
      for (let i = from; i < to; i++) ticks.push({ tick: row.tick(i), order, part, row, i });
    }
    ticks.sort((a, b) => (a.tick < b.tick ? -1 : a.tick > b.tick ? 1 : a.order - b.order));
    for (const { part, row, i } of ticks) part.feed(row, i);
  }

  reserve(id, code) {
    this.reserved.set(id, (this.reserved.get(id) ?? 0n) + 1n);
    this.byCode.set(`${code}`, (this.byCode.get(`${code}`) ?? 0n) + 1n);
  }

  /** Numbers of the first tick in the month and the first after it. */
  within(section) {
    const [start, end] = this.month;
    let [from, to] = [0, section.ticks];
    const tick = (i) => section.first + section.step * BigInt(i);
    while (from < to && tick(from) < start) from += 1;
    while (from < to && tick(to - 1) >= end) to -= 1;
    if (to - from < section.ticks) this.flags.add("ticks-outside-month");
    if (to > from) {
      const last = tick(to - 1);
      if (this.lastTick === null || last > this.lastTick) this.lastTick = last;
    }
    return [from, to];
  }

  feedPots(section, byId) {
    const [from, to] = this.within(section);
    const at = (id, i, t) => {
      const held = this.held.get(id);
      if (held === undefined) return { row: byId.get(id), i };
      held.advance(t);
      return held.reading(t);
    };
    const pots = this.potlines.flatMap((line) => line.pots);
    for (const line of from < to ? this.potlines : []) {
      if (section.step > line.slowest) line.slowest = section.step;
    }
    for (let i = from; i < to; i++) {
      const t = section.first + section.step * BigInt(i);
      for (const { voltage, state, producing, calc, outside } of pots) {
        const [volts, stood] = [at(voltage, i, t), at(state, i, t)];
        if (stood === null || !stood.row.isUsable(stood.i)) continue;
        const raw = stood.row.raw(stood.i);
        outside.state(t, raw);
        const count = volts === null ? null : volts.row.count(volts.i);
        if (count !== null) calc.sample(t, count, producing.has(raw));
      }
    }
  }

  /** The input of the statement, as JSON values. */
  statement(period, closing, month, papers) {
    const { config } = this;
    const isMonthEnd = period.to === this.month[1];
    const about = new Papers(papers, this.month, [period.from, period.to]);
    for (const item of this.allTotalisers) item.correct?.(about);
    for (const { pots } of this.potlines) {
      for (const { calc } of pots) calc.finish(isMonthEnd, this.lastTick);
    }
    const statement = config.fields.get("statement");
    const found = new Map([
      ["rule_set", config.ruleSet], ["month", month], ["plant", config.plant],
      ["closing", closing], ["period", new Map([["from", period.fromText], ["to", period.toText]])],
      ["potlines", this.allPotlines.map((line) =>
        line.describe(Math.floor(EFFECTS_LISTED / this.allPotlines.length)))],
      ["totalisers", this.allTotalisers.map((item) => item.describe(period, about))],
      ["checks", this.allTotalisers.flatMap((item) => item.checks(period))],
      ["completeness", this.completeness(period)],
    ]);
    if (this.byCode.size) found.set("reservations", this.byCode);
    for (const { slowest, fields } of this.allPotlines) {
      if (slowest > SLOW) this.flags.add(`slow-pot-voltage:${fields.get("id")}`);
      if (fields.get("anode_effect").get("mode") === "algebraic") {
        this.flags.add("unconfirmed:overvoltage.algebraic");
      }
    }
    const beside = new Beside(about);
    this.quantities(found, statement, beside);
    found.set("checks", [...found.get("checks"), ...beside.checks]);
    if (beside.bridges.length) found.set("bridges", beside.bridges);
    for (const flag of beside.flags()) this.flags.add(flag);
    for (const flag of this.allTotalisers.flatMap((item) => item.flags(about, period))) {
      this.flags.add(flag);
    }
    for (const { last, point } of this.allTotalisers) {
      if (last === null) this.flags.add(`no-reading:${point.id}`);
    }
    for (const { dropCount, point } of this.allTotalisers) {
      if (dropCount) this.flags.add(`totaliser-drop:${point.id}`);
    }
    found.set("flags", [...this.flags].sort());
    return found;
  }

  quantities(found, statement, beside) {
    const entries = this.allEntries.filter(({ items }) => items.every((item) => item.last !== null) &&
      items.length > 0);
    const all = (table) => entries.filter((entry) => entry.table === table);
    const frames = (...items) => new Map([["frames", new Map([
      ["class", classOf(items.map((item) => item.point))],
      ["point", items.map((item) => item.point.id).join(" ")], ["rule", "totaliser"]])]]);
    const metered = (entry) => {
      const { table, words, items, source, kind } = entry;
      if (!entries.includes(entry)) return null;
      const named = this.allEntries.filter((other) => other.source === source);
      for (const item of source !== undefined && named.length === 1 ? items : []) {
        beside.compare(source, table, kind, item.kind, item.point.id, item.quantity());
      }
      return new Map([...words, ...items.map((item) => [item.kind, fr.exact(item.quantity())]),
        ["provenance", new Map(items.map((item) => [item.kind, frames(item)]))]]);
    };
    const factors = new Factors(this.rules);
    const rows = (table) => this.allEntries.filter((entry) => entry.table === table).map((entry) => {
      const { source, words, kind, id, items, isWhole, bridge } = entry;
      if (source === undefined) return metered(entry);
      beside.asked.add(source);
      const row = items.length ? metered(entry)
        : beside.recorded(source, table, words, kind, isWhole, bridge);
      if (row !== null) {
        beside.add(row, source, table, kind, (own) => factors.carbon(id, own).carbon);
      }
      return row;
    }).filter((row) => row !== null);
    const { sector } = this.rules;
    for (const table of [...listsOf(sector).map((list) => list.table), "auxiliary"]) {
      found.set(table, rows(table));
    }
    const isSmelter = sector === "aluminium";
    const indicator = isSmelter ? this.indicator() : null;
    if (this.format !== 1n) {
      const checked = crossCheckRows(entries, frames);
      if (checked.length) found.set("cross_check", checked);
    }
    const whole = all(isSmelter ? "metal" : "output").flatMap(({ items }) => items);
    if (whole.length === 0) return;
    const tonnes = fr.sum(whole.map((item) => item.quantity()));
    const stated = (key) => new Map([[key, fr.exact(tonnes)],
      ["provenance", new Map([[key, frames(...whole)]])]]);
    found.set("output", stated(OUTPUTS[sector]));
    if (!isSmelter) return;
    const anode = statement.get("anode");
    if (anode) {
      const gross = fr.mul(tonnes, exact(anode.get("gross_kg_per_t")), [1n, 1000n]);
      found.set("anode", new Map([["gross_t", fr.exact(gross)],
        ["provenance", new Map([["gross_t", new Map([...frames(...whole), ["typed", new Map(
          ["gross_kg_per_t", "source"].map((key) => [key, anode.get(key)]))]])]])]]));
      if (anode.has("about")) {
        beside.add(found.get("anode"), anode.get("about"), "anode", { unit: "t" });
      }
    }
    found.set("pfc", stated("metal_t"));
    if (indicator) found.get("pfc").set("indicator", indicator);
  }

  indicator() {
    const lines = this.allPotlines;
    const [first] = lines;
    if (first === undefined) return null;
    const chosen = (line) => spelled([line.fields.get("technology"), line.fields.get("indicator")]);
    if (lines.some((line) => chosen(line) !== chosen(first))) {
      this.flags.add("indicator-needs-metal-by-potline");
      return null;
    }
    const sums = lines.map((line) => line.sums());
    const producing = sums.reduce((sum, item) => sum + item.producing, 0n);
    if (producing === 0n) {
      this.flags.add("no-producing-time");
      return null;
    }
    const polarised = sums.reduce((sum, item) => sum + item.polarised, 0n);
    const aem = fr.div(fr.of(polarised, 60n * SECOND), fr.of(producing, DAY));
    const ids = [...new Set(lines.map((line) => line.fields.get("id")))].join(" ");
    const classes = lines.map((line) => line.class);
    const frames = new Map([["potline", ids], ["rule", "anode-effect"],
      ["class", classes.includes("typed") ? "typed" : classes[0]]]);
    const provenance = new Map([["aem_min_per_cell_day", new Map([["frames", frames]])]]);
    const found = new Map([
      ["technology", first.fields.get("technology")], ...first.fields.get("indicator"),
      ["aem_min_per_cell_day", fr.places(aem, 12)], ["provenance", provenance],
    ]);
    for (const key of ["slope", "c2f6_fraction"].filter((key) => found.has(key))) {
      found.set(key, fr.exact(exact(found.get(key))));
      provenance.set(key, new Map([["typed", new Map([["source", found.get("source")]])]]));
    }
    found.delete("source");
    return found;
  }

  completeness(period) {
    return new Map([...this.places].map(([id]) => {
      const expected = this.due.of(id, period);
      const usable = this.usable.get(id);
      const found = new Map([["usable", usable], ["expected", expected]]);
      if (expected > 0n) found.set("percent", fr.places(fr.of(100n * usable, expected), 2));
      if (this.reserved.has(id)) found.set("reserved", this.reserved.get(id));
      return [id, found];
    }));
  }
}
