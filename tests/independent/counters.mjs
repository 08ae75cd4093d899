// Counters of statement format 2, and the flow over the same time: FIGURES.md section 2. Pure.

import * as fr from "./fractions.mjs";
import { Flow, HOUR, SECOND, mostPerHour, replacements, unitFactor, value } from "./totalisers.mjs";

const [WITH_LIMIT, FEW, ENDS, LISTED] = [600n, 3n, 50, 20];
const TIME = 600n * SECOND;
const MINUTE = 60n * SECOND;
const CHECKS = "counter-checks";

/** One totaliser of the statement; `flow` is null or one of CoveredFlow. */
export class Counter {
  constructor(kind, point, wanted, flow, rules) {
    Object.assign(this, { kind, point, flow, rules });
    this.factor = unitFactor(point.fields.get("quantity").get("unit"), wanted);
    this.most = mostPerHour(this);
    this.first = null;
    this.now = null; // what was counted up to the newest reading
    this.ends = []; // the same at the ends of earlier runs
    this.risen = 0n;
    this.number = 0n;
  }

  get last() {
    return this.now;
  }

  /** Whole counts of the point, of what its limit lets pass in a time. */
  limit(time) {
    const counts = fr.mul(this.most, [10n ** BigInt(this.point.decimals), 1n], fr.of(time, HOUR));
    return counts[0] / counts[1];
  }

  isBroken(from, reading) {
    const step = reading.count - from.count;
    return this.most === null || step < 0n || step > this.limit(reading.tick - from.tick);
  }

  feed(row, i) {
    const count = row.count(i);
    if (count === null) return;
    const reading = { tick: row.tick(i), count };
    this.number += 1n;
    if (this.now === null) {
      this.first = reading;
      this.now = { ...reading, start: count, total: 0n, risen: 0n, number: 1n, drops: [], leaps: [],
        spikes: [], drop: 0n, leap: 0n, spike: 0n, pair: [0n, 0n, 0n], seen: null };
    } else {
      if (count > this.now.count) this.risen += count - this.now.count;
      let isBack = false;
      while (this.isBroken(this.now, reading)) {
        const k = this.goesOnFrom(reading);
        if (k === null) break;
        this.now = this.ends[k];
        this.ends.length = k;
        this.onReturn?.(this.now);
        isBack = true;
      }
      this.follow(reading, isBack);
    }
    this.compare(reading);
    this.onCounted?.();
  }

  /** The newest end of a run that a reading goes on from; null if there is none. */
  goesOnFrom({ tick, count }) {
    const most = this.most === null ? FEW : WITH_LIMIT;
    const between = [[this.now.start, this.now.count]];
    for (let k = this.ends.length - 1; k >= 0; k--) {
      const end = this.ends[k];
      const readings = this.number - end.number - 1n;
      if (readings > most || (readings > FEW && tick - end.tick > TIME)) return null;
      if (end.count <= count && between.every(([from, to]) => from > count || to < end.count)) {
        return k;
      }
      between.push([end.start, end.count]);
    }
    return null;
  }

  follow(reading, isBack) {
    const from = this.now;
    const step = reading.count - from.count;
    const next = { ...from, ...reading, number: this.number, risen: this.risen };
    if (this.isBroken(from, reading)) {
      this.ends.push(from);
      if (this.ends.length > ENDS) this.ends.shift();
      next.start = reading.count;
    }
    if (isBack) {
      next.spike += 1n;
      const spike = [from, reading, this.number - from.number - 1n, this.risen - from.risen];
      if (next.spikes.length < LISTED) next.spikes = [...next.spikes, spike];
    }
    const time = reading.tick - from.tick;
    const list = (name, counted) => {
      next[name] += 1n;
      next.seen = null;
      const key = `${name}s`;
      if (next[key].length < LISTED) next[key] = [...next[key], [from, reading, counted]];
      next.total += counted;
    };
    if (step < 0n) list("drop", 0n);
    else if (this.most !== null && step > this.limit(time + HOUR)) list("leap", this.limit(time));
    else next.total += step;
    this.now = next;
  }

