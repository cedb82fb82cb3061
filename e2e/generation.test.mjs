/**
 * Card generation by the real service, seen live through the clients of the field: `graphql-ws`, `graphql-sse`. Drafts become cards of the deck.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
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
