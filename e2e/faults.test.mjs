/**
 * Between the gateway and a subgraph, and between a subgraph and its database, what a network does: answers come late, not at all, in half, or the connection breaks. Whoever asks
 * gets the right values or an error with a code, never wrong values; what was acknowledged is there once; and it goes on as soon as the network does.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { post } from './client.mjs';
import { Server, freePort, sharedSettings } from './harness.mjs';

const MONGODB = process.env.SPACEY_TEST_MONGODB ?? '127.0.0.1:27117';
const ADA = { email: 'ada@example.com', password: 'difference engine no. 2' };
const TIMEOUT_SECONDS = 2;
const CODES = ['SUBREQUEST_UNREACHABLE', 'SUBREQUEST_TIMEOUT', 'SUBREQUEST_MALFORMED_RESPONSE', 'SERVICE_UNAVAILABLE', 'INTERNAL_SERVER_ERROR'];

/** A network to one address, which passes everything on unless it is told otherwise. */
class Network {
  #to;
  #server = createServer((near) => this.#join(near));
  #open = new Set();
  /** What becomes of answers: `pass`, `delay`, `half`, `reset`, `nothing`. */
  #fault = 'pass';

  constructor(host, port) {
    this.#to = { host, port };
  }

  async start() {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return this.#server.address().port;
  }

  set fault(fault) {
    this.#fault = fault;
    // What is open may wait for what never comes: as when a router forgets its connections.
    if (fault === 'pass' || fault === 'reset') for (const socket of this.#open) socket.resetAndDestroy();
  }

  stop() {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
  }

  #join(near) {
    if (this.#fault === 'reset') return near.resetAndDestroy();
    const far = connect(this.#to);
    for (const socket of [near, far]) {
      this.#open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#open.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.on('data', (piece) => this.#fault !== 'nothing' && far.write(piece));
    far.on('data', async (piece) => {
      if (this.#fault === 'nothing') return;
      if (this.#fault === 'delay') await sleep(300);
      if (this.#fault !== 'half') return near.write(piece);
      near.end(piece.subarray(0, Math.floor(piece.length / 2)));
      far.destroy();
    });
  }
}

describe('a network that fails', () => {
  const shared = sharedSettings('');
  const gateway = new Server(['serve']);
  const learning = new Server(['subgraph', 'learning']);
  const networks = {};
  let token;
  let cards;
  const sent = [];
  const acknowledged = new Set();

  before(async () => {
    const [host, port] = MONGODB.split(':');
    networks.database = new Network(host, Number(port));
    const database = await networks.database.start();
    const own = {
      ...shared,
      MONGO_DB_CONNECTION: `mongodb://127.0.0.1:${database}/?directConnection=true`,
      SPACEY_SUBGRAPH_DECKS_URL: `http://127.0.0.1:${await freePort()}`, // which would hear what was learned
    };
    await learning.start(own);
    networks.learning = new Network('127.0.0.1', Number(new URL(learning.origin).port));
    const { MONGO_DB_CONNECTION, ...others } = shared;
    await gateway.start({
      ...others,
      SPACEY_SUBGRAPH_LEARNING_URL: `http://127.0.0.1:${await networks.learning.start()}`,
      SPACEY_SUBGRAPH_TIMEOUT_SECONDS: String(TIMEOUT_SECONDS),
    });
    await data('mutation ($input: SignUpInput!) { signUp(input: $input) { email } }', { ...ADA, name: 'Ada' });
    ({ accessToken: token } = (await data('mutation ($input: LogInInput!) { logIn(input: $input) { accessToken } }', ADA)).logIn);
    const { createDeck } = await data('mutation { createDeck(input: { name: "Verbes" }) { deck { id } } }');
    const input = { deckId: createDeck.deck.id, cards: [{ question: 'être', answer: 'be' }, { question: 'avoir', answer: 'have' }] };
    cards = (await data('mutation ($input: CreateCardsInput!) { createCards(input: $input) { cards { id } } }', input)).createCards.cards;
    await until(async () => (await review()).length === 0);
  });
  after(async () => {
    for (const network of Object.values(networks)) network.stop();
    await gateway.stop();
    await learning.stop();
  });

  async function until(holds) {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      if (await holds()) return;
      await sleep(200);
    }
    assert.fail('not after twenty seconds');
  }

  async function ask(query, input) {
    const { body } = await post(gateway.origin, { query, variables: { input } }, { token });
    for (const { extensions, message } of body.errors ?? []) assert.ok(CODES.includes(extensions.code), `${message} ${JSON.stringify(extensions)}`);
    return body;
  }

  async function data(query, input) {
    const { data, errors } = await ask(query, input);
    assert.equal(errors, undefined, JSON.stringify(errors));
    return data;
  }

  /** Sends a review, and says what went wrong. */
  async function review() {
    const [{ id: cardId }] = cards;
    const one = { id: randomUUID(), cardId, rating: 'GOOD', reviewedAt: new Date().toISOString() };
    sent.push(one.id);
    const query = 'mutation ($input: SubmitReviewsInput!) { submitReviews(input: $input) { results { id status } } }';
    const { data, errors = [] } = await ask(query, { reviews: [one] });
    const status = data?.submitReviews?.results[0].status;
    if (status === 'ACCEPTED') acknowledged.add(one.id);
    else assert.ok(errors.length > 0 || status === 'UNKNOWN_CARD', JSON.stringify(data));
    return errors.length > 0 || status === 'ACCEPTED' ? errors : [status];
  }

  /** What of decks and learning is there: the former always, the latter right or not at all. */
  async function read() {
    const { data, errors = [] } = await ask('{ viewer { name decks(first: 5) { nodes { name cards(first: 5) { nodes { question reviewCount: reviews(first: 500) { nodes { id } } } } } } } }');
    const [deck] = data.viewer.decks.nodes;
    assert.deepEqual([deck.name, deck.cards.nodes.map(({ question }) => question)], ['Verbes', ['être', 'avoir']]);
    const [first] = deck.cards.nodes;
    if (first.reviewCount === null) assert.ok(errors.length > 0, 'nothing is missing without an error');
    else {
      const log = first.reviewCount.nodes.map(({ id }) => id);
      assert.equal(new Set(log).size, log.length);
      for (const id of acknowledged) assert.ok(log.includes(id), 'nothing acknowledged is missing');
      for (const id of log) assert.ok(sent.includes(id));
    }
    return errors;
  }

  for (const between of ['learning', 'database']) {
    for (const fault of ['delay', 'reset', 'half', 'nothing']) {
      test(`${between}: ${fault}`, { timeout: 90_000 }, async () => {
        networks[between].fault = fault;
        const began = Date.now();
        const errors = [...(await review()), ...(await read())];
        // Nobody waits for longer than the settings say, for each of the two.
        assert.ok(Date.now() - began < 4 * TIMEOUT_SECONDS * 1000 + 4_000, `${Date.now() - began} ms`);
        if (fault !== 'delay') assert.ok(errors.length > 0, 'the fault was noticed');
        networks[between].fault = 'pass';
        await until(async () => (await review()).length === 0 && (await read()).length === 0);
      });
    }
  }

  test('what was acknowledged is there once', async () => {
    assert.deepEqual(await read(), []);
    assert.ok(acknowledged.size >= 8, `${acknowledged.size}`);
  });
});
