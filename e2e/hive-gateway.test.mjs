/**
 * Differential tests of answers: generated operations on generated graphs through `@graphql-hive/gateway-runtime`, the gateway inside
 * `@graphql-hive/gateway`, and through our engine, over the same supergraph and the same subgraphs.
 *
 * The data as one schema says who is right. Where our answer is not that, the test fails. Where theirs is not, it fails as well unless
 * `hive-gateway/differences.json` says why; an entry of that list that nothing needs any more fails too. On graphs of a new seed a
 * mistake of theirs that is not listed is only shown. `GATEWAY_SEED` repeats that part.
 */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { Graphs } from './hive-gateway/graphs.mjs';
import { difference, Differences, Peer } from './hive-gateway/peer.mjs';

/** Seeds, and how many graphs of each: many, and single ones on which theirs makes rare mistakes. */
const FIXED = [
  [2, 150],
  [5069, 1],
  [5075, 1],
];
const NEW_GRAPHS = 30;
/** Of the operations that are valid, so that a mistake of the test cannot hide behind the list. */
const LEAST_AGREEMENT_PERCENT = 60;
const TIMEOUT_MS = 300_000;

suite('answers agree with a peer', { timeout: TIMEOUT_MS }, () => {
  const differences = new Differences();

  test('on generated graphs of a fixed seed', { timeout: TIMEOUT_MS }, async (context) => {
    const unlisted = await compare(context, FIXED, differences);
    assert.equal(unlisted.length, 0, `${unlisted.length} unlisted differences:\n${unlisted.slice(0, 5).join('\n\n')}`);
  });

  test('on generated graphs of a new seed', { timeout: TIMEOUT_MS }, async (context) => {
    const seed = Number(process.env.GATEWAY_SEED ?? Date.now() % 2 ** 31);
    context.diagnostic(`GATEWAY_SEED=${seed}`);
    const unlisted = await compare(context, [[seed, NEW_GRAPHS]], differences);
    unlisted.forEach((difference) => context.diagnostic(`not listed: ${difference}`));
  });

  test('and every listed difference still exists', () => {
    assert.deepEqual(differences.unused(), []);
  });

  after(() => {
    for (const [reason, count] of differences.uses()) console.log(`${count}× ${reason}`);
  });
});

/** Compares on so many graphs of each seed, and returns what is not listed. */
async function compare(context, samples, differences) {
  const counts = { valid: 0, agreed: 0, refused: 0 };
  const unlisted = [];
  for (const [seed, count] of samples) {
    const graphs = new Graphs(seed, count);
    const peer = new Peer((...fetch) => graphs.fetch(...fetch));
    try {
      for (const [number, graph] of (await graphs.read()).entries()) {
        peer.use(number, graph.supergraph);
        await compareOn(graph, peer, differences, counts, unlisted);
      }
    } finally {
      await peer.close();
      await graphs.close();
    }
  }
  const { valid, agreed, refused } = counts;
  context.diagnostic(`${valid} operations, ${agreed} of them answered alike; ${refused} refused by both`);
  assert.ok(agreed * 100 >= valid * LEAST_AGREEMENT_PERCENT, 'too few operations are answered alike');
  return unlisted;
}

async function compareOn(graph, peer, differences, counts, unlisted) {
  for (const one of graph.operations) {
    checkOurs(graph, one);
    const differing = difference(one.expected, await peer.run(one.operation, one.variables));
    if (differing && !differences.has(differing, graph, one)) unlisted.push(`${differing}\n${show(graph, one)}`);
    if (one.expected !== null) counts.valid += 1;
    if (!differing) counts[one.expected === null ? 'refused' : 'agreed'] += 1;
  }
}

/** Our answer is what the data says as one schema, without errors; what is not valid is refused. */
function checkOurs(graph, one) {
  const differing = difference(one.expected, one.answer);
  assert.equal(differing, undefined, `our own answer is wrong: ${differing}\n${show(graph, one)}`);
}

function show({ subgraphs }, { operation, variables }) {
  return `${subgraphs.map(({ name, sdl }) => `# ${name}\n${sdl}`).join('')}\n${operation}\n${JSON.stringify(variables)}`;
}
