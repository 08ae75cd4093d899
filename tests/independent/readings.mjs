// What a frame's sections say of each point: FIGURES.md, counts and section 1. Pure.

import { countOf, hasCount } from "./configuration.mjs";
import { numberAt } from "./frame.mjs";

const USABLE = 128;

/** Quality codes of a group's rows; rows that are good throughout have none. */
function qualitiesOf(runs, ticks) {
  const found = new Map();
  for (const run of runs) {
    if (!found.has(run.row)) found.set(run.row, new Uint8Array(ticks));
    found.get(run.row).fill(run.code, run.from, run.to + 1);
  }
  return found;
}

/** One point's readings in one section. */
export class Row {
  constructor(point, values, row, codes, section) {
    Object.assign(this, { point, values, section });
    this.at = row * section.ticks;
    this.codes = codes ?? null;
  }

  quality(i) {
    return this.codes === null ? 0 : this.codes[i];
  }

  isUsable(i) {
    return this.quality(i) < USABLE && hasCount(this.point, this.values, this.at + i);
  }

  /** The count at a tick; null where the reading is not usable. */
  count(i) {
    return this.quality(i) < USABLE ? countOf(this.point, this.values, this.at + i) : null;
  }

  /** The number as it was on the wire, as text. */
  raw(i) {
    return numberAt(this.values, this.point.dtype, this.at + i).toString();
  }

  tick(i) {
    return this.section.first + this.section.step * BigInt(i);
  }
}

/** The rows of a section: {measured, computed}, in the configuration's order. */
export function rowsOf(section, config) {
  const found = { measured: [], computed: [] };
  for (const group of section.groups) {
    const { points, computed } = config.groups[Number(group.group)];
    const codes = qualitiesOf(group.runs, section.ticks);
    points.forEach((index, row) => {
      const made = new Row(config.points[index], group.values, row, codes.get(row), section);
      found[computed ? "computed" : "measured"].push(made);
    });
  }
  return found;
}

/** The newest reading of a slower point, as the ticks of schedule 0 go by. */
export class Held {
  constructor() {
    this.rows = []; // [row, next tick's number, end]: not yet reached, in order
    this.now = null; // {tick, row, i}
  }

  /** Readings of the ticks with numbers from, from + 1, … up to and without `to`. */
  add(row, from = 0, to = row.section.ticks) {
    this.rows.push([row, from, to]);
  }

  /** Nothing is held across the beginning of a month. */
  forget() {
    this.now = null;
  }

  /** Go on to an instant. */
  advance(t) {
    while (this.rows.length) {
      const [row, i, end] = this.rows[0];
      if (i >= end) this.rows.shift();
      else if (row.tick(i) <= t) {
        this.now = { tick: row.tick(i), row, i };
        this.rows[0][1] += 1;
      } else break;
    }
  }

  /** {row, i} of the reading that stands at an instant; null if it is too old. */
  reading(t) {
    if (this.now === null || t - this.now.tick > 2n * this.now.row.section.step) return null;
    return this.now;
  }
}
