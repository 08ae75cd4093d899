// The lists of a statement section and the entries in them: FIGURES.md sections 1, 2 and 5. Pure.

/** What there is of potlines and the statement section in each sector. */
export const PARTS = {
  aluminium: ["potlines", "metal", "anode", "fuels", "auxiliary", "beside"],
  cement: ["fuels", "clinker", "substitutes", "output", "kiln_feed", "auxiliary", "beside"],
  steel: ["fuels", "process", "products", "output", "burnt", "auxiliary", "beside"],
};

/** Lists: in the section, in the input, what a kind is called there, its table in the rule set. */
export const LISTS = [
  ["fuels", "fuel", "kind", "fuel"], ["process", "process", "material", "material"],
  ["products", "product", "product", "product"], ["clinker", "clinker", "kind", "clinker"],
  ["substitutes", "substitute", "kind", "substitute"],
].map(([key, table, name, kinds]) => ({ key, table, name, kinds }));

/** Totalisers of an entry: its key, that of its flow, its name in the input, its sign. */
const METERS = [["point", "flow_point", "quantity", 1n],
  ["purchased", "purchased_flow", "purchased", 1n], ["output", "output_flow", "output", -1n]];

export const OUTPUTS = { aluminium: "aluminium_t", cement: "clinker_t", steel: "crude_steel_t" };

/** What stands beside the figures: check -> the unit its totaliser is counted in, null for that of the other. */
export const BESIDE = new Map([["second-meter", null], ["stack-co2", "t"], ["heat-used", "MWh"]]);

/** The lists of a sector. */
export const listsOf = (sector) => LISTS.filter(({ key }) => PARTS[sector].includes(key));

/** Entries of a section's lists, each with its list and its place in it from 1. */
export const entriesOf = (statement) => LISTS.flatMap((list) =>
  (statement.get(list.key) ?? []).map((fields, i) => ({ ...list, fields, place: i + 1 })));

/** {key, flow (the flow's key), name, sign} of the totalisers an entry has. */
export const metersOf = (fields) => METERS.filter(([key]) => fields.has(key))
  .map(([key, flow, name, sign]) => ({ key, flow, name, sign }));

/** True if a flow stands beside each totaliser of an entry. */
export const hasFlows = (fields) => metersOf(fields).length > 0 &&
  metersOf(fields).every(({ flow }) => fields.has(flow));

/** Every list's words that may stand beside its kind. */
export const wordsOf = (table) => (table === "fuel" ? ["use", "unit"] : ["unit"]);

/** True if amounts of a list may be in parts. */
export const mayBeInParts = (table) => ["fuel", "process", "substitute"].includes(table);

/** What may take the place of a list's factors, or of the anodes'. */
export const factorsOf = (table) =>
  (table === "fuel" ? ["ncv", "carbon_content", "carbon_ar"] : ["factor"]);
export const ANALYSED = ["loss_percent", "sulfur_percent", "ash_percent"];

/** The parts of a balance, and their signs. */
export const BALANCE = [["opening", 1n], ["purchased", 1n], ["closing", -1n], ["output", -1n]];

export const USES = ["kiln", "power-boiler", "industrial-boiler", "other"];
export const UNIT = /^[a-z0-9-]{1,40}$/;
