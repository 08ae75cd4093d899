// Configurations: FORMAT.md section 5, counts as in FIGURES.md. Pure; no I/O.

import { isZone } from "./calendar.mjs";
import * as cbor from "./cbor.mjs";
import { FormatError, NewerError } from "./cbor.mjs";
import { NUMBER_TYPES, numberAt } from "./frame.mjs";
import { checkWords } from "./quantities.mjs";
import { BESIDE, LISTS, mayBeInParts, wordsOf } from "./sections.mjs";
import { checkMeter } from "./settings.mjs";

const NUMBER = /^[+-]?\d+(\.\d+)?([eE][+-]?\d)?$/;

/** A configuration as plain fields; throws FormatError or NewerError. */
export function decode(value) {
  if (!(value instanceof Map)) throw new FormatError("a configuration is a map");
  const format = cbor.uint(value.get("format"), "format");
  if (format !== 1n) throw new NewerError(`configuration of format ${format}`);
  cbor.map(value, "configuration", ["format", "software", "plant", "gateway", "collector",
    "schedules", "devices", "points", "groups", "potlines", "statement"]);
  cbor.string(value.get("software"), "software");
  const plant = texts(value.get("plant"), "plant",
    ["id", "name", "sector", "time_zone", "rule_set"], ["simulated"]);
  cbor.bool(plant.get("simulated"), "simulated");
  if (!isZone(plant.get("time_zone"))) throw new FormatError("no such time zone");
  const gateway = texts(value.get("gateway"), "gateway", ["id", "slice"]);
  const collector = cbor.map(value.get("collector"), "collector", ["key_sha256"]);
  cbor.bytes(collector.get("key_sha256"), "collector's key", 32);
  const schedules = some(value.get("schedules"), "schedules").map((item) => {
    cbor.map(item, "schedule", ["interval_ns"]);
    const interval = cbor.uint(item.get("interval_ns"), "interval", (1n << 63n) - 1n);
    if (interval === 0n) throw new FormatError("an interval of nothing");
    return interval;
  });
  if (schedules.length > 100) throw new FormatError("more than 100 schedules");
  const devices = cbor.list(value.get("devices"), "devices");
  for (const item of devices) device(item, schedules.length);
  once(devices.map((item) => item.get("id")), "device");
  const points = some(value.get("points"), "points").map(point);
  const groups = some(value.get("groups"), "groups").map((item) =>
    group(item, schedules.length, points));
  checkGroups(groups, points);
  if (new Set(groups.map(({ schedule }) => schedule)).size !== schedules.length) {
    throw new FormatError("a schedule without groups");
  }
  checkMarks(points);
  for (const item of cbor.list(value.get("potlines"), "potlines")) potline(item);
  statement(value.get("statement"), points);
  return {
    plant: plant.get("id"), timeZone: plant.get("time_zone"), ruleSet: plant.get("rule_set"),
    simulated: plant.get("simulated"), gateway: gateway.get("id"), schedules,
    devices: devices.length, points, groups, collector: collector.get("key_sha256"),
    fields: value,
  };
}

function some(value, what) {
  if (cbor.list(value, what).length === 0) throw new FormatError(`there are no ${what}`);
  return value;
}

const SOURCE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/;

function once(ids, what) {
  if (new Set(ids).size !== ids.length) throw new FormatError(`two of one id: ${what}`);
}

function plain(value, what) {
  if (!(value instanceof Map)) throw new FormatError(`${what} is no map`);
}

function texts(value, what, required, others = [], optional = [], more = []) {
  cbor.map(value, what, [...required, ...others], [...optional, ...more]);
  for (const key of [...required, ...optional]) {
    if (value.has(key)) cbor.string(value.get(key), `${what}.${key}`);
  }
  return value;
}

function device(value, schedules) {
  texts(value, "device", ["id", "url", "profile", "profile_revision", "provenance"],
    ["schedule", "settings"], [], ["meter"]);
  cbor.small(value.get("schedule"), "device's schedule", 0, schedules - 1);
  plain(value.get("settings"), "settings");
  for (const [key, item] of value.get("settings")) {
    cbor.string(key, "setting");
    cbor.string(item, "setting");
  }
  if (value.has("meter")) checkMeter(value.get("meter"));
}

function numberType(value) {
  const type = Number(cbor.uint(value, "dtype"));
  if (!NUMBER_TYPES.has(type)) throw new NewerError(`number type ${type} is newer`);
  return type;
}

