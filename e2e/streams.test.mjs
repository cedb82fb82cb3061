/**
 * Subscriptions and incremental delivery through the clients of the field: `graphql-ws`, `graphql-sse`, `@apollo/client`, `urql`.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { Defer20220824Handler, GraphQL17Alpha9Handler } from '@apollo/client/incremental';
import { createClient as createUrqlClient, fetchExchange } from '@urql/core';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import WebSocket from 'ws';
import { useRouter } from './harness.mjs';
import { shop } from './subgraphs.mjs';

const TICKS = 'subscription { ticks(count: 3) { id name rating } }';
const TICKED = ['1', '2', '3'].map((id) => ({ ticks: { id, name: `Product ${id}`, rating: Number(id) / 2 } }));
const DEFERRED = '{ products { id ... @defer(label: "slow") { rating } } }';
const RATED = ['1', '2', '3'].map((id) => ({ id, rating: Number(id) / 2 }));

/** All that an async iterable gives. */
async function all(results) {
  const list = [];
  for await (const result of results) list.push(result);
  return list;
}

/** All that an observable gives. */
const collect = (observable) =>
  new Promise((resolve, reject) => {
    const list = [];
    observable.subscribe({ next: (result) => list.push(result), error: reject, complete: () => resolve(list) });
  });

const data = (results) => JSON.parse(JSON.stringify(results.map((result) => result.data)));

describe('streams', () => {
  const router = useRouter(shop);
  const url = () => `${router.origin}/graphql`;

  describe('graphql-ws', () => {
    const connect = (options = {}) =>
      createWsClient({ url: url().replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0, ...options });

    test('subscriptions, queries and mistakes share a connection', async () => {
      const client = connect();
      const [ticks, [query]] = await Promise.all([
        all(client.iterate({ query: TICKS })),
        all(client.iterate({ query: '{ products { id } }' })),
      ]);
      assert.deepEqual(data(ticks), TICKED);
      assert.deepEqual(data([query]), [{ products: ['1', '2', '3'].map((id) => ({ id })) }]);
      await assert.rejects(all(client.iterate({ query: 'subscription { nothing }' })), (errors) => {
        assert.equal(errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
        return true;
      });
      await client.dispose();
    });

    test('an error of the subgraph is an answer', async () => {
      const client = connect();
      const [answer] = await all(client.iterate({ query: 'subscription { broken { id } }' }));
      // What subgraphs say of their failures is not for clients.
      assert.match(answer.errors[0].message, /the subgraph answered with an error/);
      await client.dispose();
    });

    test('deferred parts come over the same connection', async () => {
      const client = connect();
      const [first, ...rest] = await all(client.iterate({ query: DEFERRED }));
      assert.deepEqual(first.data.products, RATED.map(({ id }) => ({ id })));
      assert.equal(first.pending.length, 3);
      assert.equal(rest.at(-1).hasNext, false);
      assert.deepEqual(rest.flatMap((part) => part.incremental ?? []).map((part) => part.data), RATED.map(({ rating }) => ({ rating })));
      await client.dispose();
    });

    test('the server is pinged and answers pings', async () => {
      let pongs = 0;
      const client = connect({ keepAlive: 50, lazy: false, on: { pong: (received) => (pongs += received ? 1 : 0) } });
      while (pongs < 2) await new Promise((resolve) => setTimeout(resolve, 20));
      await client.dispose();
    });
  });

  for (const singleConnection of [false, true]) {
    test(`graphql-sse, ${singleConnection ? 'single connection' : 'distinct connections'}`, async () => {
      const client = createSseClient({ url: url(), singleConnection, retryAttempts: 0 });
      const [ticks, again] = await Promise.all([all(client.iterate({ query: TICKS })), all(client.iterate({ query: TICKS }))]);
      assert.deepEqual(data(ticks), TICKED);
      assert.deepEqual(data(again), TICKED);
      const [answer] = await all(client.iterate({ query: '{ products { id } }' }));
      assert.equal(answer.data.products.length, 3);
      client.dispose();
    });
  }

  describe('@apollo/client', () => {
    const connect = (incrementalHandler) =>
      new ApolloClient({ cache: new InMemoryCache(), link: new HttpLink({ uri: url() }), incrementalHandler });

    test('subscriptions over multipart', async () => {
      const ticks = await collect(connect().subscribe({ query: gql(TICKS), fetchPolicy: 'no-cache' }));
      assert.deepEqual(
        data(ticks).map(({ ticks: { id, name, rating } }) => ({ ticks: { id, name, rating } })),
        TICKED,
      );
    });

    for (const Handler of [Defer20220824Handler, GraphQL17Alpha9Handler]) {
      test(`@defer by ${Handler.name}`, async () => {
        const client = connect(new Handler());
        const seen = [];
        await new Promise((resolve, reject) => {
          const observed = client.watchQuery({ query: gql(DEFERRED), fetchPolicy: 'network-only' });
          observed.subscribe({
            error: reject,
            next: (result) => {
              if (result.data?.products) seen.push(JSON.parse(JSON.stringify(result.data.products)));
              if (result.error) reject(result.error);
              if (result.dataState === 'complete') resolve();
            },
          });
        });
        const shown = (products) => products.map(({ id, rating }) => (rating === undefined ? { id } : { id, rating }));
        assert.deepEqual(shown(seen[0]), RATED.map(({ id }) => ({ id })));
        assert.deepEqual(shown(seen.at(-1)), RATED);
        client.stop();
      });
    }

    test('a deferred part that fails is told, and the rest stays', async () => {
      const link = ApolloLink.from([new HttpLink({ uri: url() })]);
      const client = new ApolloClient({ cache: new InMemoryCache(), link, incrementalHandler: new GraphQL17Alpha9Handler() });
      const query = gql('{ products { id ... @defer(label: "s") { strict } } }');
      const { data: answer, error } = await client.query({ query, fetchPolicy: 'no-cache', errorPolicy: 'all' });
      assert.equal(answer.products.length, 3);
      assert.match(error.message, /the subgraph answered with an error/);
      client.stop();
    });
  });

  test('urql: subscriptions over fetch', async () => {
    const client = createUrqlClient({ url: url(), exchanges: [fetchExchange], fetchSubscriptions: true, preferGetMethod: false });
    const ticks = await new Promise((resolve) => {
      const list = [];
      client.subscription(TICKS, {}).subscribe((result) => {
        if (result.data) list.push(result);
        if (list.length === TICKED.length) resolve(list);
      });
    });
    assert.deepEqual(
      data(ticks).map(({ ticks: { id, name, rating } }) => ({ ticks: { id, name, rating } })),
      TICKED,
    );
  });
});
