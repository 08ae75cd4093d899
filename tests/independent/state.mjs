// What belongs beside a month's total: flags and their codes, mandatory parts, points that give too
// few values, sources that the control plan declares. FIGURES.md section 8. Pure; no I/O.

import { parse as parseToml } from "smol-toml";
import { text } from "./cbor.mjs";

const MADE_OF = { typed: "W-TYPED", unconfirmed: "W-UNCONFIRMED", "slow-pot-voltage": "W-SAMPLING" };
const CODES = {
  "W-INCOMPLETE": ["no-fuel", "no-clinker", "no-anode", "no-pfc", "no-organic", "no-process",
    "no-product", "no-output", "no-expected", "no-plan-line", "no-reading", "short-period", "silent", "sparse",
    "no-records", "total-below-zero", "no-producing-time", "left-out", "month-missing", "not-whole",
    "output-missing", "this-month"],
  "W-DOCUMENT": ["not-usable", "no-document", "not-approved", "apart", "bridged", "bridge-told",
    "stock-incomplete", "net-output", "missing", "site-coefficients-due"],
  "W-COUNTER": ["totaliser-leap", "leap-unexplained", "totaliser-spike", "totaliser-drop",
    "counter-corrected", "totaliser-age", "totaliser-rolled"],
  "W-CHECK": ["check", "not-checked"],
};
const CODE_OF = new Map(Object.entries(CODES).flatMap(([code, kinds]) => kinds.map((k) => [k, code])));
/** Rule set -> parts: a category of lines, or "output." and a figure; true where mandatory. */
const PARTS = {
  "cets-ag-02.01-v01-2024": [["fuel", true], ["clinker", true], ["output.clinker_t", true]],
  "cets-ag-03.01-v01-2024": [["fuel", true], ["process", false], ["product", false],
    ["output.crude_steel_t", false]],
  "cets-ag-04.01-v01-2024": [["anode", true], ["pfc", true], ["output.aluminium_t", true]],
};
const LEAST_PERCENT = 90n;
const COUNT_MAX = 10n ** 15n;

/** Code and place of a flag. */
function finding(flag) {
  const [kind, ...rest] = flag.split(":");
  const what = rest.join(":");
  if (kind in MADE_OF) return [MADE_OF[kind], what];
  if (kind === "not-usable" && flag.endsWith(".amount")) return ["W-INCOMPLETE", flag];
  return [CODE_OF.get(kind) ?? "N-FLAG", flag];
}

function lines(input, output) {
  const found = output.get("lines");
  const there = (Array.isArray(found) ? found : []).map((line) => line instanceof Map && line.get("category"));
  const figures = input.get("output");
  return (PARTS[input.get("rule_set")] ?? []).flatMap(([part, isMandatory]) => {
    const figure = part.startsWith("output.") ? part.slice("output.".length) : null;
    if (figure === null) return there.includes(part) ? [] : [`no-${part}`];
    if (figures instanceof Map && figures.has(figure)) return [];
    return [`${isMandatory ? "no-output" : "no-expected"}:${figure}`];
  });
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/;
const DAY_S = 86400;

/** A final statement that does not cover its month. */
function period(input) {
  const [span, month] = [input.get("period"), input.get("month")];
  if (input.get("closing") !== "final" || !(span instanceof Map)) return [];
  if (typeof month !== "string" || !/^[1-9]\d{3}-(0[1-9]|1[0-2])$/.test(month)) return [];
  const ends = ["from", "to"].map((end) => span.get(end));
  if (!ends.every((text) => typeof text === "string" && INSTANT.test(text))) return [];
  const [from, to] = ends.map((text) => Date.parse(`${text.slice(0, 19)}Z`) / 1000);
  const days = new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 0)).getUTCDate();
  return to - from < days * DAY_S - 3600 ? [`short-period:${ends[0]}`] : [];
}

function points(input) {
  const counted = input.get("completeness");
  return [...(counted instanceof Map ? counted : [])].flatMap(([point, row]) => {
    if (!(row instanceof Map)) return [];
    const [usable, due] = [row.get("usable"), row.get("expected")];
    if (typeof usable !== "bigint" || typeof due !== "bigint") return [];
    if (due <= 0n || due >= COUNT_MAX) return [];
    if (usable <= 0n) return [`silent:${point}`];
    return usable * 100n < LEAST_PERCENT * due ? [`sparse:${point}`] : [];
  });
}

const LINES = ["fuel", "process", "product", "clinker", "substitute"];
const ALONE = ["anode", "pfc"];
const PLAN_MAX = 1 << 20;
const FLAGS_MAX = 1000;

const maps = (value) => (Array.isArray(value) ? value : []).filter((row) => row instanceof Map);
const isTable = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function* absent(row, stated) {
  const totalisers = new Set(maps(stated.input.get("totalisers")).map((one) => one.get("point")));
  const counted = stated.input.get("completeness");
  const [table, kind] = [row.table, row.kind ?? ""];
  if (row.source === "meter" && [...LINES, ...ALONE, "metal", "output"].includes(table)) {
    for (const point of Array.isArray(row.points) ? row.points : []) {
      const isRead = counted instanceof Map && counted.has(point) && row.figure !== "quantity";
      if (typeof point === "string" && !totalisers.has(point) && !isRead) yield point;
    }
  } else if (["laboratory", "settlement", "record"].includes(row.source)) {
    const lines = maps(stated.output.get("lines"));
    const isThere = (line) => line.get("category") === table
      && (ALONE.includes(table) || line.get("kind") === kind);
    if (ALONE.includes(table) && !lines.some(isThere)) yield table;
    if (LINES.includes(table) && typeof kind === "string" && !lines.some(isThere)) yield `${table}.${kind}`;
  }
}

function* planned(stated, archive, standing) {
  for (const { kind, about, body, isApproved } of standing ?? []) {
    if (kind !== "control-plan" || about !== stated.month.slice(0, 4) || !isApproved) continue;
    const path = `data/records/files/${body.get("plan_sha256").toString("hex")}`;
    if (!archive.files.has(path) || archive.files.get(path).size > PLAN_MAX) continue;
    let rows = [];
    try {
      rows = parseToml(text(archive.read(path, PLAN_MAX))).parameter;
    } catch {
      continue; // no TOML: it declares nothing that can be read
    }
    const found = (Array.isArray(rows) ? rows : []).filter(isTable).flatMap((row) => [...absent(row, stated)]);
    yield* [...new Set(found)].slice(0, FLAGS_MAX).map((what) => `no-plan-line:${what}`);
  }
}

/** [code, place] of everything the statement says, and lacks, that belongs beside its total. */
export function stateOf(stated, archive, standing) {
  const flags = stated.flags.filter((flag) => typeof flag === "string");
  const every = new Set([...flags, ...lines(stated.input, stated.output),
    ...period(stated.input), ...points(stated.input),
    ...planned(stated, archive, standing)]);
  return [...every].map(finding);
}
