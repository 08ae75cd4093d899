// The only module that knows uPlot. A voltage trace on a log-like axis, with its threshold and the
// part that is not yet sealed; and the trend of any point by buckets: mean, with lowest to highest
// as a band. Both return null when the library is not installed.
import { FONT, INK, limit, picture, shade } from "./marks.js";
import { clockTime, dateTime } from "./times.js";

const SPLITS_V = [0, 2, 4, 8, 16, 32, 64];
const WINDOW_S = 600;
const DAY_S = 86400;
const PADDING_TOP = 14; // half a tick label high: the highest stands at the very top
const AXIS = { stroke: INK.text, font: FONT, grid: { stroke: INK.grid, width: 1 }, ticks: { show: false } };
const VOLTS = {
  scale: { distr: 4, asinh: 2, range: (_, low, high) => [Math.min(1.8, low), Math.max(40, high * 1.1)] },
  axis: { ...AXIS, size: 44, splits: () => SPLITS_V, filter: (_, splits) => splits, values: (_, ticks) => ticks.map((v) => `${v} V`) },
};
const tzDate = (zone) => (ts) => new Date(new Date(ts * 1000).toLocaleString("en-US", { timeZone: zone }));

// A chart as large as its host, for as long as it is there.
function make(host, options, data) {
  const size = () => ({ width: host.clientWidth || 400, height: host.clientHeight || 190 });
  const chart = new window.uPlot({ ...size(), legend: { show: false }, ...options }, data, host);
  const resize = new ResizeObserver(() => { if (host.clientWidth) chart.setSize(size()); });
  resize.observe(host);
  return { chart, remove() { resize.disconnect(); chart.destroy(); } };
}

export function traceChart(host, { zone, limitV, limitText, sealedText }) {
  if (!window.uPlot) return null;
  let sealedS = null;
  const { chart, remove } = make(host, {
    padding: [PADDING_TOP, null, null, null],
    tzDate: tzDate(zone),
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    scales: { x: { range: (_, __, max) => [max - WINDOW_S, max] }, y: VOLTS.scale },
    axes: [
      { ...AXIS, space: 70, size: 24, values: (_, ticks) => ticks.map((s) => clockTime(s * 1000, zone).slice(0, 5)), incrs: [60, 120, 300] },
      VOLTS.axis,
    ],
    series: [{}, { stroke: INK.data, width: 1.5, points: { show: false }, spanGaps: false }],
    hooks: { drawClear: [(u) => shade(u, sealedS, sealedText)], draw: [(u) => limit(u, limitV, limitText)] },
  }, [[], []]);
  return {
    // times in s, volts or null; sealed: instant in s up to which readings are sealed, or null
    set(times, volts, sealed) {
      sealedS = sealed;
      chart.setData([times, volts]);
    },
    remove,
  };
}

// rows: {times in s, low, mean, high; null where there is no value}; from, to: s. pointed(index or
// null) is told where the cursor is. limitV: a threshold in V, null for what is no voltage of a pot.
export function trendChart(host, { zone, unit, from, to, rows, limitV, limitText, pointed }) {
  if (!window.uPlot) return null;
  const isPot = limitV !== null;
  const line = (width, more) => ({ stroke: INK.data, width, spanGaps: false, points: { show: false, ...more } });
  const edge = { ...line(1), stroke: INK.edge };
  const alone = lonely(rows.mean); // between two gaps: a dot, or nobody would see it
  const { chart, remove } = make(host, {
    padding: [PADDING_TOP, null, null, null],
    tzDate: tzDate(zone),
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    scales: { x: { range: () => [from, to] }, y: isPot ? VOLTS.scale : {} },
    axes: [
      { ...AXIS, space: 70, size: 24, values: (_, ticks, __, ___, step) => ticks.map((s) => tick(s * 1000, zone, step)) },
      isPot ? VOLTS.axis : { ...AXIS, size: 62, label: unit, labelSize: 18, labelFont: FONT },
    ],
    series: [{}, edge, line(1.5, { size: 4, fill: INK.data, filter: () => alone }), edge],
    bands: [{ series: [3, 1], fill: INK.band }],
    hooks: { setCursor: [(u) => pointed(u.cursor.idx === undefined ? null : u.cursor.idx)],
      draw: isPot ? [(u) => limit(u, limitV, limitText)] : [] },
  }, [rows.times, rows.low, rows.mean, rows.high]);
  return {
    // the cursor to a row, as arrow keys move it
    point(at) {
      chart.setCursor({ left: chart.valToPos(rows.times[at], "x"), top: 10 });
    },
    // a promise of the picture, with lines of text above it
    picture: (lines) => picture(chart.ctx.canvas, lines),
    remove,
  };
}

// Indexes of values that have a gap on both sides.
const lonely = (values) => values.flatMap((value, at) => (
  value !== null && (at === 0 || values[at - 1] === null) && (at === values.length - 1 || values[at + 1] === null) ? [at] : []));

// hh:mm, with the date at midnight; by days the date; by months year and month
function tick(atMs, zone, stepS) {
  const text = dateTime(atMs, zone).slice(0, 16);
  if (stepS >= 28 * DAY_S) return text.slice(0, 7);
  return stepS >= DAY_S || text.endsWith("00:00") ? text.slice(5, 10) : text.slice(11);
}
