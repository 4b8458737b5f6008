// The wall: one screen that nobody touches. The graph fills it, what is broken stands below in large
// letters; several streams take turns, worst first.
//
// `/streams/orders?wall` shows one, `/streams/orders?wall=orders,mail` these, `/?wall` all of them.

import { count, toneOf, visible, worse } from './words.js';
import { el } from './strip.js';

const TURN_MS = 15_000;
const TILES = 4;
const RANK = { NOK: 0, WARN: 1, UNKNOWN: 2, OK: 3 };
const SVG = 'http://www.w3.org/2000/svg';

// What the address asks for: nothing, or the streams' names (none is all).
export function wanted() {
  const value = new URLSearchParams(location.search).get('wall');
  return value === null ? null : value.split(',').filter(Boolean);
}

export class Wall {
  #open; #names = []; #current; #timer = 0; #round = []; #edges = [];

  constructor({ open }) {
    this.#open = open;
    document.addEventListener('keydown', (event) => this.#key(event));
    document.addEventListener('click', (event) => event.target.closest?.('[data-do="wall"]') && this.#toggle());
    document.addEventListener('fullscreenchange', () => document.fullscreenElement || this.#off());
  }

  get isOn() {
    return document.body.classList.contains('wall');
  }

  start(current) {
    this.#current = current;
    const names = wanted();
    if (!names) return;
    this.#on(names.length === 0 && current ? [current] : names);
    if (!current) this.#next();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.('input, textarea')) return;
    if (event.key === 'f' && this.#current) this.#toggle();
    else if (event.key === 'Escape' && this.isOn) this.#off();
  }

  #toggle() {
    if (this.isOn) {
      this.#off();
      return;
    }
    this.#on([this.#current]);
    document.documentElement.requestFullscreen?.().catch(() => {});
  }

  #on(names) {
    this.#names = names;
    document.body.classList.add('wall');
    if (this.#current) history.replaceState(null, '', `?wall${names.length > 1 ? `=${names.join(',')}` : ''}`);
    // The screen stays on where the browser lets us.
    navigator.wakeLock?.request('screen').catch(() => {});
    this.dress();
    if (names.length !== 1) this.#timer = setInterval(() => this.#next(), TURN_MS);
  }

  #off() {
    if (!this.isOn) return;
    clearInterval(this.#timer);
    document.body.classList.remove('wall');
    document.querySelector('.broken')?.replaceChildren();
    const path = `/streams/${encodeURIComponent(this.#current)}`;
    history.replaceState(null, '', path);
    if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
  }

  // The worst that has not had its turn in this round.
  async #next() {
    const answer = await fetch('/api/v1/streams', { cache: 'no-store' }).catch(() => null);
    if (!answer?.ok) return;
    const { streams } = await answer.json();
    const shown = streams.filter(({ name }) => this.#names.length === 0 || this.#names.includes(name));
    shown.sort((a, b) => RANK[a.status] - RANK[b.status]);
    if (!shown.some(({ name }) => !this.#round.includes(name))) this.#round = [];
    const next = shown.find(({ name }) => !this.#round.includes(name));
    if (!next) return;
    this.#round.push(next.name);
    if (next.name === this.#current) return;
    await this.#open(next.name).then(() => { this.#current = next.name; }, () => {});
  }

  // What the wall adds to a page that has just come.
  dress() {
    if (this.isOn) this.show(this.#edges);
  }

  show(edges) {
    this.#edges = edges;
    const list = document.querySelector('.broken');
    if (!list || !this.isOn) return;
    const rank = { nok: 0, warn: 1 };
    const bad = edges.filter((edge) => toneOf(edge) in rank);
    bad.sort((a, b) => rank[toneOf(a)] - rank[toneOf(b)]);
    const tiles = bad.slice(0, TILES).map((edge) => this.#tile(edge));
    if (bad.length > TILES) tiles.push(el('li', { class: 'more' }, `and ${bad.length - TILES} more`));
    list.replaceChildren(...tiles);
  }

  #tile(edge) {
    const tone = toneOf(edge);
    const mark = document.createElementNS(SVG, 'svg');
    mark.setAttribute('viewBox', '0 0 16 16');
    mark.setAttribute('aria-hidden', 'true');
    const use = document.createElementNS(SVG, 'use');
    use.setAttribute('href', `#mark-${tone}`);
    mark.append(use);
    const lost = [[edge.ledger.late, 'late'], [edge.ledger.missing, 'missing']].filter(([n]) => n > 0);
    const now = worse(edge.held, edge.status) ? [`now ${edge.status}`] : [];
    const said = [...now, `${edge.pass} of ${edge.total} passed`, ...lost.map(([n, word]) => `${count(n)} ${word}`)];
    if (edge.freshness === 'silent') said.unshift('silent');
    return el('li', { class: `badge tone-${tone}` }, mark,
      el('span', { class: 'way' }, el('bdi', {}, visible(edge.from)), ' → ', el('bdi', {}, visible(edge.to))),
      el('span', { class: 'said' }, said.join(' · ')));
  }
}
