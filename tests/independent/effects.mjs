// Anode effects and producing time of one pot: FIGURES.md section 3. Pure; no I/O.
//
// Voltages are counts, times ns; the integral is kept as the sum of count x ns.

import { exact } from "./configuration.mjs";
import * as fr from "./fractions.mjs";

const ns = (seconds) => fr.round(fr.mul(exact(seconds), [10n ** 9n, 1n]));

/** The rules of a potline, for voltages of so many decimals. */
export function rulesOf(fields, decimals, intervalNs) {
  const volts = (key) => fr.mul(exact(fields.get(key)), [10n ** BigInt(decimals), 1n]);
  return {
    start: volts("v_start_v"), end: volts("v_end_v"), target: volts("target_v"), decimals,
    startNs: ns(fields.get("t_start_s")), endNs: ns(fields.get("t_end_s")),
    mergeNs: ns(fields.get("t_merge_s")), intervalNs,
    isAlgebraic: fields.get("mode") === "algebraic",
  };
}

const UNNAMED = "unnamed";

const atLeast = (count, [n, d]) => count * d >= n;

/** The integral of an effect: a voltage stood so long. */
function weigh(part, volts, time) {
  part.weighted += volts * time;
  part.weighed += time;
}

export class Pot {
  constructor(rules) {
    this.rules = rules;
    this.before = null; // {t, v, isProducing}: the usable sample before
    this.candidate = null;
    this.running = null;
    this.dip = null; // first sample of the dip in the running effect
    this.held = null;
    this.effects = [];
    this.producingNs = 0n;
    this.polarisedNs = 0n; // of effects
    this.confirmed = 0; // effects, not continuations
  }

  /** The next usable sample. */
  sample(t, v, isProducing) {
    const { rules, before } = this;
    if (before !== null) {
      const apart = t - before.t;
      if (apart > rules.mergeNs) this.gap(before.t);
      else this.interval(before, apart);
    }
    if (!isProducing) this.stopped(t);
    else if (this.running !== null) this.run(t, v);
    else this.look(t, v);
    if (this.held !== null && t >= this.held.end + rules.mergeNs && !this.mayContinue()) {
      this.held = null;
    }
    this.before = { t, v, isProducing };
  }

  interval(before, apart) {
    const { isAlgebraic, end, mergeNs } = this.rules;
    if (before.isProducing) this.producingNs += apart;
    const isHeld = this.held !== null && before.t < this.held.end + mergeNs;
    if (isAlgebraic && isHeld) weigh(this.held, before.v, apart);
    const part = this.running ?? this.candidate;
    if (part === null) return;
    if (2n * apart > 3n * this.rules.intervalNs) part.hole = true;
    const isPolarised = atLeast(before.v, end);
    if ((isPolarised || isAlgebraic) && !(isAlgebraic && isHeld)) weigh(part, before.v, apart);
    if (!isPolarised) return;
    part.polarised += apart;
    if (part === this.running) this.polarisedNs += apart;
  }

  gap(last) {
    if (this.running !== null) this.stop(last, "gap");
    this.held = this.candidate = null;
  }

  stopped(t) {
    if (this.running !== null) this.stop(t, "state-change");
    this.held = this.candidate = null;
  }

  stop(end, flag) {
    this.running.end = end;
    if (flag !== null) this.running.flags.push(flag);
    this.running = this.dip = null;
  }

  run(t, v) {
    const { running, rules } = this;
    if (v > running.most) running.most = v;
    if (atLeast(v, rules.end)) this.dip = null;
    else {
      this.dip ??= t;
      if (t - this.dip >= rules.endNs) {
        this.held = running;
        this.stop(this.dip, null);
      }
    }
  }

  look(t, v) {
    const { rules } = this;
    if (!atLeast(v, rules.start)) {
      this.candidate = null;
      return;
    }
    this.candidate ??= { start: t, end: null, polarised: 0n, weighted: 0n, weighed: 0n, most: v, flags: [],
      crossings: 1, hole: false };
    const { candidate } = this;
    if (v > candidate.most) candidate.most = v;
    if (t - candidate.start < rules.startNs) return;
    if (this.mayContinue()) {
      const { held } = this;
      held.polarised += candidate.polarised;
      held.weighted += candidate.weighted;
      held.weighed += candidate.weighed;
      held.most = candidate.most > held.most ? candidate.most : held.most;
      held.hole ||= candidate.hole;
      held.crossings += 1;
      held.end = null;
      this.running = held;
    } else {
      this.effects.push(candidate);
      this.running = candidate;
      this.confirmed += 1;
    }
    this.polarisedNs += candidate.polarised;
    this.held = this.candidate = null;
  }

  /** True if the candidate, once confirmed, continues the held effect. */
  mayContinue() {
    return this.held !== null && this.candidate !== null &&
      this.candidate.start < this.held.end + this.rules.mergeNs;
  }

  /** Nothing follows: cut at the month's end, or left running at the last tick fed. */
  finish(isMonthEnd, lastTick) {
    if (this.running === null) return;
    if (isMonthEnd) this.stop(this.before.t, "month-cut");
    else if (lastTick - this.before.t > this.rules.mergeNs) this.stop(this.before.t, "gap");
    else this.running.flags.push("running");
  }

  /** The configuration changed. */
  cut() {
    if (this.running !== null) this.stop(this.before.t, "configuration-change");
  }
}

/** Time of one pot in each state that is not producing, by its usable states alone. */
export class Outside {
  constructor(states, producing, mergeNs) {
    Object.assign(this, { producing, mergeNs, before: null, names: new Map() });
    for (const [raw, word] of states) {
      if (!this.names.has(raw.toString())) this.names.set(raw.toString(), word);
    }
    this.times = new Map([...this.names.values(), UNNAMED].map((word) => [word, 0n]));
  }

  /** The next usable state. */
  state(t, raw) {
    const { before, times } = this;
    if (before !== null && !this.producing.has(before.raw) && t - before.t <= this.mergeNs) {
      const word = this.names.get(before.raw) ?? UNNAMED;
      times.set(word, times.get(word) + t - before.t);
    }
    this.before = { t, raw };
  }
}

/** Sum of (voltage - target) x time of effects or sums of them, in V x s. */
export function overTarget(part, rules) {
  const counts = fr.sub([part.weighted, 1n], fr.mul(rules.target, [part.weighed, 1n]));
  return fr.div(counts, [10n ** BigInt(9 + rules.decimals), 1n]);
}
