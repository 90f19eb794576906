// @vitest-environment node
/** What `npm pack` makes, in a fresh application: installed, checked by TypeScript at its strictest, and built by Vite. */

import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const WEB = join(import.meta.dirname, '..');
const LONG = 600_000;

describe.each([
  ['18', '~18.3.1'],
  ['19', '~19.3.1'],
])('the package in a fresh application with React %s', (major, react) => {
  let folder;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bmn-packed-'));
    await cp(join(import.meta.dirname, 'packed'), folder, { recursive: true });
    const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: WEB });
    const { devDependencies: own } = JSON.parse(await readFile(join(WEB, 'package.json'), 'utf8'));
    const manifest = {
      name: 'fresh',
      private: true,
      type: 'module',
      dependencies: { 'bmn-web': `file:${stdout.trim()}`, react, 'react-dom': react },
      devDependencies: { '@types/react': `^${major}`, typescript: own.typescript, vite: own.vite },
    };
    await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
    await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: folder });
  }, LONG);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('has types that hold at their strictest', async () => {
    await run('npx', ['tsc', '-p', folder], { cwd: folder }).catch((error) => {
      throw new Error(error.stdout);
    });
  }, LONG);

  it('is built', async () => {
    await run('npx', ['vite', 'build', '--logLevel', 'warn'], { cwd: folder });
    const [script] = (await readdir(join(folder, 'dist/assets'))).filter((name) => name.endsWith('.js'));
    expect(await readFile(join(folder, 'dist/assets', script), 'utf8')).toContain('/generation/');
  }, LONG);

  it('is what its README says: each block is built as printed', async () => {
    const page = await readFile(join(WEB, 'README.md'), 'utf8');
    const blocks = [...page.matchAll(/^```jsx?\n(.*?)^```$/gms)].map(([, code]) => code);
    expect(blocks.length).toBeGreaterThan(2);
    const input = blocks.map((_, number) => `readme-${number}.jsx`);
    await Promise.all(blocks.map((code, number) => writeFile(join(folder, input[number]), code)));
    // What a page only exports is left out of a build, and what it imports with it.
    const kept = { input, preserveEntrySignatures: 'strict' };
    const config = { build: { outDir: 'readme', rollupOptions: kept } };
    await writeFile(join(folder, 'readme.config.js'), `export default ${JSON.stringify(config)};`);
    await run('npx', ['vite', 'build', '--config', 'readme.config.js', '--logLevel', 'warn'], { cwd: folder });
  }, LONG);
});
