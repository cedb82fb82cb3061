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

const ONE_ANSWER = 'application/graphql-response+json, application/json;q=0.9';
const EVENT_STREAM = 'text/event-stream';

function send(params, headers, accept) {
  return fetch(ENDPOINT, {
    method: 'POST',
    headers: {
      accept,
      'content-type': 'application/json',
      ...headers,
    },
    body: JSON.stringify(params),
  });
}

/** Whether the operation that is asked for is a subscription, whose answers come as server-sent events. */
function isSubscription({ operationName }, documentAST) {
  const operations = documentAST?.definitions.filter(({ kind }) => kind === 'OperationDefinition') ?? [];
  const asked = operations.find(({ name }) => !operationName || name?.value === operationName);
  return asked?.operation === 'subscription';
}

/** The answers of a subscription as they come: the data of each event `next`, to the end. Whoever stops listening before ends it. */
async function* answers(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let unread = '';
  let ended = false;
  try {
    while (!ended) {
      const { value = '', done } = await reader.read();
      ended = done;
      unread += value;
      const events = unread.split('\n\n');
      unread = events.pop();
      for (const event of events) {
        const lines = event.split('\n');
        const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trimStart());
        if (lines.includes('event: next')) yield JSON.parse(data.join('\n'));
      }
    }
  } finally {
    if (!ended) await reader.cancel();
  }
}

/** GraphiQL's fetcher. A header typed into GraphiQL's own editor wins over the token of the bar. */
export async function fetchGraphQL(params, { headers = {}, documentAST } = {}) {
  const { token } = session;
  const ownAuthorization = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  const useToken = token !== '' && !ownAuthorization;

  const accept = isSubscription(params, documentAST) ? EVENT_STREAM : ONE_ANSWER;
  let response = await send(params, useToken ? { authorization: `Bearer ${token}`, ...headers } : headers, accept);
  if (response.status === 401 && useToken) {
    // Nothing was executed. A stale token must stop neither the schema from loading nor a new login.
    setToken('', 'The server refused the access token, perhaps it expired: log in again. Sent without it.');
    response = await send(params, headers, accept);
  }

  if (response.headers.get('content-type')?.startsWith(EVENT_STREAM)) return answers(response);

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
