// The one way that pages write an instant: 2026-11-28 14:05:07, by a plant's clock. The zone is named
// once on a page (`zoneOffset`); the server writes the same way (cloud/api/times.py). Pure.
const formats = new Map();

// {year, month, day, hour, minute, second} as text; Intl's format is costly to make
function parts(ms, zone) {
  if (!formats.has(zone)) {
    formats.set(zone, new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
      timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
    }));
  }
  const found = {};
  for (const { type, value } of formats.get(zone).formatToParts(ms)) found[type] = value;
  return found;
}

// 14:05:07: of a clock that goes, or where the day stands beside it
export function clockTime(ms, zone) {
  const { hour, minute, second } = parts(ms, zone);
  return `${hour}:${minute}:${second}`;
}

// 2026-11-28
export function dayOf(ms, zone) {
  const { year, month, day } = parts(ms, zone);
  return `${year}-${month}-${day}`;
}

// 2026-11-28 14:05:07
export const dateTime = (ms, zone) => `${dayOf(ms, zone)} ${clockTime(ms, zone)}`;

// The same; of today the time alone.
export const moment = (ms, zone, nowMs) => (dayOf(ms, zone) === dayOf(nowMs, zone) ? clockTime(ms, zone) : dateTime(ms, zone));

// "(UTC+8)": the zone's offset at that instant
export function zoneOffset(ms, zone) {
  const { year, month, day, hour, minute } = parts(ms, zone);
  const local = Date.UTC(year, month - 1, day, hour, minute);
  const minutes = Math.round(local / 60000) - Math.floor(ms / 60000);
  const hours = Math.trunc(Math.abs(minutes) / 60);
  const rest = Math.abs(minutes) % 60;
  return `(UTC${minutes < 0 ? "-" : "+"}${hours}${rest ? `:${String(rest).padStart(2, "0")}` : ""})`;
}
