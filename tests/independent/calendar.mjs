// Months and days of a time zone, as instants in ns: FORMAT.md section 5. Reads the list of names.

import { readFileSync } from "node:fs";

const NS_OF_MS = 1_000_000n;
const HOURS_36 = 36 * 3_600_000;
const names = new Set(readFileSync(new URL("zones.txt", import.meta.url), "utf8").trim().split(/\s+/));
const formats = new Map();

function shownAt(timeZone, ms) {
  if (!isZone(timeZone)) throw new RangeError(`${timeZone} is no time zone`);
  if (!formats.has(timeZone)) {
    formats.set(timeZone, new Intl.DateTimeFormat("en-CA", {
      timeZone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit",
      hour: "2-digit", minute: "2-digit", second: "2-digit",
    }));
  }
  const parts = formats.get(timeZone).formatToParts(ms);
  return Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)]));
}

/** By how many ms the clock there is ahead of UTC, at a whole second. */
function aheadAt(timeZone, ms) {
  const p = shownAt(timeZone, ms);
  return Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second) - ms;
}

/** The second at which the clock is set, between two instants of which it differs. */
function leapBetween(timeZone, from, to) {
  const before = aheadAt(timeZone, from);
  let [low, high] = [from / 1000, to / 1000];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (aheadAt(timeZone, middle * 1000) === before) low = middle;
    else high = middle;
  }
  return high * 1000;
}

/** First instant of a day there; month counts from 0, and both may run over. */
function dayStart(timeZone, year, month, day) {
  const midnight = Date.UTC(year, month, day);
  const [from, to] = [midnight - HOURS_36, midnight + HOURS_36];
  const [before, after] = [from, to].map((ms) => aheadAt(timeZone, ms));
  let at = midnight - before;
  if (before !== after) {
    const leap = leapBetween(timeZone, from, to);
    if (at >= leap) at = Math.max(leap, midnight - after); // else it comes before the leap
  }
  return BigInt(at) * NS_OF_MS;
}

/** First instant of a month; throws RangeError where the time zone is unknown. */
export const monthStart = (timeZone, year, month) => dayStart(timeZone, year, month, 1);

/** {year, month, day, …} that the clock there shows; throws RangeError as above. */
export const dateAt = (timeZone, ns) => shownAt(timeZone, Number(ns / NS_OF_MS));

/** True if the clock there shows the same month at both instants. */
export function isOneMonth(timeZone, ns, other) {
  const [one, two] = [ns, other].map((at) => dateAt(timeZone, at));
  return one.year === two.year && one.month === two.month;
}

/** True if there is a time zone of that name. */
export const isZone = (name) => names.has(name);

/** [from, to) of the day or month an instant is in; `start` of how many more of them. */
function around(start, ns) {
  const late = start(1) <= ns ? 1 : 0; // the clock was set back over midnight
  return [start(late), start(late + 1)];
}

/** [from, to) of the month an instant is in. */
export function monthOf(timeZone, ns) {
  const { year, month } = dateAt(timeZone, ns);
  return around((more) => monthStart(timeZone, year, month - 1 + more), ns);
}

/** [from, to) of the day an instant is in. */
export function dayOf(timeZone, ns) {
  const { year, month, day } = dateAt(timeZone, ns);
  return around((more) => dayStart(timeZone, year, month - 1, day + more), ns);
}
