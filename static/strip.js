// What the panel draws of an edge: its window outcome by outcome, the thresholds against it, its
// latencies against the deadline; and says of it in words.

import { latency, several, span } from './words.js';

const SVG = 'http://www.w3.org/2000/svg';
const SHOWN = 60; // outcomes in the strip

export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  Object.entries(attributes).forEach(([key, value]) => value !== null && made.setAttribute(key, value));
  made.append(...children.filter((child) => child !== null && child !== ''));
  return made;
}

function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.append(...children);
  return made;
}

const isFail = (entry) => entry.outcome === 'late' || entry.outcome === 'missing';
const isPass = (entry) => entry.outcome === 'pass' || entry.outcome === 'reversed';

// --- In words -----------------------------------------------------------------------------------

const small = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
const number = (n) => small[n] ?? String(n);
const start = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// What it demands: "Each message within 500 ms."
export function demanded({ check, from, to }) {
  if (!check) return 'No deadline is set: every match passes, however late.';
  const within = span(check.within_ms);
  if (check.kind === 'count') {
    const same = check.same_token ? ' of the same messages' : '';
    return `Of every ${check.every} at ${from}, ${check.expect}${same} at ${to} within ${within}.`;
  }
  return check.optional ? `Those that take this way, within ${within}.` : `Each message within ${within}.`;
}

// When it is called what: "OK from 3 passes, WARN from the first fail, NOK from 2 fails."
export function thresholds(check) {
  if (!check) return 'OK from the first match.';
  const fails = (threshold) => {
    if (typeof threshold === 'string') return `from ${threshold} fails`;
    return threshold <= 1 ? 'from the first fail' : `from ${threshold} fails`;
  };
  const said = [`OK from ${several(check.ok, 'pass', 'passes')}`];
  const canWarn = typeof check.warn === 'string' || Math.max(1, check.warn) < Math.max(1, Number(check.fail));
  if (canWarn) said.push(`WARN ${fails(check.warn)}`);
  return `${[...said, `NOK ${fails(check.fail)}`].join(', ')}.`;
}

// What it got: "4 of the last 5 arrived within 500 ms; one was 812 ms late."
export function got(edge) {
  const { check, window } = edge;
  if (edge.total === 0) return window.length === 0 ? 'Nothing is judged yet.' : 'Nothing that counts is judged yet.';
  const within = check ? ` within ${span(check.within_ms)}` : '';
  const counted = check?.kind === 'count';
  const what = counted ? ` ${several(edge.total, 'group')}` : '';
  const done = counted ? 'were complete' : 'arrived';
  let said = edge.total === 1
    ? `The last one ${edge.pass === 1 ? 'arrived' : 'did not arrive'}${within}`
    : `${share(edge)} of the last ${edge.total}${what && ' groups'} ${done}${within}`;
  for (const part of [late(edge), missing(edge), beyond(edge)]) if (part) said += `; ${part}`;
  return `${start(said)}.`;
}

function share({ pass, total }) {
  if (pass === total) return 'All';
  return pass === 0 ? 'None' : pass;
}

function late({ check, window }) {
  const by = window.filter((entry) => entry.outcome === 'late').map((entry) => entry.latency_ms - (check?.within_ms ?? 0));
  if (by.length === 0) return '';
  const most = latency(Math.max(...by));
  return by.length === 1 ? `one was ${most} late` : `${number(by.length)} were late, by up to ${most}`;
}

function missing({ check, window }) {
  const n = window.filter((entry) => entry.outcome === 'missing').length;
  if (n === 0) return '';
  if (check?.kind === 'count') return `${number(n)} ${n === 1 ? 'was' : 'were'} not`;
  return `${number(n)} never came`;
}

function beyond({ window, to }) {
  const n = window.filter((entry) => entry.outcome === 'unreported').length;
  return n === 0 ? '' : `${number(n)} passed ${to} unreported`;
}

// --- The window ---------------------------------------------------------------------------------

