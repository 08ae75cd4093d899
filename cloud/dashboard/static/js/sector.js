// Which stage of the process a measured point belongs to. The configuration does not say it, so it
// is told by the names of devices and points as the profiles have them; what has no stage by its
// name stands with its device. Pure.

// [stage, names of device.point that are of it]; the first that fits counts
const STAGES = {
  cement: [
    ["raw-mill", /raw_mill/],
    ["preheater", /raw_meal|kiln-feed|preheater|calciner|tertiary/],
    ["kiln", /kiln_coal|coal-kiln|kiln_drive|kiln_state|alternative/],
    ["cooler", /cooler|clinker/],
    ["stack", /stack|analyser|cems/],
  ],
  steel: [
    ["coke", /^coking|^coke|^co-gas/],
    ["sinter", /^sinter/],
    ["blast-furnace", /^bf-|hot-metal|^blast/],
    ["converter", /converter|shop_flar/],
    ["arc-furnace", /^arc-|\.arc_/],
    ["power", /^grid|^generator|^power|\.boilers|_to_power/],
    ["gas-network", /_holder|_flare|_burnt|^energy-centre/],
  ],
};
// of a stage, what an operator looks at first: flows and loads before what qualifies them
const FIRST = /(feed|flow|rate|power|temperature|co2|load|holder|current|burnt)$/;
const BESIDE = /(flow_actual|_l[123]|serial|frequency|weighings|heats)$/;

// [{id, points: [{id, first}], state}] in the order of the process, also those of which nothing is
// measured; devices without a stage last
export function assign({ plant, points }) {
  const known = STAGES[plant.sector] || [];
  const stages = new Map(known.map(([id]) => [id, { id, points: [], state: null }]));
  for (const [id, facts] of Object.entries(points)) {
    if (facts.computed || /\.pot-/.test(id)) continue;
    const found = known.find(([, names]) => names.test(id));
    const key = found ? found[0] : facts.device || id.split(".")[0];
    if (!stages.has(key)) stages.set(key, { id: key, points: [], state: null });
    const stage = stages.get(key);
    const isTotal = facts.role === "totaliser";
    if (facts.role === "state" && /_state$/.test(id) && !stage.state) stage.state = id;
    else stage.points.push({ id, first: FIRST.test(id) && !BESIDE.test(id) && !isTotal && facts.role === "gauge" });
  }
  const has = (stage) => stage.points.length > 0 || stage.state !== null;
  const isKnown = known.some(([id]) => has(stages.get(id)));
  for (const stage of stages.values()) stage.points.sort((a, b) => isDirect(points, b) - isDirect(points, a));
  return [...stages.values()].filter((stage) => isKnown || has(stage));
}

// The meter itself before what a control system says of it.
const isDirect = (points, { id }) => points[id].provenance === "meter-direct";

// A point's name for people: the word the pages have for it, else its own without the device.
export function wordOf(id, facts, tOr) {
  const at = id.indexOf(".");
  const own = (at < 0 ? id : id.slice(at + 1)).replace(/_/g, " ");
  const device = at < 0 ? "" : id.slice(0, at);
  const plain = tOr(`stream.${own.replace(/ /g, "-")}`, "stream.other", { id: own });
  return own.length > 12 || !device ? plain : `${plain} · ${device}`;
}
