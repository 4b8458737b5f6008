// The edge or node in focus: what a pointer, a finger or the keyboard is on is told in a panel.
//
// Hovering shows it in passing; a click, a tap or Enter keeps it. Escape closes it, and the focus
// goes back to where it came from.

import { buttonOf, keyOf, nameOf, neighbour } from './graph.js';
import { morph } from './morph.js';
import { demanded, el, gauges, got, histogram, strip, thresholds } from './strip.js';
import { ago, count, FRESHNESS, lasting, latency, rate, several, toneOf, visible } from './words.js';

const LINGER_MS = 140; // a pointer that only passes opens nothing
const LEAVE_MS = 260; // the way from the edge to its panel
const PACE_MS = 1_000; // between two looks at the same edge
const FAILS = 5;
const sheet = matchMedia('(max-width: 40rem)');

const segment = (name) => encodeURIComponent(name);
const fact = (name, ...value) => el('div', {}, el('dt', {}, name), el('dd', {}, ...value));
const moment = (at, now) => el('time', { class: 'ago', datetime: at, title: at }, ago(now - Date.parse(at)));

export class Focus {
  #page; #panel; #body; #item = null; #timer = 0; #look = 0; #looked = 0; #extra = null; #returns = false;

  constructor(page) {
    this.#page = page;
    this.#body = el('div', { class: 'told' });
    const close = el('button', { type: 'button', class: 'close', 'aria-label': 'Close' }, '×');
    close.addEventListener('click', () => this.close(true));
    document.querySelector('#focus')?.remove();
    this.#panel = el('aside', { id: 'focus', class: 'focus', role: 'dialog', tabindex: '-1', hidden: '' }, close, this.#body);
    document.body.append(this.#panel);
    this.#listen(document.querySelector('.scroll'));
  }

  #listen(scroll) {
    const itemOf = (event) => event.target.closest?.('g.edge, g.node');
    scroll.addEventListener('pointerover', (event) => event.pointerType === 'mouse' && this.#hover(itemOf(event)));
    scroll.addEventListener('pointerout', (event) => {
      if (event.pointerType === 'mouse' && itemOf(event) && !itemOf(event).contains(event.relatedTarget)) this.#leave();
    });
    scroll.addEventListener('focusin', (event) => {
      const item = itemOf(event);
      if (!this.#returns && event.target.matches(':focus-visible') && item) this.open(item);
    });
    scroll.addEventListener('focusout', (event) => {
      if (itemOf(event) && !this.#pinned && !this.#panel.contains(event.relatedTarget)) this.#leave();
    });
    scroll.addEventListener('click', (event) => {
      const item = itemOf(event);
      if (item) this.open(item, true);
      else if (this.#item) this.close();
    });
    scroll.addEventListener('keydown', (event) => this.#key(event, itemOf(event)));
    scroll.addEventListener('scroll', () => this.#place(), { passive: true });
    document.querySelector('main').addEventListener('click', (event) => this.#jump(event));
    this.#panel.addEventListener('pointerenter', () => clearTimeout(this.#timer));
    this.#panel.addEventListener('pointerleave', () => this.#leave());
    const { signal } = this.#page.gone;
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.#item) this.close(this.#pinned || this.#panel.contains(document.activeElement));
    }, { signal });
    addEventListener('resize', () => this.#place(), { signal });
  }

  // From an edge's row to the edge itself.
  #jump(event) {
    const href = event.target.closest?.('a.jump')?.getAttribute('href');
    const item = href && this.#page.graph.items().find(({ dataset }) => `#e${dataset.edge}` === href);
    if (!item) return;
    event.preventDefault();
    item.scrollIntoView({ block: 'center', inline: 'center' });
    buttonOf(item).focus();
    this.open(item, true);
  }

  // Whether it stays open wherever the mouse goes.
  get #pinned() { return this.#panel.classList.contains('pinned'); }
  set #pinned(pinned) { this.#panel.classList.toggle('pinned', pinned); }

  #hover(item) {
    clearTimeout(this.#timer);
    if (!item || item === this.#item || this.#pinned || document.body.classList.contains('wall')) return;
    this.#timer = setTimeout(() => this.open(item), LINGER_MS);
  }

  #leave() {
    clearTimeout(this.#timer);
    if (this.#pinned) return;
    this.#timer = setTimeout(() => {
      const focused = document.activeElement;
      const isOn = this.#item && buttonOf(this.#item).matches(':focus-visible');
      if (!isOn && !this.#panel.contains(focused)) this.close();
    }, LEAVE_MS);
  }

  #key(event, item) {
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      this.open(item, true);
      this.#panel.focus();
    } else if (event.key.startsWith('Arrow')) {
      const next = neighbour(this.#page.graph, item, event.key);
      event.preventDefault();
      if (next) buttonOf(next).focus();
    }
  }

  open(item, pinned = false) {
    clearTimeout(this.#timer);
    if (document.body.classList.contains('wall')) return;
    this.#pinned = pinned || (this.#pinned && item === this.#item);
    if (item === this.#item) return;
    this.#release();
    this.#item = item;
    this.#extra = null;
    item.classList.add('selected');
    buttonOf(item).setAttribute('aria-expanded', 'true');
    this.#panel.setAttribute('aria-label', nameOf(item));
    this.#body.replaceChildren(...this.#draw().childNodes);
    this.#panel.hidden = false;
    this.#place();
    this.#looked = 0;
    this.#fetch();
  }

  close(giveBack = false) {
    clearTimeout(this.#timer);
    clearTimeout(this.#look);
    this.#look = 0;
    const item = this.#item;
    this.#release();
    this.#item = null;
    this.#pinned = false;
    this.#panel.hidden = true;
    // Coming back is no reason to tell it again.
    this.#returns = true;
    if (giveBack && item) buttonOf(item).focus();
    this.#returns = false;
  }

  #release() {
    this.#item?.classList.remove('selected');
    if (this.#item) buttonOf(this.#item).setAttribute('aria-expanded', 'false');
  }

  // Something has changed: of what is in focus, too?
  changed({ edges, nodes }) {
    if (!this.#item) return;
    const { from, to, node } = this.#item.dataset;
    const touched = node === undefined
      ? edges.some((edge) => edge.from === from && edge.to === to)
      : nodes.some((one) => one.name === node);
    if (touched) this.#look ||= setTimeout(() => this.#fetch(), Math.max(0, this.#looked + PACE_MS - performance.now()));
  }

  // What the live connection does not bring: the window, the tokens, the histogram.
  async #fetch() {
    this.#look = 0;
    this.#looked = performance.now();
    const item = this.#item;
    const { from, to, node } = item.dataset;
    const wanted = node === undefined ? [[from, to]] : this.#edgesInto(node);
    const extra = await Promise.all(wanted.map(([a, b]) => this.#get(a, b)));
    if (item !== this.#item) return;
    this.#extra = extra.filter(Boolean);
    this.#show();
  }

  async #get(from, to) {
    const url = `${this.#page.api}/edges/${segment(from)}/${segment(to)}`;
    try {
      const answer = await fetch(url, { cache: 'no-store' });
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  }

  #edgesInto(node) {
    return this.#page.graph.edges().filter((edge) => edge.to === node).slice(0, 4).map(({ from, to }) => [from, to]);
  }

  #show() {
    const fresh = this.#draw();
    morph(this.#body, fresh);
    this.#place();
  }

  #draw() {
    const { from, to, node } = this.#item.dataset;
    if (node !== undefined) return this.#drawNode(this.#page.graph.node(node));
    const live = this.#page.graph.edge(keyOf(from, to));
    return this.#drawEdge(this.#extra?.[0] ?? live, live);
  }

  #drawEdge(edge, live) {
    const told = el('div', { class: 'told' });
    if (!edge) {
      told.append(el('h2', {}, nameOf(this.#item)), el('p', { class: 'lead' }, 'Waiting for the live connection.'));
      return told;
    }
    const now = this.#page.now();
    const named = { ...edge, from: visible(edge.from), to: visible(edge.to) };
    const tone = toneOf(live ?? edge);
    const share = edge.total ? ` ${Math.floor((edge.pass * 100) / edge.total)}%` : '';
    told.append(
      el('h2', {}, el('bdi', {}, named.from), ' → ', el('bdi', {}, named.to)),
      edge.name ? el('p', { class: 'lead' }, el('bdi', {}, visible(edge.name))) : '',
      el('p', { class: 'verdict' }, el('span', { class: `badge code tone-${tone}` }, `${edge.status}(pass=${edge.pass}/${edge.total}${share})`),
        el('span', { class: 'held-for' }, `${edge.held} `, el('time', { class: 'lasting', datetime: edge.held_since }, lasting(now - Date.parse(edge.held_since))))),
    );
    if (edge.freshness !== 'live') told.append(el('p', { class: `fresh fresh-${edge.freshness}` }, FRESHNESS[edge.freshness]));
    if (!edge.window) return told;
    told.append(
      el('p', { class: 'got' }, got(named)),
      strip(edge),
      gauges(edge),
      el('p', { class: 'demand' }, `${demanded(named)} ${thresholds(edge.check)}`),
    );
    this.#latencies(told, edge);
    this.#fails(told, edge, now);
    told.append(this.#facts(edge));
    return told;
  }

  #latencies(told, edge) {
    const drawn = histogram(edge);
    if (!drawn) return;
    const last = edge.latency_ms;
    const said = last ? `p50 ${latency(last.p50)} · p95 ${latency(last.p95)} · p99 ${latency(last.p99)}` : 'none in the last minute';
    told.append(el('h3', {}, 'Latency ', el('small', {}, said)), drawn);
  }

  #fails(told, edge, now) {
    const fails = edge.fails.slice(-FAILS).reverse();
    if (fails.length === 0) return;
    const rows = fails.map((fail) => {
      const by = fail.outcome === 'late' && edge.check ? ` by ${latency(fail.latency_ms - edge.check.within_ms)}` : '';
      const token = fail.token == null
        ? el('span', { class: 'none' }, 'a group')
        : el('code', { class: 'token', title: 'Copy', tabindex: '0', role: 'button' }, visible(fail.token));
      return el('li', {}, token, el('span', { class: 'bad' }, `${fail.outcome}${by}`), moment(fail.at, now));
    });
    told.append(el('h3', {}, 'Last late and missing'), el('ul', { class: 'fails' }, ...rows));
  }

  #facts(edge) {
    const oldest = edge.oldest_in_flight_ms;
    const flight = `${count(edge.in_flight)}${oldest == null ? '' : `, the oldest for ${latency(oldest)}`}`;
    const facts = [fact('In flight', flight), fact('Rate', rate(edge.rate))];
    if (edge.clock_difference_ms != null) facts.push(fact('Clocks differ by', latency(edge.clock_difference_ms)));
    const { ledger } = edge;
    for (const name of ['late', 'missing', 'unreported', 'indeterminate', 'reversed', 'unmatched', 'orphans', 'duplicates', 'revisions']) {
      if (ledger[name] > 0) facts.push(fact(name.charAt(0).toUpperCase() + name.slice(1), count(ledger[name])));
    }
    return el('dl', { class: 'facts' }, ...facts);
  }

  #drawNode(node) {
    const told = el('div', { class: 'told' }, el('h2', {}, nameOf(this.#item)));
    if (!node) {
      told.append(el('p', { class: 'lead' }, 'Waiting for the live connection.'));
      return told;
    }
    const now = this.#page.now();
    const state = node.state === 'unobserved' ? 'no event yet' : node.state;
    told.append(el('p', {}, el('span', { class: `state state-${node.state}` }, state)));
    const facts = [
      fact('Rate', rate(node.rate)),
      fact('Events', count(node.events)),
      fact('Last sent', node.last ? moment(node.last, now) : 'never'),
    ];
    if (node.unreported > 0) facts.push(fact('Unreported', count(node.unreported)));
    told.append(el('dl', { class: 'facts' }, ...facts));
    if (node.clock_flagged) {
      told.append(el('p', { class: 'clock' }, 'Its clock is more than 5 minutes ahead of ours: its timestamps were replaced by their arrival.'));
    }
    for (const edge of this.#extra ?? []) {
      if (edge.clock_difference_ms != null) {
        told.append(el('p', { class: 'clock' }, `Its clock was ${latency(edge.clock_difference_ms)} behind that of ${visible(edge.from)}.`));
      }
    }
    const lines = this.#page.graph.edges().filter((edge) => edge.from === node.name || edge.to === node.name);
    told.append(el('h3', {}, several(lines.length, 'edge')), el('ul', { class: 'around' }, ...lines.slice(0, 8).map((edge) => el('li', {},
      el('bdi', {}, visible(edge.from)), ' → ', el('bdi', {}, visible(edge.to)), ' ',
      el('span', { class: `held tone-${toneOf(edge)}` }, edge.held)))));
    return told;
  }

  // Beside what it tells of: below where there is room, else above, else at its side.
  #place() {
    if (!this.#item || this.#panel.hidden) return;
    const { style } = this.#panel;
    if (sheet.matches) {
      [style.left, style.top] = ['', ''];
      return;
    }
    const mark = this.#item.querySelector('.label, .body').getBoundingClientRect();
    const frame = document.querySelector('.scroll').getBoundingClientRect();
    const [width, height] = [this.#panel.offsetWidth, this.#panel.offsetHeight];
    const [wide, high] = [document.documentElement.clientWidth, innerHeight];
    const clamp = (n, low, top) => Math.max(low, Math.min(n, top));
    let left = clamp(mark.left + mark.width / 2 - width / 2, 12, wide - width - 12);
    let top = mark.bottom + 12;
    if (top + height > high - 12) {
      if (mark.top - 12 - height >= 12) {
        top = mark.top - 12 - height;
      } else {
        top = clamp(mark.top + mark.height / 2 - height / 2, 12, Math.max(12, high - height - 12));
        const right = clamp(mark.right, frame.left, frame.right) + 12;
        left = right + width <= wide - 12 ? right : Math.max(12, clamp(mark.left, frame.left, frame.right) - 12 - width);
      }
    }
    [style.left, style.top] = [`${Math.round(left)}px`, `${Math.round(top)}px`];
  }
}