const SAID = { pass: 'passed', reversed: 'passed, stamped before it was sent', late: 'late', missing: 'missing', unreported: 'unreported' };

// One bar an outcome, newest on the right; fails stand out by height, colour and a mark.
export function strip(edge) {
  const seen = edge.window.slice(-SHOWN);
  const wide = 360;
  const places = Math.max(seen.length, Math.min(SHOWN, size(edge)));
  const step = wide / Math.max(1, places);
  const gap = step > 8 ? 3 : 0.75;
  const drawn = svg('svg', { class: 'strip', viewBox: `0 0 ${wide} 44`, role: 'img', 'aria-label': spoken(seen) });
  for (let place = 0; place < places; place += 1) {
    const entry = seen[place - (places - seen.length)];
    const x = place * step + gap / 2;
    const width = Math.min(step - gap, 42);
    drawn.append(entry ? bar(entry, x, width) : svg('rect', { class: 'place', x, y: 14, width, height: 24, rx: Math.min(4, width / 3) }));
  }
  return drawn;
}

function bar(entry, x, width) {
  const bad = isFail(entry);
  const kind = bad ? 'fail' : isPass(entry) ? 'pass' : 'empty';
  const group = svg('g', { class: `one ${kind}` });
  const title = svg('title');
  title.textContent = `${SAID[entry.outcome] ?? entry.outcome}${entry.latency_ms == null ? '' : `, ${latency(entry.latency_ms)}`}`;
  group.append(title, svg('rect', { x, y: bad ? 4 : 14, width, height: bad ? 38 : 24, rx: Math.min(4, width / 3) }));
  if (width >= 9) {
    const [cx, cy] = [x + width / 2, bad ? 23 : 26];
    const d = { late: `M${cx} ${cy - 5}v5l3.4 2.4`, missing: `M${cx - 3.5} ${cy - 3.5}l7 7m0-7l-7 7` };
    group.append(svg('path', { class: 'sign', d: d[entry.outcome] ?? `M${cx - 4} ${cy}l2.8 2.8 5-5.6` }));
  }
  return group;
}

function spoken(seen) {
  const said = seen.map((entry) => SAID[entry.outcome] ?? entry.outcome);
  return said.length === 0 ? 'The window is empty' : `The window, oldest first: ${said.slice(-20).join(', ')}`;
}

// How many outcomes the window holds when it is full, where that is a number.
function size({ check }) {
  if (!check) return 100;
  if (typeof check.window === 'number') return check.window;
  if (typeof check.window === 'string') return 0;
  return check.ok + (Number(check.warn) || 0) + (Number(check.fail) || 0);
}

// --- The thresholds -----------------------------------------------------------------------------

// Two scales: passes against OK, fails against WARN and NOK.
export function gauges(edge) {
  const { check, pass, total } = edge;
  const fails = total - pass;
  const both = [scale('passes', pass, [['OK', check?.ok ?? 1]], 'pass')];
  if (check) {
    const share = typeof check.fail === 'string' || typeof check.warn === 'string';
    const value = share ? (total ? (100 * fails) / total : 0) : fails;
    const at = (threshold) => (typeof threshold === 'string' ? parseFloat(threshold) : Math.max(1, threshold));
    const [warn, nok] = [at(check.warn), at(check.fail)];
    const marks = warn < nok ? [['WARN', warn], ['NOK', nok]] : [['NOK', nok]];
    both.push(scale('fails', value, marks, 'fail', share ? '%' : ''));
  }
  return el('div', { class: 'gauges' }, ...both);
}

