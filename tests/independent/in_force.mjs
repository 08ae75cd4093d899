// Which configuration is in force in a stream: FORMAT.md sections 2 and 6.

import { differences } from "./configuration.mjs";
import * as cose from "./cose.mjs";
import { hex } from "./cose.mjs";

export class InForce {
  constructor(id, context, keys) {
    Object.assign(this, { id, context, keys });
    this.hash = undefined; // null: there is none; undefined: it is not known
    this.before = null; // what was in force before the newest configuration object
    this.isLost = false; // an object could not be read: the next one says
    this.isInherited = false; // the configuration of before the archive's objects was compared
    this.isUnaware = false; // a new device has not yet said what it goes by
  }

  lose() {
    this.isLost = true;
    this.hash = undefined;
  }

  /** The next object: it names what is in force, and nothing else. */
  follow({ typ, hash }, { cfg, seq }) {
    const { archive, configurations, report } = this.context;
    if (seq === 0n) this.hash = null;
    this.isUnaware ||= this.keys.isReplacedAt(seq - 1n);
    const isFault = cfg === null ? !(this.isUnaware || this.isLost || this.hash === null)
      : this.hash !== undefined && !(this.hash !== null && cfg.equals(this.hash));
    const isMissed = typ === cose.FRAME &&
      (cfg === null || !archive.has(`data/config/${hex(cfg)}.cose`)); // said with the frame
    if (isFault && !isMissed) report("E-CFG", `${this.id} seq ${seq}`, "another one is in force");
    if (this.hash === undefined && cfg !== null) [this.hash, this.isLost] = [cfg, false];
    if (typ !== cose.CONFIG) return;
    configurations.named.add(`data/config/${hex(hash)}.cose`);
    this.before = cfg ?? this.hash ?? null;
    if (this.isUnaware) this.before ??= configurations.newestBefore(this.id, seq);
    this.hash = hash;
    this.isUnaware = this.isLost = false;
  }

  /** A configuration object among the others: what it changes is told. Null if it is bad. */
  changed(object, header) {
    const { archive, configurations } = this.context;
    const where = `${this.id} seq ${header.seq}`;
    const new_ = configurations.get(object.hash, this.id, where, header.seq + 1n);
    if (this.before === null || new_ === null) return new_;
    if (header.cfg === null && !archive.has(`data/config/${hex(this.before)}.cose`)) return new_;
    this.compare(this.before, new_);
    return new_;
  }

  /** One that was signed before the archive's first object: told when a frame first names it. */
  inherited(config, first) {
    if (this.isInherited || config.seq >= first) return;
    this.isInherited = true;
    if (config.before !== null) this.compare(config.before, config);
  }

  compare(before, config) {
    const where = `${this.id} seq ${config.seq}`;
    const old = this.context.configurations.get(before, this.id, where, config.seq);
    const found = old === null ? [] : differences(old.fields, config.fields);
    if (found.length) this.context.report("N-CONFIG", where, found.map(([at]) => at).join(", "));
  }
}
