// The emission now against the band that the plant's people call normal. Without a value to trust
// nothing is judged; no alarm goes by it.
import { h, setText } from "./dom.js";
import { number } from "./format.js";
import { t } from "./texts.js";

const OF_WIDTH = 1; // the scale shows as much on either side as the band is wide

// Where a value lies: {where: "below", "inside" or "above", by how much}. Pure.
export function against(value, low, high) {
  if (value < low) return { where: "below", n: low - value };
  if (value > high) return { where: "above", n: value - high };
  return { where: "inside", n: 0 };
}

export function normalView(band, unit) {
  const [low, high] = [Number(band.low_t_h), Number(band.high_t_h)];
  const width = high - low;
  const left = Math.max(0, low - OF_WIDTH * width);
  const whole = high + OF_WIDTH * width - left;
  const share = (value) => `${Math.min(1, Math.max(0, (value - left) / whole)) * 100}%`;
  const pointer = h("b");
  const norm = h("i");
  norm.style.marginLeft = share(low);
  norm.style.width = `${(width / whole) * 100}%`;
  const words = h("span");
  const stated = t("normal.stated", band);
  const node = h("div", { class: "normal-band", title: stated },
    h("div", { class: "meter", "aria-hidden": "true" }, norm, pointer),
    h("p", { class: "note" }, words, h("span", { class: "unseen" }, ` ${stated}`)));
  const told = { low: number(low, 2), high: number(high, 2), unit };
  return {
    node,
    update(reading) {
      const isTold = reading.value !== null && reading.grade !== "stale";
      const { where, n } = isTold ? against(Number(reading.value), low, high) : { where: "untold", n: 0 };
      pointer.hidden = !isTold;
      if (isTold) pointer.style.left = share(Number(reading.value));
      node.classList.toggle("outside", where === "below" || where === "above");
      setText(words, t(`normal.${where}`, { ...told, n: number(n, 2) }));
    },
  };
}
