// What the page knows: the last snapshot with every delta since. No DOM.
const STALE_MIN_MS = 5000;
const EFFECTS_MAX = 100;
export const FIRST_BAD = 128;

export const ms = (ns) => ns / 1e6;

export class Model {
  constructor(snapshot, now) {
    this.now = now; // () => milliseconds that never step
    this.frozen = false;
    this.take(snapshot);
  }

  // Returns false when texts were missed: the caller asks for a snapshot.
  take(message) {
    if (message.type === "snapshot") {
      this.state = message;
      this.effects = new Map(message.effects.map((effect) => [effect.id, effect]));
    } else if (message.seq === this.seq + 1) {
      Object.assign(this.state.values, message.values);
      Object.assign(this.state.gaps, message.gaps);
      for (const effect of message.effects) this.effects.set(effect.id, effect);
      for (const name of ["gateways", "today", "trusted", "alarms"]) this.state[name] = message[name];
    } else {
      return message.seq <= this.seq; // an old one is no loss
    }
    this.seq = message.seq;
    this.serverMs = ms(message.server_ns);
    this.takenAt = this.now();
    return true;
  }

  // The server's time, carried on by our own even clock; the PC's wall clock is never asked.
  // While frozen (connection lost) it stands at the last word heard, and so does what it says.
  serverNow() {
    return this.serverMs + (this.frozen ? 0 : this.silentMs());
  }

  silentMs() {
    return this.now() - this.takenAt;
  }

  get zone() {
    return this.state.plant.time_zone;
  }

  gateway(id) {
    return this.state.gateways.find((gateway) => gateway.id === id);
  }

  // Age of an instant of a gateway's clock: only differences of that clock, then the server's.
  ageOf(gateway, tickNs) {
    const seen = this.gateway(gateway);
    if (!seen || seen.received_ns === null) return 0;
    return this.serverNow() - ms(seen.received_ns) + ms(seen.sent_ns - tickNs);
  }

  // "Now" at a gateway as far as we know: the instant of its newest values.
  // Do its live messages come? Without them nothing is known of what goes on there.
  isHeard(gateway) {
    const seen = this.gateway(gateway);
    if (!seen || seen.online !== true || seen.received_ns === null) return false;
    return this.serverNow() - ms(seen.received_ns) <= Math.max(STALE_MIN_MS, 3 * ms(seen.interval_ns));
  }

  tickMs(gateway) {
    const seen = this.gateway(gateway);
    return seen && seen.tick_ns !== null ? ms(seen.tick_ns) : null;
  }

  // {facts, value, quality, tickNs, sourceNs, ageMs, grade}; grade: good, reserved, bad, stale,
  // none (nothing received), absent (not in the configuration). Only good, reserved and stale
  // have a value.
  reading(id) {
    const facts = this.state.points[id];
    if (!facts) return { id, value: null, grade: "absent" };
    const row = this.state.values[id];
    if (!row) return { id, facts, value: null, grade: "none" };
    const [value, quality, tickNs, sourceNs] = row;
    const ageMs = this.ageOf(facts.gateway, tickNs);
    const usable = value !== null && quality < FIRST_BAD;
    const stale = ageMs > Math.max(STALE_MIN_MS, 3 * ms(facts.interval_ns));
    const grade = !usable ? "bad" : stale ? "stale" : quality ? "reserved" : "good";
    return { id, facts, value: usable ? value : null, quality, tickNs, sourceNs, ageMs, grade };
  }

  // Worst delivery of all gateways: ms the sealed part is behind, or null without any receipt.
  behindMs() {
    const each = this.state.gateways.filter((g) => g.tick_ns !== null)
      .map((g) => (g.sealed_through_ns === null ? null : Math.max(0, ms(g.tick_ns - g.sealed_through_ns))));
    if (!each.length || each.includes(null)) return null;
    return Math.max(...each);
  }

  effectsNewestFirst(counts = () => true) {
    return [...this.effects.values()].filter(counts).sort((a, b) => b.start_ns - a.start_ns).slice(0, EFFECTS_MAX);
  }

  // Effects from before the snapshot's: what came by the socket is newer and stays.
  recallEffects(rows) {
    for (const row of rows) if (!this.effects.has(row.id)) this.effects.set(row.id, row);
  }

  // Newest time without a usable value: {fromMs, toMs or null while it lasts}; null without any.
  gapOf(id) {
    const gap = this.state.gaps[id];
    return gap ? { fromMs: ms(gap[0]), toMs: gap[1] === null ? null : ms(gap[1]) } : null;
  }

  runningEffect(line, pot) {
    for (const effect of this.effects.values()) {
      const here = effect.potline === line && effect.pot === pot;
      if (here && effect.end_ns === null && !effect.lost) return effect;
    }
    return null;
  }

  // "effect", "nodata", "out", "high" or "normal", with what the words need.
  potStatus(line, pot) {
    const volts = this.reading(pot.voltage);
    const state = this.reading(pot.state);
    const rules = line.anode_effect;
    const result = (kind) => ({ kind, volts, state });
    const trusted = (r) => r.value !== null && r.grade !== "stale";
    if (!trusted(state)) return result("nodata");
    if (!line.producing.includes(state.value)) return result("out"); // only producing pots count
    if (!trusted(volts)) return result("nodata");
    if (this.runningEffect(line.id, pot.id)) return result("effect");
    return result(Number(volts.value) >= Number(rules.v_start_v) ? "high" : "normal");
  }
}
