/**
 * The program as separate services on MongoDB: a gateway and four subgraphs that share nothing but secrets, the database server that the
 * Rust tests made a replica set, and HTTP. A learner notices no difference.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { post } from './client.mjs';
import { useServices } from './harness.mjs';

const MONGODB = process.env.SPACEY_TEST_MONGODB ?? '127.0.0.1:27117';
const ADA = { email: 'ada@example.com', password: 'difference engine no. 2' };
const HOME = `{
  viewer {
    name
    decks(first: 5) { totalCount nodes { name counts { new learning } cards(first: 5) { nodes { id question state } } } }
    studyQueue(limit: 5) { card { question } previews { rating interval } }
  }
  config { frontend { deckColors } }
}`;

/** Another issuer: publishes its key, and signs what it is told to. */
async function startIssuer() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'EdDSA' }];
  const server = createServer((_, response) => response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys })));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = (claims) => {
    const exp = Math.floor(Date.now() / 1000) + 600;
    const signed = `${part({ alg: 'EdDSA', kid: 'one' })}.${part({ iss: 'https://id.example', aud: 'spacey', exp, ...claims })}`;
    return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
  };
  return { url: `http://127.0.0.1:${server.address().port}/keys`, token, stop: () => server.close() };
}

const issuer = await startIssuer();

