// What the overview says, as pure functions of what it was told: no DOM, no texts but keys.

// The figure a plant is known by: of record before an indicator.
const HEADLINES = ["plant.co2e_t_h", "plant.now_co2_t_h", "plant.co2_indicator_t_h", "plant.fuel_co2_t_h"];
const OPEN = ["late", "waiting", "ready", "closed", "open"]; // the most pressing first

export const headlineOf = (points) => HEADLINES.find((id) => points[id]) || HEADLINES[0];

// {value, unit, benchmark, over} of this month so far, or {reason}: t CO2(e) for a t of product.
export function intensity(told) {
  const month = told && told.periods && told.periods.month;
  if (!month || month.reason) return { reason: (month && month.reason) || (told && told.reason) || "counting" };
  if (month.total_t === null) return { reason: "no-total" };
  if (month.missing.length) return { reason: "partial" };
  if (month.output_t === null || month.output_t === undefined) return { reason: "no-output" };
  if (!(Number(month.output_t) > 0)) return { reason: "nothing-made" };
  const value = Number(month.total_t) / Number(month.output_t);
  const text = (told.projection.month || {}).benchmark_t_t;
  const benchmark = text === undefined ? null : Number(text);
  return { value, unit: `${told.unit}/t`, benchmark, over: benchmark === null ? null : value / benchmark - 1 };
}

// {total, unit, partial, due, over} of this month so far against its allowance by days, or {reason};
// due is null with the reason why there is none.
export function monthToDate(told) {
  const month = told && told.periods && told.periods.month;
  if (!month || month.reason) return { reason: (month && month.reason) || (told && told.reason) || "counting" };
  if (month.total_t === null) return { reason: "no-total" };
  const total = Number(month.total_t);
  const ahead = told.projection.month || {};
  const days = Number(ahead.days) / Number(ahead.of_days);
  const found = { total, unit: told.unit, missing: month.missing, since: month.since_ns, begins: month.from_ns };
  if (ahead.allowance_t === undefined || !(days > 0)) {
    return { ...found, due: null, why: ahead.no_allowance || ahead.reason || "not-given" };
  }
  const due = Number(ahead.allowance_t) * days;
  return { ...found, due, over: total - due, share: due > 0 ? total / due : null };
}

// The month that presses most: {month, state, daysLeft, deadline, owed, blocking}; null without any.
export function pressing(rows) {
  const open = (rows || []).filter((row) => OPEN.includes(row.state));
  if (!open.length) return null;
  const rank = (row) => [OPEN.indexOf(row.state), row.month];
  const first = [...open].sort((a, b) => {
    const [[p, m], [q, n]] = [rank(a), rank(b)];
    return p - q || (m < n ? -1 : 1);
  })[0];
  return {
    month: first.month, state: first.state, daysLeft: first.days_left, deadline: first.deadline,
    owed: first.owed.length, blocking: first.owed.filter((one) => one.blocks).length,
  };
}

// The month whose sealed archive somebody must look at: one that failed, else the newest sealed one where
// it did not pass whole; null where there is none.
export function doubtful(rows) {
  const sealed = [...(rows || [])].filter((row) => row.sealed).sort((a, b) => (a.month < b.month ? 1 : -1));
  const failed = sealed.find((row) => row.sealed.exit_status === 1);
  if (failed) return failed;
  return sealed.length && sealed[0].sealed.exit_status ? sealed[0] : null;
}

// Share of a month that is over at an instant, 0..1: how far an open month has come.
export const elapsed = (row, serverNs) =>
  Math.min(1, Math.max(0, (serverNs - row.from_ns) / (row.to_ns - row.from_ns)));

// Figures that a headline adds up, down to those made of meters: [{row, sign}] in order.
export function partsOf(made, ident, sign = 1) {
  const row = made.find((one) => one.id === ident);
  if (!row) return [];
  if (!row.of.length) return [{ row, sign }];
  return row.of.flatMap(([part, factor]) => partsOf(made, part, sign * factor));
}

// Measured points that a figure is made of, through all its parts.
export function metersOf(made, ident) {
  const row = made.find((one) => one.id === ident);
  if (!row) return [ident];
  const below = [...row.inputs, ...row.of.map(([part]) => part)];
  return [...new Set(below.flatMap((one) => metersOf(made, one)))];
}

// What this month has counted of a part: the line of its place among those of its table and kind;
// null where that cannot be told.
export function countedOf(told, made, row) {
  const month = told && told.periods && told.periods.month;
  if (!month || month.reason || !row.table || row.table === "burnt") return null;
  const same = (one) => one.table === row.table && (one.name && one.name.en) === (row.name && row.name.en);
  const lines = month.lines.filter((line) => line.category === row.table && (!row.name || line.kind === row.name.en));
  const peers = made.filter(same);
  const mine = peers.length === 1 ? lines : lines.length === peers.length ? [lines[peers.indexOf(row)]] : [];
  return mine.length ? mine.reduce((sum, line) => sum + line.sign * Number(line.emission_t), 0) : null;
}
