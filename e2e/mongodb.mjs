/**
 * A MongoDB replica set of three nodes for one suite, each of which a test may kill and start again. It elects another primary within a few seconds.
 * `test-servers mongod` says where the program is, and fetches it where it is missing.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

import { freePort } from './harness.mjs';
import { command } from './mongodb-wire.mjs';

const READY_WITHIN_MS = 60_000;
/** How soon the others notice that the primary is gone, in milliseconds. */
const ELECTION = { electionTimeoutMillis: 2_000, heartbeatIntervalMillis: 500 };

/** For how long a process that is killed leaves its locks at most; also what docs/database.md advises. */
const LOCKED_SECONDS = 5;

class Node {
  #child;
  #dir;

  constructor(port, dir) {
    this.port = port;
    this.#dir = dir;
    mkdirSync(dir);
  }

  start(program) {
    const listen = ['--replSet', 'rs0', '--bind_ip', '127.0.0.1', '--port', String(this.port), '--nounixsocket'];
    const small = ['--oplogSize', '64', '--wiredTigerCacheSizeGB', '0.25', '--setParameter', 'diagnosticDataCollectionEnabled=false'];
    // A process that is killed within a transaction leaves what it locked so, for a minute unless this is set.
    const lifetime = ['--setParameter', `transactionLifetimeLimitSeconds=${LOCKED_SECONDS}`];
    const files = ['--dbpath', this.#dir, '--logpath', join(this.#dir, 'log')];
    this.#child = spawn(program, [...listen, ...small, ...lifetime, ...files], { stdio: 'ignore' });
  }

  /** At once, as when its machine goes down. */
  async kill() {
    if (this.#child === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  /** What it says of itself, or nothing while it does not answer. */
  async hello() {
    return command(this.port, { hello: 1 }).catch(() => undefined);
  }
}

class ReplicaSet {
  #folder = mkdtempSync(join(tmpdir(), 'spacey-e2e-mongodb-'));
  #program = execFileSync(fileURLToPath(new URL('test-servers', import.meta.url)), ['mongod'], { encoding: 'utf8' }).trim();
  #nodes;

  constructor(ports) {
    this.#nodes = ports.map((port) => new Node(port, join(this.#folder, String(port))));
  }

  get url() {
    return `mongodb://${this.#nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}/?replicaSet=rs0`;
  }

  async start() {
    for (const node of this.#nodes) node.start(this.#program);
    const members = this.#nodes.map(({ port }, number) => ({ _id: number, host: `127.0.0.1:${port}` }));
    const initiate = { replSetInitiate: { _id: 'rs0', members, settings: ELECTION } };
    await this.#until(async () => (await Promise.all(this.#nodes.map((node) => node.hello()))).every(Boolean));
    await command(this.#nodes[0].port, initiate);
    await this.#until(async () => (await this.primary()) !== undefined);
  }

  /** The node that takes writes, if one does now. */
  async primary() {
    for (const node of this.#nodes) if ((await node.hello())?.isWritablePrimary) return node;
    return undefined;
  }

  /** Kills the node that takes writes; resolves to it when another one does. */
  async killPrimary() {
    const killed = await this.primary();
    assert.ok(killed, 'there is no primary to kill');
    await killed.kill();
    await this.#until(async () => (await this.primary()) !== undefined);
    return killed;
  }

  /** Kills all nodes but one, which takes no writes then; resolves to the killed ones. */
  async killMost() {
    const killed = this.#nodes.slice(1);
    await Promise.all(killed.map((node) => node.kill()));
    return killed;
  }

  /** Starts a node again; resolves when it is part of the set. */
  async startAgain(node) {
    node.start(this.#program);
    await this.#until(async () => {
      const hello = await node.hello();
      return hello?.secondary || hello?.isWritablePrimary;
    });
  }

  async stop() {
    await Promise.all(this.#nodes.map((node) => node.kill()));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #until(holds) {
    const deadline = Date.now() + READY_WITHIN_MS;
    while (!(await holds())) {
      assert.ok(Date.now() < deadline, `MongoDB: not within ${READY_WITHIN_MS} ms`);
      await sleep(50);
    }
  }
}

/** Gives the suite around the call a replica set of its own. */
export async function useReplicaSet() {
  const set = new ReplicaSet([await freePort(), await freePort(), await freePort()]);
  before(() => set.start());
  after(() => set.stop());
  return set;
}
