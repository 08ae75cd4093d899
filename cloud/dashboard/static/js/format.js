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

// m:ss, or h:mm:ss
export function duration(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  const two = (n) => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`;
}

// A name of a plant's or device's own choice within a line: without the marks that would turn the rest of it.
export const named = (name) => name.replace(/[\u202a-\u202e\u2066-\u2069]/g, "");

// "tCO2e/h" as people write it
export const unitText = (unit) => (unit === "1" ? "" : unit).replace(/CO2/g, "CO₂").replace(/m3/g, "m³")
  .replace(/^tCO/, "t CO").replace("degC", "°C");
