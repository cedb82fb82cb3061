/**
 * A page of another origin in a real browser, whose visitor is signed in by cookie: whatever the page sends, nothing is executed.
 *
 * The page is served twice: from another port of the same host, which browsers count as the same site, so that the cookie goes along with
 * everything; and from another site.
 *
 * Environment: `CHROMIUM`, the browser's program (default: where Debian installs it).
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';

import { chromium } from 'playwright-core';

import { BROWSER } from './browser.mjs';
import { post } from './client.mjs';
import { useServer } from './harness.mjs';

const ADA = { email: 'ada@example.com', password: 'difference engine no. 2', name: 'Ada' };
const MUTATION = 'mutation { createDeck(input: { name: "forged" }) { deck { id } } }';

/** What runs in the attacker's page: each way by which a page can send something, by name. */
const ATTACKS = {
  'a form of text/plain': (url, mutation) => {
    const form = Object.assign(document.createElement('form'), { method: 'post', action: url, enctype: 'text/plain', target: 'frame' });
    const input = { name: `{"query":${JSON.stringify(mutation)},"x":"`, value: '"}' };
    form.append(Object.assign(document.createElement('input'), input));
    document.body.append(form);
    form.submit();
  },
  'a form of application/x-www-form-urlencoded': (url, mutation) => {
    const form = Object.assign(document.createElement('form'), { method: 'post', action: url, target: 'frame' });
    form.append(Object.assign(document.createElement('input'), { name: 'query', value: mutation }));
    document.body.append(form);
    form.submit();
  },
  'a form of multipart/form-data': (url, mutation) => {
    const form = Object.assign(document.createElement('form'), { method: 'post', action: url, enctype: 'multipart/form-data', target: 'frame' });
    form.append(Object.assign(document.createElement('input'), { name: 'operations', value: JSON.stringify({ query: mutation }) }));
    document.body.append(form);
    form.submit();
  },
  'a form by GET': (url, mutation) => {
    const form = Object.assign(document.createElement('form'), { method: 'get', action: url, target: 'frame' });
    form.append(Object.assign(document.createElement('input'), { name: 'query', value: mutation }));
    document.body.append(form);
    form.submit();
  },
  'fetch without CORS, text/plain': (url, mutation) => {
    void fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include', body: JSON.stringify({ query: mutation }) }).catch(() => {});
  },
  'fetch without CORS, no type': (url, mutation) => {
    const body = new Blob([JSON.stringify({ query: mutation })]);
    void fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include', body }).catch(() => {});
  },
  'fetch without CORS, a header that is not let through': (url, mutation) => {
    const headers = { 'content-type': 'application/json', 'x-spacey-csrf': '1' };
    void fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include', headers, body: JSON.stringify({ query: mutation }) }).catch(() => {});
  },
  'fetch with CORS, which asks first': (url, mutation) => {
    const headers = { 'content-type': 'application/json' };
    void fetch(url, { method: 'POST', credentials: 'include', headers, body: JSON.stringify({ query: mutation }) }).catch(() => {});
  },
  'a beacon': (url, mutation) => {
    navigator.sendBeacon(url, JSON.stringify({ query: mutation }));
  },
  'an image': (url, mutation) => {
    document.body.append(Object.assign(new Image(), { src: `${url}?query=${encodeURIComponent(mutation)}` }));
  },
  'a script': (url) => {
    document.body.append(Object.assign(document.createElement('script'), { src: `${url}?query=${encodeURIComponent('{ viewer { email } }')}` }));
  },
  'an event stream': (url, mutation) => {
    new EventSource(`${url}?query=${encodeURIComponent(mutation)}`, { withCredentials: true }).onerror = (event) => event.target.close();
  },
};

