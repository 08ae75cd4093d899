// Numbers and ages as people read them; times: times.js. Pure but for the page's language.
import { language, t } from "./texts.js";

const locale = language === "zh" ? "zh-CN" : "en-GB";
const formats = new Map();

function cached(key, make) {
  if (!formats.has(key)) formats.set(key, make());
  return formats.get(key);
}

export function number(value, decimals) {
  const format = cached(`n${decimals}`, () => new Intl.NumberFormat(locale, {
    minimumFractionDigits: decimals, maximumFractionDigits: decimals,
  }));
  const text = format.format(Number(value));
  return /[1-9]/.test(text) ? text : text.replace("-", ""); // never "-0.00"
}

export function age(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return t("age.s", { n: s });
  if (s < 3600) return t("age.min", { n: Math.floor(s / 60) });
  if (s < 172800) return t("age.h", { n: Math.floor(s / 3600) });
  return t("age.d", { n: Math.floor(s / 86400) });
}

// bytes, as cloud/api/amounts.py writes them
export function size(bytes) {
  const [length, unit] = [[1e6, "MB"], [1e3, "kB"]].find(([least]) => bytes >= least) || [1, "B"];
  return `${number(bytes / length, length > 1 ? 1 : 0)} ${unit}`;
}

// m:ss, or h:mm:ss
export function duration(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  const two = (n) => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`;
}

// A name of a plant's or device's own choice within a line: without the marks that would turn the rest of it.
export const named = (name) => name.replace(/[\u202a-\u202e\u2066-\u2069]/g, "");

// "tCO2e/h" as people write it; pages that the server makes write the same way (cloud/api/amounts.py)
export const unitText = (unit) => (unit === "1" ? "" : signs(unit)).replace(/^10⁴/, "× 10⁴").replace(/^tCO/, "t CO");

// A decimal string with its thousands set apart, every digit as it came
export const figure = (text) => text.replace(/^-?\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","));

export const signs = (text) => text.replace(/10\^4/g, "10⁴").replace(/CO2/g, "CO₂").replace(/m3/g, "m³").replace(/degC/g, "°C");
