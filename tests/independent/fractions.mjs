// Exact fractions [numerator, denominator > 0] of BigInt, and how they are printed (FIGURES.md).

export const ZERO = [0n, 1n];
const abs = (n) => (n < 0n ? -n : n);

function gcd(a, b) {
  let [x, y] = [abs(a), b];
  while (y) [x, y] = [y, x % y];
  return x;
}

function reduced(n, d) {
  const by = gcd(n, d);
  return [n / by, d / by];
}

export const of = (n, d = 1n) => (d < 0n ? reduced(-n, -d) : reduced(n, d));
export const add = ([a, b], [c, d]) => reduced(a * d + c * b, b * d);
export const sub = (x, [c, d]) => add(x, [-c, d]);
export const mul = (...all) => all.reduce(([a, b], [c, d]) => reduced(a * c, b * d), [1n, 1n]);
export const div = ([a, b], [c, d]) => of(a * d, b * c);
export const sum = (all) => all.reduce(add, ZERO);

const NUMBER = /^([+-]?)(\d+)(?:\.(\d+))?$/;

/** A decimal string, or two with a "/" between; null if it is none. */
export function parse(spelled) {
  if (typeof spelled !== "string" || spelled.length > 40) return null;
  const parts = spelled.split("/").map((part) => NUMBER.exec(part));
  if (parts.length > 2 || parts.some((part) => part === null)) return null;
  const [a, b] = parts.map(([, sign, whole, rest = ""]) =>
    of(BigInt(whole + rest) * (sign === "-" ? -1n : 1n), 10n ** BigInt(rest.length)));
  if (b?.[0] === 0n) return null;
  return b === undefined ? a : div(a, b);
}

/** The nearest integer, halves away from zero. */
export function round([n, d]) {
  const rounded = (2n * abs(n) + d) / (2n * d);
  return n < 0n ? -rounded : rounded;
}

/** A count of 10^-decimals. */
export function decimal(count, decimals) {
  const digits = abs(count).toString().padStart(decimals + 1, "0");
  const at = digits.length - decimals;
  const text = decimals ? `${digits.slice(0, at)}.${digits.slice(at)}` : digits;
  return count < 0n ? `-${text}` : text;
}

/** With exactly n decimals, half away from zero. */
export const places = ([a, d], n) => decimal(round([a * 10n ** BigInt(n), d]), n);

/** As a decimal without trailing zeros; 15 places where there is no finite form. */
export function exact(x) {
  const [n, d] = reduced(...x);
  let [rest, twos, fives] = [d, 0, 0];
  for (; rest % 2n === 0n; rest /= 2n) twos += 1;
  for (; rest % 5n === 0n; rest /= 5n) fives += 1;
  const text = places([n, d], rest === 1n ? Math.max(twos, fives) : 15);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
