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
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
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
    ...settings,
  };
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

/** A running `spacey serve`. */
class Server {
  #child;
  #dataDir;
  #log = '';

  constructor(child, dataDir, port) {
    this.#child = child;
    this.#dataDir = dataDir;
    this.port = port;
    this.origin = `http://127.0.0.1:${port}`;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (this.#log += text));
    }
    child.on('error', (error) => (this.#log += `${error}\n`));
    process.on('exit', (code) => {
      if (this.#running()) child.kill('SIGKILL');
      if (code !== 0) process.stderr.write(`--- log of the server on port ${port}\n${this.#log}---\n`);
    });
  }

  #running() {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async ready() {
    const deadline = Date.now() + READY_WITHIN_MS;
    while (Date.now() < deadline) {
      assert.ok(this.#running(), `the server ended before it was ready:\n${this.#log}`);
      const response = await fetch(`${this.origin}/health/ready`).catch(() => undefined);
      if (response?.ok) return;
      await sleep(25);
    }
    assert.fail(`the server was not ready within ${READY_WITHIN_MS} ms:\n${this.#log}`);
  }

  /** Sends what Ctrl-C sends; the server must end by itself, soon, and with success. */
  async stop() {
    try {
      assert.ok(this.#running(), `the server ended before it was stopped:\n${this.#log}`);
      const ended = once(this.#child, 'exit', { signal: AbortSignal.timeout(STOPS_WITHIN_MS) });
      this.#child.kill('SIGINT');
      const [code, signal] = await ended.catch(() => assert.fail(`SIGINT did not stop the server within ${STOPS_WITHIN_MS} ms`));
      assert.equal(code, 0, `the server ended with code ${code}, signal ${signal}`);
    } finally {
      if (this.#running()) this.#child.kill('SIGKILL');
      rmSync(this.#dataDir, { recursive: true, force: true });
    }
  }
}

/** Starts `spacey serve` with `settings` in its environment and waits until it is ready. Whoever starts it stops it. */
export async function startServer(settings = {}) {
  const program = findProgram();
  const port = await freePort();
  const dataDir = mkdtempSync(join(tmpdir(), 'spacey-e2e-'));
  const child = spawn(program, ['serve'], {
    cwd: dataDir,
    env: serverEnvironment(port, dataDir, settings),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const server = new Server(child, dataDir, port);
  try {
    await server.ready();
  } catch (error) {
    child.kill('SIGKILL');
    rmSync(dataDir, { recursive: true, force: true });
    throw error;
  }
  return server;
}
