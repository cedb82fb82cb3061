/**
 * Card generation by the real service, seen live through the clients of the field: `graphql-ws`, `graphql-sse`. Drafts become cards of the deck. Where
 * each step of a job is looked at, a model of the test's own writes a card only when the client has seen the one before.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { print } from 'graphql';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import WebSocket from 'ws';

import { post } from './client.mjs';
import { useServer } from './harness.mjs';
import { examples } from './operations.mjs';

const ADA = { email: 'ada@example.com', password: 'difference engine no. 2' };
const TEXT =
  '👩‍🔬 Photosynthesis is the process by which plants turn light into chemical energy. ' +
  'Chlorophyll is the green pigment that absorbs the light.';

describe('card generation', () => {
  const server = useServer();
  let token;
  let deckId;

  async function data(query, variables) {
    const { status, body } = await post(server.origin, { query, variables }, { token });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.errors, undefined, JSON.stringify(body.errors));
    return body.data;
  }

  const start = async (more = {}) => {
    const input = { deckId, source: { text: TEXT }, ...more };
    const { generateCards } = await data('mutation ($input: GenerateCardsInput!) { generateCards(input: $input) { job { id } } }', { input });
    return generateCards.job.id;
  };

  /** Every state of a job that a client is told, to the end. */
  async function progress(client, jobId) {
    const seen = [];
    for await (const { data: answer, errors } of client.iterate({ query: print(examples.GenerationProgress), variables: { jobId } })) {
      assert.equal(errors, undefined, JSON.stringify(errors));
      seen.push(answer.generationProgress);
    }
    return seen;
  }

  function assertComplete(seen) {
    assert.ok(seen.every((job, at) => at === 0 || job.progress >= seen[at - 1].progress), JSON.stringify(seen));
    const last = seen.at(-1);
    assert.deepEqual([last.state, last.step, last.progress, last.failure], ['READY', 'DONE', 1, null]);
    assert.equal(last.generator.name, 'offline-extractive');
    assert.ok(last.drafts.length >= 2, JSON.stringify(last));
  }

  before(async () => {
    await data('mutation ($input: SignUpInput!) { signUp(input: $input) { email } }', { input: { ...ADA, name: 'Ada' } });
    await server.promote(ADA);
    const { logIn } = await data('mutation ($input: LogInInput!) { logIn(input: $input) { accessToken } }', { input: ADA });
    token = logIn.accessToken;
    const { createDeck } = await data('mutation { createDeck(input: { name: "Biology" }) { deck { id } } }');
    deckId = createDeck.deck.id;
  });

  test('graphql-ws sees a job from its beginning to its end', async () => {
    const client = createWsClient({
      url: `${server.origin.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams: { authorization: `Bearer ${token}` },
    });
    assertComplete(await progress(client, await start()));
    await client.dispose();
  });

  for (const singleConnection of [false, true]) {
    test(`graphql-sse, ${singleConnection ? 'single connection' : 'distinct connections'}, too`, async () => {
      const headers = { authorization: `Bearer ${token}` };
      const client = createSseClient({ url: `${server.origin}/graphql`, singleConnection, retryAttempts: 0, headers });
      assertComplete(await progress(client, await start()));
      client.dispose();
    });
  }

  test('an address that leads inside is refused, by its number at once and by its name before anything is fetched', async () => {
    const input = (url) => ({ input: { deckId, source: { url } } });
    const generate = 'mutation ($input: GenerateCardsInput!) { generateCards(input: $input) { job { id } } }';
    const { body } = await post(server.origin, { query: generate, variables: input('http://169.254.169.254/latest') }, { token });
    assert.equal(body.errors[0].extensions.code, 'BAD_USER_INPUT');
    const { generateCards } = await data(generate, input('http://localhost/'));
    const headers = { authorization: `Bearer ${token}` };
    const client = createSseClient({ url: `${server.origin}/graphql`, retryAttempts: 0, headers });
    const last = (await progress(client, generateCards.job.id)).at(-1);
    assert.deepEqual([last.state, last.failure.code], ['FAILED', 'GENERATION_SOURCE_REFUSED']);
    client.dispose();
  });

  test('somebody who is not signed in sees nothing', async () => {
    const client = createSseClient({ url: `${server.origin}/graphql`, retryAttempts: 0 });
    const jobId = await start();
    const results = [];
    const query = 'subscription ($jobId: ID!) { generationProgress(id: $jobId) { text } }';
    for await (const result of client.iterate({ query, variables: { jobId } })) results.push(result);
    assert.ok(results.every(({ data: answer }) => !answer?.generationProgress), JSON.stringify(results));
    client.dispose();
  });

  test('one key makes one job, and accepting twice makes each card once', async () => {
    const jobs = await Promise.all(Array.from({ length: 50 }, () => start({ idempotencyKey: 'once' })));
    const [jobId] = new Set(jobs);
    assert.equal(new Set(jobs).size, 1);
    const client = createSseClient({ url: `${server.origin}/graphql`, retryAttempts: 0, headers: { authorization: `Bearer ${token}` } });
    const { drafts } = (await progress(client, jobId)).at(-1);
    client.dispose();

    const accepted = await Promise.all([1, 2, 3].map(() => data(print(examples.AcceptDrafts), { jobId })));
    const cards = accepted.flatMap(({ acceptDrafts }) => acceptDrafts.drafts).map(({ card }) => card);
    assert.equal(new Set(cards.map(({ id }) => id)).size, drafts.length);
    for (const { sourceStartIndex, sourceEndIndex } of cards) {
      assert.match(TEXT.slice(sourceStartIndex, sourceEndIndex), /^(👩‍🔬 Photosynthesis|Chlorophyll) .*\.$/u);
    }
    const { deck } = await data('query ($id: ID!) { deck(id: $id) { counts { new } cards { nodes { id question } } } }', { id: deckId });
    assert.deepEqual(deck.cards.nodes.map(({ question }) => question), drafts.map(({ question }) => question));
    assert.equal(deck.counts.new, drafts.length);
  });
});

const SENTENCES = ['Water is wet.', 'Fire is hot.', 'Ice is cold.'];

/** An OpenAI-compatible API that writes its first card at once, and each further one, and the end, when it is told to. */
class Model {
  #told = [];
  #server;

  async listen() {
    this.#server = createServer(async (request, response) => {
      for await (const _ of request);
      const write = (choice) => response.write(`data: ${JSON.stringify({ choices: [choice] })}\n\n`);
      response.setHeader('content-type', 'text/event-stream');
      write({ delta: { content: '{"cards": [' } });
      for (const [at, quote] of SENTENCES.entries()) {
        const card = JSON.stringify({ question: `${quote}?`, answer: 'Yes.', quote });
        write({ delta: { content: `${at ? ', ' : ''}${card}` } });
        await new Promise((goOn) => this.#told.push(goOn));
      }
      write({ delta: { content: ']}' } });
      write({ delta: {}, finish_reason: 'stop' });
      response.end('data: [DONE]\n\n');
    }).listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${this.#server.address().port}/v1`;
  }

  goOn() {
    this.#told.shift()();
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

describe('a job of card generation, step by step', async () => {
  const model = new Model();
  const server = useServer({ OPENAI_BASE_URL: await model.listen() });
  const text = SENTENCES.join(' ');
  let token;
  let deckId;

  async function data(query, variables) {
    const { body } = await post(server.origin, { query, variables }, { token });
    assert.equal(body.errors, undefined, JSON.stringify(body.errors));
    return body.data;
  }

  before(async () => {
    await data('mutation ($input: SignUpInput!) { signUp(input: $input) { email } }', { input: { ...ADA, name: 'Ada' } });
    await server.promote(ADA);
    token = (await data('mutation ($input: LogInInput!) { logIn(input: $input) { accessToken } }', { input: ADA })).logIn.accessToken;
    deckId = (await data('mutation { createDeck(input: { name: "Biology" }) { deck { id } } }')).createDeck.deck.id;
  });
  after(() => model.close());

  const headers = () => ({ authorization: `Bearer ${token}` });
  const clients = {
    'graphql-ws': () =>
      createWsClient({
        url: `${server.origin.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        connectionParams: headers(),
      }),
    'graphql-sse, distinct connections': () => createSseClient({ url: `${server.origin}/graphql`, retryAttempts: 0, headers: headers() }),
    'graphql-sse, single connection': () =>
      createSseClient({ url: `${server.origin}/graphql`, singleConnection: true, retryAttempts: 0, headers: headers() }),
  };
  for (const [name, create] of Object.entries(clients)) {
    test(`${name} is told of each draft when it is made, and how far the job is`, async () => {
      const input = { deckId, source: { text }, maxCards: 4 };
      const generate = 'mutation ($input: GenerateCardsInput!) { generateCards(input: $input) { job { id } } }';
      const jobId = (await data(generate, { input })).generateCards.job.id;
      const client = create();
      const seen = [];
      let drafts = 0;
      for await (const { data: answer, errors } of client.iterate({ query: print(examples.GenerationProgress), variables: { jobId } })) {
        assert.equal(errors, undefined, JSON.stringify(errors));
        const job = answer.generationProgress;
        seen.push(job);
        // The model writes no more before this one was seen: nothing is told late, or all at once.
        if (job.state === 'RUNNING' && job.drafts.length > drafts) {
          drafts = job.drafts.length;
          model.goOn();
        }
      }
      await client.dispose();

      const running = seen.filter(({ state }) => state === 'RUNNING');
      const counts = [...new Set(running.map((job) => job.drafts.length).filter((count) => count > 0))];
      assert.deepEqual(counts, [1, 2, 3], JSON.stringify(seen));
      for (const count of counts) {
        const job = running.find((one) => one.drafts.length === count);
        assert.equal(job.step, 'DRAFTING');
        assert.ok(Math.abs(job.progress - (0.1 + (0.8 * count) / 4)) < 1e-9, `${count} of 4 is ${job.progress}`);
        assert.deepEqual(job.drafts.map(({ question }) => question), SENTENCES.slice(0, count).map((sentence) => `${sentence}?`));
      }
      assert.ok(seen.length >= 4, JSON.stringify(seen.map(({ step, progress }) => [step, progress])));
      assert.ok(seen.every((job, at) => at === 0 || job.progress >= seen[at - 1].progress), JSON.stringify(seen));
      const steps = ['WAITING', 'READING', 'ASKING', 'DRAFTING', 'DONE'];
      assert.ok(seen.every((job, at) => at === 0 || steps.indexOf(job.step) >= steps.indexOf(seen[at - 1].step)), JSON.stringify(seen));
      const last = seen.at(-1);
      assert.deepEqual([last.state, last.step, last.progress, last.drafts.length], ['READY', 'DONE', 1, 3]);
      assert.equal(seen.filter(({ state }) => state === 'READY').length, 1, 'the end is told once');
    });
  }
});
