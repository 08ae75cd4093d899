// Months and days of a time zone, as instants in ns. Pure; no I/O.

const MS = 1_000_000n;
const formats = new Map();

function partsOf(timeZone, ms) {
  if (!formats.has(timeZone)) {
    formats.set(timeZone, new Intl.DateTimeFormat("en-CA", {
      timeZone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit",
      hour: "2-digit", minute: "2-digit", second: "2-digit",
    }));
  }
  const parts = formats.get(timeZone).formatToParts(ms);
  return Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)]));
}

/** First instant of a day there; month counts from 0, and both may run over. */
function dayStart(timeZone, year, month, day) {
  const wanted = Date.UTC(year, month, day);
  let at = wanted;
  for (let i = 0; i < 3; i++) {
    const p = partsOf(timeZone, at);
    at += wanted - Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second);
  }
  return BigInt(at) * MS;
}

/** First instant of a month; throws RangeError where the time zone is unknown. */
export const monthStart = (timeZone, year, month) => dayStart(timeZone, year, month, 1);

/** {year, month, day, …} of an instant there; throws RangeError as above. */
export const dateAt = (timeZone, ns) => partsOf(timeZone, Number(ns / MS));

/** True if there is a time zone of that name. */
export function isZone(name) {
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone: name }));
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** [from, to) of the month an instant is in. */
export function monthOf(timeZone, ns) {
  const { year, month } = dateAt(timeZone, ns);
  return [0, 1].map((more) => monthStart(timeZone, year, month - 1 + more));
}

/** [from, to) of the day an instant is in. */
export function dayOf(timeZone, ns) {
  const { year, month, day } = dateAt(timeZone, ns);
  return [0, 1].map((more) => dayStart(timeZone, year, month - 1, day + more));
}