function point(value) {
  cbor.map(value, "point", ["id", "quantity", "dtype", "decimals", "role", "provenance"],
    ["device", "source", "scaling", "range_min", "range_max", "states", "rules", "marks",
      "speaks_of"]);
  for (const key of ["id", "role", "provenance", "device", "source"]) {
    if (value.has(key)) cbor.string(value.get(key), `point's ${key}`);
  }
  texts(value.get("quantity"), "quantity", ["kind", "unit"], [],
    ["reference", "moisture", "heating", "fuel_basis"]);
  checkWords(value);
  const [role, dtype] = [value.get("role"), numberType(value.get("dtype"))];
  if (!["gauge", "totaliser", "state"].includes(role)) throw new FormatError("role");
  if (role === "state" && NUMBER_TYPES.get(dtype)[1]) throw new FormatError("a state in floats");
  for (const key of ["range_min", "range_max"]) if (value.has(key)) exact(value.get(key));
  for (const item of value.has("states") ? some(value.get("states"), "states") : []) {
    const [code, word] = cbor.list(item, "state", 2);
    if (typeof code !== "bigint") throw new FormatError("state");
    cbor.string(word, "state");
  }
  rules(value);
  marks(value);
  return {
    id: value.get("id"), dtype, fields: value,
    decimals: cbor.small(value.get("decimals"), "decimals", 0, 9),
    scaling: scaling(value.get("scaling")),
  };
}

/** Limits beside the range: FORMAT.md section 5. */
function rules(point) {
  if (!point.has("rules")) return;
  const found = texts(point.get("rules"), "rules", [], [],
    ["rate_per_s", "jump", "stuck_after_s", "stuck_tolerance", "stale_after_s"]);
  const role = point.get("role");
  for (const [key, text] of found) {
    const [number] = exact(text);
    if (number < 0n || (number === 0n && key !== "stuck_tolerance")) throw new FormatError(key);
    const fits = key === "stale_after_s" || role === "gauge" ||
      (key === "rate_per_s" && role === "totaliser");
    if (!fits) throw new FormatError(`${key} of a ${role}`);
  }
  if (found.has("stuck_tolerance") && !found.has("stuck_after_s")) throw new FormatError("stuck");
}

/** What a state says of other points. */
function marks(point) {
  if (!point.has("marks") && !point.has("speaks_of")) return;
  if (point.get("role") !== "state") throw new FormatError("marks of no state");
  const found = some(point.get("marks"), "marks").map((item) => {
    const [raw, code] = cbor.list(item, "mark", 2);
    if (typeof raw !== "bigint" || ![134n, 139n, 140n].includes(code)) throw new FormatError("mark");
    return raw;
  });
  const named = some(point.get("speaks_of"), "speaks_of").map((id) => cbor.string(id, "speaks_of"));
  for (const all of [found, named]) {
    if (new Set(all).size !== all.length) throw new FormatError("twice in marks or speaks_of");
  }
}

/** A state speaks of values of its own device. */
function checkMarks(points) {
  const byId = new Map(points.map(({ id, fields }) => [id, fields]));
  for (const { fields } of points) {
    for (const id of fields.get("speaks_of") ?? []) {
      const other = byId.get(id);
      if (other === undefined || other.get("role") === "state" ||
          other.get("device") !== fields.get("device")) throw new FormatError("speaks of no value");
    }
  }
}

function group(value, schedules, points) {
  cbor.map(value, "group", ["schedule", "dtype", "computed", "points"]);
  const dtype = numberType(value.get("dtype"));
  const members = some(value.get("points"), "points of a group").map((item) =>
    cbor.small(item, "point of a group", 0, points.length - 1));
  return {
    schedule: cbor.small(value.get("schedule"), "group's schedule", 0, schedules - 1),
    dtype, computed: cbor.bool(value.get("computed"), "computed"), points: members,
  };
}

/** Ids are unique; each point stands in one group, once, and has its number type. */
function checkGroups(groups, points) {
  once(points.map(({ id }) => id), "point");
  const seen = new Set();
  for (const { dtype, points: members } of groups) {
    for (const index of members) {
      if (seen.has(index)) throw new FormatError("a point stands twice");
      if (points[index].dtype !== dtype) throw new FormatError("a point of another number type");
      seen.add(index);
    }
  }
  if (seen.size !== points.length) throw new FormatError("a point stands in no group");
}

/** FIGURES.md section 1. */
function potline(value) {
  texts(value, "potline", ["id", "line_current", "technology", "current_efficiency_percent"],
    ["pots", "anode_effect", "indicator"]);
  for (const pot of some(value.get("pots"), "pots")) texts(pot, "pot", ["id", "voltage", "state"]);
  const rules = texts(value.get("anode_effect"), "rules", ["mode", "v_start_v", "t_start_s",
    "v_end_v", "t_end_s", "t_merge_s", "target_v"]);
  if (!["positive", "algebraic"].includes(rules.get("mode"))) throw new FormatError("mode");
  texts(value.get("indicator"), "indicator", ["edition", "gwp"], [],
    ["slope", "c2f6_fraction", "source"]);
}

