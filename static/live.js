// The page, live. One connection brings what changed of the graph; all the rest of the page is
// fetched again, as the server renders it, and brought up to date in place.

import { Focus } from './focus.js';
import { Graph } from './graph.js';
import { Link } from './link.js';
import { morph } from './morph.js';
import { View } from './view.js';
import { Wall, wanted } from './wall.js';
import { ago, during, lasting, TONE } from './words.js';

const STALE_MS = 5_000; // without a connection: what is shown is grey from then on
const HIDDEN_MS = 20_000; // a tab that nobody looks at gives its connection back
const PACE_MS = 1_000; // between two looks at the whole page
const HIDDEN_PACE_MS = 10_000;
const LOOK_MS = 10_000; // where nothing happens in the stream: what concerns the server is on the page, too

const one = (selector) => document.querySelector(selector);

// The stream's page that is open, if one is.
let shown = null;

// --- The server's clock -----------------------------------------------------------------------

const clock = {
  offset: Date.parse(one('.asof time')?.dateTime) - performance.now(),
  frozen: null,
  now() { return this.frozen ?? performance.now() + this.offset; },
  set(at) { this.offset = Date.parse(at) - performance.now(); },
  freeze() { this.frozen ??= this.now(); },
  run() { this.frozen = null; },
};

// --- What surrounds everything ------------------------------------------------------------------

function showStatus(status) {
  const tone = TONE[status] ?? 'grey';
  const title = document.title.replace(/^\S+/, status);
  if (document.title !== title) document.title = title;
  const icon = one('link[rel="icon"]');
  const href = `/static/favicon-${tone}.svg`;
  if (icon.getAttribute('href') !== href) icon.setAttribute('href', href);
  const { classList } = document.body;
  if (!classList.contains(`tone-${tone}`)) {
    classList.remove(...[...classList].filter((name) => name.startsWith('tone-')));
    classList.add(`tone-${tone}`);
  }
  const badge = one('.head .badge.huge');
  if (badge && badge.lastChild.nodeValue !== status) {
    badge.setAttribute('class', `badge huge tone-${tone}`);
    badge.querySelector('use').setAttribute('href', `#mark-${tone}`);
    badge.lastChild.nodeValue = status;
  }
}

// Whether what is shown is of this moment. `null`: not known yet.
const health = {
  isUp: null, since: performance.now(),
  set(isUp) {
    if (isUp === this.isUp) return;
    this.isUp = isUp;
    this.since = performance.now();
    if (isUp) clock.run();
    else clock.freeze();
    this.show();
  },
  show() {
    const down = performance.now() - this.since;
    const isLost = this.isUp === false && down > 700; // a hiccup is nobody's business
    document.body.classList.toggle('lost', isLost);
    document.body.classList.toggle('stale', this.isUp === false && down > STALE_MS);
    document.body.classList.toggle('linked', this.isUp === true);
    one('.asof .link').textContent = this.isUp ? 'live' : 'as of';
    const notice = one('#lost-link');
    if (notice.hidden === isLost) notice.hidden = !isLost;
  },
};

function tick() {
  const now = clock.now();
  const time = one('.asof time');
  if (time) time.textContent = `${new Date(now).toISOString().slice(11, 19)} UTC`;
  for (const [name, words] of [['ago', ago], ['lasting', lasting], ['during', during]]) {
    document.querySelectorAll(`time.${name}`).forEach((shown) => {
      const text = words(now - Date.parse(shown.dateTime));
      if (shown.textContent !== text) shown.textContent = text;
    });
  }
  shown?.graph.tick(now);
  health.show();
}

// --- The page as the server renders it ----------------------------------------------------------

async function fetchPage(url) {
  const answer = await fetch(url, { headers: { Accept: 'text/html' }, cache: 'no-store' });
  // The session has ended: whoever looks is asked to log in again.
  if (answer.redirected && new URL(answer.url).pathname === '/login') location.reload();
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  if (!page.body.dataset.page) throw new Error('this is no page of ours');
  return page;
}

// Looks at the whole page again when something has changed, but not too often: at
// most for a twentieth of the time.
class Sync {
  #url; #apply; #timer = 0; #next = 0; #busy = false; #again = false; #took = 0;

  constructor(url, apply) {
    this.#url = url;
    this.#apply = apply;
  }

