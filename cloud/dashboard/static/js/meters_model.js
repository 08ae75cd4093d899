// Rows of the table of meters, as pure functions: share of the total, order, filter.
import { headlineOf, metersOf, partsOf } from "./overview_model.js";

const WORST = { bad: 0, none: 1, stale: 2, reserved: 3, good: 4 };

// Point -> share (0..1) of the emission now that it is an input of; absent points have none.
export function shares(model, made) {
  const parts = partsOf(made, headlineOf(model.state.points)).map(({ row }) => {
    const { value } = model.reading(row.id);
    return { meters: metersOf(made, row.id), amount: value === null ? 0 : Math.abs(Number(value)) };
  });
  const sum = parts.reduce((total, part) => total + part.amount, 0);
  const found = new Map();
  for (const part of parts) {
    for (const id of part.meters) found.set(id, (found.get(id) || 0) + (sum > 0 ? part.amount / sum : 0));
  }
  return found;
}

// What is compared, by column; a missing one comes last whichever way it goes.
const KEYS = {
  point: (row) => row.id,
  value: (row) => (row.reading.value === null ? null : Number(row.reading.value)),
  age: (row) => (row.reading.ageMs === undefined ? null : row.reading.ageMs),
  quality: (row) => WORST[row.reading.grade],
  share: (row) => (row.share === undefined ? null : row.share),
  due: (row) => (row.due && row.due.day) || null,
  gap: (row) => (row.gap ? row.gap.fromMs : null),
  meter: (row) => row.reading.facts.device || "",
};

export function sorted(rows, by, down) {
  const key = KEYS[by];
  return [...rows].sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === null || y === null) return (x === null) - (y === null) || compare(a.id, b.id);
    return (down ? compare(y, x) : compare(x, y)) || compare(a.id, b.id);
  });
}

const compare = (x, y) => (x < y ? -1 : x > y ? 1 : 0);

// As it is found first: what is wrong before what is well, the heavy before the light.
export const worstFirst = (rows) => [...rows].sort((a, b) =>
  KEYS.quality(a) - KEYS.quality(b) || (b.share || 0) - (a.share || 0) || compare(a.id, b.id));

export const matches = (row, { find, bad, kind }) =>
  (!find || `${row.id} ${row.reading.facts.device}`.toLowerCase().includes(find.toLowerCase()))
  && (!bad || WORST[row.reading.grade] < WORST.reserved)
  && (!kind || kind === row.kind);

// "computed", "pot" (voltage and state of a pot: hundreds of them), else "meter".
export function kindOf(state, id) {
  if (state.points[id].computed) return "computed";
  return state.potlines.some((line) => line.pots.some((pot) => pot.voltage === id || pot.state === id)) ? "pot" : "meter";
}
