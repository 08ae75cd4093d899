// Totalisers of statement format 1 and the integrals beside them: FIGURES.md section 2. Pure; no I/O.

import { exact } from "./configuration.mjs";
import * as fr from "./fractions.mjs";

export const SECOND = 10n ** 9n;
const [DROPS_MAX, LEAPS_MAX] = [20, 20];
export const HOUR = 3_600n * SECOND;

/** What a unit is of the unit that the statement uses: kg and t in t, Wh to MWh in MWh, and so on. */
export function unitFactor(unit, wanted) {
  const known = {
    t: { t: 1n, kg: 1000n }, "10^4 Nm3": { "10^4 Nm3": 1n, Nm3: 10_000n },
    MWh: { MWh: 1n, kWh: 1000n, Wh: 1_000_000n }, kWh: { kWh: 1n, Wh: 1000n },
    MW: { MW: 1n, kW: 1000n, W: 1_000_000n }, kA: { kA: 1n, A: 1000n },
  };
  const parts = known[wanted]?.[unit];
  if (parts !== undefined) return [1n, parts];
  if (wanted === "kWh" && unit === "MWh") return [1000n, 1n];
  return null;
}

/** The unit in which a statement counts a totaliser, or undefined. */
export const countedIn = (point) => ["t", "10^4 Nm3", "MWh"]
  .find((unit) => unitFactor(point.fields.get("quantity").get("unit"), unit) !== null);

export const value = (count, point) => fr.of(count, 10n ** BigInt(point.decimals));

/** In the point's unit; null where nothing bounds it. */
export function mostPerHour({ point, flow, factor }) {
  const rate = point.fields.get("rules")?.get("rate_per_s");
  if (rate !== undefined) return fr.mul(exact(rate), [3600n, 1n]);
  const most = flow?.point.fields.get("range_max");
  if (most === undefined) return null;
  const found = fr.div(fr.mul(exact(most), flow.factor), factor);
  return found[0] > 0n ? found : null;
}

/** Hashes of the replacements that count and meet two readings of a point. */
export function replacements({ id, fields }, papers, before, after) {
  const abouts = new Set([id, fields.get("device") ?? id]); // a point may have none
  return [...new Set([...abouts].flatMap((about) => papers.counting("meter-event", about))
    .filter(({ body }) => body.get("event") === "replacement" &&
      body.get("from_ns") <= after.tick && body.get("to_ns") >= before.tick)
    .map(({ sha256 }) => sha256))].sort();
}

/** Steps upward of one point. */
export class Total {
  constructor() {
    this.before = null;
    this.total = 0n;
  }

  add(count) {
    const step = this.before === null ? 0n : count - this.before;
    this.before = count;
    if (step > 0n) this.total += step;
    return step;
  }
}

/** One totaliser of the statement. */
export class Totaliser {
  constructor(kind, point, wanted, flow) {
    Object.assign(this, { kind, point, flow });
    this.factor = unitFactor(point.fields.get("quantity").get("unit"), wanted);
    this.steps = new Total();
    this.first = null;
    this.last = null;
    this.drops = [];
    this.dropCount = 0;
    this.most = mostPerHour(this);
    this.leaps = [];
    this.leapCount = 0;
  }


  isLeap(before, reading) {
    if (this.most === null || before === null) return false;
    const hours = fr.of(reading.tick - before.tick + HOUR, HOUR);
    return fr.sub(value(reading.count - before.count, this.point), fr.mul(this.most, hours))[0] > 0n;
  }

  feed(row, i) {
    const count = row.count(i);
    if (count === null) return;
    const reading = { tick: row.tick(i), count };
    if (this.isLeap(this.last, reading)) {
      this.leapCount += 1;
      if (this.leaps.length < LEAPS_MAX) this.leaps.push([this.last, reading]);
    }
    if (this.steps.add(count) < 0n) {
      this.dropCount += 1;
      if (this.drops.length < DROPS_MAX) this.drops.push([this.last, reading]);
    }
    this.first ??= reading;
    this.last = reading;
  }

  /** In the statement's unit; null without a reading. */
  quantity() {
    return this.last === null ? null : fr.mul(value(this.steps.total, this.point), this.factor);
  }

  /** The first leaps, each with the replacements that count and meet it. */
  told(papers) {
    return this.leaps.map(([before, after]) =>
      ({ before, after, events: replacements(this.point, papers, before, after) }));
  }

  get asksPapers() {
    return this.leapCount > 0;
  }

  checks() {
    return this.flow && this.last !== null ? this.flow.checks(this) : [];
  }

  flags(papers) {
    if (!this.leapCount) return [];
    const isUnexplained = this.leapCount > LEAPS_MAX ||
      this.told(papers).some(({ events }) => events.length === 0);
    return [`totaliser-leap:${this.point.id}`,
      ...(isUnexplained ? [`leap-unexplained:${this.point.id}`] : [])];
  }

  describe(period, papers) {
    const { point, first, last } = this;
    const text = (count) => fr.decimal(count, point.decimals);
    const seconds = (ns) => fr.exact([ns, SECOND]);
    const found = new Map([
      ["point", point.id], ["unit", point.fields.get("quantity").get("unit")],
    ]);
    if (first !== null) {
      found.set("difference", text(this.steps.total)).set("drop_count", BigInt(this.dropCount));
      found.set("drops", this.drops.map(([before, after]) => new Map([
        ["before", text(before.count)], ["tick_ns", after.tick], ["after", text(after.count)],
      ])));
      found.set("first", new Map([["tick_ns", first.tick], ["value", text(first.count)],
        ["after_start_s", seconds(first.tick - period.from)]]));
      found.set("last", new Map([["tick_ns", last.tick], ["value", text(last.count)],
        ["before_end_s", seconds(period.to - last.tick)]]));
    }
    if (this.leapCount) {
      found.set("leap_count", BigInt(this.leapCount));
      found.set("leaps", this.told(papers).map(({ before, after, events }) => new Map([
        ["since_ns", before.tick], ["tick_ns", after.tick], ["before", text(before.count)],
        ["after", text(after.count)], ["replacements", events],
      ])));
    }
    return found;
  }
}

/** The integral of a flow or a power, per hour. */
export class Flow {
  constructor(point, wanted) {
    this.point = point;
    const unit = point.fields.get("quantity").get("unit");
    this.factor = wanted === "MWh" ? unitFactor(unit, "MW")
      : unitFactor(unit.replace(/\/h$/, ""), wanted);
    this.before = null;
    this.weighted = 0n; // count x ns
    this.coveredNs = 0n;
  }

  feed(row, i) {
    const count = row.count(i);
    if (count === null) return;
    const tick = row.tick(i);
    const { before } = this;
    if (before !== null && tick - before.tick <= 2n * row.section.step) {
      this.weighted += before.count * (tick - before.tick);
      this.coveredNs += tick - before.tick;
    }
    this.before = { tick, count };
  }

  checks(totaliser) {
    const hours = [1n, 3600n * SECOND];
    const integral = fr.mul(value(this.weighted, this.point), hours, this.factor);
    const quantity = totaliser.quantity();
    const found = new Map([
      ["check", "integral of the flow against the totaliser"], ["point", totaliser.point.id],
      ["flow_point", this.point.id], ["totaliser", fr.exact(quantity)],
      ["integral", fr.places(integral, 6)], ["covered_s", fr.exact([this.coveredNs, SECOND])],
    ]);
    if (quantity[0] !== 0n) {
      const apart = fr.mul(fr.div(fr.sub(integral, quantity), quantity), [100n, 1n]);
      found.set("difference_percent", fr.places(apart, 2));
    }
    return [found];
  }
}
