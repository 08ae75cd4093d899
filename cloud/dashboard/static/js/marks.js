// What is drawn on a chart's canvas besides its lines, and the canvas as a picture of its own.
export const INK = { text: "#5a656e", grid: "#c3c8cc", data: "#2f3b44", limit: "#b3102a", open: "rgba(90,101,110,.13)", band: "rgba(47,59,68,.2)", edge: "rgba(47,59,68,.45)" };
export const FONT = '11px "Segoe UI","Noto Sans","Noto Sans CJK SC","Microsoft YaHei",system-ui,sans-serif';

// Grey from the last sealed instant on.
export function shade(u, sealedS, text) {
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

// The threshold of an anode effect.
export function limit(u, volts, text) {
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

// A promise of a PNG: lines of text, below them the chart.
export function picture(chart, lines) {
  const made = document.createElement("canvas");
  const [step, edge] = [20 * devicePixelRatio, 8 * devicePixelRatio];
  Object.assign(made, { width: chart.width, height: chart.height + step * lines.length + edge });
  const ctx = made.getContext("2d");
  ctx.fillStyle = "#fff";
  ctx.fillRect(0, 0, made.width, made.height);
  ctx.fillStyle = INK.data;
  ctx.font = FONT.replace("11px", `${13 * devicePixelRatio}px`);
  lines.forEach((text, at) => ctx.fillText(text, edge, step * (at + 1) - 4, made.width - 2 * edge));
  ctx.drawImage(chart, 0, step * lines.length + edge);
  return new Promise((done) => { made.toBlob(done, "image/png"); });
}