describe('separate services', () => {
  after(() => issuer.stop());
  const folder = mkdtempSync(join(tmpdir(), 'spacey-keys-'));
  const keyFile = join(folder, 'access-token-ed25519.pem');
  const { privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  after(() => rmSync(folder, { recursive: true }));

  const gateway = useServices({
    MONGO_DB_CONNECTION: `mongodb://${MONGODB}/?replicaSet=rs0`,
    DB_NAME: `e2e_${randomBytes(6).toString('hex')}`,
    SPACEY_SERVICE_SECRET: randomBytes(24).toString('hex'),
    SPACEY_JWT_KEY_FILE: keyFile,
    SPACEY_ISSUER: 'https://id.example',
    SPACEY_ISSUER_AUDIENCE: 'spacey',
    SPACEY_ISSUER_JWKS_URL: issuer.url,
    SPACEY_ISSUER_ACCOUNTS: 'true',
  });
  let token;

  async function data(query, input) {
    const { status, body } = await post(gateway.origin, { query, variables: { input } }, { token });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.errors, undefined, JSON.stringify(body.errors));
    return body.data;
  }

  test('sign up and log in', async () => {
    await data('mutation ($input: SignUpInput!) { signUp(input: $input) { email } }', { ...ADA, name: 'Ada' });
    const { logIn } = await data('mutation ($input: LogInInput!) { logIn(input: $input) { accessToken } }', ADA);
    token = logIn.accessToken;
  });

  test('a browser stays logged in by its cookies alone', async () => {
    const ask = (query, cookie) =>
      fetch(`${gateway.origin}/graphql`, {
        method: 'POST',
        body: JSON.stringify({ query }),
        headers: { 'content-type': 'application/json', cookie },
      });
    const cookies = (response) => Object.fromEntries(response.headers.getSetCookie().map((cookie) => cookie.split(';')[0].split('=')));
    const { email, password } = ADA;
    const login = await ask(`mutation { logIn(input: { email: "${email}", password: "${password}", cookies: true }) { user { id } } }`, '');
    const first = cookies(login);
    const refreshed = await ask('mutation { refreshTokens(input: {}) { refreshToken } }', `spacey-refresh=${first['spacey-refresh']}`);
    assert.deepEqual((await refreshed.json()).data, { refreshTokens: { refreshToken: null } });
    const second = cookies(refreshed);
    assert.notEqual(second['spacey-refresh'], first['spacey-refresh']);
    const viewer = await ask('{ viewer { email } }', `spacey-access=${second['spacey-access']}`);
    assert.deepEqual((await viewer.json()).data, { viewer: { email } });
  });

  test('a deck, its cards and a review are seen by every service at once', async () => {
    const { createDeck } = await data('mutation ($input: CreateDeckInput!) { createDeck(input: $input) { deck { id } } }', { name: 'Capitals' });
    const cards = ['France', 'Japan'].map((country) => ({ question: `The capital of ${country}?`, answer: '…' }));
    await data('mutation ($input: CreateCardsInput!) { createCards(input: $input) { cards { id } } }', { deckId: createDeck.deck.id, cards });

    const before = await data(HOME);
    assert.equal(before.viewer.name, 'Ada');
    assert.equal(before.config.frontend.deckColors.length, 8);
    const [deck] = before.viewer.decks.nodes;
    assert.deepEqual(deck.counts, { new: 2, learning: 0 });
    assert.deepEqual(before.viewer.studyQueue.map(({ card }) => card.question), cards.map(({ question }) => question));

    const review = { id: crypto.randomUUID(), cardId: deck.cards.nodes[0].id, rating: 'GOOD', reviewedAt: new Date().toISOString() };
    const submit = 'mutation ($input: SubmitReviewsInput!) { submitReviews(input: $input) { results { status } } }';
    const { submitReviews } = await data(submit, { reviews: [review] });
    assert.deepEqual(submitReviews.results, [{ status: 'ACCEPTED' }]);

    const { viewer } = await data(HOME);
    assert.equal(viewer.decks.nodes[0].counts.new, 1);
    assert.equal(viewer.decks.nodes[0].cards.nodes[0].state, 'LEARNING');
    assert.deepEqual(viewer.studyQueue.map(({ card }) => card.question), [cards[1].question]);
    const { searchCards } = await data('{ searchCards(query: "is:learning rated:1:3") { nodes { question } } }');
    assert.deepEqual(searchCards.nodes, [{ question: cards[0].question }]);
  });

  test('a logout at one gateway is known to the others within 5 seconds, and to one that starts later at once', async () => {
    const logIn = 'mutation ($input: LogInInput!) { logIn(input: $input) { accessToken } }';
    const session = (await data(logIn, ADA)).logIn.accessToken;
    const another = await gateway.startAnother();
    const statusAt = async ({ origin }) => (await post(origin, { query: '{ viewer { name } }' }, { token: session })).status;
    assert.deepEqual([await statusAt(gateway), await statusAt(another)], [200, 200]);

    const loggedOut = await post(gateway.origin, { query: 'mutation { logOut { loggedOut } }' }, { token: session });
    assert.deepEqual(loggedOut.body.data, { logOut: { loggedOut: true } });
    const since = Date.now();
    for (const one of [gateway, another]) {
      while ((await statusAt(one)) !== 401) {
        assert.ok(Date.now() - since < 5000, 'the token of the session that was ended is still accepted');
        await sleep(50);
      }
    }
    assert.equal(await statusAt(await gateway.startAnother()), 401);
    assert.equal((await data('{ viewer { name } }')).viewer.name, 'Ada', 'another session of the same person stays');
  });

  test('an API key is good for what its scopes say at every gateway, and within 5 seconds of its revocation at none', async () => {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const make = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { id } } }';
    const made = async (scopes) => (await data(make, { name: 'backup', scopes, expiresAt })).createApiKey;
    const [reader, writer] = [await made(['READ']), await made(['READ', 'WRITE'])];
    const another = await gateway.startAnother();
    const ask = async ({ origin }, { secret }, query = '{ viewer { name } }') => post(origin, { query }, { token: secret });
    for (const one of [gateway, another]) {
      assert.deepEqual((await ask(one, reader)).body, { data: { viewer: { name: 'Ada' } } });
    }

    const create = 'mutation { createDeck(input: { name: "By a script" }) { deck { name } } }';
    const refused = await ask(gateway, reader, create);
    assert.deepEqual([refused.status, refused.body.errors[0].extensions.code], [403, 'FORBIDDEN']);
    assert.match(refused.body.errors[0].message, /scope WRITE/);
    assert.equal((await ask(gateway, writer, create)).body.data.createDeck.deck.name, 'By a script');
    const inPerson = await ask(gateway, writer, 'mutation { endOtherSessions { endedCount } }');
    assert.equal(inPerson.body.errors[0].extensions.code, 'FORBIDDEN');

    const { viewer } = await data('{ viewer { securityEvents(first: 50) { nodes { kind } } } }');
    const uses = viewer.securityEvents.nodes.filter(({ kind }) => kind === 'API_KEY_USED').length;
    assert.ok(uses >= 2 && uses <= 4, `${uses}: each key once an hour`);

    const revoke = 'mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { revokedId } }';
    await data(revoke, { apiKeyId: writer.apiKey.id });
    const since = Date.now();
    for (const one of [gateway, another]) {
      while ((await ask(one, writer)).status !== 401) {
        assert.ok(Date.now() - since < 5000, 'the key that was revoked is still accepted');
        await sleep(50);
      }
    }
    assert.equal((await ask(await gateway.startAnother(), writer)).status, 401);
    assert.equal((await ask(gateway, reader)).status, 200, 'another key stays');
  });

  test('a person of another issuer gets one account, and nobody gets one by an address', async () => {
    const another = await gateway.startAnother();
    const grace = issuer.token({ sub: 'grace', email: 'Grace@example.com', email_verified: true, name: 'Grace' });
    const ask = async ({ origin }, person) => post(origin, { query: '{ viewer { id name email emailVerified decks(first: 5) { totalCount } } }' }, { token: person });
    const answers = await Promise.all([gateway, another, gateway, another].map((one) => ask(one, grace)));
    const [{ body }] = answers;
    assert.deepEqual({ ...body.data.viewer, id: undefined }, { id: undefined, name: 'Grace', email: 'grace@example.com', emailVerified: true, decks: { totalCount: 0 } });
    for (const answer of answers) assert.deepEqual(answer.body, body);

    const created = await post(another.origin, { query: 'mutation { createDeck(input: { name: "Compilers" }) { deck { name } } }' }, { token: grace });
    assert.equal(created.body.data.createDeck.deck.name, 'Compilers');
    const taken = await ask(gateway, issuer.token({ sub: 'eve', email: ADA.email, email_verified: true }));
    assert.deepEqual([taken.status, taken.body.errors[0].extensions.code, taken.body.data], [409, 'ADDRESS_TAKEN', undefined]);
    assert.equal((await data('{ viewer { name } }')).viewer.name, 'Ada');
  });

  test('what users tells of sessions and keys, as everything of a subgraph, takes the secret', async () => {
    const url = gateway.subgraphs.get('users').origin;
    for (const headers of [{}, { authorization: `Bearer ${token}` }]) {
      assert.equal((await fetch(`${url}/revocations`, { headers })).status, 401);
      assert.equal((await fetch(`${url}/people`, { method: 'POST', headers, body: '{}' })).status, 401);
      assert.equal((await fetch(`${url}/api-keys`, { method: 'POST', headers, body: `sk_spacey_${'0'.repeat(38)}` })).status, 401);
    }
  });

  test('a subgraph answers nobody who lacks the secret', async () => {
    const url = gateway.subgraphs.get('decks').origin;
    for (const path of ['/graphql', '/events']) {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
      const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: '{"query":"{ __typename }"}' });
      assert.equal(response.status, 401);
    }
  });
});
