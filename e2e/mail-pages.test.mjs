/**
 * What a person does with the links in mails where there is no front end: opens them in a headless Chromium that can reach nothing but the server
 * under test.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { chromium } from 'playwright-core';

import { BROWSER, openPage } from './browser.mjs';
import { post } from './client.mjs';
import { useServer } from './harness.mjs';

const PASSWORD = 'difference engine no. 2';
const SIGN_UP = 'mutation ($input: SignUpInput!) { signUp(input: $input) { email } }';
const REQUEST_RESET = 'mutation ($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { email } }';
const REQUEST_CHANGE = 'mutation ($input: RequestEmailChangeInput!) { requestEmailChange(input: $input) { email } }';
const LOG_IN = 'mutation ($input: LogInInput!) { logIn(input: $input) { accessToken user { email emailVerified } } }';

describe('the pages behind the links in mails', () => {
  const server = useServer({ SPACEY_MODE: 'development' });
  let browser;
  let page;
  let complaints;
  let requests;
  let count = 0;

  before(async () => {
    browser = await chromium.launch(BROWSER);
  });
  after(() => browser?.close());
  beforeEach(async () => {
    ({ page, complaints } = await openPage(browser, server.origin));
    requests = [];
    page.on('request', (request) => requests.push(request));
  });
  afterEach(async () => {
    await page.context().close();
    assert.deepEqual(complaints, []);
  });

  async function data(query, input, token) {
    const { body } = await post(server.origin, { query, variables: { input } }, { token });
    assert.equal(body.errors, undefined, JSON.stringify(body.errors));
    return body.data;
  }

  /** Somebody who has just signed up. */
  async function signUp() {
    const email = `person${(count += 1)}@example.com`;
    await data(SIGN_UP, { email, password: PASSWORD, name: 'Ada' });
    return email;
  }

  const logIn = async (email, password = PASSWORD) => (await data(LOG_IN, { email, password })).logIn;

  /** The link in the newest mail to somebody with a subject, as the mailbox of development shows it. */
  async function link(email, subject) {
    for (let tries = 0; tries < 200; tries += 1, await sleep(50)) {
      const list = await (await fetch(`${server.origin}/dev/mail`)).text();
      const row = list.split('<li>').find((item) => item.includes(`>${subject}</a> to ${email}`));
      if (!row) continue;
      const letter = await (await fetch(`${server.origin}${row.match(/\/dev\/mail\/[\w-]+/)[0]}/html`)).text();
      return letter.match(/href="([^"]+#token=[\w-]{43})"/)[1];
    }
    return assert.fail(`no mail ${subject} to ${email} has come`);
  }

  const open = async (address) => {
    await page.goto(address);
    return address.split('#token=')[1];
  };
  const says = (text) => page.locator('[role="status"]', { hasText: text }).waitFor();

  /** The secret was sent in the body of the one request to the graph, and is nowhere else. */
  async function isKept(secret) {
    assert.ok(requests.length > 3, 'the page, its two files, and the graph');
    for (const request of requests) {
      const headers = await request.allHeaders();
      assert.ok(!request.url().includes(secret) && !JSON.stringify(headers).includes(secret), request.url());
      assert.equal(headers.referer, undefined, request.url());
      const isGraph = request.url() === `${server.origin}/graphql`;
      assert.equal(request.postData()?.includes(secret) ?? false, isGraph, request.url());
      assert.equal(isGraph ? headers['content-type'] : undefined, isGraph ? 'application/json' : undefined);
    }
    assert.ok(!page.url().includes('#'), page.url());
    assert.ok(!(await page.content()).includes(secret));
    assert.deepEqual(await page.evaluate(() => [Object.keys(localStorage), Object.keys(sessionStorage), document.cookie]), [[], [], '']);
  }

  test('an address is confirmed when the person says so, and not before', async () => {
    const email = await signUp();
    const secret = await open(await link(email, 'Confirm your e-mail address'));
    await page.getByRole('button', { name: 'Confirm the address' }).waitFor();
    assert.ok(!requests.some((request) => request.url().endsWith('/graphql')), 'opening a page does nothing');
    assert.equal((await logIn(email)).user.emailVerified, false);
    await page.getByRole('button').click();
    await says(`${email} is confirmed`);
    assert.equal((await logIn(email)).user.emailVerified, true);
    await isKept(secret);
  });

  test('a link that was used, or is incomplete, says so', async () => {
    const email = await signUp();
    const address = await link(email, 'Confirm your e-mail address');
    for (const outcome of [`${email} is confirmed`, 'This did not work: the link is not valid']) {
      await page.goto('about:blank');
      await page.goto(address);
      await page.getByRole('button').click();
      await says(outcome);
    }
    await page.goto(`${server.origin}/verify-email?next=//attacker.example`);
    await says('This link is not complete');
    assert.equal(await page.getByRole('button').count(), 0);
  });

  test('a new password is set, typed twice', async () => {
    const email = await signUp();
    await data(REQUEST_RESET, { email });
    const secret = await open(await link(email, 'Set a new password'));
    const [first, again] = [page.getByLabel('New password'), page.getByLabel('The same again')];
    await first.fill('analytical engine');
    await again.fill('analytical engines');
    await page.getByRole('button').click();
    await says('not the same');
    await first.fill('password123');
    await again.fill('password123');
    await page.getByRole('button').click();
    await says('This did not work: input.newPassword');
    await first.fill('analytical engine');
    await again.fill('analytical engine');
    await page.getByRole('button').click();
    await says(`Log in as ${email}`);
    await logIn(email, 'analytical engine');
    await isKept(secret);
  });

  test('an address is changed, and changed back', async () => {
    const email = await signUp();
    await open(await link(email, 'Confirm your e-mail address'));
    await page.getByRole('button').click();
    await says('is confirmed');
    const changed = `new-${email}`;
    await data(REQUEST_CHANGE, { currentPassword: PASSWORD, newEmail: changed }, (await logIn(email)).accessToken);
    await link(changed, 'Confirm your new e-mail address').then(open);
    await page.getByRole('button', { name: 'Confirm the new address' }).click();
    await says(`has the address ${changed} now`);
    assert.equal((await logIn(changed)).user.email, changed);

    requests = [];
    const secret = await open(await link(email, 'Your e-mail address was changed'));
    await page.getByLabel('New password').fill('analytical engine');
    await page.getByLabel('The same again').fill('analytical engine');
    await page.getByRole('button', { name: 'Undo the change' }).click();
    await says(`has the address ${email} again`);
    assert.equal((await logIn(email, 'analytical engine')).user.email, email);
    await isKept(secret);
  });

  test('a page works for whoever has the cookie of a session that has ended', async () => {
    const email = await signUp();
    const address = await link(email, 'Confirm your e-mail address');
    await page.context().addCookies([{ name: 'spacey-access', value: 'stale', url: server.origin, httpOnly: true, sameSite: 'Lax' }]);
    await open(address);
    await page.getByRole('button').click();
    await says(`${email} is confirmed`);
    assert.match(complaints.shift(), /status of 401/);
  });
});
