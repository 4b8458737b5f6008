// Pan and zoom. The graph's box scrolls by itself: with the wheel, a finger, the arrow keys. Added
// here: dragging, zooming about a point, and coming back to where all began.

import { isSeen } from './graph.js';

const MOST = 4;
const LEAST = 0.08;
const STEP = 1.25;
const DRAGS = 4; // pixels: less is a click

export class View {
  #stage; #scroll; #scale = null; #pinch = null;

  constructor(stage, signal) {
    this.#stage = stage;
    this.#scroll = stage.querySelector('.scroll');
    const tools = stage.parentElement.querySelector('.tools');
    tools.hidden = false;
    tools.addEventListener('click', (event) => this.#tool(event.target.closest('button')?.dataset.do));
    this.#scroll.addEventListener('keydown', (event) => this.#key(event));
    this.#scroll.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    this.#scroll.addEventListener('touchstart', (event) => this.#touch(event), { passive: true });
    this.#scroll.addEventListener('touchmove', (event) => this.#touchMove(event), { passive: false });
    this.#scroll.addEventListener('pointerdown', (event) => this.#drag(event));
    addEventListener('resize', () => this.#mark(), { signal });
    this.#begin();
    this.#mark();
  }

  // Where not all can be seen, the flow is seen from where it begins.
  #begin() {
    const roots = [...(this.#svg?.querySelectorAll('.node.root .body') ?? [])].map((body) => body.getBoundingClientRect());
    if (roots.length === 0) return;
    const frame = this.#scroll.getBoundingClientRect();
    const middle = (low, top) => (Math.min(...roots.map((root) => root[low])) + Math.max(...roots.map((root) => root[top]))) / 2;
    this.#scroll.scrollLeft += middle('left', 'right') - frame.left - frame.width / 2;
    this.#scroll.scrollTop += middle('top', 'bottom') - frame.top - frame.height / 2;
  }

  // The picture that is seen: none where the wall shows the small one.
  get #svg() {
    return [...this.#scroll.querySelectorAll('.graph')].find(isSeen);
  }

  // A new picture in the same frame, seen from the same place.
  keep(change) {
    const [left, top] = [this.#scroll.scrollLeft, this.#scroll.scrollTop];
    change();
    if (this.#scale !== null) this.#apply();
    [this.#scroll.scrollLeft, this.#scroll.scrollTop] = [left, top];
    this.#mark();
  }

  // Whether there is more than can be seen, so that it can be dragged.
  #mark() {
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = this.#scroll;
    this.#stage.classList.toggle('drags', scrollWidth > clientWidth + 1 || scrollHeight > clientHeight + 1);
  }

  #tool(name) {
    if (name === 'in') this.zoom(STEP);
    if (name === 'out') this.zoom(1 / STEP);
    if (name === 'fit') this.reset();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === '+' || event.key === '=') this.zoom(STEP);
    else if (event.key === '-') this.zoom(1 / STEP);
    else if (event.key === '0') this.reset();
    else return;
    event.preventDefault();
  }

  // Plain turning scrolls, as everywhere; with Ctrl, which is what a pinch on a touch pad sends, it zooms.
  #wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY / (event.deltaMode === 1 ? 12 : 220)), event.clientX, event.clientY);
  }

  #touch(event) {
    this.#pinch = event.touches.length === 2 ? this.#fingers(event) : null;
  }

  #touchMove(event) {
    if (!this.#pinch || event.touches.length !== 2) return;
    event.preventDefault();
    const now = this.#fingers(event);
    this.zoom(now.apart / this.#pinch.apart, now.x, now.y);
    this.#pinch = now;
  }

  #fingers({ touches: [a, b] }) {
    const apart = Math.max(1, Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY));
    return { apart, x: (a.clientX + b.clientX) / 2, y: (a.clientY + b.clientY) / 2 };
  }

  #drag(begun) {
    if (begun.pointerType !== 'mouse' || begun.button !== 0) return;
    const [left, top] = [this.#scroll.scrollLeft, this.#scroll.scrollTop];
    let drags = false;
    const move = (event) => {
      const [dx, dy] = [event.clientX - begun.clientX, event.clientY - begun.clientY];
      if (!drags && Math.hypot(dx, dy) < DRAGS) return;
      drags = true;
      this.#stage.classList.add('dragged');
      [this.#scroll.scrollLeft, this.#scroll.scrollTop] = [left - dx, top - dy];
    };
    const end = () => {
      removeEventListener('pointermove', move);
      removeEventListener('pointercancel', end);
      this.#stage.classList.remove('dragged');
      if (!drags) return;
      // Where a drag ends nothing was clicked.
      const swallow = (event) => event.stopPropagation();
      addEventListener('click', swallow, { capture: true, once: true });
      setTimeout(() => removeEventListener('click', swallow, { capture: true }), 0);
    };
    addEventListener('pointermove', move);
    addEventListener('pointerup', end, { once: true });
    addEventListener('pointercancel', end, { once: true });
  }

  reset() {
    this.#scale = null;
    this.#scroll.querySelectorAll('.graph, .strut').forEach(({ style }) => { [style.width, style.maxWidth] = ['', '']; });
    this.#mark();
  }

  // About a point of the window; the middle of the box where none is named.
  zoom(by, x, y) {
    if (!this.#svg) return;
    const frame = this.#scroll.getBoundingClientRect();
    const before = this.#svg.getBoundingClientRect();
    const [px, py] = [x ?? frame.left + frame.width / 2, y ?? frame.top + frame.height / 2];
    const [partX, partY] = [(px - before.left) / before.width, (py - before.top) / before.height];
    const natural = this.#svg.viewBox.baseVal.width;
    this.#scale = Math.min(MOST, Math.max(LEAST, (before.width / natural) * by));
    this.#apply();
    const after = this.#svg.getBoundingClientRect();
    this.#scroll.scrollLeft += after.left + partX * after.width - px;
    this.#scroll.scrollTop += after.top + partY * after.height - py;
    this.#mark();
  }

  #apply() {
    this.#scroll.querySelectorAll('.graph').forEach((svg) => {
      const width = `${svg.viewBox.baseVal.width * this.#scale}px`;
      [svg.style.width, svg.style.maxWidth] = [width, 'none'];
      svg.previousElementSibling.style.width = width;
    });
  }
}
