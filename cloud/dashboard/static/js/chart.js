// The only module that knows uPlot: a voltage trace on a log-like axis, with its threshold and
// the part that is not yet sealed. Returns null when the library is not installed.
import { clockTime } from "./format.js";

const INK = { text: "#5a656e", grid: "#c3c8cc", data: "#2f3b44", limit: "#b3102a", open: "rgba(90,101,110,.13)" };
const FONT = '11px "Segoe UI","Noto Sans","Noto Sans CJK SC","Microsoft YaHei",system-ui,sans-serif';
const SPLITS_V = [0, 2, 4, 8, 16, 32, 64];
const WINDOW_S = 600;

export function traceChart(host, { zone, limitV, limitText, sealedText }) {
  if (!window.uPlot) return null;
  let sealedS = null;
  const axis = { stroke: INK.text, font: FONT, grid: { stroke: INK.grid, width: 1 }, ticks: { show: false } };
  const chart = new window.uPlot({
    width: host.clientWidth || 400, height: host.clientHeight || 190,
    tzDate: (ts) => new Date(new Date(ts * 1000).toLocaleString("en-US", { timeZone: zone })),
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { range: (_, __, max) => [max - WINDOW_S, max] },
      y: { distr: 4, asinh: 2, range: (_, low, high) => [Math.min(1.8, low), Math.max(40, high * 1.1)] },
    },
    axes: [
      { ...axis, space: 70, size: 24, values: (_, ticks) => ticks.map((s) => clockTime(s * 1000, zone).slice(0, 5)), incrs: [60, 120, 300] },
      { ...axis, size: 44, splits: () => SPLITS_V, filter: (_, splits) => splits, values: (_, ticks) => ticks.map((v) => `${v} V`) },
    ],
    series: [{}, { stroke: INK.data, width: 1.5, points: { show: false }, spanGaps: false }],
    hooks: { drawClear: [(u) => shade(u, sealedS, sealedText)], draw: [(u) => limit(u, limitV, limitText)] },
  }, [[], []], host);
  const resize = new ResizeObserver(() => {
    if (host.clientWidth) chart.setSize({ width: host.clientWidth, height: host.clientHeight });
  });
  resize.observe(host);
  return {
    // times in s, volts or null; sealed: instant in s up to which readings are sealed, or null
    set(times, volts, sealed) {
      sealedS = sealed;
      chart.setData([times, volts]);
    },
    remove() {
      resize.disconnect();
      chart.destroy();
    },
  };
}

// Grey from the last sealed instant on.
function shade(u, sealedS, text) {
  if (!u.data[0].length) return;
  const { left, top, width, height } = u.bbox;
  const from = sealedS === null ? left : Math.max(left, u.valToPos(sealedS, "x", true));
  if (from >= left + width) return;
  u.ctx.save();
  u.ctx.fillStyle = INK.open;
  u.ctx.fillRect(from, top, left + width - from, height);
  label(u, text, left + width - 4, top + height - 6 * devicePixelRatio, INK.text, "right");
  u.ctx.restore();
}

function limit(u, volts, text) {
  const y = Math.round(u.valToPos(volts, "y", true));
  const { left, width } = u.bbox;
  u.ctx.save();
  u.ctx.strokeStyle = INK.limit;
  u.ctx.lineWidth = devicePixelRatio;
  u.ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
  u.ctx.beginPath();
  u.ctx.moveTo(left, y);
  u.ctx.lineTo(left + width, y);
  u.ctx.stroke();
  label(u, text, left + 4, y - 5 * devicePixelRatio, INK.limit, "left");
  u.ctx.restore();
}

function label(u, text, x, y, color, align) {
  u.ctx.font = FONT.replace("11px", `${11 * devicePixelRatio}px`);
  u.ctx.fillStyle = color;
  u.ctx.textAlign = align;
  u.ctx.textBaseline = "alphabetic";
  u.ctx.fillText(text, x, y);
}
