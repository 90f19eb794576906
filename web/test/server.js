/** A real `bmn serve` with a home of its own. */

import { execFile, execFileSync, spawn } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);
const QUEUES = 'logo-generation,mockup-generation,image-upload,brand-wizard';
const READY_MS = 120_000;
const STOP_MS = 30_000;

/** The executable: BMN, else the checkout's own, else the one on PATH. */
export function findBmn() {
  const own = join(import.meta.dirname, '../../.venv/bin/bmn');
  const onPath = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'bmn'));
  const found = [process.env.BMN && resolve(process.env.BMN), own, ...onPath].find((path) => path && existsSync(path));
  if (!found) throw new Error('bmn is not installed: name the executable in BMN, or run `make test` once.');
  return found;
}

/** Two free ports that lie as those of the API and the sandbox do, so that a restart finds both again. */
async function freePort() {
  for (;;) {
    const api = await bind(0);
    const port = api.address().port;
    const sandbox = port + 999 < 65536 && (await bind(port + 999).catch(() => null));
    await Promise.all([api, sandbox].filter(Boolean).map((server) => new Promise((done) => server.close(done))));
    if (sandbox) return port;
  }
}

function bind(port) {
  return new Promise((done, fail) => {
    const server = createServer().once('error', fail);
    server.listen(port, '127.0.0.1', () => done(server));
  });
}

export class Bmn {
  /** speed: how long the stand-in for the providers takes, of a real one's time. */
  static async start({ env = {}, speed = 0.5 } = {}) {
    const server = new Bmn();
    server.home = await mkdtemp(join(tmpdir(), 'bmn-web-'));
    server.options = ['--queues', QUEUES, '--sandbox-speed', speed];
    server.env = environment(server.home, env);
    return server.atFreePort();
  }

  /** Another process that serves the same home, beside the first. */
  async beside() {
    const other = new Bmn();
    Object.assign(other, { home: this.home, env: this.env, options: ['--no-workers'], guest: true });
    return other.atFreePort();
  }

  async atFreePort() {
    this.port = await freePort();
    this.url = `http://127.0.0.1:${this.port}`;
    await this.up();
    return this;
  }

  /** Starts it, or starts it again at the same address. */
  async up() {
    const args = ['--json', 'serve', '--port', this.port, '--grace', 5, ...this.options].map(String);
    this.child = spawn(findBmn(), args, { env: this.env, cwd: this.home, stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = new Promise((done) => this.child.once('exit', (code, signal) => done({ code, signal })));
    this.said = '';
    this.child.stderr.on('data', (data) => (this.said = (this.said + data).slice(-20_000)));
    await within(READY_MS, 'bmn serve did not start', this.ready()).catch((error) => {
      this.child.kill('SIGKILL');
      throw new Error(`${error.message}\n${this.said}`);
    });
  }

  /** It prints one JSON document when everything runs. */
  ready() {
    return new Promise((done, fail) => {
      let document = '';
      createInterface(this.child.stdout).on('line', (line) => {
        document += line;
        if (isJson(document)) done(JSON.parse(document));
      });
      this.ended.then(({ code }) => fail(new Error(`bmn serve ended with ${code}`)));
    });
  }

  /** Ends it and sees to it that no process of it is left. kill: the hard way, as when the machine loses power. */
  async down({ kill = false } = {}) {
    const family = descendants(this.child.pid);
    this.child.kill(kill ? 'SIGKILL' : 'SIGTERM');
    const end = await within(STOP_MS, 'bmn serve did not stop', this.ended);
    await until(() => !family.some(isAlive), `processes are left: ${family.filter(isAlive)}`);
    return end;
  }

  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.down();
    if (!this.guest) await rm(this.home, { recursive: true, force: true });
  }

  /** A user of their own, with a token for half a day. */
  async user() {
    return newUser(this);
  }
}

/** Of what a test gets from the global setup, too: { url, home }. */
export async function newUser({ url, home }) {
  const id = randomUUID();
  return new User(url, home, id, await signed(home, { sub: id }));
}

const first = new Map();

/** A token of a home's own: the first that `bmn token` prints there, with other claims. */
async function signed(home, claims) {
  if (!first.has(home)) {
    const print = run(findBmn(), ['token', '--user', randomUUID()], { env: environment(home) });
    first.set(home, print.then(({ stdout }) => stdout.trim()));
  }
  const [header, payload] = (await first.get(home)).split('.');
  const all = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), ...claims };
  const words = `${header}.${Buffer.from(JSON.stringify(all)).toString('base64url')}`;
  const secret = (await readFile(join(home, 'dev-secret'), 'utf8')).trim();
  return `${words}.${createHmac('sha256', secret).update(words).digest('base64url')}`;
}

/** Somebody who asks the API as any program would. */
class User {
  constructor(url, home, id, token) {
    Object.assign(this, { url, home, id, token });
  }

  async api(path, { method = 'GET', body } = {}) {
    const headers = { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' };
    const answer = await fetch(`${this.url}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
    const said = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(said)}`);
    return said;
  }

  async brand(name = 'Acme Coffee') {
    return (await this.api('/brands', { method: 'POST', body: { name } })).id;
  }

  /** The id of a new job that makes logos. */
  async logos(brandId, count = 4) {
    return (await this.api('/generation/logos', { method: 'POST', body: { brandId, count } })).jobId;
  }

  /** What the stand-in for the providers does wrong from now on: `bfl --status 503`; nothing again with `clear`. */
  async sandbox(...words) {
    await run(findBmn(), ['sandbox', ...words], { env: environment(this.home) });
  }

  /** A token that ends so many seconds from now. The server takes it for 30 s more, as clocks differ. */
  async tokenFor(seconds) {
    return signed(this.home, { sub: this.id, exp: Math.floor(Date.now() / 1000) + seconds });
  }
}

/** The settings of the test and none of the machine's. */
function environment(home, more = {}) {
  const { PATH, HOME, LANG, TMPDIR } = process.env;
  const own = {
    BMN_HOME: home,
    BMN_LOG_LEVEL: 'warning',
    BMN_REQUESTS_PER_MINUTE: '0',
    BMN_GENERATIONS_PER_MINUTE: '0',
    BMN_CREDITS_NEW_USER: '1000',
    BMN_BACKOFF_SCALE: '0.1',
  };
  return { PATH, HOME, LANG, TMPDIR, NO_PROXY: '127.0.0.1,localhost', ...own, ...more };
}

function isJson(text) {
  try {
    return Boolean(JSON.parse(text));
  } catch {
    return false;
  }
}

/** All processes below one, itself included. */
function descendants(root) {
  const lines = execFileSync('ps', ['-e', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number));
  const found = [root];
  for (const parent of found) found.push(...pairs.filter(([, ppid]) => ppid === parent).map(([pid]) => pid));
  return found;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export async function until(condition, message, ms = 20_000) {
  const end = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(typeof message === 'function' ? await message() : message);
    await new Promise((done) => setTimeout(done, 20));
  }
}

async function within(ms, message, promise) {
  let timer;
  const late = new Promise((_, fail) => (timer = setTimeout(() => fail(new Error(message)), ms)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
