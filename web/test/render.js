/** Hooks in a real React tree, without batching helpers: what a component would see, when it would see it. */

import { StrictMode, createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { afterEach } from 'vitest';

import { BmnProvider } from '../src/index.js';

const roots = new Set();

afterEach(() => {
  for (const root of roots) root.unmount();
  roots.clear();
});

/**
 * Renders components, each calling one hook, below one provider.
 *
 * @param {object} provider  the props of BmnProvider
 * @param {Record<string, () => any>} hooks  by name
 * @returns what each hook answered: `seen[name].now`, and `seen[name].all` from the first on; `show(hooks)` renders
 *   others instead; `unmount()`
 */
export function render(provider, hooks, { strict = false } = {}) {
  const root = createRoot(document.createElement('div'));
  roots.add(root);
  /** @type {Record<string, { now: any, all: any[] }>} */
  const seen = {};

  function Probe({ name, hook }) {
    const value = hook();
    const entry = seen[name];
    entry.now = value;
    if (entry.all.at(-1) !== value) entry.all.push(value);
    return null;
  }
  function show(shown) {
    for (const name of Object.keys(shown)) seen[name] ??= { now: undefined, all: [] };
    const probes = Object.entries(shown).map(([name, hook]) => createElement(Probe, { key: name, name, hook }));
    const tree = createElement(BmnProvider, provider, ...probes);
    root.render(strict ? createElement(StrictMode, null, tree) : tree);
  }
  function unmount() {
    roots.delete(root);
    root.unmount();
  }
  show(hooks);
  return { seen, show, unmount };
}
