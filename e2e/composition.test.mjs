/**
 * Differential tests of composition: our verdict and the clients' schema against those of `@theguild/federation-composition`, on the
 * fixtures of the crate `federation` and on generated sets of subgraphs, whole and broken.
 *
 * Where the two may disagree, and why, is listed in `composition/differences.json`; any other disagreement fails, and so does an
 * entry of the list that nothing needs any more. `COMPOSITION_SEED=N` adds sets of another seed (`make differential` a new one each time):
 * they find what is not listed yet, which is not for every change to fail on.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Kind, parse } from 'graphql';
import { clientSchema, sorted } from './composition/api.mjs';
import { generate } from './composition/generate.mjs';
import { mutate } from './composition/mutate.mjs';
import { composeOurs, composeTheirs, Differences } from './composition/peers.mjs';
import { Random } from './composition/random.mjs';

const FIXTURES = fileURLToPath(new URL('../federation/tests/compose/fixtures', import.meta.url));
const FIXED_SEED = 1;
const FIXED_SETS = 2000;
const OTHER_SETS = 2000;
/** Of generated sets, so that a wrong rule cannot hide behind the list. */
const MOST_DISAGREEMENTS_PERCENT = 8;
/** Directives that clients may use on any supergraph. */
const OF_ENGINE = ['defer', 'stream'];
const TIMEOUT_MS = 900_000;

suite('composition agrees with a peer', { timeout: TIMEOUT_MS }, () => {
  const differences = new Differences();

  test('on the fixtures', () => {
    const cases = readdirSync(FIXTURES).map((name) => ({ name, set: fixture(name) }));
    assert.ok(cases.length > 100, `only ${cases.length} fixtures`);
    compare(cases, differences);
  });

  test('on generated sets of a fixed seed', { timeout: TIMEOUT_MS }, () => {
    compareGenerated(FIXED_SEED, FIXED_SETS, differences);
  });

  if (process.env.COMPOSITION_SEED) {
    test('on generated sets of another seed', { timeout: TIMEOUT_MS }, () => {
      compareGenerated(Number(process.env.COMPOSITION_SEED), OTHER_SETS, differences);
    });
  }

  test('and every listed difference still exists', () => {
    assert.deepEqual(differences.unused(), []);
  });

  after(() => {
    for (const [reason, count] of differences.uses()) console.log(`${count}× ${reason}`);
  });
});

function fixture(name) {
  return readdirSync(join(FIXTURES, name))
    .sort()
    .map((file) => ({ name: file.replace(/\.graphql$/, ''), sdl: readFileSync(join(FIXTURES, name, file), 'utf8') }));
}

/** Every second set is broken in one or two places. */
function generatedCase(seed) {
  const random = new Random(seed ^ 0x5bd1e995);
  const changes = [];
  let set = generate(seed);
  for (let left = random.pick([0, 0, 1, 2]); left > 0; left -= 1) {
    const mutated = mutate(random, set);
    set = mutated.set;
    changes.push(mutated.what);
  }
  return { name: `seed ${seed}: ${changes.join(', ') || 'as generated'}`, set };
}

function compareGenerated(seed, count, differences) {
  const { accepted, disagreements } = compare(Array.from({ length: count }, (_, index) => generatedCase(seed + index)), differences);
  assert.ok(accepted > count / 4, `only ${accepted} of ${count} sets compose`);
  assert.ok(accepted < count * 0.9, `${accepted} of ${count} sets compose: too few are broken`);
  assert.ok(disagreements < (count * MOST_DISAGREEMENTS_PERCENT) / 100, `${disagreements} disagreements in ${count} sets`);
}

/** The schema that the engine shows clients is the one that the supergraph says, and what the engine itself offers. */
function checkApi(name, { errors, supergraph, api }) {
  if (errors) return;
  const ofSupergraph = new Set(parse(supergraph).definitions.map((definition) => definition.name?.value));
  const isOfEngine = ({ kind, name }) => kind === Kind.DIRECTIVE_DEFINITION && OF_ENGINE.includes(name.value) && !ofSupergraph.has(name.value);
  const document = parse(api);
  const definitions = document.definitions.filter((definition) => !isOfEngine(definition));
  assert.equal(sorted({ ...document, definitions }), clientSchema(supergraph), name);
}

/** Fails on what is not listed; counts what composes, and what is listed. */
function compare(cases, differences) {
  const results = composeOurs(cases.map(({ set }) => set));
  const met = () => [...differences.uses().values()].reduce((sum, count) => sum + count, 0);
  const unlisted = [];
  let disagreements = 0;
  cases.forEach(({ name, set }, index) => {
    const before = met();
    const problem = differences.unlisted(set, results[index], composeTheirs(set));
    checkApi(name, results[index]);
    if (problem) unlisted.push(`${name}: ${problem}\n${set.map((subgraph) => `# ${subgraph.name}\n${subgraph.sdl}`).join('')}`);
    if (met() > before) disagreements += 1;
  });
  assert.equal(unlisted.length, 0, `${unlisted.length} unlisted disagreements:\n${unlisted.slice(0, 5).join('\n')}`);
  return { accepted: results.filter((result) => !result.errors).length, disagreements };
}
