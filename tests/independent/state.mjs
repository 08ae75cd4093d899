// What belongs beside a month's total: flags and their codes, mandatory parts, points that give too
// few values. FIGURES.md section 8. Pure; no I/O.

const MADE_OF = { typed: "W-TYPED", unconfirmed: "W-UNCONFIRMED", "slow-pot-voltage": "W-SAMPLING" };
const CODES = {
  "W-INCOMPLETE": ["no-fuel", "no-clinker", "no-anode", "no-pfc", "no-organic", "no-process",
    "no-product", "no-output", "no-expected", "no-plan-line", "no-reading", "silent", "sparse",
    "no-records", "total-below-zero", "no-producing-time", "left-out", "month-missing", "not-whole",
    "output-missing", "this-month"],
  "W-DOCUMENT": ["not-usable", "no-document", "not-approved", "apart", "bridged", "bridge-told",
    "stock-incomplete", "net-output", "missing", "site-coefficients-due"],
  "W-COUNTER": ["totaliser-leap", "leap-unexplained", "totaliser-drop", "totaliser-age",
    "totaliser-rolled"],
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

/** [code, place] of everything the statement says, and lacks, that belongs beside its total. */
export function stateOf(stated) {
  const flags = stated.flags.filter((flag) => typeof flag === "string");
  const every = new Set([...flags, ...lines(stated.input, stated.output), ...points(stated.input)]);
  return [...every].map(finding);
}
