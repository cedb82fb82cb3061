/**
 * GraphiQL as a newcomer opens it, in a headless Chromium that can reach nothing but the server under test.
 *
 * Any request elsewhere, any breach of the Content-Security-Policy and any error on the console fails the test that caused it.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { chromium } from 'playwright-core';

import { BROWSER, openPage } from './browser.mjs';
import { post } from './client.mjs';
import { GraphiQL } from './graphiql.mjs';
import { useServer } from './harness.mjs';

const CONTENT_SECURITY_POLICY = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data:",
  'font-src': "'self' data:",
  'connect-src': "'self'",
  'worker-src': "'self'",
  'base-uri': "'none'",
  'frame-ancestors': "'none'",
  'form-action': "'none'",
};
const TABS = ['LogIn', 'HomeInOneRoundTrip', 'CreateDeck', 'Review', 'GenerateCards', 'Config'];
const ADA = { email: 'ada@example.com', password: 'difference engine no. 2', name: 'Ada Lovelace' };

describe('GraphiQL', () => {
  const server = useServer({ SPACEY_COST_MAXIMUM_MODE: 'enforce', SPACEY_COST_THROTTLE_MODE: 'enforce' });
  let browser;
  let page;
  let graphiql;
  let complaints;

  before(async () => {
    const { body } = await post(server.origin, {
      query: 'mutation ($input: SignUpInput!) { signUp(input: $input) { email } }',
      variables: { input: ADA },
    });
    assert.equal(body.errors, undefined);
    browser = await chromium.launch(BROWSER);
  });
  after(() => browser?.close());

  beforeEach(async () => {
    ({ page, complaints } = await openPage(browser, server.origin, { viewport: { width: 1400, height: 900 } }));
    graphiql = new GraphiQL(page);
    const response = await page.goto(`${server.origin}/`);
    assert.equal(response.status(), 200);
    assert.equal(page.url(), `${server.origin}/graphiql`);
    await graphiql.editor('operation').waitFor();
    page.response = response;
  });
  afterEach(async () => {
    await page.context().close();
    assert.deepEqual(complaints, []);
  });

  test('is served under a strict Content-Security-Policy', async () => {
    const policy = (await page.response.headerValue('content-security-policy')).split(';').map((directive) => directive.trim());
    const directives = Object.fromEntries(policy.map((directive) => directive.split(/ (.*)/s).slice(0, 2)));
    assert.deepEqual(directives, CONTENT_SECURITY_POLICY);
    assert.equal(await page.response.headerValue('x-content-type-options'), 'nosniff');
  });

  test('shows the example operations and runs one', async () => {
    assert.deepEqual(await page.getByRole('tab').allInnerTexts(), TABS);
    await graphiql.openTab('Config');
    await graphiql.run('#FFEC87');
  });

  test('knows the schema: it completes and checks what is typed', async () => {
    await graphiql.paste('operation', '{ viewer { em } nonsense }');
    await page.locator('.graphiql-query-editor .squiggly-error').first().waitFor();
    await graphiql.focus('operation');
    await page.keyboard.press('Control+Home');
    for (let step = 0; step < '{ viewer { em'.length; step += 1) await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Control+Space');
    await page.locator('.suggest-widget .monaco-list-row', { hasText: 'emailVerified' }).waitFor();
  });

  test('takes the access token from a login, sends it, and keeps it over a reload', async () => {
    const { email, password } = ADA;
    await graphiql.paste('variables', JSON.stringify({ email, password }));
    await graphiql.run('accessToken');
    const token = await page.getByLabel('Access token').inputValue();
    assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/);

    await graphiql.openTab('HomeInOneRoundTrip');
    await graphiql.run(ADA.name);

    await page.reload();
    await graphiql.editor('operation').waitFor();
    assert.equal(await page.getByLabel('Access token').inputValue(), token);
    await graphiql.run(ADA.name);
    assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
  });

  test('shows what the operation in the editor may cost, and what the last one did', async () => {
    const estimate = page.getByLabel('Estimated cost');
    const answered = page.getByLabel('Cost of the last answer');
    // The first example hashes a password; what is in the editor is priced without being run.
    await estimate.filter({ hasText: /^This operation: \d+ points of 5,000 at most: logIn \d+/ }).waitFor();
    assert.equal(await answered.innerText(), 'Last answer: –');
    await graphiql.paste('operation', '{ viewer { decks(first: 7) { nodes { id } } } }');
    await estimate.filter({ hasText: /^This operation: 9 points of 5,000 at most: viewer.decks/ }).waitFor();
    await graphiql.openTab('Config');
    await graphiql.run('#FFEC87');
    await answered.filter({ hasText: /^Last answer: \d+ points; [\d,]+ of 10,000 left$/ }).waitFor();
    await graphiql.paste('operation', '{ viewer { ');
    await estimate.filter({ hasText: /^This operation: –$/ }).waitFor();
  });

  test('forgets a token that the server refuses, and says so', async () => {
    await page.getByLabel('Access token').fill('stale');
    await graphiql.openTab('Config');
    await graphiql.run('#FFEC87');
    assert.equal(await page.getByLabel('Access token').inputValue(), '');
    await page.getByText('The server refused the access token').waitFor();
    // The refusal itself is what Chromium has to complain about.
    assert.match(complaints.shift(), /status of 401/);
  });
});
