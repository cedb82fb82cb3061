/**
 * Two ways to the server under test: `@apollo/client`, as an app would use it, and a bare POST for requests that no decent client makes.
 */
import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client';

/** An Apollo client without caching between operations, so that every answer comes from the server. */
export class AppClient {
  accessToken;
  /** How many HTTP requests were sent. */
  requests = 0;

  constructor(origin) {
    const countingFetch = (url, init) => {
      this.requests += 1;
      const authorization = this.accessToken && { authorization: `Bearer ${this.accessToken}` };
      return fetch(url, { ...init, headers: { ...init.headers, ...authorization } });
    };
    this.apollo = new ApolloClient({
      cache: new InMemoryCache(),
      link: new HttpLink({ uri: `${origin}/graphql`, fetch: countingFetch }),
      defaultOptions: { query: { fetchPolicy: 'no-cache' }, mutate: { fetchPolicy: 'no-cache' } },
    });
  }

  /** The data of a query; throws on any error. */
  async query(query, variables) {
    return (await this.apollo.query({ query, variables })).data;
  }

  /** The data of the last event of a subscription; throws on any error. */
  async last(query, variables) {
    let last;
    await new Promise((complete, error) => {
      const next = ({ data, error: wrong }) => (wrong ? error(wrong) : (last = data));
      this.apollo.subscribe({ query, variables, fetchPolicy: 'no-cache' }).subscribe({ next, error, complete });
    });
    return last;
  }

  /** The data of a mutation; throws on any error. */
  async mutate(mutation, variables) {
    return (await this.apollo.mutate({ mutation, variables })).data;
  }
}

/** POSTs `body` (an object becomes JSON) to `/graphql` and returns the status, the media type and the decoded answer. */
export async function post(origin, body, { token, headers, ...init } = {}) {
  const response = await fetch(`${origin}/graphql`, {
    method: 'POST',
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
      ...(token && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...init,
  });
  return {
    status: response.status,
    mediaType: response.headers.get('content-type')?.split(';')[0],
    body: await response.json(),
  };
}
