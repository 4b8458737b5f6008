// The graph on an open page: recolours edges and rewrites their texts in place. A coordinate never
// changes here; when the graph itself has changed, the page brings a new picture.

import {
  count, factLine, factShort, lostLine, lostShort, nodeLine, share, spoken, spokenNode, toneOf, visible,
} from './words.js';

const SVG = 'http://www.w3.org/2000/svg';
const PULSES_MAX = 24; // at once: beyond that nobody sees more than a flicker
const calm = matchMedia('(prefers-reduced-motion: reduce)');

export const keyOf = (from, to) => `${from}\u0000${to}`;

const shape = (name, attributes) => {
  const made = document.createElementNS(SVG, name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  return made;
};

const write = (text, words) => {
  if (text && text.textContent !== words) text.textContent = words;
};

// The box becomes a button with the group's words; what is written in it is not read out a second
// time. The title would stand in the way of the panel that says more.
function touchable(group, box) {
  const title = group.querySelector(':scope > title');
  box.setAttribute('role', 'button');
  box.setAttribute('tabindex', '0');
  box.setAttribute('aria-expanded', 'false');
  box.setAttribute('aria-label', group.getAttribute('aria-label') ?? title.textContent);
  ['role', 'aria-label'].forEach((name) => group.removeAttribute(name));
  group.querySelectorAll('text').forEach((text) => text.setAttribute('aria-hidden', 'true'));
  title?.remove();
}

// What of an edge or a node takes the focus.
export const buttonOf = (group) => group.querySelector(':scope > [tabindex]');

const tell = (box, words) => {
  if (box.getAttribute('aria-label') !== words) box.setAttribute('aria-label', words);
};

const setClass = (group, words) => {
  const own = ['selected'].filter((name) => group.classList.contains(name));
  const all = [...words, ...own].join(' ');
  if (group.getAttribute('class') !== all) group.setAttribute('class', all);
};

// One drawing of the graph.
class Picture {
  #edges = new Map();
  #nodes = new Map();
  #pulses = 0;

  constructor(svg) {
    this.svg = svg;
    svg.querySelectorAll('g.edge').forEach((group) => this.#bindEdge(group));
    svg.querySelectorAll('g.node').forEach((group) => this.#bindNode(group));
  }

  isOf(stream) {
    const edges = stream.edges.every((edge) => {
      const bound = this.#edges.get(keyOf(edge.from, edge.to));
      return bound && (!edge.label || (edge.label[1] ?? '') === bound.group.dataset.owed);
    });
    const nodes = stream.nodes.every((node) => this.#nodes.has(node.name));
    return edges && nodes && this.#edges.size === stream.edges.length && this.#nodes.size === stream.nodes.length;
  }

  #bindEdge(group) {
    const part = (name) => group.querySelector(`:scope > .${name}`);
    const wire = part('wire');
    // A line of two pixels is hard to point at.
    const hit = shape('path', { class: 'hit', d: wire.getAttribute('d') });
    const pulse = shape('path', { class: 'pulse', d: wire.getAttribute('d'), pathLength: 100 });
    wire.after(pulse);
    group.prepend(hit);
    touchable(group, part('label'));
    const texts = Object.fromEntries(['said', 'word', 'share', 'fact', 'lost'].map((name) => [name, part(name)]));
    this.#edges.set(keyOf(group.dataset.from, group.dataset.to), { group, pulse, label: part('label'), ...texts });
  }

  #bindNode(group) {
    const part = (name) => group.querySelector(`:scope > .${name}`);
    touchable(group, part('body'));
    this.#nodes.set(group.dataset.node, { group, doing: part('doing'), body: part('body') });
  }

  showEdge(data, before, nowMs) {
    const edge = this.#edges.get(keyOf(data.from, data.to));
    if (!edge) return;
    const tone = toneOf(data);
    setClass(edge.group, ['edge', `tone-${tone}`, `fresh-${data.freshness}`, ...(data.discovered ? ['discovered'] : [])]);
    if (data.label) {
      write(edge.said, data.label[0]);
      write(edge.share, share(data.label[0]));
    }
    write(edge.word, data.status);
    write(edge.lost, edge.word ? lostShort(data) : lostLine(data));
    edge.lost?.classList.toggle('some', data.ledger.late + data.ledger.missing > 0);
    this.#flag(edge.group, 'flag-indeterminate', data.ledger.indeterminate, 'indeterminate', edge.label, 0);
    this.#flag(edge.group, 'flag-blind', data.freshness === 'blind' ? 1 : 0, 'blind', edge.label, 1, false);
    this.tickEdge(data, nowMs);
    tell(edge.label, spoken(data));
    if (before) this.#move(edge, before.ledger, data.ledger, toneOf(before) !== tone);
  }

  showNode(data) {
    const node = this.#nodes.get(data.name);
    if (!node) return;
    setClass(node.group, ['node', `state-${data.state}`, ...(data.root ? ['root'] : [])]);
    write(node.doing, nodeLine(data));
    this.#flag(node.group, 'flag-unreported', data.unreported, 'unreported', node.body, 1);
    this.#flag(node.group, 'flag-clock', data.clock_flagged ? 1 : 0, 'clock ahead', node.body, 0, false);
    tell(node.body, spokenNode(data));
  }

  tickEdge(data, nowMs) {
    const edge = this.#edges.get(keyOf(data.from, data.to));
    if (edge?.fact) write(edge.fact, edge.word ? factShort(data) : factLine(data, nowMs));
  }

  // A small loud note in the middle of a box's upper (0) or lower (1) border, as the server draws it.
  #flag(group, name, n, words, box, side, counted = true) {
    const was = group.querySelector(`:scope > .${name}`);
    if (!n) {
      was?.remove();
      return;
    }
    const text = counted ? `${count(n)} ${words}` : words;
    if (was?.textContent === text) return;
    was?.remove();
    const middle = num(box, 'x') + num(box, 'width') / 2;
    const y = num(box, 'y') + side * num(box, 'height');
    const width = text.length * 11 * 0.605 + 14;
    const flag = shape('g', { class: `flag ${name}` });
    const said = shape('text', { 'aria-hidden': 'true', x: middle, y: y + 3.8 });
    said.textContent = text;
    flag.append(shape('rect', { class: 'pill', x: middle - width / 2, y: y - 8.5, width, height: 17, rx: 8.5 }), said);
    group.append(flag);
  }

  // Motion means that something happened: a pulse for new outcomes, a glow for a new tone.
  #move(edge, before, after, toned) {
    if (calm.matches || document.hidden || !isSeen(this.svg)) return;
    const passed = after.pass + after.reversed > before.pass + before.reversed;
    const failed = after.late + after.missing > before.late + before.missing;
    if (toned) {
      edge.label.animate([{ strokeWidth: 10, strokeOpacity: 0.5 }, {}], { duration: 900, easing: 'ease-out' });
    }
    if (!(passed || failed) || this.#pulses >= PULSES_MAX) return;
    this.#pulses += 1;
    edge.pulse.setAttribute('class', failed ? 'pulse bad' : 'pulse');
    const from = { strokeDashoffset: 8, opacity: 1 };
    // What is lost does not arrive: its pulse dies on the way.
    const to = failed ? { strokeDashoffset: -46, opacity: 0 } : { strokeDashoffset: -100, opacity: 0.9 };
    const run = edge.pulse.animate([from, to], { duration: 800, easing: 'ease-in-out' });
    run.finished.catch(() => {}).finally(() => { this.#pulses -= 1; });
  }
}

// All drawings of the graph, wide and narrow, and what is known of its edges and nodes.
export class Graph {
  #pictures;
  #edges = new Map();
  #nodes = new Map();

  constructor(fit) {
    this.#pictures = [...fit.querySelectorAll('.graph')].map((svg) => new Picture(svg));
  }

  // What the pictures were drawn for: another graph needs new ones.
  isOf(stream) {
    return this.#pictures.every((picture) => picture.isOf(stream));
  }

  edge(key) {
    return this.#edges.get(key);
  }

  node(name) {
    return this.#nodes.get(name);
  }

  edges() {
    return [...this.#edges.values()];
  }

  // All that can be focused, in the order of the flow.
  items() {
    const svg = this.#pictures.find((picture) => isSeen(picture.svg))?.svg;
    return [...(svg?.querySelectorAll('g.edge, g.node') ?? [])];
  }

  showEdge(data, nowMs) {
    const key = keyOf(data.from, data.to);
    const before = this.#edges.get(key);
    this.#edges.set(key, data);
    this.#pictures.forEach((picture) => picture.showEdge(data, before, nowMs));
  }

  showNode(data) {
    this.#nodes.set(data.name, data);
    this.#pictures.forEach((picture) => picture.showNode(data));
  }

  // Ages grow while nothing happens.
  tick(nowMs) {
    this.#edges.forEach((data) => this.#pictures.forEach((picture) => picture.tickEdge(data, nowMs)));
  }
}

// Of the drawings the style sheet shows one.
export const isSeen = (svg) => svg.getClientRects().length > 0;

const num = (element, name) => Number(element.getAttribute(name));

// The item that an arrow key leads to: along the flow, or to a neighbour in the flow's order.
export function neighbour(graph, item, key) {
  const all = graph.items();
  const { from, to, node } = item.dataset;
  const byEnd = (end, name) => all.filter((other) => other.dataset[end] === name);
  const named = (name) => all.find((other) => other.dataset.node === name);
  const isDown = item.closest('.graph').classList.contains('down');
  const turned = { ArrowDown: 'ArrowRight', ArrowUp: 'ArrowLeft', ArrowRight: 'ArrowDown', ArrowLeft: 'ArrowUp' };
  switch (isDown ? turned[key] : key) {
    case 'ArrowRight': return node === undefined ? named(to) : byEnd('from', node)[0];
    case 'ArrowLeft': return node === undefined ? named(from) : byEnd('to', node)[0];
    case 'ArrowDown':
    case 'ArrowUp': {
      const siblings = node === undefined
        ? byEnd('from', from).concat(byEnd('to', to)).filter((other, at, list) => list.indexOf(other) === at)
        : all.filter((other) => other.dataset.node !== undefined);
      const across = isDown ? 'x' : 'y';
      siblings.sort((a, b) => a.getBoundingClientRect()[across] - b.getBoundingClientRect()[across]);
      const step = turned[key] === (isDown ? 'ArrowDown' : 'ArrowRight') ? 1 : -1;
      return siblings[siblings.indexOf(item) + step];
    }
    default: return undefined;
  }
}

export const nameOf = (item) => (
  item.dataset.node === undefined
    ? `${visible(item.dataset.from)} to ${visible(item.dataset.to)}`
    : visible(item.dataset.node));
