// Which 32 bytes may be an Ed25519 key, and which no signature's R: FORMAT.md section 2. Pure; no I/O.

import { FormatError } from "./cbor.mjs";

const P = (1n << 255n) - 19n;
const SIGN = 1n << 255n;
const ORDER_8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;

const mod = (x) => ((x % P) + P) % P;

function power(base, exponent) {
  let [found, square] = [1n, mod(base)];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) found = (found * square) % P;
    square = (square * square) % P;
  }
  return found;
}

const D = mod(-121665n * power(121666n, P - 2n));

function encoded(number) {
  return Buffer.from(number.toString(16).padStart(64, "0"), "hex").reverse().toString("hex");
}

/** Hex of every 32 bytes that some reader takes for one of the eight points of small order. */
const SMALL = new Set([0n, 1n, P - 1n, P, P + 1n, ORDER_8, P - ORDER_8]
  .flatMap((y) => [encoded(y), encoded(y + SIGN)]));

/** True for the first half of a signature that gives its key away. */
export function isSmall(bytes) {
  return SMALL.has(Buffer.from(bytes).toString("hex"));
}

/** Throws unless 32 bytes are the one encoding of a point of the curve that is not of small order. */
export function checkKey(bytes) {
  if (isSmall(bytes)) throw new FormatError("the key is a point of small order");
  const y = BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`) & (SIGN - 1n);
  if (y >= P) throw new FormatError("the key is a point in another form");
  const square = mod((y * y - 1n) * (D * y * y + 1n)); // x^2 times a square
  if (power(square, (P - 1n) / 2n) !== 1n) throw new FormatError("the key is no point of the curve");
}
