// What the configurations that frames name say of the close: FORMAT.md sections 9 and 10.

import { dateAt } from "./calendar.mjs";
import { hex } from "./cose.mjs";
import { KINDS } from "./entries.mjs";

export class Named {
  constructor() {
    this.collectors = new Set();
    this.last = null;
  }

  take(config) {
    this.last = config;
    this.collectors.add(hex(config.collector));
  }

  /** The day of the month-close where the plant is; null where that is unknown. */
  closedOn({ last }) {
    if (this.last === null || last?.kind !== KINDS.monthClose) return null;
    try {
      const { year, month, day } = dateAt(this.last.timeZone, last.received);
      const two = (number) => String(number).padStart(2, "0");
      return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;
    } catch (error) {
      if (error instanceof RangeError) return null;
      throw error;
    }
  }

  check(identities, report) {
    const keys = identities.collectorKeys()?.map((key) => hex(key.hash));
    if (this.last === null || identities.collector === null || keys === undefined) return;
    const own = hex(identities.collector.key.hash);
    const path = "data/keys/collector.crt";
    if (!keys.some((key) => this.collectors.has(key))) report("E-CERTIFICATE", path, "of another");
    else if (hex(this.last.collector) !== own) report("N-KEY", path);
  }
}
