/**
 * Starts the `spacey` program for a test file and stops it again.
 *
 * Every server gets a free port and an empty data folder of its own, and no setting of the caller's shell but the command of the
 * card-generation service, so that a test says the same on every machine. A server that does not become ready, or does not stop
 * cleanly on Ctrl-C, fails the test; its log is printed when any test of the file fails.
 *
 * Environment: `SPACEY_BIN`, the program (default: the workspace's release build, then its debug build);
 * `SPACEY_GENERATION_COMMAND`, how the program starts the card-generation service.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

const READY_WITHIN_MS = 30_000;
const STOPS_WITHIN_MS = 10_000;
const WORKSPACE = fileURLToPath(new URL('..', import.meta.url));

function findProgram() {
  const target = process.env.CARGO_TARGET_DIR ?? join(WORKSPACE, 'target');
  const candidates = process.env.SPACEY_BIN
    ? [resolve(process.env.SPACEY_BIN)]
    : ['release', 'debug'].map((profile) => join(target, profile, 'spacey'));
  const program = candidates.find(existsSync);
  assert.ok(program, `no spacey program at ${candidates.join(' or ')}: build it, or name it in SPACEY_BIN`);
  return program;
}

/** Keys and secrets that processes share, and a database of their own: settings for `Server`s that are one Spacey. The folder is removed with the suite. */
export function sharedSettings(mongodb) {
  const folder = mkdtempSync(join(tmpdir(), 'spacey-keys-'));
  const keyFile = join(folder, 'access-token-ed25519.pem');
  const { privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  after(() => rmSync(folder, { recursive: true }));
  return {
    MONGO_DB_CONNECTION: mongodb,
    DB_NAME: `e2e_${randomBytes(6).toString('hex')}`,
    SPACEY_SERVICE_SECRET: randomBytes(24).toString('hex'),
    SPACEY_JWT_KEY_FILE: keyFile,
  };
}

function serverEnvironment(port, dataDir, settings) {
  const generation = process.env.SPACEY_GENERATION_COMMAND;
  assert.ok(generation, 'SPACEY_GENERATION_COMMAND is not set: it must start the card-generation service');
  return {
    PATH: process.env.PATH,
    HOME: dataDir,
    RUST_BACKTRACE: '1',
    PORT: String(port),
    SPACEY_HOST: '127.0.0.1',
    SPACEY_DATA_DIR: dataDir,
    SPACEY_GENERATION_COMMAND: generation,
    // Tests ask for more in a moment than any client is granted; those of the limits themselves set these.
    SPACEY_COST_MAXIMUM_MODE: 'off',
    SPACEY_COST_THROTTLE_MODE: 'off',
    ...settings,
  };
}

/** A port that nobody listens on. */
export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

/** A `spacey` process of its own for the tests of one suite: `spacey serve`, or another command that listens. */
export class Server {
  #command;
  #child;
  #dataDir;
  #environment;
  #settings;
  static #started = new Set();
  #log = '';

  /** Where the server answers, once it is started. */
  origin;

  static {
    process.on('exit', (code) => Server.#started.forEach((server) => server.#leave(code)));
  }

  constructor(command = ['serve']) {
    this.#command = command;
  }

  async start(settings, port) {
    const program = findProgram();
    port ??= await freePort();
    this.#settings = settings;
    this.origin = `http://127.0.0.1:${port}`;
    this.#dataDir = mkdtempSync(join(tmpdir(), 'spacey-e2e-'));
    this.#environment = serverEnvironment(port, this.#dataDir, settings);
    this.#child = spawn(program, this.#command, {
      cwd: this.#dataDir,
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (this.#log += text));
    }
    this.#child.on('error', (error) => (this.#log += `${error}\n`));
    Server.#started.add(this);
    await this.#ready();
  }

  #running() {
    return this.#child?.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async #ready() {
    const deadline = Date.now() + READY_WITHIN_MS;
    while (Date.now() < deadline) {
      assert.ok(this.#running(), 'the server ended before it was ready');
      const response = await fetch(`${this.origin}/health/ready`).catch(() => undefined);
      if (response?.ok) return;
      await sleep(25);
    }
    assert.fail(`the server was not ready within ${READY_WITHIN_MS} ms`);
  }

  /** What it wrote so far. */
  get log() {
    return this.#log;
  }

  /** The process, for those who look at what it takes. */
  get pid() {
    return this.#child.pid;
  }

  /** Runs another command of the program on the same data, with `input` on its standard input; it must succeed. */
  async run(command, input = '') {
    const child = spawn(findProgram(), command, { cwd: this.#dataDir, env: this.#environment, stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.stdin.end(input);
    const [code] = await once(child, 'exit');
    assert.equal(code, 0, `spacey ${command.join(' ')}: ${output}`);
    return output;
  }

  /** Gives an account what it takes to generate cards: a verified address and the role BETA, and ADMIN with it. It counts from the next login. */
  async promote({ email, password }) {
    await this.run(['admin', 'create', email], password);
  }

  /** Sends what Ctrl-C sends, or another signal that asks to stop; the server must end by itself, soon, and with success. */
  async stop(asked = 'SIGINT') {
    if (this.#child === undefined) return; // It failed to start, which was reported.
    assert.ok(this.#running(), 'the server ended before it was stopped');
    const ended = once(this.#child, 'exit', { signal: AbortSignal.timeout(STOPS_WITHIN_MS) });
    this.#child.kill(asked);
    const [code, signal] = await ended.catch(() => {
      this.#child.kill('SIGKILL');
      assert.fail(`${asked} did not stop the server within ${STOPS_WITHIN_MS} ms`);
    });
    assert.equal(code, 0, `the server ended with code ${code}, signal ${signal}`);
  }

  /** At once, as when its machine goes down. */
  async kill() {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  /** Starts it again, where and as it was, after it was stopped or killed. */
  async startAgain() {
    rmSync(this.#dataDir, { recursive: true, force: true });
    await this.start(this.#settings, Number(new URL(this.origin).port));
  }

  /** Runs when the test file's process ends, with the code that says whether a test failed. */
  #leave(code) {
    if (this.#running()) this.#child.kill('SIGKILL');
    rmSync(this.#dataDir, { recursive: true, force: true });
    if (code !== 0) process.stderr.write(`--- log of the server at ${this.origin}\n${this.#log}---\n`);
  }
}

/** Gives the suite around the call a server of its own, with `settings` added to its environment. */
export function useServer(settings = {}) {
  const server = new Server();
  before(() => server.start(settings));
  after(() => server.stop());
  return server;
}

/**
 * Gives the suite the same program as separate services: five subgraphs and a gateway over them, each a process of its own with `settings`
 * added to its environment. Returns the gateway; `gateway.startAnother()` starts another one over the same subgraphs.
 */
export function useServices(settings = {}) {
  const gateway = new Server(['gateway']);
  const others = [];
  const subgraphs = ['learning', 'config', 'decks', 'generation', 'users'].map((name) => [name, new Server(['subgraph', name])]);
  before(async () => {
    // Each is told where those before it are, since the domains pass their events on in the opposite order; and learning where decks will be.
    const ports = { decks: await freePort() };
    const shared = { ...settings, SPACEY_SUBGRAPH_DECKS_URL: `http://127.0.0.1:${ports.decks}` };
    for (const [name, subgraph] of subgraphs) {
      await subgraph.start(shared, ports[name]);
      shared[`SPACEY_SUBGRAPH_${name.toUpperCase()}_URL`] = subgraph.origin;
    }
    await gateway.start(shared);
    gateway.startAnother = async () => {
      const another = new Server(['gateway']);
      others.push(another);
      await another.start(shared);
      return another;
    };
  });
  after(async () => {
    for (const server of [...others, gateway, ...subgraphs.map(([, subgraph]) => subgraph)]) await server.stop();
  });
  gateway.subgraphs = new Map(subgraphs);
  return gateway;
}

/**
 * Gives the suite the program as a general router: `graph()` starts the subgraphs and gives the supergraph's SDL and a way to stop
 * them.
 */
export function useRouter(graph) {
  const folder = mkdtempSync(join(tmpdir(), 'spacey-e2e-graph-'));
  const file = join(folder, 'supergraph.graphql');
  const router = new Server(['gateway', '--supergraph', file]);
  let stopSubgraphs = async () => {};
  before(async () => {
    const { sdl, stop } = await graph();
    stopSubgraphs = stop;
    writeFileSync(file, sdl);
    await router.start({});
  });
  after(async () => {
    await router.stop();
    await stopSubgraphs();
    rmSync(folder, { recursive: true, force: true });
  });
  return router;
}
