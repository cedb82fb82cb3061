/**
 * The other gateway, over a graph's subgraphs and without a network, and what is known of where its answers differ: `differences.json`.
 */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import { print } from 'graphql';

const QUIET = { logging: false, landingPage: false, graphiql: false, maskedErrors: false };

/** Runs operations through the other gateway; `fetch` takes a subgraph, a document and variables. */
export class Peer {
  #gateway;

  constructor(supergraph, fetch) {
    const getSubgraphExecutor =
      ({ subgraphName }) =>
      ({ document, variables }) =>
        fetch(subgraphName, print(document), variables ?? {});
    this.#gateway = createGatewayRuntime({ supergraph, transports: { http: { getSubgraphExecutor } }, ...QUIET });
  }

  /** `{ data, errors }` */
  async run(query, variables) {
    const headers = { accept: 'application/json', 'content-type': 'application/json' };
    const body = JSON.stringify({ query, variables });
    const response = await this.#gateway.fetch('http://gateway.test/graphql', { method: 'POST', headers, body });
    return response.json();
  }

  async close() {
    await this.#gateway[Symbol.asyncDispose]();
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
