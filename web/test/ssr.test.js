// @vitest-environment node
/** On a server that renders pages, there is no document, no socket and no lock: the hooks show their first state. */

import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { expect, it, vi } from 'vitest';

import {
  BmnProvider,
  useAgent,
  useBrandAssets,
  useCredits,
  useEstimate,
  useGenerate,
  useJob,
  useJobs,
  usePictures,
  useSocket,
} from '../src/index.js';

it('renders every hook to a string, asking nobody', () => {
  const asked = vi.spyOn(globalThis, 'fetch');
  const warned = vi.spyOn(console, 'error');
  function Page() {
    useAgent('b');
    useEstimate('logos', { brandId: 'b' });
    useJobs();
    const { remaining } = useCredits();
    const { status } = useGenerate('logos');
    const words = [useSocket('/wizard').connected, remaining, status, useJob('j').progress, usePictures('j', 2).pictures.length];
    return createElement('p', null, [...words, useBrandAssets('b').loading].join(' '));
  }
  const provider = { url: 'https://api.example.com/', getToken: () => null };
  expect(renderToString(createElement(BmnProvider, provider, createElement(Page)))).toBe('<p>false  idle 0 2 true</p>');
  expect(asked).not.toHaveBeenCalled();
  expect(warned).not.toHaveBeenCalled();
});

it('refuses an address that is none, by its name', () => {
  for (const url of ['', 'api.example.com', 'ftp://api.example.com', undefined]) {
    const page = createElement(BmnProvider, { url, getToken: () => null });
    expect(() => renderToString(page)).toThrow("<BmnProvider url> has to be the server's address");
  }
});
