/**
 * What operations cost: the one in the editor by a dry run, which takes a point, and the last one that was answered by its answer's report.
 *
 * A dry run goes without the access token: what an operation may cost is the same for everybody.
 */
import { ENDPOINT } from './session.js';

/** How long the editor rests before the operation in it is priced, in milliseconds. */
const REST = 400;

let costs = { estimate: undefined, answered: undefined };
let priced = '';
let resting;
const listeners = new Set();

function tell(news) {
  costs = { ...costs, ...news };
  for (const listener of listeners) listener();
}

/** The reports as `extensions.cost` has them; the same object until one of them changes. */
export function currentCosts() {
  return costs;
}

export function subscribeToCosts(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Takes note of what an answer cost. */
export function noteAnswer(result) {
  if (result.extensions?.cost?.actualQueryCost !== undefined) tell({ answered: result.extensions.cost });
}

/** Prices the operation of a tab once its editors rest. */
export function consider(tab) {
  clearTimeout(resting);
  resting = setTimeout(() => price(tab), REST);
}

async function price({ query, variables, operationName }) {
  const body = requestOf(query, variables, operationName);
  if (body === priced) return;
  priced = body;
  const cost = body && (await dryRun(body));
  // Another operation may have taken its place meanwhile.
  if (body === priced) tell({ estimate: cost || undefined });
}

async function dryRun(body) {
  try {
    const headers = { accept: 'application/json', 'content-type': 'application/json', 'x-cost': 'dry-run' };
    const response = await fetch(ENDPOINT, { method: 'POST', headers, body, credentials: 'omit' });
    return (await response.json()).extensions?.cost;
  } catch {
    return undefined;
  }
}

/** The body of a request; empty while the editors hold none. */
function requestOf(query, variables, operationName) {
  try {
    // The examples explain their variables in lines of comments.
    const json = (variables ?? '').replace(/^\s*\/\/.*$/gm, '').trim();
    if (!query?.trim()) return '';
    // Until GraphiQL has said which operation of the document is meant, it is the first.
    const name = operationName ?? /^\s*(?:query|mutation|subscription)\s+(\w+)/m.exec(query)?.[1];
    return JSON.stringify({ query, operationName: name, variables: json ? JSON.parse(json) : undefined });
  } catch {
    return '';
  }
}
