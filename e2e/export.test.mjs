/**
 * The download of an account, over a real connection: everything that somebody has, in one file, the same from one process on SQLite and from
 * separate services on MongoDB; a file that could not be completed is none.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { post } from './client.mjs';
import { useServer, useServices } from './harness.mjs';

const MONGODB = process.env.SPACEY_TEST_MONGODB ?? '127.0.0.1:27117';
const PASSWORD = 'difference engine no. 2';
/** More than any first page holds: of decks, of cards in a deck, of reviews of a card. */
const [DECKS, CARDS, REVIEWS] = [12, 170, 30];

/** Somebody with things, made once for a suite. */
class Person {
  constructor(server, email, name) {
    Object.assign(this, { server, email, name });
  }

  async data(query, input) {
    const { body } = await post(this.server.origin, { query, variables: { input } }, { token: this.token });
    assert.equal(body.errors, undefined, JSON.stringify(body.errors));
    return body.data;
  }

  async signUp() {
    const { email, name } = this;
    await this.data('mutation ($input: SignUpInput!) { signUp(input: $input) { email } }', { email, name, password: PASSWORD });
    const { logIn } = await this.data('mutation ($input: LogInInput!) { logIn(input: $input) { accessToken } }', { email, password: PASSWORD });
    this.token = logIn.accessToken;
  }

  async collect(decks, cards, reviews) {
    const createDeck = 'mutation ($input: CreateDeckInput!) { createDeck(input: $input) { deck { id } } }';
    this.deck = (await this.data(createDeck, { name: `${this.name} 0` })).createDeck.deck.id;
    for (let n = 1; n < decks; n += 1) await this.data(createDeck, { name: `${this.name} ${n}` });
    const made = await this.data('mutation ($input: CreateCardsInput!) { createCards(input: $input) { cards { id } } }', {
      deckId: this.deck,
      cards: Array.from({ length: cards }, (_, n) => ({ question: `${this.name} "${n}"\n\u2028 ✓`, answer: '\\' })),
    });
    const [{ id: cardId }] = made.createCards.cards;
    const submit = 'mutation ($input: SubmitReviewsInput!) { submitReviews(input: $input) { results { status } } }';
    const { submitReviews } = await this.data(submit, {
      reviews: Array.from({ length: reviews }, (_, n) => ({ id: crypto.randomUUID(), cardId, rating: 'GOOD', reviewedAt: new Date(Date.now() - n * 86_400_000).toISOString() })),
    });
    assert.ok(submitReviews.results.every(({ status }) => status === 'ACCEPTED'));
    await this.data('mutation ($input: StartSessionInput!) { startSession(input: $input) { session { id } } }', { deckId: this.deck });
    const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
    const { createApiKey } = await this.data('mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }', { name: 'backup', scopes: ['READ'], expiresAt });
    this.secret = createApiKey.secret;
  }

  download(headers = { authorization: `Bearer ${this.token}` }) {
    return fetch(`${this.server.origin}/account/export`, { headers });
  }
}

/** What must hold of any server. */
function itIsWhole(useIt) {
  const server = useIt();
  const ada = new Person(server, 'ada@example.com', 'Ada');
  const eve = new Person(server, 'eve@example.com', 'Evelyn');
  before(async () => {
    await Promise.all([ada.signUp(), eve.signUp()]);
    await ada.collect(DECKS, CARDS, REVIEWS);
    await eve.collect(1, 1, 1);
  });

  test('a person downloads everything that is theirs, and nothing else', async () => {
    const response = await ada.download();
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.equal(response.headers.get('content-disposition'), 'attachment; filename="spacey-account.json"');
    assert.equal(response.headers.get('cache-control'), 'no-store');
    const text = await response.text();
    const all = JSON.parse(text);
    assert.deepEqual(Object.keys(all), ['format', 'exportedAt', 'profile', 'sessions', 'apiKeys', 'securityEvents', 'features', 'studyPresets', 'decks', 'trash', 'media', 'learningSessions', 'generationJobs', 'contents', 'counts']);
    assert.deepEqual([all.profile.email, all.profile.name, all.profile.roles], ['ada@example.com', 'Ada', ['USER']]);
    assert.deepEqual(all.decks.map((deck) => deck.name), Array.from({ length: DECKS }, (_, n) => `Ada ${n}`));
    const { cards } = all.decks.find(({ id }) => id === ada.deck);
    assert.deepEqual(cards.map((card) => [card.question, card.answer]), Array.from({ length: CARDS }, (_, n) => [`Ada "${n}"\n\u2028 ✓`, '\\']));
    assert.equal(new Set(cards[0].reviews.map(({ id }) => id)).size, REVIEWS);
    assert.ok(cards[0].reviews.every(({ rating }) => rating === 'GOOD') && cards[0].stability > 1);
    assert.deepEqual(all.learningSessions.map(({ deckId }) => deckId), [ada.deck]);
    assert.deepEqual(all.apiKeys.map(({ name, scopes }) => ({ name, scopes })), [{ name: 'backup', scopes: ['READ'] }]);
    assert.deepEqual(all.sessions.map(({ current }) => current), [true]);
    const kinds = all.securityEvents.map(({ kind }) => kind);
    assert.deepEqual(kinds, ['API_KEY_CREATED', 'LOGGED_IN', 'SIGNED_UP']);
    assert.deepEqual(all.counts, { sessions: 1, apiKeys: 1, securityEvents: 3, features: all.features.length, studyPresets: 0, decks: DECKS, trash: 0, media: 0, cards: CARDS, reviews: REVIEWS, learningSessions: 1, generationJobs: 0, contents: 0 });
    for (const secret of [ada.secret, ada.token, PASSWORD, '$argon2', 'Evelyn', 'eve@example.com']) assert.ok(!text.includes(secret), secret);
  });

  test('it is for the person who logged in: not for nobody, a foreign page, or a script', async () => {
    const code = async (response) => [response.status, (await response.json()).errors[0].extensions.code];
    assert.deepEqual(await code(await ada.download({})), [401, 'UNAUTHENTICATED']);
    const cookie = `spacey-access=${ada.token}`;
    assert.deepEqual(await code(await ada.download({ cookie })), [403, 'CSRF_PREVENTION']);
    assert.equal((await (await ada.download({ cookie, 'x-spacey-csrf': '1' })).json()).counts.cards, CARDS);
    const byKey = await ada.download({ authorization: `Bearer ${ada.secret}` });
    assert.ok([401, 403].includes(byKey.status), String(byKey.status));
  });

  test('several people download at the same time', async () => {
    const [adas, eves] = await Promise.all([ada.download(), eve.download()].map(async (response) => (await response).json()));
    assert.deepEqual([adas.counts.cards, eves.counts.cards], [CARDS, 1]);
  });
}

describe('one process on SQLite', () => itIsWhole(() => useServer()));

describe('separate services on MongoDB', () => {
  const folder = mkdtempSync(join(tmpdir(), 'spacey-keys-'));
  const keyFile = join(folder, 'access-token-ed25519.pem');
  const { privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  after(() => rmSync(folder, { recursive: true }));
  itIsWhole(() =>
    useServices({
      MONGO_DB_CONNECTION: `mongodb://${MONGODB}/?replicaSet=rs0`,
      DB_NAME: `e2e_${randomBytes(6).toString('hex')}`,
      SPACEY_SERVICE_SECRET: randomBytes(24).toString('hex'),
      SPACEY_JWT_KEY_FILE: keyFile,
    }),
  );
});
