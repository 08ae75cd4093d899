// What changes too slowly for the socket: asked for every so often, while the page is looked at.
// What was told last stays until the next answer; out of reach, the banner says so.
export class Polled {
  // told(answer) is called after each good answer
  constructor(url, everyMs, told) {
    Object.assign(this, { url, everyMs, told, askedAt: -Infinity, answer: null, refused: 0 });
  }

  // Asks when it is due; a promise of the answer, null where there is none.
  async update(nowMs) {
    if (nowMs - this.askedAt < this.everyMs) return;
    this.askedAt = nowMs;
    const answer = await get(this.url);
    this.refused = answer.status;
    if (answer.body === null) return;
    this.answer = answer.body;
    if (this.told) this.told(this.answer);
  }
}

// {body, status}: body null where there is none; status 0 where nobody answers or all is well.
export async function get(url) {
  try {
    const answer = await fetch(url, { cache: "no-store" });
    return answer.ok ? { body: await answer.json(), status: 0 } : { body: null, status: answer.status };
  } catch (error) {
    if (error instanceof TypeError) return { body: null, status: 0 };
    throw error;
  }
}
