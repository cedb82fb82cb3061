/**
 * HTTP/1.1 by hand, for requests that no HTTP client would send: bodies that end early, and bodies of any size. Understands only what the tests need of an answer: its status line and its whole body.
 */
import { connect } from 'node:net';

const ANSWERS_WITHIN_MS = 20_000;

/**
 * Sends a POST to `/graphql` with `headers` and then the pieces of `body` until the server answers or hangs up. With `hangUp` it then
 * half-closes the connection, so that what was promised and not sent never comes.
 *
 * Returns `{ status, body }`, or undefined when the server hung up without an answer; `body` is undefined when it is empty.
 */
export async function postRaw(origin, headers, body, { hangUp = false } = {}) {
  const { hostname, port, host } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  const answer = [];
  socket.on('data', (data) => answer.push(data));
  socket.on('error', () => {}); // A reset is the server hanging up; what it said before still counts.
  let closed = false;
  const closing = new Promise((resolve) => socket.once('end', resolve).once('close', resolve)).then(() => (closed = true));
  const happens = (event) => Promise.race([new Promise((resolve) => socket.once(event, resolve)), closing]);
  await happens('connect');

  const head = { host, accept: 'application/graphql-response+json', connection: 'close', ...headers };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST /graphql HTTP/1.1\r\n${lines.join('')}\r\n`);
  for (const piece of body) {
    if (closed || answer.length > 0) break;
    if (!socket.write(piece)) await happens('drain');
  }
  if (hangUp) socket.end();

  const timer = setTimeout(() => socket.destroy(), ANSWERS_WITHIN_MS);
  await closing;
  clearTimeout(timer);
  socket.destroy();
  return decode(Buffer.concat(answer).toString());
}

function decode(text) {
  const match = /^HTTP\/1\.1 (\d{3}) [^]*?\r\n\r\n([^]*)$/.exec(text);
  if (!match) return undefined;
  const json = match[2].slice(match[2].indexOf('{'), match[2].lastIndexOf('}') + 1); // also out of chunked framing
  return { status: Number(match[1]), body: json ? JSON.parse(json) : undefined };
}

/** `count` pieces of 64 KiB of spaces, each made into what goes over the wire by `frame`. */
export function* spaces(count, frame = (piece) => piece) {
  const piece = frame(Buffer.alloc(65_536, ' '));
  for (let sent = 0; sent < count; sent += 1) yield piece;
}

/** One chunk of the chunked transfer coding; an empty one is the last. */
export function chunk(piece) {
  return Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]);
}
