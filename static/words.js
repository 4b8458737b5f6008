// How the page says numbers, times and states: the same words as the server's.

const MS = { min: 6e4, h: 3.6e6, d: 8.64e7 };

// What a reader cannot see, or what turns the direction of what follows, is spelt out: [U+202E].
const HIDDEN = new RegExp(
  '[\\p{Cc}\\u00ad\\u034f\\u061c\\u115f\\u1160\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164' +
  '\\ufeff\\ufff9-\\ufffb\\ufffe\\uffff\\u{e0000}-\\u{e007f}]', 'gu');

export const visible = (text) => String(text).replace(HIDDEN, (c) => {
  const code = c.codePointAt(0).toString(16).toUpperCase().padStart(4, '0');
  return `[U+${code}]`;
});

// `now`, `12 s`, `4 min`, `3 h`, `2 d`.
export function age(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 1) return 'now';
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  return s < 86400 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86400)} d`;
}

export function ago(ms) {
  const said = age(ms);
  return said === 'now' ? 'just now' : `${said} ago`;
}

export function lasting(ms) {
  const said = age(ms);
  return said === 'now' ? 'since just now' : `for ${said}`;
}

export function during(ms) {
  const said = age(ms);
  return said === 'now' ? 'a moment' : said;
}

// Cut, not rounded: 9,990 is not yet 10k.
export function count(n) {
  for (const [unit, name] of [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']]) {
    if (n >= 10 * unit) return `${Math.floor(n / unit)}${name}`;
    if (n >= unit) return `${Math.floor(n / unit)}.${Math.floor((n % unit) * 10 / unit)}${name}`;
  }
  return String(n);
}

export function latency(ms) {
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${ms.toFixed(0)} ms`;
  if (ms < 9950) return `${(ms / 1e3).toFixed(1)} s`;
  if (ms < 99500) return `${(ms / 1e3).toFixed(0)} s`;
  if (ms < 5.97e6) return `${(ms / MS.min).toFixed(0)} min`;
  return ms < 3.6e8 ? `${(ms / MS.h).toFixed(0)} h` : `${(ms / MS.d).toFixed(0)} d`;
}

export function rate(aSecond) {
  if (aSecond > 0 && aSecond < 0.05) return `${Math.ceil(aSecond * 60)}/min`;
  return aSecond < 9.95 ? `${aSecond.toFixed(1)}/s` : `${count(Math.round(aSecond))}/s`;
}

// A deadline as a person would write it: `500 ms`, `10 s`, `1.5 s`.
export function span(ms) {
  for (const [unit, name] of [[MS.d, 'd'], [MS.h, 'h'], [MS.min, 'min'], [1000, 's']]) {
    if (ms >= unit) return `${Number((ms / unit).toFixed(2))} ${name}`;
  }
  return `${Number(ms.toFixed(3))} ms`;
}

export const several = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

// Third and fourth line of an edge's label, the line under a node's name.
export function factLine(edge, nowMs) {
  let line = edge.freshness;
  if (edge.freshness !== 'unobserved') line += ` · ${edge.held} ${age(nowMs - Date.parse(edge.held_since))}`;
  if (edge.latency_ms) line += ` · p95 ${latency(edge.latency_ms.p95)}`;
  return line;
}

export function lostLine(edge) {
  let line = `${count(edge.ledger.late)} late · ${count(edge.ledger.missing)} missing`;
  if (edge.in_flight > 0) line += ` · ${count(edge.in_flight)} in flight`;
  return line;
}

// The same in short lines, where the flow goes down.
export const share = (said) => said.slice(said.indexOf('(') + 1).replace(/\)$/, '');

export const factShort = ({ freshness, latency_ms: ms }) => (
  freshness === 'live' && ms ? `p95 ${latency(ms.p95)}` : freshness);

export const lostShort = ({ ledger }) => `${count(ledger.late + ledger.missing)} failed`;

export function nodeLine(node) {
  switch (node.state) {
    case 'silent': return 'silent';
    case 'unobserved': return 'no event yet';
    case 'waiting': return `waiting · ${rate(node.rate)}`;
    default: return rate(node.rate);
  }
}

const RANK = { UNKNOWN: 0, OK: 1, WARN: 2, NOK: 3 };
export const worse = (a, b) => RANK[a] > RANK[b];

// An edge, and how it is, as one would say it.
export function spoken(edge) {
  let said = `${visible(edge.from)} to ${visible(edge.to)}: ${edge.status}`;
  said += edge.total > 0 ? `, ${edge.pass} of ${edge.total} passed` : ', nothing judged yet';
  if (worse(edge.held, edge.status)) said += `, was ${edge.held} just now`;
  if (edge.freshness !== 'live') said += `, ${edge.freshness}`;
  return said;
}

export function spokenNode(node) {
  const rated = node.state === 'observed' || node.state === 'waiting' ? `, ${rate(node.rate)}` : '';
  return `${visible(node.name)}: ${node.state}${rated}${node.clock_flagged ? ', clock ahead' : ''}`;
}

export const FRESHNESS = {
  blind: 'An input that feeds it is down or catching up: nothing is judged.',
  silent: 'No request for longer than it may be silent.',
  unobserved: 'No outcome yet.',
  live: 'Judged within the last minute.',
  starved: 'Gets nothing: an edge on the way to it is broken.',
  idle: 'No outcome in the last minute.',
};

// The tone in which a status that stands alone is shown, and its favicon.
export const TONE = { OK: 'ok', WARN: 'warn', NOK: 'nok', UNKNOWN: 'grey' };

// The tone of an edge: the server says it; else it follows from the same rules.
export function toneOf(edge) {
  if (edge.tone) return edge.tone.replace('_', '-');
  if (edge.freshness === 'silent' || edge.held === 'NOK') return 'nok';
  if (edge.held === 'WARN') return 'warn';
  if (edge.held === 'OK' && edge.freshness === 'live') return 'ok';
  return edge.held === 'OK' && edge.freshness === 'idle' ? 'ok-idle' : 'grey';
}
