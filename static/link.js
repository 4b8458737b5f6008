// The live connection: server-sent events, read with `fetch`, so that the comment lines of an idle
// connection can be seen, too: a connection that says nothing at all is dead, whatever the browser
// believes.

const SILENCE_MS = 40_000; // a comment line comes every 15 s
const FIRST_MS = 250;
const LONGEST_MS = 8_000;

// Calls `on.event(name, data)`, `on.up()` and `on.down()`; `on.refused()` where the server is there, but
// has no room for one more reader. Tries again until closed.
export class Link {
  #url; #on; #abort = null; #timer = 0; #failed = 0; #closed = false; #isUp = false;

  constructor(url, on) {
    this.#url = url;
    this.#on = on;
    this.#run();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#abort?.abort();
  }

  // At once, where we wait to try again: the network is back, or somebody looks.
  hurry() {
    if (this.#timer && !this.#closed) {
      clearTimeout(this.#timer);
      this.#run();
    }
  }

  async #run() {
    this.#timer = 0;
    try {
      await this.#read();
    } catch {
      // Whatever it was, we try again.
    }
    if (this.#closed) return;
    if (this.#isUp) this.#on.down();
    this.#isUp = false;
    // With jitter, so that a thousand pages do not come back in the same instant.
    const wait = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#failed) * (0.75 + Math.random() / 2);
    this.#failed += 1;
    this.#timer = setTimeout(() => this.#run(), wait);
  }

  async #read() {
    this.#abort = new AbortController();
    let watchdog = 0;
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => this.#abort.abort(), SILENCE_MS);
    };
    try {
      alive();
      const headers = { Accept: 'text/event-stream' };
      const answer = await fetch(this.#url, { headers, cache: 'no-store', signal: this.#abort.signal });
      if (!answer.ok || !answer.body) {
        this.#on.refused();
        return;
      }
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        alive();
        const blocks = (rest + value).split('\n\n');
        rest = blocks.pop();
        blocks.forEach((block) => this.#take(block));
      }
    } finally {
      clearTimeout(watchdog);
    }
  }

  #take(block) {
    let name = 'message';
    const data = [];
    for (const line of block.split('\n')) {
      if (line.startsWith('event:')) name = line.slice(6).trim();
      else if (line.startsWith('data:')) data.push(line.slice(5));
    }
    if (data.length === 0) return;
    if (!this.#isUp) {
      this.#isUp = true;
      this.#failed = 0;
      this.#on.up();
    }
    this.#on.event(name, JSON.parse(data.join('\n')));
  }
}
