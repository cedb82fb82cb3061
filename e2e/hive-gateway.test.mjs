/**
 * Differential tests of answers: generated operations on generated graphs through `@graphql-hive/gateway-runtime`, the gateway inside
 * `@graphql-hive/gateway`, and through our engine, over the same supergraph and the same subgraphs.
 *
 * The data as one schema says who is right. Where our answer is not that, the test fails. Where theirs is not, it fails as well unless
 * `hive-gateway/differences.json` says why; an entry of that list that nothing needs any more fails too. `GATEWAY_SEED` repeats the
 * part with a new seed.
 */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { Graphs } from './hive-gateway/graphs.mjs';
import { difference, Differences, Peer } from './hive-gateway/peer.mjs';

const FIXED_SEED = 2;
const FIXED_GRAPHS = 150;
const NEW_GRAPHS = 30;
/** Of the operations that are valid, so that a mistake of the test cannot hide behind the list. */
const LEAST_AGREEMENT_PERCENT = 75;
const TIMEOUT_MS = 300_000;

suite('answers agree with a peer', { timeout: TIMEOUT_MS }, () => {
  const differences = new Differences();

  test('on generated graphs of a fixed seed', { timeout: TIMEOUT_MS }, async (context) => {
    await compare(context, FIXED_SEED, FIXED_GRAPHS, differences);
  });

  test('on generated graphs of a new seed', { timeout: TIMEOUT_MS }, async (context) => {
    const seed = Number(process.env.GATEWAY_SEED ?? Date.now() % 2 ** 31);
    context.diagnostic(`GATEWAY_SEED=${seed}`);
    await compare(context, seed, NEW_GRAPHS, differences);
  });

  test('and every listed difference still exists', () => {
    assert.deepEqual(differences.unused(), []);
  });

  after(() => {
    for (const [reason, count] of differences.uses()) console.log(`${count}× ${reason}`);
  });
});

async function compare(context, seed, count, differences) {
  const graphs = new Graphs(seed, count);
  const peer = new Peer((...fetch) => graphs.fetch(...fetch));
  const unlisted = [];
  let [valid, agreed, refused] = [0, 0, 0];
  for (const [number, graph] of (await graphs.read()).entries()) {
    peer.use(number, graph.supergraph);
    for (const one of graph.operations) {
      checkOurs(graph, one);
      const differing = difference(one.expected, await peer.run(one.operation, one.variables));
      if (differing && !differences.has(differing, graph, one)) unlisted.push(`${differing}\n${show(graph, one)}`);
      if (one.expected === null) refused += 1;
      else valid += 1;
      if (one.expected !== null && !differing) agreed += 1;
    }
  }
  await peer.close();
  await graphs.close();
  context.diagnostic(`${valid} operations, ${agreed} of them answered alike; ${refused} refused by both`);
  assert.equal(unlisted.length, 0, `${unlisted.length} unlisted differences:\n${unlisted.slice(0, 5).join('\n\n')}`);
  assert.ok(valid > refused, `${refused} of ${valid + refused} operations are not valid`);
  assert.ok(agreed * 100 >= valid * LEAST_AGREEMENT_PERCENT, `${agreed} of ${valid} operations are answered alike`);
}

/** Our answer is what the data says as one schema, without errors; what is not valid is refused. */
function checkOurs(graph, one) {
  const differing = difference(one.expected, one.answer);
  assert.equal(differing, undefined, `our own answer is wrong: ${differing}\n${show(graph, one)}`);
}

function show({ subgraphs }, { operation, variables }) {
  return `${subgraphs.map(({ name, sdl }) => `# ${name}\n${sdl}`).join('')}\n${operation}\n${JSON.stringify(variables)}`;
}
