/**
 * Operations by hash and by id, through the links of `@apollo/client`.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { print } from 'graphql';
import { useServer } from './harness.mjs';

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const FRONTEND = gql`query Frontend { config { frontend { colors } } }`;

describe('persisted queries', () => {
  const server = useServer();

  /** A client that counts what it sends. */
  const client = (options) => {
    const sent = [];
    const counting = (url, init) => {
      sent.push({ method: init.method, hasText: (init.body ?? decodeURIComponent(url)).includes('colors') });
      return fetch(url, init);
    };
    const http = new HttpLink({ uri: `${server.origin}/graphql`, fetch: counting });
    const link = ApolloLink.from([new PersistedQueryLink({ sha256, ...options }), http]);
    return { sent, apollo: new ApolloClient({ cache: new InMemoryCache(), link }) };
  };
  const ask = ({ apollo }) => apollo.query({ query: FRONTEND, fetchPolicy: 'no-cache' });

  test('are sent in full once, by whichever client, and by hash ever after', async () => {
    const first = client();
    const { data } = await ask(first);
    assert.ok(data.config.frontend.colors.length > 0);
    assert.deepEqual(first.sent.map(({ hasText }) => hasText), [false, true]);
    await ask(first);
    const second = client({ useGETForHashedQueries: true });
    assert.deepEqual((await ask(second)).data, data);
    assert.deepEqual(second.sent, [{ method: 'GET', hasText: false }]);
    assert.equal(first.sent.length, 3);
  });

  test('may be kept by a cache in front when they are asked for by GET', async () => {
    const text = print(FRONTEND);
    const extensions = { persistedQuery: { version: 1, sha256Hash: sha256(text) } };
    const known = await fetch(`${server.origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: text, extensions }),
    });
    assert.ok((await known.json()).data);
    const response = await fetch(`${server.origin}/graphql?extensions=${encodeURIComponent(JSON.stringify(extensions))}`);
    assert.ok((await response.json()).data.config.frontend.colors.length > 0);
    assert.match(response.headers.get('cache-control'), /^public, max-age=/);
  });
});

describe('trusted documents', () => {
  const folder = mkdtempSync(join(tmpdir(), 'spacey-documents-'));
  const body = print(FRONTEND);
  const operations = [{ id: sha256(body), name: 'Frontend', type: 'query', body }];
  writeFileSync(join(folder, 'web@1.json'), JSON.stringify({ format: 'apollo-persisted-query-manifest', version: 1, operations }));
  const server = useServer({ SPACEY_TRUSTED_DOCUMENTS: folder, SPACEY_UNTRUSTED_OPERATIONS: 'refuse' });
  after(() => rmSync(folder, { recursive: true }));

  test('alone are answered, and to their application', async () => {
    // As `@apollo/persisted-query-lists` does it: the id of the operation of this name.
    const generateHash = (document) => operations.find(({ name }) => name === document.definitions[0].name.value).id;
    const client = (version) =>
      new ApolloClient({
        cache: new InMemoryCache(),
        clientAwareness: { name: 'web', version },
        link: ApolloLink.from([new PersistedQueryLink({ generateHash }), new HttpLink({ uri: `${server.origin}/graphql` })]),
      });
    const { data } = await client('1').query({ query: FRONTEND, fetchPolicy: 'no-cache' });
    assert.ok(data.config.frontend.colors.length > 0);
    await assert.rejects(client('2').query({ query: FRONTEND, fetchPolicy: 'no-cache' }));
    const response = await fetch(`${server.origin}/graphql?query=%7B__typename%7D`);
    assert.deepEqual([response.status, (await response.json()).errors[0].extensions.code], [403, 'DOCUMENT_NOT_TRUSTED']);
  });
});
