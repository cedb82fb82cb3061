/**
 * Two gateways over the same services: they share each client's points in Redis, go on without it when it is killed, and keep answers that are the
 * same for everybody no longer than what these tell of stays as it is.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { post } from './client.mjs';
import { useServices } from './harness.mjs';
import { PASSWORD, useRedis } from './redis.mjs';

const MONGODB = process.env.SPACEY_TEST_MONGODB ?? '127.0.0.1:27117';
const CAPACITY = 600;
const RESTORED = 5;
const ADA = { email: 'ada@example.com', password: 'difference engine no. 2' };

const redis = await useRedis();

/** The answer to a GET of a query, as a cache in front would see it. */
async function get({ origin }, query) {
  const response = await fetch(`${origin}/graphql?query=${encodeURIComponent(query)}`);
  assert.equal(response.status, 200, await response.clone().text());
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  return { data, left: Number(/^public, max-age=(\d+)$/.exec(response.headers.get('cache-control'))?.[1] ?? 0) };
}

async function until(holds) {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await holds()) return;
    await sleep(50);
  }
  assert.fail('not after ten seconds');
}

describe('two gateways', () => {
  const folder = mkdtempSync(join(tmpdir(), 'spacey-keys-'));
  const keyFile = join(folder, 'access-token-ed25519.pem');
  const { privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  after(() => rmSync(folder, { recursive: true }));

  const one = useServices({
    MONGO_DB_CONNECTION: `mongodb://${MONGODB}/?replicaSet=rs0`,
    DB_NAME: `e2e_${randomBytes(6).toString('hex')}`,
    SPACEY_SERVICE_SECRET: randomBytes(24).toString('hex'),
    SPACEY_JWT_KEY_FILE: keyFile,
    SPACEY_COST_THROTTLE_MODE: 'enforce',
    SPACEY_COST_CAPACITY: String(CAPACITY),
    SPACEY_COST_RESTORE: String(RESTORED),
    SPACEY_COST_CAPACITY_ADMIN: '100000',
    SPACEY_COST_RESTORE_ADMIN: '10000',
    SPACEY_REDIS_URL: redis.url,
    SPACEY_REDIS_TIMEOUT_MILLISECONDS: '1000',
    SPACEY_GATEWAYS: '2',
  });
  let gateways;
  let admin;

  before(async () => {
    gateways = [one, await one.startAnother()];
    await until(async () => (await Promise.all(gateways.map(points))).every(({ shared }) => shared));
  });

  async function points({ origin }) {
    const { points } = await (await fetch(`${origin}/health/ready`)).json();
    return points;
  }

  /** How many of `times` operations that cost a point are granted, by one gateway after the other; whatever is not, is told to wait. */
  async function granted(times) {
    const answers = await Promise.all(
      Array.from({ length: times }, (_, number) => post(gateways[number % 2].origin, { query: '{ __typename }' })),
    );
    for (const { status, body } of answers) {
      if (status === 200) continue;
      assert.equal(status, 429);
      assert.equal(body.errors[0].extensions.code, 'THROTTLED');
    }
    return answers.filter(({ status }) => status === 200).length;
  }

  async function change(gateway, query, variables) {
    const { status, body } = await post(gateway.origin, { query, variables }, { token: admin });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.errors, undefined, JSON.stringify(body.errors));
    return body.data;
  }

  test('grant one bucket together', async () => {
    const began = Date.now();
    let sum = 0;
    for (let round = 0; round < 15; round += 1) sum += await granted(60);
    const most = CAPACITY + (RESTORED * (Date.now() - began)) / 1000;
    assert.ok(sum >= CAPACITY - 1 && sum <= most, `${sum} of ${most}`);
    for (const gateway of gateways) {
      assert.deepEqual(await points(gateway), { shared: true, losses: 0, operationsByShare: 0 });
    }
  });

  test('go on with their shares when the store is killed, and share again when it is back', async () => {
    const began = Date.now();
    const load = (async () => {
      let sum = 0;
      for (let round = 0; round < 15; round += 1) sum += await granted(60);
      return sum;
    })();
    await redis.kill();
    const sum = await load;
    // What the store had restored, and a share from each.
    const most = 2 * CAPACITY + (2 * RESTORED * (Date.now() - began)) / 1000;
    assert.ok(sum >= CAPACITY - 2 && sum <= most, `${sum} of ${most}`);
    for (const gateway of gateways) {
      const { shared, losses, operationsByShare } = await points(gateway);
      assert.deepEqual([shared, losses], [false, 1]);
      assert.ok(operationsByShare > 0);
      assert.match(gateway.log, /the shared store of points failed/);
      assert.ok(!gateway.log.includes(PASSWORD));
    }
    await redis.start();
    await until(async () => (await Promise.all(gateways.map(points))).every(({ shared }) => shared));
    assert.match(gateways[0].log, /the shared store of points answers/);
    assert.equal(await granted(20), 20);
  });

  test('show a changed setting at once where it was changed, and soon elsewhere', async () => {
    const anonymously = (query, input) => post(one.origin, { query, variables: { input } });
    await anonymously('mutation ($input: SignUpInput!) { signUp(input: $input) { email } }', { ...ADA, name: 'Ada' });
    await one.subgraphs.get('users').promote(ADA);
    const { body } = await anonymously('mutation ($input: LogInInput!) { logIn(input: $input) { accessToken } }', ADA);
    admin = body.data.logIn.accessToken;

    const WELCOME = '{ config { frontend { welcomeMessage } } }';
    const seen = async (gateway) => (await get(gateway, WELCOME)).data.config.frontend.welcomeMessage;
    assert.deepEqual([await seen(gateways[0]), await seen(gateways[1])], [null, null]);
    await sleep(1100);
    const kept = await get(gateways[1], WELCOME);
    assert.ok(kept.left < 60, 'it was kept for a second');
    for (const text of ['Hello', 'Good day']) {
      await change(gateways[0], 'mutation ($value: JSON!) { setConfig(input: { key: WELCOME_MESSAGE, value: $value }) { entry { version } } }', {
        value: text,
      });
      assert.equal(await seen(gateways[0]), text);
    }
    await until(async () => (await seen(gateways[1])) === 'Good day');
  });

  test('show what becomes of a public deck, and to each viewer his own rating', async () => {
    const [here, there] = gateways;
    const { createDeck } = await change(here, 'mutation { createDeck(input: { name: "Verbes" }) { deck { id } } }');
    const deckId = createDeck.deck.id;
    const input = { deckId, cards: [{ question: 'être', answer: 'be' }] };
    await change(here, 'mutation ($input: CreateCardsInput!) { createCards(input: $input) { cards { id } } }', { input });
    const PUBLISH = 'mutation ($input: PublishDeckInput!) { publishDeck(input: $input) { publicDeck { release } } }';
    const slug = `verbes-${randomBytes(4).toString('hex')}`;
    const QUERY = `{ publicDeck(slug: "${slug}") { title } }`;
    for (const gateway of gateways) assert.deepEqual((await get(gateway, QUERY)).data, { publicDeck: null });
    for (const title of ['Verbes', 'Verbes irréguliers']) {
      await change(here, PUBLISH, { input: { deckId, slug, title, licence: 'CC_BY' } });
      assert.equal((await get(here, QUERY)).data.publicDeck.title, title);
      assert.equal((await get(here, QUERY)).data.publicDeck.title, title);
    }
    await until(async () => (await get(there, QUERY)).data.publicDeck?.title === 'Verbes irréguliers');
    const rated = await get(here, `{ publicDeck(slug: "${slug}") { viewerRating } }`);
    assert.equal(rated.left, 0, 'what is the viewer’s is not for keeping');
    await change(here, 'mutation ($id: ID!) { unpublishDeck(input: { deckId: $id }) { deck { id } } }', { id: deckId });
    assert.deepEqual((await get(here, QUERY)).data, { publicDeck: null });
  });
});