describe('a page of another origin', () => {
  const server = useServer();
  let attacker;
  let browser;
  let context;
  let token;

  before(async () => {
    await post(server.origin, { query: 'mutation ($input: SignUpInput!) { signUp(input: $input) { email } }', variables: { input: ADA } });
    const { email, password } = ADA;
    const logIn = 'mutation ($input: LogInInput!) { logIn(input: $input) { accessToken } }';
    const { body } = await post(server.origin, { query: logIn, variables: { input: { email, password } } });
    token = body.data.logIn.accessToken;

    attacker = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><iframe name="frame"></iframe>'));
    attacker.listen(0);
    await once(attacker, 'listening');

    browser = await chromium.launch(BROWSER);
    context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${server.origin}/graphiql`);
    const signedIn = await page.evaluate(async ([query, input]) => {
      const send = (body) =>
        fetch('/graphql', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }).then((answer) => answer.json());
      await send({ query, variables: { input } });
      return send({ query: '{ viewer { email } }' });
    }, [logIn, { email, password, cookies: true }]);
    assert.equal(signedIn.data.viewer.email, ADA.email, 'the cookie signs in the own page');
    await page.close();
  });
  after(async () => {
    await browser?.close();
    attacker?.close();
  });

  async function decks() {
    const { body } = await post(server.origin, { query: '{ viewer { decks { totalCount } } }' }, { token });
    return body.data.viewer.decks.totalCount;
  }

  for (const [site, host, sendsCookies] of [['of the same site', '127.0.0.1', true], ['of another site', 'localhost', false]]) {
    for (const [name, attack] of Object.entries(ATTACKS)) {
      test(`${site}: ${name}`, async () => {
        const page = await context.newPage();
        const seen = [];
        page.on('response', (response) => response.url().startsWith(`${server.origin}/graphql`) && seen.push(response));
        await page.goto(`http://${host}:${attacker.address().port}/`);
        const sent = page.waitForEvent('requestfinished', { predicate: (request) => request.url().startsWith(server.origin), timeout: 5000 }).catch(() => undefined);
        const failed = page.waitForEvent('requestfailed', { predicate: (request) => request.url().startsWith(server.origin), timeout: 5000 }).catch(() => undefined);
        await page.evaluate(`(${attack})(${JSON.stringify(`${server.origin}/graphql`)}, ${JSON.stringify(MUTATION)})`);
        const request = await Promise.race([sent, failed]);
        assert.ok(request, 'the browser sent it');
        for (const response of seen) {
          // A preflight is answered without the headers that would allow the request; everything else is refused.
          if (response.request().method() !== 'OPTIONS') assert.ok(response.status() >= 400, `${response.status()}`);
        }
        if (sendsCookies && seen.length > 0 && name.startsWith('a form')) {
          const { cookie } = await seen[0].request().allHeaders();
          assert.match(cookie ?? '', /spacey-access=/, 'the visitor is signed in to what is sent');
        }
        await page.close();
        assert.equal(await decks(), 0);
      });
    }

    test(`${site}: a WebSocket`, async () => {
      const page = await context.newPage();
      await page.goto(`http://${host}:${attacker.address().port}/`);
      const outcome = await page.evaluate(
        (url) =>
          new Promise((resolve) => {
            const socket = new WebSocket(url, 'graphql-transport-ws');
            socket.onopen = () => resolve('open');
            socket.onclose = () => resolve('closed');
          }),
        `${server.origin.replace('http', 'ws')}/graphql`,
      );
      assert.equal(outcome, 'closed');
      await page.close();
    });
  }

  test('the own page does with the cookie what the others could not', async () => {
    const page = await context.newPage();
    await page.goto(`${server.origin}/graphiql`);
    const answer = await page.evaluate(async (query) => {
      const response = await fetch('/graphql', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query }) });
      return response.json();
    }, MUTATION);
    assert.ok(answer.data.createDeck.deck.id);
    assert.equal(await decks(), 1);
    await page.close();
  });

  test('the own page stays logged in by a cookie that it cannot read', async () => {
    await context.clearCookies({ name: 'spacey-access' });
    const page = await context.newPage();
    await page.goto(`${server.origin}/graphiql`);
    const answers = await page.evaluate(async (queries) => {
      const answers = [document.cookie];
      for (const query of queries) {
        const response = await fetch('/graphql', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query }) });
        answers.push((await response.json()).data);
      }
      return answers;
    }, ['{ viewer { email } }', 'mutation { refreshTokens(input: {}) { refreshToken } }', '{ viewer { email } }']);
    assert.deepEqual(answers, ['', { viewer: null }, { refreshTokens: { refreshToken: null } }, { viewer: { email: ADA.email } }]);
    await page.close();
  });
});
