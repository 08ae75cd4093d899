// How many readings of a point are due: "completeness" of FIGURES.md section 4. Pure; no I/O.

/** Multiples of a step from an instant until before another. */
function multiples(from, to, step) {
  if (step === undefined || to <= from) return 0n;
  return (to + step - 1n) / step - (from + step - 1n) / step;
}

export class Due {
  constructor() {
    this.next = null; // point id -> interval, of a configuration that has had no tick yet
    this.spans = []; // [point id -> interval, first tick]
  }

  /** The first ticks of a frame's sections in the month. */
  begin(ticks) {
    if (this.next === null || ticks.length === 0) return;
    this.spans.push([this.next, ticks.reduce((a, b) => (a < b ? a : b))]);
    this.next = null;
  }

  of(id, period) {
    return this.spans.reduce((sum, [steps, since], i) => {
      const until = this.spans[i + 1]?.[1] ?? period.to;
      return sum + multiples(i === 0 ? period.from : since, until, steps.get(id));
    }, 0n);
  }
}
