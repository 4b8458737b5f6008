// The graph on an open page: recolours edges and rewrites their texts in place. A coordinate never
// changes here; when the graph itself has changed, the page brings a new picture.

import { count, factLine, lostLine, nodeLine, spoken, spokenNode, toneOf, visible } from './words.js';

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

export class Graph {
  #edges = new Map();
  #nodes = new Map();
  #pulses = 0;

  constructor(svg) {
    this.svg = svg;
    svg.querySelectorAll('g.edge').forEach((group) => this.#bindEdge(group));
    svg.querySelectorAll('g.node').forEach((group) => this.#bindNode(group));
  }

  // What the picture was drawn for: another one needs a new picture.
  isOf(stream) {
    const edges = stream.edges.every((edge) => {
      const bound = this.#edges.get(keyOf(edge.from, edge.to));
      return bound && (!edge.label || (edge.label[1] ?? 'no check') === bound.owed.textContent);
    });
    const nodes = stream.nodes.every((node) => this.#nodes.has(node.name));
    return edges && nodes && this.#edges.size === stream.edges.length && this.#nodes.size === stream.nodes.length;
  }

  edge(key) {
    return this.#edges.get(key);
  }

  node(name) {
    return this.#nodes.get(name);
  }

  // All that can be focused, in the order of the flow.
  items() {
    return [...this.svg.querySelectorAll('g.edge, g.node')];
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
    this.#edges.set(keyOf(group.dataset.from, group.dataset.to), {
      group, pulse, said: part('said'), owed: part('owed'), fact: part('fact'), lost: part('lost'),
      label: part('label'), data: null,
    });
  }

  #bindNode(group) {
    const part = (name) => group.querySelector(`:scope > .${name}`);
    touchable(group, part('body'));
    this.#nodes.set(group.dataset.node, { group, doing: part('doing'), body: part('body'), data: null });
  }

  // Shows an edge's new state; says what has come of it since: 'pass', 'fail' or nothing.
  showEdge(data, nowMs) {
    const edge = this.#edges.get(keyOf(data.from, data.to));
    if (!edge) return;
    const before = edge.data;
    edge.data = data;
    const tone = toneOf(data);
    const toned = before && toneOf(before) !== tone;
    setClass(edge.group, ['edge', `tone-${tone}`, `fresh-${data.freshness}`, ...(data.discovered ? ['discovered'] : [])]);
    write(edge.said, data.label ? data.label[0] : edge.said.textContent);
    write(edge.lost, lostLine(data));
    edge.lost?.classList.toggle('some', data.ledger.late + data.ledger.missing > 0);
    this.#flag(edge.group, 'flag-indeterminate', data.ledger.indeterminate, 'indeterminate', () => {
      const box = edge.label;
      return { right: num(box, 'x') + num(box, 'width') - 10, y: num(box, 'y') };
    });
    this.#tickEdge(edge, nowMs);
    tell(edge.label, spoken(data));
    if (before) this.#move(edge, before.ledger, data.ledger, toned);
  }

  showNode(data) {
    const node = this.#nodes.get(data.name);
    if (!node) return;
    node.data = data;
    setClass(node.group, ['node', `state-${data.state}`, ...(data.root ? ['root'] : [])]);
    write(node.doing, nodeLine(data));
    const middle = () => num(node.body, 'x') + num(node.body, 'width') / 2;
    this.#flag(node.group, 'flag-unreported', data.unreported, 'unreported', () => (
      { middle: middle(), y: num(node.body, 'y') + num(node.body, 'height') }));
    this.#flag(node.group, 'flag-clock', data.clock_flagged ? 1 : 0, 'clock ahead', () => (
      { middle: middle(), y: num(node.body, 'y') }), false);
    tell(node.body, spokenNode(data));
  }

  // Ages grow while nothing happens.
  tick(nowMs) {
    this.#edges.forEach((edge) => edge.data && this.#tickEdge(edge, nowMs));
  }

  #tickEdge(edge, nowMs) {
    if (edge.fact) write(edge.fact, factLine(edge.data, nowMs));
  }

  // A small loud note on a box's border, as the server draws it.
  #flag(group, name, n, words, place, counted = true) {
    const was = group.querySelector(`:scope > .${name}`);
    if (!n) {
      was?.remove();
      return;
    }
    const text = counted ? `${count(n)} ${words}` : words;
    if (was?.textContent === text) return;
    was?.remove();
    const { right, middle, y } = place();
    const width = text.length * 11 * 0.605 + 14;
    const left = right === undefined ? middle - width / 2 : right - width;
    const flag = shape('g', { class: `flag ${name}` });
    const said = shape('text', { 'aria-hidden': 'true', x: left + width / 2, y: y + 3.8 });
    said.textContent = text;
    flag.append(shape('rect', { class: 'pill', x: left, y: y - 8.5, width, height: 17, rx: 8.5 }), said);
    group.append(flag);
  }

  // Motion means that something happened: a pulse for new outcomes, a glow for a new tone.
  #move(edge, before, after, toned) {
    if (calm.matches || document.hidden) return;
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

const num = (element, name) => Number(element.getAttribute(name));

// The item that an arrow key leads to: along the flow, or to a neighbour in the flow's order.
export function neighbour(graph, item, key) {
  const all = graph.items();
  const { from, to, node } = item.dataset;
  const byEnd = (end, name) => all.filter((other) => other.dataset[end] === name);
  const named = (name) => all.find((other) => other.dataset.node === name);
  switch (key) {
    case 'ArrowRight': return node === undefined ? named(to) : byEnd('from', node)[0];
    case 'ArrowLeft': return node === undefined ? named(from) : byEnd('to', node)[0];
    case 'ArrowDown':
    case 'ArrowUp': {
      const siblings = node === undefined
        ? byEnd('from', from).concat(byEnd('to', to)).filter((other, at, list) => list.indexOf(other) === at)
        : all.filter((other) => other.dataset.node !== undefined);
      siblings.sort((a, b) => a.getBoundingClientRect().y - b.getBoundingClientRect().y);
      const step = key === 'ArrowDown' ? 1 : -1;
      return siblings[siblings.indexOf(item) + step];
    }
    default: return undefined;
  }
}

export const nameOf = (item) => (
  item.dataset.node === undefined
    ? `${visible(item.dataset.from)} to ${visible(item.dataset.to)}`
    : visible(item.dataset.node));
