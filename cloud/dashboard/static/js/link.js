// The connection: WebSocket, watchdog, back-off, polling where a proxy blocks the socket. No DOM.
const WATCHDOG_MS = 4000;
const CHECK_MS = 500;
const POLL_MS = 2000;
const BACKOFF_MS = [500, 15000];
const TRIES_BEFORE_POLLING = 2;

export class Link {
  // take(message) -> false when it needs a snapshot; changed(state): "live", "polling", "lost"
  constructor(plant, take, changed) {
    this.query = `?plant=${encodeURIComponent(plant)}`;
    this.take = take;
    this.changed = changed;
    this.state = "connecting";
    this.failures = 0;
    this.heardAt = performance.now();
  }

  start() {
    this.open();
    setInterval(() => this.check(), CHECK_MS);
  }

  open() {
    clearTimeout(this.opening);
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/v1/live${this.query}`);
    this.socket = socket;
    this.openedAt = performance.now();
    socket.onmessage = (event) => {
      if (socket !== this.socket) return;
      this.failures = 0;
      this.heard("live", JSON.parse(event.data));
    };
    socket.onclose = () => this.retry(socket);
  }

  retry(socket) {
    if (socket !== this.socket) return;
    this.socket = null;
    const wait = Math.min(BACKOFF_MS[1], BACKOFF_MS[0] * 2 ** this.failures);
    this.failures += 1;
    this.opening = setTimeout(() => this.open(), wait * (0.75 + Math.random() / 2));
  }

  heard(state, message) {
    this.heardAt = performance.now();
    if (!this.take(message) && this.socket && this.socket.readyState === WebSocket.OPEN) {
      this.socket.send('{"type":"snapshot"}');
    }
    this.become(state);
  }

  check() {
    const now = performance.now();
    if (now - this.heardAt > WATCHDOG_MS) this.become("lost");
    const dumb = this.socket && now - Math.max(this.heardAt, this.openedAt) > WATCHDOG_MS;
    if (dumb) { // half-open: the socket looks fine and nothing comes
      const socket = this.socket;
      this.retry(socket);
      socket.close();
    }
    const quiet = now - Math.max(this.heardAt, this.polledAt || 0) > POLL_MS;
    if (this.failures >= TRIES_BEFORE_POLLING && quiet) this.poll();
  }

  async poll() {
    this.polledAt = performance.now();
    try {
      const answer = await fetch(`/api/v1/live/snapshot${this.query}`, { cache: "no-store" });
      const message = answer.ok && (await answer.json());
      if (!message || !this.failures) return;
      const wasLost = this.state === "lost";
      this.heard("polling", message);
      if (wasLost && !this.socket) this.open(); // it is back: no sense in waiting for the socket
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // TypeError: the server is out of reach
    }
  }

  become(state) {
    if (state === this.state) return;
    this.state = state;
    this.changed(state);
  }
}
