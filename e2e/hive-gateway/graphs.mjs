/**
 * Generated graphs with operations on them, and what answers for their subgraphs: the example `generated_graphs` of the crate
 * `federation`, whose documentation says what its lines hold.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { findExample } from '../rust-examples.mjs';

export class Graphs {
  #program;
  #exited;
  #lines;

  /** So many graphs of a seed. */
  constructor(seed, count) {
    this.count = count;
    this.#program = spawn(findExample('generated_graphs'), [seed, count], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#exited = once(this.#program, 'exit');
    this.#lines = createInterface({ input: this.#program.stdout })[Symbol.asyncIterator]();
  }

  /** All of them, to be read once and before anything is fetched. */
  async read() {
    const graphs = [];
    while (graphs.length < this.count) graphs.push(await this.#next());
    return graphs;
  }

  /** What a subgraph of the graph with this number answers. Answers come in the order in which they were asked for. */
  fetch(graph, subgraph, query, variables) {
    this.#program.stdin.write(`${JSON.stringify({ graph, subgraph, query, variables })}\n`);
    return this.#next();
  }

  async close() {
    this.#program.stdin.end();
    const [status] = await this.#exited;
    assert.equal(status, 0);
  }

  async #next() {
    const { value, done } = await this.#lines.next();
    assert.ok(!done, 'the program of the generated graphs has ended');
    return JSON.parse(value);
  }
}
