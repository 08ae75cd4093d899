// What the series say of a point over a range: buckets by minute, hour or day, never readings. The
// asking and the arithmetic; no DOM, no texts.
import { ms } from "./model.js";

const MINUTE_MS = 60000;
const DAY_MS = 86400000;
export const RANGES = [
  ["10m", 10 * MINUTE_MS], ["1h", 60 * MINUTE_MS], ["24h", DAY_MS], ["72h", 3 * DAY_MS], ["month", 31 * DAY_MS], ["year", 366 * DAY_MS],
];

// [{from, to}] in ms, whole minutes, oldest first. Up to three days are asked a day at a time, so
// that they come by the minute; a month comes by the hour and a year by the day.
export function pieces(lengthMs, nowMs) {
  const end = Math.ceil(nowMs / MINUTE_MS) * MINUTE_MS;
  const each = lengthMs <= 3 * DAY_MS ? Math.min(DAY_MS, lengthMs) : lengthMs;
  const found = [];
  for (let from = end - lengthMs; from < end; from += each) found.push({ from, to: from + each });
  return found;
}

// Nanoseconds as text: they are beyond what a number holds exactly.
export const address = (api, point, { from, to }, form) =>
  `${api}/series?point=${encodeURIComponent(point)}&from=${from}000000&to=${to}000000&step=auto&form=${form}`;

// One row of all answers of a range: times (the bucket's middle) in s, and of each low, mean, high,
// count and worst; null where nothing came or nothing was usable. A point that went on in another
// unit or from another gateway has another series: the newest is shown, others are counted. Null
// where there is none.
export function joined(answers) {
  const all = answers.flatMap((one) => one.series.filter((s) => s.from_ns.length).map((s) => ({ ...s, stepMs: one.step_s * 1000 })));
  if (!all.length) return null;
  const kind = (s) => JSON.stringify([s.gateway, s.quantity, s.decimals]);
  const last = (s) => s.from_ns[s.from_ns.length - 1];
  const newest = all.reduce((a, b) => (last(b) > last(a) ? b : a));
  const mine = all.filter((s) => kind(s) === kind(newest));
  const rows = { times: [], begins: [], low: [], mean: [], high: [], count: [], worst: [] };
  let end = null;
  for (const s of mine) {
    s.from_ns.forEach((from, at) => {
      if (end !== null && ms(from) > end + s.stepMs / 2) add(rows, end, s.stepMs, [null, null, null], 0, 0);
      add(rows, ms(from), s.stepMs, [s.min[at], s.mean[at], s.max[at]], s.count[at], s.quality[at]);
      end = ms(from) + s.stepMs;
    });
  }
  return {
    ...rows, stepMs: newest.stepMs, unit: newest.unit, decimals: newest.decimals, throughMs: ms(newest.through_ns),
    openMs: newest.open_ns === null ? null : ms(newest.open_ns), others: new Set(all.map(kind)).size - 1,
  };
}

function add(rows, begins, stepMs, [low, mean, high], count, worst) {
  const value = (text) => (text === null ? null : Number(text));
  rows.begins.push(begins);
  rows.times.push((begins + stepMs / 2) / 1000);
  rows.low.push(value(low));
  rows.mean.push(value(mean));
  rows.high.push(value(high));
  rows.count.push(count);
  rows.worst.push(worst);
}

// {low, high, emptyMs}: emptyMs is the time between `from` and what is complete without a usable value.
export function summed(rows, { from, to }) {
  const known = (values) => values.filter((value) => value !== null);
  const until = Math.min(to, rows.throughMs);
  const held = rows.begins.reduce((sum, begins, at) => (
    rows.count[at] ? sum + Math.max(0, Math.min(begins + rows.stepMs, until) - Math.max(begins, from)) : sum), 0);
  const [low, high] = [known(rows.low), known(rows.high)];
  return { low: low.length ? Math.min(...low) : null, high: high.length ? Math.max(...high) : null, emptyMs: Math.max(0, until - from - held) };
}