function statement(value, points) {
  cbor.map(value, "statement", [], ["metal", "anode", "output", "burnt", "kiln_feed", "auxiliary", "beside",
    "fuels", "process", "products", "clinker", "substitutes"]);
  const each = (key) => (value.has(key) ? cbor.list(value.get(key), key) : []);
  const isTotaliser = (named) => {
    const role = points.find(({ id }) => id === named)?.fields.get("role");
    if (role !== "totaliser") throw new FormatError("no totaliser");
  };
  const totaliser = (item, required, optional, keys = ["point"]) => {
    texts(item, "totaliser", [...keys, "rule", ...required], [], optional);
    for (const key of keys) isTotaliser(item.get(key));
    if (item.get("rule") !== "totaliser") throw new FormatError("no totaliser");
    return item;
  };
  for (const key of ["metal", "output"]) if (value.has(key)) totaliser(value.get(key), [], []);
  const about = (item, key) => {
    if (item.has(key) && !SOURCE.test(item.get(key))) throw new FormatError(`${key} is no id`);
  };
  if (value.has("anode")) {
    texts(value.get("anode"), "anode", ["gross_kg_per_t", "source"], [], ["about"]);
    about(value.get("anode"), "about");
  }
  const sources = [];
  for (const { key, table, name } of LISTS) {
    for (const item of each(key)) {
      if (item instanceof Map && item.get("rule") === "records") {
        texts(item, "entry", [name, "rule", "source"], [], [...wordsOf(table), "bridge"]);
        about(item, "source");
        if (item.has("bridge")) isTotaliser(item.get("bridge"));
        sources.push(item.get("source"));
        continue;
      }
      const parts = item instanceof Map && mayBeInParts(table) && !item.has("point")
        ? ["purchased", "output"].filter((part) => item.has(part)) : ["point"];
      if (!parts.length) throw new FormatError("an entry without a totaliser");
      const flows = parts.map((part) => (part === "point" ? "flow_point" : `${part}_flow`));
      totaliser(item, [name], [...flows, ...wordsOf(table), "source"], parts);
      about(item, "source");
    }
  }
  once(sources, "sources");
  for (const item of each("burnt")) texts(item, "burnt", ["kind", "flow_point"]);
  if (value.has("kiln_feed")) {
    texts(value.get("kiln_feed"), "kiln_feed", ["kind", "flow_point", "meal_per_clinker", "source"]);
  }
  for (const item of each("auxiliary")) {
    const kind = totaliser(item, ["kind"], ["power_point"]).get("kind");
    if (kind !== "electricity") throw new FormatError("kind");
  }
  for (const item of each("beside")) {
    const isSecond = item instanceof Map && item.get("check") === "second-meter";
    totaliser(item, isSecond ? ["check", "of"] : ["check"], isSecond ? [] : ["unit"]);
    if (!BESIDE.has(item.get("check"))) throw new FormatError("check");
  }
}

/** True if a frame's section is one of its schedule. */
export function fitsConfiguration(section, config) {
  const schedule = Number(section.schedule);
  if (schedule >= config.schedules.length || section.step !== config.schedules[schedule] ||
      section.first % section.step !== 0n) {
    return false;
  }
  if (section.devices.some((device) => device >= BigInt(config.devices))) return false;
  const wanted = config.groups.map((group, index) => ({ ...group, index }))
    .filter((group) => group.schedule === schedule);
  return section.groups.length === wanted.length && section.groups.every((group, i) =>
    group.group === BigInt(wanted[i].index) && group.dtype === wanted[i].dtype &&
    group.rows === wanted[i].points.length);
}

// -- scaling ------------------------------------------------------------------------------------

/** A number of the configuration as an exact fraction [numerator, denominator > 0]. */
export function exact(spelled) {
  if (typeof spelled !== "string" || spelled.length > 40) throw new FormatError("no number");
  const parts = spelled.split("/").map(decimal);
  if (parts.length > 2) throw new FormatError("no number");
  const [[a, b], [c, d]] = [parts[0], parts[1] ?? [1n, 1n]];
  if (c === 0n) throw new FormatError("a ratio to nothing");
  return c < 0n ? [-a * d, -b * c] : [a * d, b * c];
}

function decimal(spelled) {
  if (!NUMBER.test(spelled)) throw new FormatError("no number");
  const [mantissa, exponent = "0"] = spelled.toLowerCase().split("e");
  const [whole, fraction = ""] = mantissa.split(".");
  const shift = Number(exponent) - fraction.length;
  const digits = BigInt(whole.replace(/^[+-]/, "") + fraction) * (whole[0] === "-" ? -1n : 1n);
  return shift >= 0 ? [digits * 10n ** BigInt(shift), 1n] : [digits, 10n ** BigInt(-shift)];
}

const times = ([a, b], [c, d]) => [a * c, b * d];

