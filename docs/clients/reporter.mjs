// Reports events to Observatory: copy this file and own it. Node 18 or later, no packages.
//
// A service must never wait for its monitor. So report() only puts the event into a bounded buffer;
// what has gathered is sent in the background. Where Observatory is slow or away, events are dropped
// and counted, and the service goes on as if nothing had happened. A key, where Observatory asks for one,
// is read once from the file that the variable OBSERVATORY_KEY_FILE names.

import { readFileSync } from "node:fs";

const BUFFER = 10_000; // events that may wait; the next one is dropped
const BATCH = 500; // events in one request, at most
const INTERVAL_MS = 100; // how long an event waits for others
const TIMEOUT_MS = 1_000; // for each request, and for close()
const RETRY_MAX_S = 10; // a longer Retry-After is cut to this

export class Reporter {
  #url;
  #headers = { "Content-Type": "application/x-ndjson" };
  #events = [];
  #dropped = 0;
  #sending = null; // the promise of the work that is under way
  #end = Infinity; // when close() gives up
  #wake = () => {}; // ends the wait that a 503 asked for
  #timer;

  constructor(url = "http://127.0.0.1:8700") {
    this.#url = `${url.replace(/\/+$/, "")}/events`;
    try {
      this.#headers.Authorization = `Bearer ${readFileSync(process.env.OBSERVATORY_KEY_FILE, "utf8").trim()}`;
    } catch {
      // without a key: Observatory refuses what it must, and the events are counted as dropped
    }
    this.#timer = setInterval(() => this.#flush(), INTERVAL_MS).unref();
  }

  /** Says that `node` saw the message `token` now. Never blocks, never throws. */
  report(node, token) {
    if (this.#end !== Infinity || this.#events.length >= BUFFER) {
      this.#dropped += 1;
      return;
    }
    this.#events.push({ node, token, timestamp: nowMicros() });
    if (this.#events.length === BATCH) setImmediate(() => this.#flush());
  }

  /** How many events were not delivered. */
  get dropped() {
    return this.#dropped;
  }

  /** Sends what is left, for at most a second. */
  async close() {
    clearInterval(this.#timer);
    this.#end = Date.now() + TIMEOUT_MS;
    this.#wake();
    await this.#sending;
    await this.#flush();
  }

  #flush() {
    return (this.#sending ??= this.#work().finally(() => (this.#sending = null)));
  }

  async #work() {
    let batch;
    do {
      batch = this.#events.splice(0, BATCH);
      if (batch.length > 0 && !(await this.#send(batch))) this.#dropped += batch.length;
    } while (batch.length === BATCH); // where a whole batch was waiting there may be more
  }

  async #send(batch) {
    try {
      const body = batch.map((event) => `${JSON.stringify(event)}\n`).join("");
      let answer = await this.#post(body);
      if (answer.status === 503 && this.#end === Infinity) {
        // Pushed back, once: nothing was taken, so the whole batch goes again.
        const seconds = Number.parseInt(answer.headers.get("retry-after"), 10);
        const wait = Math.min(seconds >= 0 ? seconds : 1, RETRY_MAX_S) * 1_000;
        await new Promise((resolve) => setTimeout((this.#wake = resolve), wait).unref());
        answer = await this.#post(body);
      }
      return answer.ok;
    } catch {
      return false; // whatever it was, the service must not feel it
    }
  }

  async #post(body) {
    const left = Math.min(TIMEOUT_MS, this.#end - Date.now());
    if (left <= 0) throw new Error("closed");
    const signal = AbortSignal.timeout(left);
    const answer = await fetch(this.#url, { method: "POST", headers: this.#headers, body, signal });
    await answer.arrayBuffer(); // read to its end, so that the connection can be used again
    return answer;
  }
}

let origin = performance.timeOrigin;

/** The wall clock in microseconds: it knows milliseconds only, the finer clock fills in the rest. */
function nowMicros() {
  const wall = Date.now();
  const fine = origin + performance.now();
  if (fine >= wall && fine < wall + 1) return Math.floor(fine * 1_000);
  origin += wall - fine; // the wall clock was set, or the two have drifted apart
  return wall * 1_000;
}