  /** With what the flow gave up to the same tick. */
  compare({ tick }) {
    const flow = this.flow?.at(tick) ?? null;
    if (flow === null) return;
    const { seen, total, pair } = this.now;
    if (seen !== null && seen.stretch === flow.stretch) {
      this.now.pair = [pair[0] + total - seen.total, pair[1] + flow.sum - seen.sum,
        pair[2] + tick - seen.tick];
    }
    this.now.seen = { tick, total, sum: flow.sum, stretch: flow.stretch };
  }

  /** Take what persons signed in the place of what drops and leaps counted. */
  correct(papers) {
    this.used = [];
    this.areAllUsed = true;
    if (!this.asksPapers) return;
    const steps = [...this.now.drops, ...this.now.leaps];
    const [from, to] = papers.period;
    const all = papers.counting("counter-correction", this.point.id)
      .filter(({ body }) => body.get("from_ns") < to && from < body.get("to_ns"))
      .map((paper) => ({ ...paper, met: steps.filter(([before, after]) =>
        paper.body.get("from_ns") <= after.tick && paper.body.get("to_ns") >= before.tick) }));
    all.sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
    const unit = this.point.fields.get("quantity").get("unit");
    for (const one of all) {
      const amount = fr.parse(one.body.get("value"));
      const isAlone = !all.some((other) => other !== one && other.met.some((s) => one.met.includes(s)));
      if (!one.met.length || !isAlone || one.body.get("unit") !== unit || amount[0] < 0n ||
          fr.sub(amount, [10n ** 15n, 1n])[0] >= 0n) {
        this.areAllUsed = false;
        continue;
      }
      const counted = one.met.reduce((sum, [, , part]) => sum + part, 0n);
      this.used.push({ ...one, amount, counted });
    }
  }

  /** In the point's unit. */
  corrected() {
    return fr.sum([value(this.now.total, this.point), ...(this.used ?? []).map(({ amount, counted }) =>
      fr.sub(amount, value(counted, this.point)))]);
  }

  /** In the statement's unit. */
  quantity() {
    return fr.mul(this.corrected(), this.factor);
  }

  get asksPapers() {
    return this.now !== null && this.now.drop + this.now.leap + this.now.spike > 0n;
  }

  isExplained(papers) {
    return this.now.leap === BigInt(this.now.leaps.length) && this.now.leaps.every(([from, to]) =>
      replacements(this.point, papers, from, to).length > 0 ||
      this.used.some(({ met }) => met.some(([, after]) => after.tick === to.tick)));
  }

  flags(papers, period) {
    if (this.now === null) return [];
    const { id } = this.point;
    const found = ["drop", "leap", "spike"].filter((name) => this.now[name] > 0n)
      .map((name) => `totaliser-${name}:${id}`);
    if (this.now.leap > 0n && !this.isExplained(papers)) found.push(`leap-unexplained:${id}`);
    if (this.used.length) found.push(`counter-corrected:${id}`);
    if (!this.areAllUsed) found.push(`not-usable:${id}.counter-correction`);
    for (const check of this.checks(period)) {
      const result = check.get("result");
      if (result === "outside") found.push(`check:${check.get("check")}:${id}`);
      if (result === "not-checked") found.push(`not-checked:${check.get("check")}:${id}`);
    }
    return found;
  }

  describe(period, papers) {
    const { point, first, now } = this;
    const text = (count) => fr.decimal(count, point.decimals);
    const seconds = (ns) => fr.exact([ns, SECOND]);
    const found = new Map([
      ["point", point.id], ["unit", point.fields.get("quantity").get("unit")],
    ]);
    if (now === null) return found;
    const beside = ([from, to]) => [["since_ns", from.tick], ["tick_ns", to.tick],
      ["before", text(from.count)], ["after", text(to.count)]];
    found.set("first", new Map([["tick_ns", first.tick], ["value", text(first.count)],
      ["after_start_s", seconds(first.tick - period.from)]]));
    found.set("last", new Map([["tick_ns", now.tick], ["value", text(now.count)],
      ["before_end_s", seconds(period.to - now.tick)]]));
    found.set("difference", text(now.total)).set("steps_upward", text(now.risen));
    found.set("drop_count", now.drop).set("drops", now.drops.map((drop) => new Map(beside(drop))));
    if (now.leap > 0n) {
      found.set("leap_count", now.leap).set("leaps", now.leaps.map((leap) => new Map([
        ...beside(leap), ["counted", text(leap[2])],
        ["replacements", replacements(point, papers, leap[0], leap[1])]])));
    }
    if (now.spike > 0n) {
      found.set("spike_count", now.spike).set("spikes", now.spikes.map((spike) => new Map([
        ...beside(spike), ["readings", spike[2]], ["steps_upward", text(spike[3])]])));
    }
    if (this.used.length) {
      found.set("corrections", this.used.map(({ sha256, body, counted, amount }) => new Map([
        ["sha256", sha256], ["from_ns", body.get("from_ns")], ["to_ns", body.get("to_ns")],
        ["counted", text(counted)], ["value", fr.exact(amount)]])));
      found.set("corrected", fr.exact(this.corrected()));
    }
    return found;
  }