/** {factor, shift} of a point's scaling, exact. */
export function scaling(fields = new Map()) {
  cbor.map(fields, "scaling", [],
    ["raw_decimals", "scale", "offset", "ct_ratio", "vt_ratio", "pulse_weight"]);
  const given = (key, other) => exact(fields.get(key) ?? other);
  let installation = [1n, 1n];
  for (const key of ["ct_ratio", "vt_ratio", "pulse_weight"]) {
    const ratio = given(key, "1");
    if (ratio[0] <= 0n) throw new FormatError(`${key} is not positive`);
    installation = times(installation, ratio);
  }
  const scale = given("scale", "1");
  if (scale[0] <= 0n) throw new FormatError("scale is not positive");
  const rawDecimals = cbor.small(fields.get("raw_decimals") ?? 0n, "raw_decimals", 0, 9);
  return {
    factor: times(times([1n, 10n ** BigInt(rawDecimals)], scale), installation),
    shift: times(given("offset", "0"), installation),
  };
}

/** The binary64 nearest to a fraction, halves to even. */
export function nearest([numerator, denominator]) {
  if (numerator === 0n) return 0;
  const sign = numerator < 0n ? -1 : 1;
  let n = numerator < 0n ? -numerator : numerator;
  let d = denominator;
  let exponent = n.toString(2).length - d.toString(2).length - 53;
  if (exponent > 0) d <<= BigInt(exponent);
  else n <<= BigInt(-exponent);
  if (n / d >= 1n << 53n) [d, exponent] = [d << 1n, exponent + 1];
  const [quotient, rest] = [n / d, n % d];
  const up = 2n * rest > d || (2n * rest === d && quotient % 2n === 1n);
  return sign * Number(quotient + (up ? 1n : 0n)) * 2 ** exponent;
}

const LIMIT = 1n << 62n;

/** What makes counts of a point's numbers: {m, s} exact, and as binary64 for float types. */
function unitsOf(point) {
  const unit = [10n ** BigInt(point.decimals), 1n];
  const [m, s] = [times(point.scaling.factor, unit), times(point.scaling.shift, unit)];
  const [size, isFloat] = NUMBER_TYPES.get(point.dtype);
  const most = (1n << BigInt(8 * size)) * m[0] * s[1] + (s[0] < 0n ? -s[0] : s[0]) * m[1];
  return {
    m, s, isFloat, size, near: isFloat ? [nearest(m), nearest(s)] : null,
    isAlways: !isFloat && most < (LIMIT - 1n) * m[1] * s[1],
  };
}

/** The count of one number of a block; null where there is none. */
export function countOf(point, values, index) {
  point.units ??= unitsOf(point);
  const { m, s, isFloat } = point.units;
  if (isFloat) {
    const y = scaled(point, values, index);
    if (!(Math.abs(y) < 2 ** 62)) return null;
    const rounded = Math.floor(Math.abs(y) + 0.5);
    return rounded < 2 ** 62 ? BigInt(Math.sign(y) * rounded) : null;
  }
  const n = numberAt(values, point.dtype, index) * m[0] * s[1] + s[0] * m[1];
  const d = m[1] * s[1];
  const rounded = (2n * (n < 0n ? -n : n) + d) / (2n * d);
  return rounded < LIMIT ? (n < 0n ? -rounded : rounded) : null;
}

function scaled(point, values, index) {
  const [m, s] = point.units.near;
  const raw = point.units.size === 4 ? values.readFloatLE(4 * index)
    : values.readDoubleLE(8 * index);
  return raw * m + s;
}

/** True if there is a count; as `countOf`, and quicker. */
export function hasCount(point, values, index) {
  point.units ??= unitsOf(point);
  if (point.units.isAlways) return true;
  if (!point.units.isFloat) return countOf(point, values, index) !== null;
  const y = Math.abs(scaled(point, values, index));
  return y < 2 ** 62 && Math.floor(y + 0.5) < 2 ** 62;
}

// -- differences --------------------------------------------------------------------------------

/** Each place where two configurations differ: [path, old, new]; undefined where there is none. */
export function differences(old, new_, path = "") {
  const isMap = (value) => value instanceof Map;
  if (isMap(old) && isMap(new_)) {
    const keys = [...new Set([...old.keys(), ...new_.keys()])].sort();
    return keys.flatMap((key) =>
      differences(old.get(key), new_.get(key), path ? `${path}.${key}` : `${key}`));
  }
  if (Array.isArray(old) && Array.isArray(new_)) {
    const length = Math.max(old.length, new_.length);
    return Array.from({ length }, (_, i) => differences(old[i], new_[i], `${path}[${i}]`)).flat();
  }
  const spelled = (value) => (value === undefined ? "" : cbor.encode(value).toString("hex"));
  return spelled(old) === spelled(new_) ? [] : [[path, old, new_]];
}
