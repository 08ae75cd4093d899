// Which configuration is in force in a stream: FORMAT.md sections 2 and 6.

import * as cose from "./cose.mjs";
import { hex } from "./cose.mjs";

export class InForce {
  constructor(id, context) {
    Object.assign(this, { id, context });
    this.hash = undefined; // null: there is none; undefined: it is not known
    this.before = null; // what was in force before the newest configuration object
    this.isLost = false; // an object could not be read: the next one says
    this.isUnaware = false; // a new device has not yet said what it goes by
  }

  lose() {
    this.isLost = true;
    this.hash = undefined;
  }

  /** The next object: it names what is in force, and nothing else. */
  follow({ typ, hash }, { cfg, seq }) {
    const { archive, configurations, identities, report } = this.context;
    if (seq === 0n) this.hash = null;
    this.isUnaware ||= identities.isReplacedAt(this.id, seq - 1n);
    const isFault = cfg === null ? !(this.isUnaware || this.isLost || this.hash === null)
      : this.hash !== undefined && !(this.hash !== null && cfg.equals(this.hash));
    const isMissed = typ === cose.FRAME &&
      (cfg === null || !archive.has(`data/config/${hex(cfg)}.cose`)); // said with the frame
    if (isFault && !isMissed) report("E-CFG", `${this.id} seq ${seq}`, "another one is in force");
    if (this.hash === undefined && cfg !== null) [this.hash, this.isLost] = [cfg, false];
    if (typ !== cose.CONFIG) return;
    this.before = cfg ?? this.hash ?? null;
    if (this.isUnaware) this.before ??= configurations.newestBefore(this.id, seq);
    this.hash = hash;
    this.isUnaware = this.isLost = false;
  }
}
