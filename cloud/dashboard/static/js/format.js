// Numbers, times and ages as people read them. Pure but for the page's language.
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

const dayTime = (zone) => cached(`t${zone}`, () => new Intl.DateTimeFormat("en-GB", {
  timeZone: zone, hourCycle: "h23", hour: "2-digit", minute: "2-digit", second: "2-digit",
}));

// hh:mm:ss at the plant
export const clockTime = (ms, zone) => dayTime(zone).format(ms);

// yyyy-mm-dd hh:mm at the plant
export function dateTime(ms, zone) {
  const format = cached(`d${zone}`, () => new Intl.DateTimeFormat("en-CA", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
  }));
  const part = {};
  for (const { type, value } of format.formatToParts(ms)) part[type] = value;
  return `${part.year}-${part.month}-${part.day} ${part.hour}:${part.minute}`;
}

// "(UTC+8)": the zone's offset at that instant
export function zoneOffset(ms, zone) {
  const format = cached(`z${zone}`, () => new Intl.DateTimeFormat("en-US", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric",
    hour: "numeric", minute: "numeric",
  }));
  const part = {};
  for (const { type, value } of format.formatToParts(ms)) part[type] = Number(value);
  const local = Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute);
  const minutes = Math.round(local / 60000) - Math.floor(ms / 60000);
  const hours = Math.trunc(Math.abs(minutes) / 60);
  const rest = Math.abs(minutes) % 60;
  const tail = rest ? `:${String(rest).padStart(2, "0")}` : "";
  return `(UTC${minutes < 0 ? "-" : "+"}${hours}${tail})`;
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

// "tCO2e/h" as people write it
export const unitText = (unit) => (unit === "1" ? "" : unit).replace(/CO2/g, "CO₂").replace(/m3/g, "m³")
  .replace(/^tCO/, "t CO").replace("degC", "°C");