  soon() {
    if (this.#busy) this.#again = true;
    else this.#timer ||= setTimeout(() => this.now(), Math.max(30, this.#next - performance.now()));
  }

  pause() {
    return Math.max(document.hidden ? HIDDEN_PACE_MS : PACE_MS, 20 * this.#took);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#apply = () => {};
  }

  async now() {
    const began = performance.now();
    [this.#busy, this.#again] = [true, false];
    let isGood = true;
    try {
      this.#apply(await fetchPage(this.#url));
    } catch {
      isGood = false;
    }
    this.#took = performance.now() - began;
    this.#next = performance.now() + this.pause();
    [this.#busy, this.#timer] = [false, 0];
    if (this.#again) this.soon();
    return isGood;
  }
}

function bringUp(page) {
  morph(one('main'), page.querySelector('main'));
  tick();
}

// --- One stream ---------------------------------------------------------------------------------

class StreamPage {
  constructor(name) {
    this.name = name;
    this.path = `/streams/${encodeURIComponent(name)}`;
    this.api = `/api/v1${this.path}`;
    this.turn = Promise.resolve();
    this.gone = new AbortController();
    this.graph = new Graph(one('.fit'));
    this.view = new View(one('.stage'), this.gone.signal);
    this.focus = new Focus(this);
    // The graph is most of a large page, and changes by the live connection.
    this.sync = new Sync(`${this.path}?graph=none`, bringUp);
    this.looking = setInterval(() => this.sync.soon(), LOOK_MS);
    this.connect();
  }

  now() {
    return clock.now();
  }

  connect() {
    this.link = new Link(`${this.api}/live`, {
      // One after the other: a new picture takes a moment to come.
      event: (name, data) => { this.turn = this.turn.then(() => this.take(name, data)).catch(() => this.sync.soon()); },
      up: () => health.set(true),
      down: () => health.set(false),
      refused: () => this.poll(),
    });
  }

  // Where the server has no room for one more reader the page asks now and then.
  async poll() {
    const answer = await fetch(this.api, { cache: 'no-store' }).catch(() => null);
    if (answer?.ok) await this.take('stream', await answer.json());
    health.set(Boolean(answer?.ok));
  }

  stop() {
    this.gone.abort();
    this.link.close();
    clearInterval(this.looking);
    this.sync.stop();
    this.focus.close();
  }

  async take(name, data) {
    if (name !== 'stream' && name !== 'change') return;
    clock.set(data.at);
    if (name === 'stream' && !this.graph.isOf(data)) await this.redraw();
    showStatus(data.status);
    const now = clock.now();
    for (const node of data.nodes) this.graph.showNode(node);
    for (const edge of data.edges) this.graph.showEdge(edge, now);
    this.focus.changed(data);
    wall.show(this.graph.edges());
    this.sync.soon();
  }

  // The graph itself has changed: a new picture, in the same frame.
  async redraw() {
    const page = await fetchPage(this.path);
    const fresh = page.querySelector('.fit');
    this.focus.close();
    this.view.keep(() => one('.fit').replaceWith(document.importNode(fresh, true)));
    this.graph = new Graph(one('.fit'));
    bringUp(page);
  }
}

let hiding = 0;

const wall = new Wall({
  // Another stream on the same screen, without a reload.
  async open(name) {
    const page = await fetchPage(`/streams/${encodeURIComponent(name)}`);
    shown?.stop();
    one('main').replaceWith(document.importNode(page.querySelector('main'), true));
    document.title = page.title;
    shown = new StreamPage(name);
    wall.dress();
    tick();
  },
});

function startStream() {
  shown = new StreamPage(one('h1[data-stream]').dataset.stream);
  // Browsers allow six connections to a host: a hidden tab must not keep one from a visible tab.
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(() => rest(), HIDDEN_MS);
    else wake();
  });
}

async function rest() {
  shown.link.close();
  shown.isResting = true;
  await shown.poll();
  if (!shown.isResting) return;
  hiding = setTimeout(() => rest(), HIDDEN_PACE_MS);
}

function wake() {
  if (shown.isResting) {
    shown.isResting = false;
    shown.connect();
  } else {
    shown.link.hurry();
  }
}

// --- All streams --------------------------------------------------------------------------------

// Connections are dear where there are many streams, and the cards are small: they are looked at
// again each second.
function startOverview() {
  const sync = new Sync('/', (page) => {
    bringUp(page);
    clock.set(page.querySelector('.asof time').dateTime);
    showStatus(page.title.split(' ')[0]);
  });
  const look = async () => {
    health.set(await sync.now());
    setTimeout(look, sync.pause());
  };
  setTimeout(look, PACE_MS);
}

// --- Copying a token ----------------------------------------------------------------------------

async function copy(token, event) {
  if (!token) return;
  event?.preventDefault();
  try {
    await navigator.clipboard.writeText(token.textContent);
  } catch {
    // Over plain HTTP browsers offer the old way alone.
    getSelection().selectAllChildren(token);
    if (!document.execCommand('copy')) return;
  }
  token.classList.add('copied');
  setTimeout(() => token.classList.remove('copied'), 1_200);
}

// --- Begin --------------------------------------------------------------------------------------

document.body.classList.add('scripted');
setInterval(tick, 1_000);
addEventListener('online', () => shown?.link.hurry());
document.addEventListener('click', (event) => copy(event.target.closest?.('code.token')));
document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' || event.key === ' ') copy(event.target.closest?.('code.token'), event);
});
if (document.body.dataset.page === 'stream') startStream();
else if (!wanted()) startOverview();
wall.start(shown?.name);
