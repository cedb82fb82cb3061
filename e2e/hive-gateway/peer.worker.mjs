/**
 * The other gateway in a thread of its own, so that an operation on which it never comes to an end can be given up. It is told
 * `{ supergraph }`, then operations `{ query, variables }`, each of which it answers `{ answer }`; meanwhile it asks for
 * `{ fetch: [subgraph, document, variables], call }` and is told `{ call, fetched }`.
 */
import { parentPort } from 'node:worker_threads';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import { print } from 'graphql';

const QUIET = { logging: false, landingPage: false, graphiql: false, maskedErrors: false };
const HEADERS = { accept: 'application/json', 'content-type': 'application/json' };

const calls = new Map();
let gateway;

function getSubgraphExecutor({ subgraphName }) {
  return ({ document, variables }) =>
    new Promise((resolve) => {
      const call = calls.size;
      calls.set(call, resolve);
      parentPort.postMessage({ call, fetch: [subgraphName, print(document), variables ?? {}] });
    });
}

async function run({ query, variables }) {
  const body = JSON.stringify({ query, variables });
  const response = await gateway.fetch('http://gateway.test/graphql', { method: 'POST', headers: HEADERS, body });
  parentPort.postMessage({ answer: await response.json() });
}

async function use(supergraph) {
  await gateway?.[Symbol.asyncDispose]();
  gateway = createGatewayRuntime({ supergraph, transports: { http: { getSubgraphExecutor } }, ...QUIET });
}

parentPort.on('message', async (message) => {
  if (message.supergraph) await use(message.supergraph);
  else if (message.query) await run(message);
  else calls.get(message.call)(message.fetched);
});