  checks(period) {
    if (this.now === null) return [];
    const found = this.flow ? [this.beside(period)] : [];
    for (const [check, count] of [["drops", this.now.drop], ["spikes", this.now.spike]]) {
      const limit = this.rules.row(`totaliser_${check}.count`, CHECKS);
      if (fr.sub([count, 1n], limit.exact)[0] <= 0n) continue;
      found.push(new Map([["check", `totaliser-${check}`], ["point", this.point.id], ["count", count],
        ["limit", limit.row.value], ["result", "outside"]]));
    }
    return found;
  }

  beside(period) {
    const row = (name) => this.rules.row(`flow_totaliser.${name}`, CHECKS);
    const [counts, weighted, covered] = this.now.pair;
    const quantity = fr.mul(value(counts, this.point), this.factor);
    const integral = fr.mul(value(weighted, this.flow.point), [1n, HOUR], this.flow.factor);
    const difference = fr.mul(fr.sub(integral, quantity), [100n, 1n]);
    const size = difference[0] < 0n ? [-difference[0], difference[1]] : difference;
    const above = (limit) => fr.sub(size, limit)[0] > 0n;
    let isOutside = above(fr.mul(quantity, row("percent").exact));
    if (this.most !== null) {
      const passing = fr.mul(this.most, this.factor, [covered, HOUR]);
      isOutside &&= above(fr.mul(passing, row("full_scale_percent").exact));
    }
    const span = period.to - period.from;
    const share = fr.of(100n * covered, span > 1n ? span : 1n);
    const isCovered = fr.sub(share, row("covered_percent").exact)[0] >= 0n;
    const found = new Map([
      ["check", "flow-totaliser"], ["point", this.point.id], ["flow_point", this.flow.point.id],
      ["totaliser", fr.exact(quantity)], ["integral", fr.places(integral, 6)],
      ["covered_s", fr.exact([covered, SECOND])], ["covered_percent", fr.places(share, 2)],
      ["limit_percent", row("percent").row.value],
      ["result", !isCovered ? "not-checked" : isOutside ? "outside" : "within"],
    ]);
    if (quantity[0] !== 0n) {
      found.set("difference_percent", fr.places(fr.div(difference, quantity), 2));
    }
    return found;
  }
}

/** The integral of a flow, and the stretches in which it has no hole. */
export class CoveredFlow extends Flow {
  constructor(...parts) {
    super(...parts);
    this.stretch = 0;
  }

  feed(row, i) {
    const [count, tick] = [row.count(i), row.tick(i)];
    if (count === null) return;
    if (this.before !== null && tick - this.before.tick > 2n * row.section.step) this.stretch += 1;
    super.feed(row, i);
  }

  at(tick) {
    return this.before?.tick === tick ? { sum: this.weighted, stretch: this.stretch } : null;
  }
}

/** A counter that keeps the newest reading before each whole minute. */
export class MarkedCounter extends Counter {
  constructor(...parts) {
    super(...parts);
    this.marks = [];
  }

  onCounted() {
    const { tick, count, total } = this.now;
    const minute = (tick + MINUTE - 1n) / MINUTE;
    if (this.marks.at(-1)?.minute === minute) this.marks.pop();
    this.marks.push({ minute, tick, count, total });
  }

  onReturn({ tick, count, total }) {
    while (this.marks.length && this.marks.at(-1).tick >= tick) this.marks.pop();
    this.marks.push({ minute: (tick + MINUTE - 1n) / MINUTE, tick, count, total });
  }

  at(instant) {
    return this.marks.filter(({ tick }) => tick <= instant).at(-1);
  }

  get total() {
    return this.now.total;
  }
}
