// The rule set and its tables: FIGURES.md section 5. Pure; no I/O.

import { parse } from "smol-toml";
import { FormatError, text } from "./cbor.mjs";
import * as fr from "./fractions.mjs";

/** What FIGURES.md section 5 is written for. */
export const KNOWN = "cets-ag-04.01-v01-2024";
export const pathOf = (name) => `data/rules/${name}.toml`;

/** A value of a rule set with where it comes from. */
class Parameter {
  constructor(table, row, name) {
    Object.assign(this, { row, name, exact: fr.parse(row.value) });
    const titles = row.source.map((key) => table.source[key].title);
    this.source = `${table.edition}; ${titles.join("; ")}: ${row.locator}`;
  }

  describe() {
    const { confidence, unit, value } = this.row;
    return new Map(Object.entries({
      basis: "default", confidence, row: this.name, source: this.source, unit, value,
    }));
  }
}

export class Rules {
  /** `read`: a table's bytes by its name, or null. Throws FormatError where one is no TOML. */
  constructor(read, name) {
    this.tables = new Map();
    this.own = this.load(read, name);
    for (const table of this.own.tables ?? []) this.load(read, table);
    this.edition = this.own.edition;
    this.gwp = this.own.gwp;
    this.fuels = this.own.fuel;
    this.name = name;
  }

  load(read, name) {
    const bytes = read(name);
    if (bytes === null) throw new FormatError(`${pathOf(name)} is missing`);
    try {
      this.tables.set(name, parse(text(bytes)));
    } catch (error) {
      throw new FormatError(`${pathOf(name)} is no TOML: ${error.message}`);
    }
    return this.tables.get(name);
  }

  /** A row of a table, the rule set's own unless another is named; null if there is none. */
  row(key, table = this.name) {
    const row = this.tables.get(table)?.rows?.[key];
    return row === undefined ? null : new Parameter(this.tables.get(table), row, key);
  }
}
