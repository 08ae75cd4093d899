// The rule set and its tables: FIGURES.md section 5. Pure; no I/O.

import { parse } from "smol-toml";
import { FormatError, text } from "./cbor.mjs";
import * as fr from "./fractions.mjs";

/** What FIGURES.md section 5 is written for, and of which sector it is. */
export const KNOWN = new Map([["cets-ag-04.01-v01-2024", "aluminium"],
  ["cets-ag-02.01-v01-2024", "cement"], ["cets-ag-03.01-v01-2024", "steel"]]);
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
  /** `read`: a table's bytes by its name, or null; `checks`: tables of limits. Throws FormatError where one is no TOML. */
  constructor(read, name, checks = []) {
    this.tables = new Map();
    this.own = this.load(read, name);
    this.extended = this.own.extends ?? [];
    for (const table of [...this.extended, ...(this.own.tables ?? []), ...checks]) {
      this.load(read, table);
    }
    this.edition = this.own.edition;
    this.gwp = this.own.gwp;
    this.name = name;
    this.sector = KNOWN.get(name);
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

  /** A kind by the name of its table in the file ("fuel", "material") and its id; or null. */
  kind(table, id) {
    for (const name of [this.name, ...this.extended]) {
      const kinds = this.tables.get(name)[table] ?? {};
      if (Object.hasOwn(kinds, id)) return { unit: "t", ...kinds[id] };
    }
    return null;
  }

  /** The id of a kind that is named by id, in Chinese or by another name; null if there is none. */
  idOf(table, called) {
    for (const name of [this.name, ...this.extended]) {
      for (const [id, { zh, aliases = [] }] of Object.entries(this.tables.get(name)[table] ?? {})) {
        if ([id, zh, ...aliases].includes(called)) return id;
      }
    }
    return null;
  }

  /** A row of a table, the rule set's own unless another is named; null if there is none. */
  row(key, table = this.name) {
    for (const name of table === this.name ? [table, ...this.extended] : [table]) {
      const found = this.tables.get(name);
      if (found?.rows && Object.hasOwn(found.rows, key)) {
        return new Parameter(found, found.rows[key], key);
      }
    }
    return null;
  }
}
