/** A real browser without a screen, and a page that was built for it. */

import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';

import { chromium } from 'playwright-core';
import { build } from 'vite';

const PATHS = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const executablePath = PATHS.find((path) => path && existsSync(path));

export const launch = () => chromium.launch({ executablePath, headless: true, args: QUIET });

/** A site at an origin of its own; `origin` is known before the page is built, since the server has to know it. */
export async function openSite() {
  const folder = await mkdtemp(join(tmpdir(), 'bmn-page-'));
  const server = http.createServer(serve);
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return { origin, make, close };

  /** @param {string} root  the folder of `index.html` @param {object} [config] */
  function make(root, config = {}) {
    return build({ root, logLevel: 'warn', ...config, build: { outDir: folder, emptyOutDir: true } });
  }

  async function serve(request, answer) {
    const path = new URL(request.url, origin).pathname;
    const file = join(folder, normalize(path === '/' ? '/index.html' : path));
    const data = await readFile(file).catch(() => null);
    answer.writeHead(data ? 200 : 404, { 'Content-Type': TYPES[extname(file)] ?? 'text/plain' });
    answer.end(data);
  }

  async function close() {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    await rm(folder, { recursive: true, force: true });
  }
}
