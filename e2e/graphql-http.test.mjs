/**
 * The audit of the GraphQL over HTTP specification that `graphql-http` brings: every MUST, SHOULD and MAY, one test each.
 *
 * An audit that only warns fails here too.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { serverAudits } from 'graphql-http';

import { useServer } from './harness.mjs';

describe('GraphQL over HTTP', () => {
  const server = useServer();
  for (const audit of serverAudits({ url: () => `${server.origin}/graphql` })) {
    test(`${audit.id} ${audit.name}`, async () => {
      const { status, reason } = await audit.fn();
      assert.equal(status, 'ok', reason);
    });
  }
});
