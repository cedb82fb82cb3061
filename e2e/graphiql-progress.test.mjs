/**
 * A job of card generation as a newcomer sees it in GraphiQL, in a headless Chromium: its state and its first draft while the language model is
 * still at work, and all of it when that is done. The model is one of the test's own, which goes on when it is told to.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';

import { BROWSER, openPage } from './browser.mjs';
import { post } from './client.mjs';
import { GraphiQL } from './graphiql.mjs';
import { useServer } from './harness.mjs';

const ADA = { email: 'ada@example.com', password: 'difference engine no. 2', name: 'Ada Lovelace' };
const SENTENCES = ['Water is wet.', 'Fire is hot.'];

/** An OpenAI-compatible API: it writes the first card, waits for `goOn`, and writes the second one. */
let goOn;
const released = new Promise((resolve) => (goOn = resolve));
const model = createServer(async (request, response) => {
  for await (const _ of request);
  const write = (choice) => response.write(`data: ${JSON.stringify({ choices: [choice] })}\n\n`);
  const [first, second] = SENTENCES.map((quote) => JSON.stringify({ question: `${quote}?`, answer: 'Yes.', quote }));
  response.setHeader('content-type', 'text/event-stream');
  write({ delta: { content: `{"cards": [${first}` } });
  await released;
  write({ delta: { content: `, ${second}]}` } });
  write({ delta: {}, finish_reason: 'stop' });
  response.end('data: [DONE]\n\n');
}).listen(0, '127.0.0.1');
await once(model, 'listening');

describe('GraphiQL', () => {
  const server = useServer({ OPENAI_BASE_URL: `http://127.0.0.1:${model.address().port}/v1` });
  let browser;
  before(async () => {
    const signUp = 'mutation ($input: SignUpInput!) { signUp(input: $input) { email } }';
    const { body } = await post(server.origin, { query: signUp, variables: { input: ADA } });
    assert.equal(body.errors, undefined);
    await server.promote(ADA);
    browser = await chromium.launch(BROWSER);
  });
  after(async () => {
    await browser?.close();
    goOn();
    model.closeAllConnections();
    model.close();
  });

  test('shows a job of card generation while it goes on', async () => {
    const { page, complaints } = await openPage(browser, server.origin, { viewport: { width: 1400, height: 900 } });
    const graphiql = new GraphiQL(page);
    await page.goto(`${server.origin}/graphiql`);
    await graphiql.editor('operation').waitFor();
    const { email, password } = ADA;
    await graphiql.paste('variables', JSON.stringify({ email, password }));
    await graphiql.run('accessToken');
    const token = await page.getByLabel('Access token').inputValue();

    const ask = async (query, variables) => {
      const { body } = await post(server.origin, { query, variables }, { token });
      assert.equal(body.errors, undefined, JSON.stringify(body.errors));
      return body.data;
    };
    const { createDeck } = await ask('mutation { createDeck(input: { name: "Elements" }) { deck { id } } }');
    const input = { deckId: createDeck.deck.id, source: { text: SENTENCES.join(' ') }, maxCards: 5 };
    const generate = 'mutation ($input: GenerateCardsInput!) { generateCards(input: $input) { job { id } } }';
    const { id } = (await ask(generate, { input })).generateCards.job;

    await graphiql.openTab('Config');
    await graphiql.paste('operation', `subscription Progress { generationProgress(id: "${id}") { state step drafts { question } } }`);
    const streamed = page.waitForResponse((response) => response.headers()['content-type']?.startsWith('text/event-stream'));
    await graphiql.run('DRAFTING');
    assert.equal((await streamed).status(), 200);
    await graphiql.shows('Water is wet.?');
    const shown = await page.locator('.graphiql-response').innerText();
    assert.ok(shown.includes('RUNNING') && !shown.includes('Fire'), shown);
    goOn();
    await graphiql.shows('READY');
    await graphiql.shows('Fire is hot.?');
    // Of a stream that was read to its end Chromium tells now that it finished, now that it was aborted.
    const ofStream = `${server.origin}/graphql: net::ERR_ABORTED`;
    assert.deepEqual(complaints.filter((complaint) => complaint !== ofStream), []);
    await page.context().close();
  });
});
