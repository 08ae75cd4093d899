// What meters said of themselves: FORMAT.md sections 4, 5 and 10. Pure; no I/O.

import * as cbor from "./cbor.mjs";
import { FormatError } from "./cbor.mjs";

const HOURS_2 = 2n * 3_600_000_000_000n;

function brief(value, what, most, least = 0) {
  const { length } = [...cbor.string(value, what)];
  if (length < least || length > most) throw new FormatError(`${what} of ${length} characters`);
}

function named(value, what) {
  if (!(value instanceof Map)) throw new FormatError(`${what} is no map`);
  for (const name of value.keys()) cbor.string(name, `name in ${what}`);
  return value;
}

/** Throws FormatError unless a settings event is one. */
export function checkEvent(event) {
  cbor.map(event, "settings event", ["kind", "at_ns", "device", "read", "unread"]);
  cbor.string(event.get("device"), "device");
  const [read, unread] = ["read", "unread"].map((key) => named(event.get(key), key));
  for (const value of read.values()) brief(value, "what a meter said", 128);
  for (const code of unread.values()) cbor.small(code, "why nothing was read", 128, 255);
  const names = new Set([...read.keys(), ...unread.keys()]);
  if (names.size !== read.size + unread.size) throw new FormatError("read, and not read");
  if (names.size < 1 || names.size > 64) throw new FormatError("1 to 64 settings are due");
}

/** Throws FormatError unless a device's `meter` is one. */
export function checkMeter(value) {
  const { size } = named(value, "meter");
  if (size < 1 || size > 64) throw new FormatError("1 to 64 settings are due");
  for (const row of value.values()) {
    cbor.map(row, "setting", ["means", "source"], ["unit", "stated"]);
    for (const key of ["means", "source", "unit"]) if (row.has(key)) brief(row.get(key), key, 1000);
    if (!row.has("stated")) continue;
    const pairs = cbor.list(row.get("stated"), "stated");
    if (pairs.length < 1 || pairs.length > 64) throw new FormatError("1 to 64 values are due");
    for (const pair of pairs) {
      const [said, reason] = cbor.list(pair, "stated value", 2);
      brief(said, "stated value", 128);
      brief(reason, "reason", 200, 1);
    }
  }
}

const pairsOf = (row) => row.get("stated") ?? [];
const wayOf = (row) => JSON.stringify(["means", "source", "unit"].map((key) => row.get(key) ?? ""));
const isPair = ([a, b], [c, d]) => a === c && b === d;

/** Device -> its `meter`, of a configuration's fields. */
function metersOf(config) {
  const found = new Map();
  for (const device of config.fields.get("devices")) {
    if (device.has("meter")) found.set(device.get("id"), device.get("meter"));
  }
  return found;
}

/** Does a later row state the value in a pair that was not there before? */
function explains(row, { value, stated }) {
  return pairsOf(row).some((pair) => pair[0] === value && !stated.some((old) => isPair(old, pair)));
}

export class Settings {
  constructor(id, report) {
    Object.assign(this, { id, report, config: null, meters: new Map(), newest: 0n });
    this.known = new Map(); // "device name" -> {row, accepted, other}
    this.open = []; // values nobody has explained yet
    this.unread = new Set();
    this.since = new Map(); // device -> instant
  }

  frame(config, body, seq) {
    this.newest = body.t0;
    if (config !== this.config) {
      this.explain(config);
      this.configure(config, body.t0);
    }
    for (const event of body.events) {
      if (event.get("kind") === "meter-settings") this.event(event, seq);
    }
  }

  explain(config) {
    const meters = metersOf(config);
    this.open = this.open.filter((item) => {
      const row = meters.get(item.device)?.get(item.name);
      if (row === undefined || !explains(row, item)) return true;
      this.report("N-METER-SETTING", `${this.id} seq ${item.seq}`);
      return false;
    });
  }

  configure(config, at) {
    [this.config, this.meters] = [config, metersOf(config)];
    const before = this.known;
    this.known = new Map();
    for (const [device, rows] of this.meters) {
      for (const [name, row] of rows) {
        const key = JSON.stringify([device, name]);
        const old = before.get(key);
        let [accepted, other] = [null, null];
        if (old !== undefined && wayOf(old.row) === wayOf(row)) ({ accepted, other } = old);
        if (other !== null && explains(row, other)) [accepted, other] = [other.value, null];
        this.known.set(key, { row, accepted, other });
      }
    }
    this.since = new Map([...this.meters.keys()].map((id) => [id, this.since.get(id) ?? at]));
  }

  event(event, seq) {
    const [device, at] = [event.get("device"), event.get("at_ns")];
    const [read, unread] = [event.get("read"), event.get("unread")];
    const names = [...(this.meters.get(device)?.keys() ?? [])].sort().join("\0");
    const where = `${this.id} seq ${seq}`;
    if ([...read.keys(), ...unread.keys()].sort().join("\0") !== names) {
      this.report("E-GROUPS", where, "other settings than the configuration names");
      return;
    }
    if (at - this.since.get(device) > HOURS_2) this.report("W-METER-UNREAD", where, device);
    this.since.set(device, at);
    for (const [name, value] of read) {
      this.unread.delete(JSON.stringify([device, name]));
      this.value(device, name, value, seq);
    }
    for (const name of unread.keys()) {
      const key = JSON.stringify([device, name]);
      if (!this.unread.has(key)) this.report("W-METER-UNREAD", where, name);
      this.unread.add(key);
    }
  }

  value(device, name, value, seq) {
    const item = this.known.get(JSON.stringify([device, name]));
    const stated = pairsOf(item.row);
    const due = stated.length ? stated.at(-1)[0] : item.accepted;
    if (due === null || due === value) {
      if (item.accepted !== null && item.accepted !== value) {
        this.report("N-METER-SETTING", `${this.id} seq ${seq}`);
      }
      [item.accepted, item.other] = [value, null];
    } else if (item.other?.value !== value) {
      item.other = { device, name, value, stated, seq };
      this.open.push(item.other);
    }
  }

  end() {
    for (const { seq } of this.open) this.report("E-METER-SETTING", `${this.id} seq ${seq}`);
    for (const at of this.since.values()) {
      if (this.newest - at > HOURS_2) this.report("W-METER-UNREAD", `stream ${this.id}`);
    }
  }
}
