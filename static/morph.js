// Brings a part of the page to what the server has rendered anew, and touches only what differs: what
// stays the same keeps its place, its focus and its selection.
//
// A `data-own` element belongs to the scripts and is left alone. Children with a `data-key` are
// matched by it and keep their order, so that no row moves under a reader's eyes; in a
// `data-order="follow"` they take the new order while nobody points at them.

export function morph(old, fresh) {
  if (old.hasAttribute('data-own')) return;
  attributes(old, fresh);
  const keyed = [...fresh.children].some((child) => child.dataset?.key !== undefined);
  if (keyed) byKey(old, fresh);
  else byPlace(old, fresh);
}

function attributes(old, fresh) {
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
}

const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName;

// What counts: how the source is indented does not.
const parts = (element) => [...element.childNodes].filter((child) => (
  child.nodeType === Node.ELEMENT_NODE || (child.nodeType === Node.TEXT_NODE && child.nodeValue.trim() !== '')));

function byPlace(old, fresh) {
  const [before, after] = [parts(old), parts(fresh)];
  after.forEach((child, place) => {
    const was = before[place];
    if (!was) old.append(document.importNode(child, true));
    else if (!alike(was, child)) was.replaceWith(document.importNode(child, true));
    else if (child.nodeType === Node.ELEMENT_NODE) morph(was, child);
    else if (was.nodeValue !== child.nodeValue) was.nodeValue = child.nodeValue;
  });
  before.slice(after.length).forEach((surplus) => surplus.remove());
}

function byKey(old, fresh) {
  const left = new Map([...old.children].map((child) => [child.dataset.key, child]));
  const order = [...fresh.children].map((child) => {
    const { key } = child.dataset;
    const was = left.get(key);
    left.delete(key);
    if (!was || !alike(was, child)) {
      const made = document.importNode(child, true);
      if (was) was.replaceWith(made);
      else old.append(made);
      return made;
    }
    morph(was, child);
    return was;
  });
  left.forEach((gone) => gone.remove());
  const inUse = old.matches(':hover') || old.contains(document.activeElement);
  if (old.dataset.order === 'follow' && !inUse && order.some((child, place) => old.children[place] !== child)) {
    old.append(...order);
  }
}
