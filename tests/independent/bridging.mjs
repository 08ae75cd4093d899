// Documents of another period brought to the statement's: FIGURES.md section 7, Bridges. Pure.

import * as fr from "./fractions.mjs";
import { HOUR, Papers, REACH, amountOf, demand, isOf, printed, provenance } from "./recorded.mjs";
import { BALANCE, mayBeInParts } from "./sections.mjs";
import { Totaliser } from "./totalisers.mjs";

const MINUTE = 60n * 10n ** 9n;
const HUNDRED = [100n, 1n];
const far = (a, b) => (a > b ? a - b : b - a);

/** A totaliser that keeps the newest reading before each whole minute. */
export class Marked extends Totaliser {
  constructor(...parts) {
    super(...parts);
    this.marks = [];
  }

  feed(row, i) {
    super.feed(row, i);
    if (this.last === null || this.last.tick !== row.tick(i)) return;
    const minute = (this.last.tick + MINUTE - 1n) / MINUTE;
    if (this.marks.at(-1)?.minute === minute) this.marks.pop();
    this.marks.push({ minute, ...this.last, total: this.steps.total });
  }

  at(instant) {
    return this.marks.filter(({ tick }) => tick <= instant).at(-1);
  }

  get total() {
    return this.steps.total;
  }
}

/** Key -> {value, rule, papers} as of Papers.amounts; the bridge is put into `beside`. */
export function brought(beside, source, table, unit, meter) {
  const { papers } = beside;
  const [from, to] = spanOf(papers, source, table);
  const amounts = new Papers(papers.all, papers.month, [from, to]).amounts(source, table, unit);
  if ((from === papers.period[0] && to === papers.period[1]) || !amounts.size) return amounts;
  const signs = new Map(BALANCE);
  const whole = fr.sum([...amounts].map(([key, { value }]) =>
    fr.mul(value, [signs.get(key) ?? 1n, 1n])));
  demand(whole[0] >= 0n);
  const made = [...amounts.values()].flatMap((part) => part.papers);
  const ends = [];
  let isTold = false;
  for (const [i, end] of ["start", "end"].entries()) {
    const [own, edge] = [[from, to][i], papers.period[i]];
    if (own === edge) continue;
    const window = own < edge ? [own, edge] : [edge, own];
    const isInside = i === 0 ? own > edge : own < edge;
    if (isInside) {
      ends.push([end, window, ...read(meter, papers.period, own, end)]);
    } else {
      const [value, found] = told(papers, meter.point.id, window, unit);
      made.push(found);
      ends.push([end, window, fr.sub(fr.ZERO, value), provenance(meter.point.id, "counts", [found])]);
      isTold = true;
    }
  }
  const value = fr.sum([whole, ...ends.map(([, , added]) => added)]);
  const moved = fr.sum(ends.map(([, , [n, d]]) => [n < 0n ? -n : n, d]));
  let share = fr.ZERO;
  if (moved[0] !== 0n) {
    demand(value[0] !== 0n);
    share = fr.mul(fr.div(moved, [value[0] < 0n ? -value[0] : value[0], value[1]]), HUNDRED);
    demand(fr.sub(share, [40n, 1n])[0] <= 0n);
  }
  beside.own.add(`bridged:${source}`);
  if (isTold) beside.own.add(`bridge-told:${source}`);
  if (!["quantity", "opening"].some((key) => amounts.has(key))) {
    beside.own.add(`stock-incomplete:${source}`);
  }
  beside.bridges.push(new Map([["source", source], ["point", meter.point.id], ["unit", unit],
    ["from_ns", from], ["to_ns", to], ["period_quantity", printed(whole)],
    ["parts", new Map([...amounts].map(([key, part]) => [key, printed(part.value)]))],
    ...ends.map(([end, [a, b], added, rest]) => [end, new Map([["from_ns", a], ["to_ns", b],
      ["added", printed(added)], ...rest])]),
    ["quantity", printed(value)], ["bridged_percent", fr.places(share, 2)]]));
  return new Map([["quantity", { value, rule: "bridged", papers: made }]]);
}

function spanOf(papers, source, table) {
  const isStocked = mayBeInParts(table) || table === "clinker";
  let found = isStocked ? stocked(papers, source) : [];
  if (!found.length) found = dated(papers, source, table);
  if (!found.length) return papers.period;
  const [from, to] = found.map((at, i) =>
    (far(at, papers.period[i]) <= HOUR ? papers.period[i] : at));
  demand(from < to);
  return [from, to];
}

function stocked(papers, source) {
  const instants = papers.counting("stock-take", source).map(({ body }) => body.get("at_ns"));
  const found = [];
  for (const edge of papers.period) {
    const near = instants.filter((at) => far(at, edge) <= REACH);
    if (!near.length) continue;
    const nearest = near.filter((at) => near.every((other) => far(at, edge) <= far(other, edge)));
    demand(nearest.length === 1);
    found.push(nearest[0]);
  }
  demand(found.length !== 1);
  return found;
}

function dated(papers, source, table) {
  for (const kind of mayBeInParts(table) ? ["invoice", "count"] : ["count"]) {
    const all = papers.counting(kind, source).map(({ body }) => body)
      .filter((body) => isOf(body, papers.period));
    if (!all.length) continue;
    const ends = all.map((body) => body.get("to_ns"));
    const first = all.map((body) => body.get("from_ns")).reduce((a, b) => (b < a ? b : a));
    const last = ends.reduce((a, b) => (b > a ? b : a));
    // a gap begins where one ends: nothing reaches over it
    for (const end of ends.filter((one) => one !== last)) {
      demand(all.some((body) => body.get("from_ns") <= end + HOUR && body.get("to_ns") > end));
    }
    return [first, last];
  }
  return [];
}

function read(meter, period, own, end) {
  demand(own % MINUTE === 0n);
  const mark = meter.at(own);
  demand(mark !== undefined);
  const [first, last] = end === "start" ? [{ ...meter.first, total: 0n }, mark]
    : [mark, { ...meter.last, total: meter.total }];
  const [a, b] = end === "start" ? [period[0], own] : [own, period[1]];
  demand(far(first.tick, a) <= HOUR && b - last.tick <= HOUR);
  const scale = [1n, 10n ** BigInt(meter.point.decimals)];
  const told = ({ tick, count }) => new Map([["tick_ns", tick],
    ["value", fr.decimal(count, meter.point.decimals)]]);
  return [fr.mul([last.total - first.total, 1n], scale, meter.factor),
    [["first", told(first)], ["last", told(last)]]];
}

function told(papers, point, window, unit) {
  const found = papers.counting("count", point).filter(({ body }) =>
    body.get("from_ns") === window[0] && body.get("to_ns") === window[1]);
  demand(found.length === 1);
  const value = amountOf(found[0], unit);
  demand(value[0] >= 0n);
  return [value, found[0]];
}
