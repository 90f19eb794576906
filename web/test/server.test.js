// @vitest-environment node
import { expect, it } from 'vitest';

import { Bmn } from './server.js';

it('a server that is told to stop ends well and leaves no process', async () => {
  const server = await Bmn.start();
  try {
    expect(await (await fetch(`${server.url}/health/live`)).json()).toBeTruthy();
    expect(await server.down()).toEqual({ code: 0, signal: null }); // fails by itself where a process is left
    await expect(fetch(server.url)).rejects.toThrow();
  } finally {
    await server.stop();
  }
});
