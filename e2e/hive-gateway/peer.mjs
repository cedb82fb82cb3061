/**
 * The other gateway, over a graph's subgraphs and without a network, and what is known of where its answers differ: `differences.json`.
 */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { Worker } from 'node:worker_threads';

const PROGRAM = new URL('peer.worker.mjs', import.meta.url);
const MOST_MEGABYTES = 1024;
const PATIENCE_MS = 5_000;

/** Runs operations through the other gateway; `fetch` takes a graph's number, a subgraph, a document and variables. */
export class Peer {
  #fetch;
  #number;
  #supergraph;
  #worker;

  constructor(fetch) {
    this.#fetch = fetch;
  }

  /** Takes up the graph with this number. */
  use(number, supergraph) {
    [this.#number, this.#supergraph] = [number, supergraph];
    this.#worker?.postMessage({ supergraph });
  }

  /** `{ data, errors }`; an error as well where it does not come to an end. */
  async run(query, variables) {
    const worker = (this.#worker ??= this.#start());
    let timer;
    const answered = new Promise((resolve) => {
      const giveUp = (reason) => {
        this.#worker = undefined;
        worker.terminate();
        resolve({ errors: [{ message: `no answer: ${reason}` }] });
      };
      worker.removeAllListeners();
      worker.on('error', (error) => giveUp(error.message));
      worker.on('message', async ({ answer, fetch, call }) => {
        if (answer) resolve(answer);
        else worker.postMessage({ call, fetched: await this.#fetch(this.#number, ...fetch) });
      });
      timer = setTimeout(() => giveUp(`none in ${PATIENCE_MS} ms`), PATIENCE_MS);
    });
    worker.postMessage({ query, variables });
    return answered.finally(() => clearTimeout(timer));
  }

  async close() {
    await this.#worker?.terminate();
  }

  #start() {
    const worker = new Worker(PROGRAM, { resourceLimits: { maxOldGenerationSizeMb: MOST_MEGABYTES } });
    worker.postMessage({ supergraph: this.#supergraph });
    return worker;
  }
}

/**
 * How an answer differs from what is expected (null where the operation is not valid), or `undefined`: its errors, or a line for
 * each place, `lost` where it has null in place of a value, else `other`.
 */
export function difference(expected, { data, errors }) {
  if (expected === null) return errors?.length && !data ? undefined : 'accepted';
  if (errors?.length) return errors.map(({ message }) => message).join('\n');
  return places(expected, data, 'data').join('\n') || undefined;
}

function places(expected, actual, path) {
  if (isDeepStrictEqual(expected, actual)) return [];
  const isObject = [expected, actual].every((value) => typeof value === 'object' && value !== null);
  if (!isObject || Array.isArray(expected) !== Array.isArray(actual) || expected.length !== actual.length) {
    const kind = actual === null ? 'lost' : 'other';
    return [`${kind} ${path}: ${JSON.stringify(expected)}, ${JSON.stringify(actual)}`];
  }
  const names = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  return [...names].flatMap((name) => places(expected[name], actual[name], `${path}.${name}`));
}

/** Which differences are known, and why: `difference`, `operation` and `sdl` (of a subgraph) are patterns. */
export class Differences {
  #known = JSON.parse(readFileSync(new URL('differences.json', import.meta.url), 'utf8'));
  #uses = new Map();

  /** Whether a difference is listed. */
  has(difference, { subgraphs }, { operation }) {
    const known = this.#known.find(
      (entry) =>
        new RegExp(entry.difference, 'm').test(difference) &&
        new RegExp(entry.operation ?? '').test(operation) &&
        subgraphs.some(({ sdl }) => new RegExp(entry.sdl ?? '').test(sdl)),
    );
    if (known) this.#uses.set(known.reason, (this.#uses.get(known.reason) ?? 0) + 1);
    return known !== undefined;
  }

  /** How often each listed difference was met, by its reason. */
  uses() {
    return this.#uses;
  }

  /** Listed differences that were never met: the list must not outlive its reasons. */
  unused() {
    return this.#known.filter((known) => !this.#uses.has(known.reason));
  }
}
