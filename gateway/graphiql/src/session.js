/**
 * The access token of this browser tab, and the requests that carry it.
 *
 * The token lives in sessionStorage alone, is sent to this origin's `/graphql` alone, is taken over from any answer that brings a new
 * one, and is forgotten when the server refuses it.
 */
export const ENDPOINT = '/graphql';
const STORAGE_KEY = 'spacey:access-token';

let session = { token: sessionStorage.getItem(STORAGE_KEY) ?? '', notice: '' };
const listeners = new Set();

/** The token and a line on where it came from or went; the same object until one of them changes. */
export function currentSession() {
  return session;
}

export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function setToken(token, notice = '') {
  session = { token: token.trim(), notice };
  if (session.token) sessionStorage.setItem(STORAGE_KEY, session.token);
  else sessionStorage.removeItem(STORAGE_KEY);
  for (const listener of listeners) listener();
}

function send(params, headers) {
  return fetch(ENDPOINT, {
    method: 'POST',
    headers: {
      accept: 'application/graphql-response+json, application/json;q=0.9',
      'content-type': 'application/json',
      ...headers,
    },
    body: JSON.stringify(params),
  });
}

/** GraphiQL's fetcher. A header typed into GraphiQL's own editor wins over the token of the bar. */
export async function fetchGraphQL(params, { headers = {} } = {}) {
  const { token } = session;
  const ownAuthorization = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  const useToken = token !== '' && !ownAuthorization;

  let response = await send(params, useToken ? { authorization: `Bearer ${token}`, ...headers } : headers);
  if (response.status === 401 && useToken) {
    // Nothing was executed. A stale token must stop neither the schema from loading nor a new login.
    setToken('', 'The server refused the access token, perhaps it expired: log in again. Sent without it.');
    response = await send(params, headers);
  }

  const body = await response.text();
  try {
    const result = JSON.parse(body);
    takeToken(result);
    return result;
  } catch {
    throw new Error(`HTTP ${response.status} and not JSON: ${body.slice(0, 1000)}`);
  }
}

/** Takes over the token that a login or signup answered with. */
function takeToken(result) {
  for (const [field, value] of Object.entries(result.data ?? {})) {
    if (typeof value?.accessToken === 'string') {
      setToken(value.accessToken, `Taken from the answer of ${field}; now sent with every operation.`);
    }
  }
}