function scale(name, value, marks, kind, unit = '') {
  const most = Math.max(...marks.map(([, at]) => at));
  const end = Math.max(most * 1.25, Math.min(value, most * 4), most + (unit ? 0 : 1));
  const x = (n) => 70 + 250 * Math.min(1, n / end);
  const shown = Number.isInteger(value) ? value : value.toFixed(1);
  const drawn = svg('svg', { class: 'gauge', viewBox: '0 0 360 34', 'aria-hidden': 'true' });
  const text = (words, at, y, cls, anchor) => {
    const made = svg('text', { x: at, y, class: cls, 'text-anchor': anchor });
    made.textContent = words;
    return made;
  };
  drawn.append(
    text(name, 0, 28, 'name', 'start'),
    svg('rect', { class: 'rail', x: 70, y: 20, width: 250, height: 9, rx: 4.5 }),
    svg('rect', { class: `fill ${kind}`, x: 70, y: 20, width: Math.max(0, x(value) - 70), height: 9, rx: 4.5 }),
    text(`${shown}${unit}`, 358, 28, 'value', 'end'),
  );
  // Two marks that stand close together look away from each other.
  const close = marks.length > 1 && x(marks[1][1]) - x(marks[0][1]) < 60;
  marks.forEach(([word, at], place) => {
    const anchor = close ? ['end', 'start'][place] : x(at) > 300 ? 'end' : 'middle';
    const shift = close ? [6, -6][place] : 0;
    const tone = { OK: 'ok', WARN: 'warn', NOK: 'nok' }[word];
    drawn.append(
      svg('path', { class: `tick ${tone}`, d: `M${x(at)} 15v19` }),
      text(`${word} ${at}${unit}`, x(at) + shift, 11, `at ${tone}`, anchor),
    );
  });
  return drawn;
}

// --- The latencies ------------------------------------------------------------------------------

// From the first bucket that holds something, or the deadline's, to the last; one of each is enough.
export function histogram({ latency_histogram: buckets, check }) {
  const bounds = buckets.map((bucket) => bucket.le_ms ?? Infinity);
  const full = buckets.flatMap((bucket, at) => (bucket.count > 0 ? [at] : []));
  if (full.length === 0) return null;
  const due = check ? bounds.findIndex((bound) => bound >= check.within_ms) : -1;
  const ends = due < 0 ? full : [...full, due];
  const first = Math.max(0, Math.min(...ends) - 1);
  const last = Math.min(buckets.length - 1, Math.max(...ends) + 1);
  const most = Math.max(...buckets.map((bucket) => bucket.count));
  const step = 360 / (last - first + 1);
  const drawn = svg('svg', { class: 'histogram', viewBox: '0 0 360 84', role: 'img', 'aria-label': 'Latencies so far, by size' });
  for (let at = first; at <= last; at += 1) {
    const { count } = buckets[at];
    const height = count === 0 ? 1 : Math.max(3, (52 * count) / most);
    const isLate = check && bounds[at] > check.within_ms && at !== due;
    const title = svg('title');
    title.textContent = `up to ${Number.isFinite(bounds[at]) ? span(bounds[at]) : 'any'}: ${count}`;
    const box = { class: isLate ? 'bin late' : 'bin', x: (at - first) * step + 1, y: 66 - height, width: Math.max(1, step - 2), height, rx: 1.5 };
    drawn.append(svg('rect', box, title));
    const every = Math.ceil((last - first + 1) / 7);
    if ((last - at) % every === 0 && at < last && Number.isFinite(bounds[at])) {
      const said = svg('text', { x: (at - first + 1) * step, y: 80, 'text-anchor': 'middle' });
      said.textContent = span(bounds[at]);
      drawn.append(said);
    }
  }
  if (due >= 0) {
    const low = due > 0 ? bounds[due - 1] : bounds[0] / 2.5;
    const part = Number.isFinite(bounds[due]) ? Math.log(check.within_ms / low) / Math.log(bounds[due] / low) : 0.5;
    const x = (due - first + Math.min(1, Math.max(0, part))) * step;
    const said = svg('text', { class: 'due', x: x > 262 ? x - 5 : x + 5, y: 10, 'text-anchor': x > 262 ? 'end' : 'start' });
    said.textContent = `deadline ${span(check.within_ms)}`;
    drawn.append(svg('path', { class: 'deadline', d: `M${x} 2V66` }), said);
  }
  return drawn;
}
