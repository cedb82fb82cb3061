/**
 * A Redis server for one suite, which a test may kill and start again. It takes a password, and keeps nothing over a restart. `redis-server` must be
 * installed: it is a package of Debian's.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { freePort } from './harness.mjs';

export const PASSWORD = 'only-for-tests';
const ANSWERS_WITHIN_MS = 5_000;

class RedisServer {
  #child;
  #port;

  constructor(port) {
    this.#port = port;
  }

  get url() {
    return `redis://:${PASSWORD}@127.0.0.1:${this.#port}/0`;
  }

  async start() {
    const listen = ['--bind', '127.0.0.1', '--port', String(this.#port), '--requirepass', PASSWORD];
    const keepNothing = ['--save', '', '--appendonly', 'no', '--dir', tmpdir()];
    this.#child = spawn('redis-server', [...listen, ...keepNothing], { stdio: 'ignore' });
    await once(this.#child, 'spawn');
    const deadline = Date.now() + ANSWERS_WITHIN_MS;
    while (Date.now() < deadline) {
      const socket = connect(this.#port, '127.0.0.1');
      const answers = await Promise.race([once(socket, 'connect'), once(socket, 'error')]).then(() => !socket.connecting && !socket.errored, () => false);
      socket.destroy();
      if (answers) return;
      await sleep(25);
    }
    assert.fail(`redis-server did not answer within ${ANSWERS_WITHIN_MS} ms`);
  }

  /** At once, as when its machine goes down. */
  async kill() {
    if (this.#child === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

/** Gives the suite around the call a Redis server of its own. */
export async function useRedis() {
  const server = new RedisServer(await freePort());
  before(() => server.start());
  after(() => server.kill());
  return server;
}
