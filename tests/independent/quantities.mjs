// What a point is of: the kinds, units and words of FIGURES.md section 1. Pure; no I/O.

import { FormatError } from "./cbor.mjs";

const KINDS = new Map(Object.entries({
  voltage: ["V mV"], current: ["A kA"], power: ["W kW MW"], energy: ["Wh kWh MWh"],
  "reactive-power": ["var kvar Mvar"], "reactive-energy": ["varh kvarh Mvarh"],
  "apparent-power": ["VA kVA MVA"], "liquid-volume": ["m3 L"], "liquid-flow": ["m3/h L/h"],
  density: ["kg/m3"],
  mass: ["kg t"], "mass-flow": ["kg/h t/h"], "solid-fuel-mass": ["kg t", "fuel_basis"],
  "gas-volume": ["m3 Nm3 10^4_Nm3", "reference moisture"],
  "gas-flow": ["m3/h Nm3/h", "reference moisture"],
  "heating-value": ["GJ/t MJ/kg GJ/10^4_Nm3 MJ/Nm3", "heating"],
  concentration: ["vol% mg/Nm3 ppm", "moisture"], temperature: ["degC K"],
  pressure: ["Pa kPa MPa bar"], frequency: ["Hz"], ratio: ["1 %"], count: ["1"], state: ["1"],
  duration: ["s min h"], rate: ["1/d min/d"], emission: ["kg t tCO2e"],
  "emission-flow": ["kg/h t/h tCO2e/h"],
}));
const QUALIFIERS = {
  reference: "0C-101.325kPa 15C-101.325kPa 20C-101.325kPa actual", moisture: "wet dry",
  heating: "hhv lhv", fuel_basis: "ar ad d daf",
};
const PROVENANCES = "meter-direct via-control-system via-database file typed computed";
const POINT_ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** A word of a list of words; the blank within a unit is an underscore there. */
const isOf = (words, word) => words.split(" ").some((other) => other.replace("_", " ") === word);

/** Throws unless the id, the quantity and the provenance of a point are such. */
export function checkWords(fields) {
  if (!POINT_ID.test(fields.get("id"))) throw new FormatError("a point's id");
  if (!isOf(PROVENANCES, fields.get("provenance"))) throw new FormatError("provenance");
  const quantity = fields.get("quantity");
  const [units, needed = ""] = KINDS.get(quantity.get("kind")) ?? [""];
  const unit = quantity.get("unit");
  if (unit === "" || !isOf(units, unit)) throw new FormatError(`unit ${unit}`);
  for (const [name, words] of Object.entries(QUALIFIERS)) {
    const isDue = needed.split(" ").includes(name);
    const isGood = quantity.has(name) ? isDue && isOf(words, quantity.get(name)) : !isDue;
    if (!isGood) throw new FormatError(`${name} of a quantity`);
  }
  if (unit.includes("Nm3") && quantity.get("reference") === "actual") {
    throw new FormatError("Nm3 at no reference");
  }
}
