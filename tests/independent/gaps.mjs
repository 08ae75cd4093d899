// Ticks that are due and in no frame: FORMAT.md sections 5 and 10. Pure; no I/O.

/** Number of multiples of a step from one instant until before another. */
function ticks(from, to, step) {
  let count = (to - 1n) / step - (from - 1n) / step;
  if (to < 1n || from < 1n) count = 0n; // nobody read anything before 1970
  return count > 0n ? count : 0n;
}

const TOLD_MAX = 1_000;

export class Gaps {
  /** `from`: first instant of the period; null leaves open what is due first. */
  constructor(from) {
    this.newest = from === null ? null : from - 1n;
    this.config = null;
    this.due = new Map(); // schedule -> {step, at}, at null where it is open
    this.told = []; // stretches that do not meet, in order of time
  }

  /** Those that overlap are one; of too many the earliest is forgotten. */
  tell({ from, to }) {
    const meets = (other) => other.from <= to && from <= other.to;
    const all = [{ from, to }, ...this.told.filter(meets)];
    const one = all.reduce((a, b) => ({
      from: a.from < b.from ? a.from : b.from, to: a.to > b.to ? a.to : b.to,
    }));
    this.told = [...this.told.filter((other) => !meets(other)), one];
    this.told.sort((a, b) => (a.from < b.from ? -1 : 1));
    if (this.told.length > TOLD_MAX) this.told.shift();
  }

  lose() {
    this.newest = null;
    for (const item of this.due.values()) item.at = null;
  }

  /** Take a frame's sections; true if ticks were due before them of which no gap was told. */
  isHoleBefore(config, sections) {
    let found = config !== this.config && this.configure(config);
    for (const { schedule, first, last } of sections) {
      const item = this.due.get(Number(schedule));
      if (item === undefined) continue;
      found = this.isMissing(item, first) || found;
      if (item.at === null || last >= item.at) item.at = last + item.step;
      if (this.newest === null || last > this.newest) this.newest = last;
    }
    return found;
  }

  /** True if ticks were due until the end: of the period, or if interim of what was read. */
  isHoleAtEnd(to, closing) {
    const reached = this.newest === null || closing === "final" ? to : this.newest + 1n;
    return [...this.due.values()].some((item) => this.isMissing(item, reached));
  }

  /** Go on with another configuration; true if ticks were due that it does not ask for. */
  configure(config) {
    this.config = config;
    const before = this.due;
    this.due = new Map();
    config.schedules.forEach((step, index) => {
      if (!config.groups.some((group) => group.schedule === index && !group.computed)) return;
      const old = before.get(index);
      const next = this.newest === null ? null : (this.newest / step + 1n) * step;
      this.due.set(index, { step, at: old?.step === step ? old.at : next });
    });
    if (this.newest === null) return false;
    const ended = [...before].filter(([index, { step }]) => this.due.get(index)?.step !== step);
    return ended.some(([, item]) => this.isMissing(item, this.newest + 1n));
  }

  isMissing({ step, at }, until) {
    if (at === null) return false;
    let from = at;
    for (const gap of this.told) {
      if (ticks(from, gap.from < until ? gap.from : until, step) > 0n) return true;
      if (gap.to + 1n > from) from = gap.to + 1n;
    }
    return ticks(from, until, step) > 0n;
  }
}
