/**
 * Requests that must be refused: each gets the status, the code and a message that says what was wrong, and changes nothing.
 *
 * After every refusal the whole visible state of two accounts is read again and compared, and thereby that the server still serves.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { post } from './client.mjs';
import { useServer } from './harness.mjs';
import { chunk, postRaw, spaces } from './raw-http.mjs';

// How the gateway refuses: with an HTTP status when nothing was executed, else with 200 and the error beside `data`.
const REFUSED = {
  request: { status: 400, code: 'BAD_REQUEST' },
  operation: { status: 400, code: 'OPERATION_RESOLUTION_FAILURE' },
  syntax: { status: 400, code: 'GRAPHQL_PARSE_FAILED' },
  validation: { status: 400, code: 'GRAPHQL_VALIDATION_FAILED' },
  variables: { status: 400, code: 'BAD_USER_INPUT' },
  token: { status: 401, code: 'UNAUTHENTICATED' },
  batch: { status: 400, code: 'BATCH_NOT_ACCEPTED' },
  deepVariables: { status: 400, code: 'VARIABLES_TOO_DEEP' },
  tokens: { status: 400, code: 'TOO_MANY_TOKENS' },
  crossSite: { status: 403, code: 'CSRF_PREVENTION' },
  tooLarge: { status: 413, code: 'PAYLOAD_TOO_LARGE' },
  mediaType: { status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' },
  // Executed, and refused by a domain.
  input: { status: 200, code: 'BAD_USER_INPUT' },
  absent: { status: 200, code: 'NOT_FOUND' },
  credentials: { status: 200, code: 'WRONG_CREDENTIALS' },
  anonymous: { status: 200, code: 'UNAUTHENTICATED' },
};
const BODY_LIMIT = 1_048_576;
const SHORT_LIVED_TOKENS = { SPACEY_ACCESS_TOKEN_SECONDS: '1' };

const ABSENT_ID = '00000000-0000-4000-8000-000000000000';
const ADA = { email: 'ada@example.com', password: 'difference engine no. 2', name: 'Ada' };
const EVE = { email: 'eve@example.com', password: 'nothing to see here 42', name: 'Eve' };

const SIGN_UP = 'mutation ($input: SignUpInput!) { signUp(input: $input) { email } }';
const LOG_IN = 'mutation ($input: LogInInput!) { logIn(input: $input) { accessToken } }';
const CREATE_DECK = 'mutation ($input: CreateDeckInput!) { createDeck(input: $input) { deck { id } } }';
const CREATE_CARDS = 'mutation ($input: CreateCardsInput!) { createCards(input: $input) { cards { id } } }';
const DECK = 'query ($id: ID!) { deck(id: $id) { id } }';
const SUBMIT_REVIEWS = 'mutation ($input: SubmitReviewsInput!) { submitReviews(input: $input) { results { id status } } }';
const GENERATE_CARDS = 'mutation ($input: GenerateCardsInput!) { generateCards(input: $input) { job { id } } }';
const STATE = `{
  viewer {
    email
    name
    decks(first: 100) {
      totalCount
      nodes {
        id name description color recallScore
        counts { new learning review }
        cards(first: 100) { totalCount nodes { id question answer state due recallScore } }
      }
    }
    studyQueue(limit: 100) { card { id } }
  }
}`;

const call = (query, input) => ({ query, variables: { input } });
const card = (question, answer = 'an answer') => ({ question, answer });

/** Each row: what is wrong, the body (of the fixture's ids), how it is refused, what the message must mention, the argument it names. */
const BODIES = [
  ['a body that is not JSON', () => '{"query": "{ config', REFUSED.request, /JSON/i],
  ['a body that is not UTF-8', () => Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), REFUSED.request, /JSON|UTF-8/i],
  ['an empty body', () => '', REFUSED.request, /JSON|empty/i],
  ['a JSON array: batching is off', () => [{ query: '{ __typename }' }], REFUSED.batch, /batch/i],
  ['JSON nested too deep', () => `{"query":"{ __typename }","variables":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, REFUSED.deepVariables, /100001 levels/],
  ['no query', () => ({ variables: {} }), REFUSED.request, /query/],
  ['a query that is a number', () => ({ query: 7 }), REFUSED.request, /query/],
  ['an operation name that is not in the document', () => ({ query: 'query A { __typename }', operationName: 'B' }), REFUSED.operation, /B|operation/],
  ['two operations and no name', () => ({ query: 'query A { __typename } query B { __typename }' }), REFUSED.operation, /operation/],
  ['a syntax error', () => ({ query: '{ viewer { id }' }), REFUSED.syntax, /./],
  ['a query nested too deep', () => ({ query: '{a'.repeat(100_000) + '}'.repeat(100_000) }), REFUSED.tokens, /15000/],
  ['an unknown field', () => ({ query: '{ viewer { nme } }' }), REFUSED.validation, /nme/],
  ['an unknown argument', () => ({ query: '{ viewer { studyQueue(limits: 1) { __typename } } }' }), REFUSED.validation, /limits/],
  ['a literal of a wrong type', () => ({ query: '{ viewer { studyQueue(limit: "ten") { __typename } } }' }), REFUSED.validation, /limit|Int|ten/],
  ['a variable of a wrong type', () => call(CREATE_DECK, { name: 5 }), REFUSED.variables, /name/],
  ['a variable with an unknown field', () => call(CREATE_DECK, { name: 'x', owner: ABSENT_ID }), REFUSED.variables, /owner/],
  ['a query operator as an id', () => ({ query: DECK, variables: { id: { $gt: '' } } }), REFUSED.variables, /id/],
  ['a query operator as an address', () => call(LOG_IN, { email: { $ne: null }, password: { $gt: '' } }), REFUSED.variables, /email|password/],
  ['a query operator written out as an id', () => ({ query: DECK, variables: { id: '{"$gt":""}' } }), REFUSED.input, /is not an id/],
  ['a JavaScript condition as an id', () => ({ query: DECK, variables: { id: '$where: sleep(5000)' } }), REFUSED.input, /is not an id/],
  ['a regular expression that takes forever as an id', () => ({ query: DECK, variables: { id: '(a+)+$' } }), REFUSED.input, /is not an id/],
  ['a pattern operator as an id', () => ({ query: DECK, variables: { id: { $regex: '(a+)+$' } } }), REFUSED.variables, /id/],
  ['SQL as an id', () => ({ query: DECK, variables: { id: "' OR '1'='1' --" } }), REFUSED.input, /is not an id/],
  ['a missing variable', () => ({ query: CREATE_DECK }), REFUSED.variables, /input/],
  [
    'a rating that does not exist',
    ({ cardId }) => call(SUBMIT_REVIEWS, { reviews: [review(cardId, { rating: 'FINE' })] }),
    REFUSED.variables,
    /rating.*AGAIN/,
  ],

  ['an empty deck name', () => call(CREATE_DECK, { name: '' }), REFUSED.input, /name/, 'input.name'],
  ['a deck name of spaces', () => call(CREATE_DECK, { name: '   ' }), REFUSED.input, /name/, 'input.name'],
  ['a deck name of 101 characters', () => call(CREATE_DECK, { name: 'é'.repeat(101) }), REFUSED.input, /100/, 'input.name'],
  ['a description of 2001 characters', () => call(CREATE_DECK, { name: 'x', description: 'é'.repeat(2001) }), REFUSED.input, /2[, ]?000/, 'input.description'],
  [
    'one card without a question among good ones',
    ({ deckId }) => call(CREATE_CARDS, { deckId, cards: [card('one'), card(''), card('three')] }),
    REFUSED.input,
    /question/,
    'input.cards[1].question',
  ],
  [
    'a card with a very long answer',
    ({ deckId }) => call(CREATE_CARDS, { deckId, cards: [card('one', 'é'.repeat(200_000))] }),
    REFUSED.input,
    /answer/,
    'input.cards[0].answer',
  ],
  ['no text to generate from', ({ deckId }) => call(GENERATE_CARDS, { deckId, source: { text: ' ' } }), REFUSED.input, /text/, 'input.source.text'],
  ['too long a text to generate from', ({ deckId }) => call(GENERATE_CARDS, { deckId, source: { text: 'é '.repeat(200_000) } }), REFUSED.input, /text/, 'input.source.text'],
  ['a negative page size', () => ({ query: '{ viewer { decks(first: -1) { totalCount } } }' }), REFUSED.input, /first/, 'first'],
  ['a huge page size', () => ({ query: '{ viewer { decks(first: 1000000) { totalCount } } }' }), REFUSED.input, /first/, 'first'],
  ['a cursor that is none', () => ({ query: '{ viewer { decks(first: 1, after: "x") { totalCount } } }' }), REFUSED.input, /after|cursor/, 'after'],
  ['a negative queue length', () => ({ query: '{ viewer { studyQueue(limit: -1) { __typename } } }' }), REFUSED.input, /limit/, 'limit'],

  ['cards for an absent deck', () => call(CREATE_CARDS, { deckId: ABSENT_ID, cards: [card('one')] }), REFUSED.absent, /deck/i],
  ['cards for what is no id', () => call(CREATE_CARDS, { deckId: '../1', cards: [card('one')] }), REFUSED.input, /not an id/],
  ["cards for another user's deck", ({ evesDeckId }) => call(CREATE_CARDS, { deckId: evesDeckId, cards: [card('one')] }), REFUSED.absent, /deck/i],
  ['drafts for an absent deck', () => call(GENERATE_CARDS, { deckId: ABSENT_ID, source: { text: 'A fact is a fact.' } }), REFUSED.absent, /deck/i],

  ['an e-mail address that is none', () => call(SIGN_UP, { ...ADA, email: 'ada at home' }), REFUSED.input, /e-?mail/i, 'input.email'],
  ['an empty user name', () => call(SIGN_UP, { ...ADA, email: 'new@example.com', name: '' }), REFUSED.input, /name/, 'input.name'],
  ['a password of 7 characters', () => call(SIGN_UP, { ...ADA, email: 'new@example.com', password: 'sh0rt!!' }), REFUSED.input, /8/, 'input.password'],
  ['a wrong password', () => call(LOG_IN, { email: ADA.email, password: EVE.password }), REFUSED.credentials, /password/],
  ['a login to no account', () => call(LOG_IN, { email: 'nobody@example.com', password: EVE.password }), REFUSED.credentials, /password/],
];

function review(cardId, change) {
  return { id: crypto.randomUUID(), cardId, rating: 'GOOD', reviewedAt: new Date().toISOString(), durationMs: 900, ...change };
}

/** Checks an answer's status, code, message and shape. */
function assertRefused({ status, body }, refused, message, argument) {
  const [error] = body.errors ?? [{}];
  assert.deepEqual({ status, code: error.extensions?.code }, refused, JSON.stringify(body));
  // Validation names everything it finds.
  assert.match((body.errors ?? []).map(({ message }) => message).join('\n'), message);
  assert.equal(error.extensions.argument, argument);
  if (status === 200) assert.ok(Array.isArray(error.path), 'an error of a field names its path');
  else assert.ok(!('data' in body), 'a refused request has no data');
}

describe('bad input', () => {
  const server = useServer();
  const fixture = {};

  before(async () => {
    await signUp(server, ADA);
    await server.promote(ADA);
    fixture.token = await tokenOf(server, ADA);
    fixture.evesToken = await signUp(server, EVE);
    fixture.deckId = await createDeck(fixture.token, 'Capitals');
    fixture.evesDeckId = await createDeck(fixture.evesToken, 'Secrets');
    const cards = [card('What is the capital of Peru?', 'Lima')];
    const { body } = await post(server.origin, call(CREATE_CARDS, { deckId: fixture.deckId, cards }), { token: fixture.token });
    fixture.cardId = body.data.createCards.cards[0].id;
  });

  async function createDeck(token, name) {
    const { body } = await post(server.origin, call(CREATE_DECK, { name }), { token });
    return body.data.createDeck.deck.id;
  }

  async function readState() {
    const states = [];
    for (const token of [fixture.token, fixture.evesToken]) {
      const { status, body } = await post(server.origin, { query: STATE }, { token });
      assert.equal(status, 200);
      assert.equal(body.errors, undefined);
      states.push(body.data);
    }
    return states;
  }

  /** A test whose request must leave everything as it was. */
  function testRefusal(name, request) {
    test(name, async () => {
      const before = await readState();
      await request(fixture);
      assert.deepEqual(await readState(), before);
    });
  }

  for (const [name, body, refused, message, argument] of BODIES) {
    testRefusal(name, async ({ token }) => {
      const answer = await post(server.origin, body(fixture), { token });
      assertRefused(answer, refused, message, argument);
      assert.equal(answer.mediaType, 'application/graphql-response+json');
    });
  }

  testRefusal('a review at no instant, which is told for itself', async ({ token, cardId }) => {
    const query = SUBMIT_REVIEWS.replace('status', 'status reason');
    const { body } = await post(server.origin, { query, variables: { input: { reviews: [review(cardId, { reviewedAt: 'yesterday' })] } } }, { token });
    const [{ status, reason }] = body.data.submitReviews.results;
    assert.equal(status, 'INVALID');
    assert.match(reason, /yesterday/);
  });

  testRefusal('an unknown field, to a client that accepts application/json only', async ({ token }) => {
    const answer = await post(server.origin, { query: '{ viewer { nme } }' }, { token, headers: { accept: 'application/json' } });
    assert.equal(answer.status, 200);
    assert.equal(answer.mediaType, 'application/json');
    assert.equal(answer.body.errors[0].extensions.code, REFUSED.validation.code);
    assert.ok(!('data' in answer.body));
  });

  // Who has an account is nobody's business: the answer is that of an address that is free.
  testRefusal('a taken e-mail address, also in capitals', async () => {
    const answers = await Promise.all(
      [ADA.email, 'ADA@Example.Com', 'free@example.com'].map((email) =>
        post(server.origin, call(SIGN_UP, { ...ADA, email, name: 'Impostor', password: 'another password 7' })),
      ),
    );
    const [taken, inCapitals, free] = answers.map(({ status, body }) => ({ status, body }));
    assert.deepEqual(free, { status: 200, body: { data: { signUp: { email: 'free@example.com' } } } });
    assert.deepEqual(taken, { status: 200, body: { data: { signUp: { email: ADA.email } } } });
    assert.deepEqual(inCapitals, taken);
    // The account keeps its password.
    const { email, password } = ADA;
    assert.ok(await tokenOf(server, { email, password }));
    assertRefused(await post(server.origin, call(LOG_IN, { email, password: 'another password 7' })), REFUSED.credentials, /password/);
  });

  testRefusal('a wrong password and an unknown address read the same', async () => {
    const [wrong, unknown] = await Promise.all(
      [ADA.email, 'nobody@example.com'].map((email) => post(server.origin, call(LOG_IN, { email, password: EVE.password }))),
    );
    assert.deepEqual(wrong, unknown);
  });

  testRefusal("an absent deck and another user's read the same", async ({ token, evesDeckId }) => {
    const answers = await Promise.all(
      [ABSENT_ID, evesDeckId].map((id) => post(server.origin, { query: `{ deck(id: "${id}") { id name } }` }, { token })),
    );
    for (const { body } of answers) assert.deepEqual(body, { data: { deck: null } });
  });

  testRefusal('a change without a login', async () => {
    assertRefused(await post(server.origin, call(CREATE_DECK, { name: 'x' })), REFUSED.anonymous, /log in|sign in|authenticat/i);
  });

  for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
    testRefusal(`a body of ${type}, which any web page may send`, async ({ token }) => {
      const headers = { 'content-type': type };
      assertRefused(await post(server.origin, call(CREATE_DECK, { name: 'x' }), { token, headers }), REFUSED.mediaType, /application\/json/);
    });
  }

  testRefusal('a form without a header that no page of another site can send', async ({ token }) => {
    const headers = { 'content-type': 'multipart/form-data; boundary=x' };
    assertRefused(await post(server.origin, call(CREATE_DECK, { name: 'x' }), { token, headers }), REFUSED.crossSite, /apollo-require-preflight/);
  });

  testRefusal('a mutation by GET', async ({ token }) => {
    const query = 'mutation { createDeck(input: { name: "x" }) { deck { id } } }';
    const response = await fetch(`${server.origin}/graphql?${new URLSearchParams({ query })}`, {
      headers: { authorization: `Bearer ${token}`, accept: 'application/graphql-response+json' },
    });
    assert.equal(response.status, 405);
    assert.match(response.headers.get('allow'), /POST/);
  });

  testRefusal('forged tokens', async ({ token }) => {
    const [header, payload, signature] = token.split('.');
    const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = JSON.parse(Buffer.from(payload, 'base64url'));
    const forged = {
      'another signature': [header, payload, signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))],
      'no signature': [header, payload, ''],
      'other claims': [header, encode({ ...claims, exp: claims.exp + 3600 }), signature],
      'algorithm none': [encode({ alg: 'none', typ: 'JWT' }), payload, ''],
      'no token at all': ['hello'],
    };
    for (const [what, parts] of Object.entries(forged)) {
      const answer = await post(server.origin, call(CREATE_DECK, { name: what }), { token: parts.join('.') });
      assertRefused(answer, REFUSED.token, /token/);
    }
  });

  describe('a body of 50 MB', () => {
    const headers = (token) => ({ 'content-type': 'application/json', authorization: `Bearer ${token}` });

    testRefusal('that says its size', async ({ token }) => {
      const answer = await postRaw(server.origin, { ...headers(token), 'content-length': 50 * 2 ** 20 }, spaces(800));
      assertRefused(answer, REFUSED.tooLarge, new RegExp(BODY_LIMIT));
    });

    testRefusal('that does not say its size', async ({ token }) => {
      const answer = await postRaw(server.origin, { ...headers(token), 'transfer-encoding': 'chunked' }, chunked(800));
      assertRefused(answer, REFUSED.tooLarge, new RegExp(BODY_LIMIT));
    });

    testRefusal('or of one byte more than the limit, not of the limit', async ({ token }) => {
      const json = JSON.stringify({ query: '{ __typename }' });
      const fits = await post(server.origin, json.padEnd(BODY_LIMIT), { token });
      assert.deepEqual(fits.body, { data: { __typename: 'Query' } });
      assertRefused(await post(server.origin, json.padEnd(BODY_LIMIT + 1), { token }), REFUSED.tooLarge, new RegExp(BODY_LIMIT));
    });
  });

  testRefusal('a request that ends before its promised length is not executed, though its JSON is whole', async ({ token }) => {
    const body = JSON.stringify(call(CREATE_DECK, { name: 'truncated' }));
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}`, 'content-length': body.length + 100 };
    const answer = await postRaw(server.origin, headers, [body], { hangUp: true });
    // Hanging up without a word is right, too: to the server the sender is gone.
    if (answer) assert.equal(answer.status, REFUSED.request.status);
  });
});

describe('an expired token', () => {
  const server = useServer(SHORT_LIVED_TOKENS);

  test('is refused, says so, and a new login works', async () => {
    const token = await signUp(server, ADA);
    await sleep(2500);
    assertRefused(await post(server.origin, call(CREATE_DECK, { name: 'late' }), { token }), REFUSED.token, /expired/);

    const fresh = await tokenOf(server, ADA);
    const { body } = await post(server.origin, { query: '{ viewer { decks { totalCount } } }' }, { token: fresh });
    assert.deepEqual(body, { data: { viewer: { decks: { totalCount: 0 } } } });
  });
});

function* chunked(count) {
  yield* spaces(count, chunk);
  yield chunk(Buffer.alloc(0));
}

/** Makes an account and returns its access token. */
async function signUp(server, account) {
  const { body } = await post(server.origin, call(SIGN_UP, account));
  assert.equal(body.errors, undefined, JSON.stringify(body.errors));
  return tokenOf(server, account);
}

async function tokenOf(server, { email, password }) {
  const { body } = await post(server.origin, call(LOG_IN, { email, password }));
  assert.equal(body.errors, undefined, JSON.stringify(body.errors));
  return body.data.logIn.accessToken;
}
