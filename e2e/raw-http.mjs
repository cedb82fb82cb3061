/**
 * HTTP/1.1 by hand, for requests that no HTTP client would send: bodies that end early, bodies whose sender keeps reading, bodies
 * without an end. Understands only what the tests need of an answer: its status line and its whole body.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';

const ANSWERS_WITHIN_MS = 20_000;
/** How long a sender that is about to send a body waits for an early refusal. */
const EARLY_ANSWER_MS = 100;

/**
 * Sends a POST to `/graphql` with `headers` and then the pieces of `body` until the server answers or hangs up, and half-closes
 * the connection. Returns `{ status, body }`, or undefined when the server hung up without an answer; `body` is undefined when
 * it is empty.
 */
export async function postRaw(origin, headers, body) {
  const { hostname, port, host } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  const answer = [];
  let over = false;
  socket.on('data', (chunk) => answer.push(chunk));
  socket.on('error', () => (over = true)); // A reset is the server hanging up; what it said before still counts.
  const closed = new Promise((resolve) => socket.on('end', resolve).on('close', resolve)).then(() => (over = true));
  await once(socket, 'connect');

  const lines = Object.entries({ host, accept: 'application/graphql-response+json', ...headers }).map(([name, value]) => `${name}: ${value}`);
  socket.write(`POST /graphql HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  await Promise.race([once(socket, 'data'), closed, sleep(EARLY_ANSWER_MS)]);
  for (const piece of body) {
    await immediate(); // Lets an answer in before the next piece meets a connection that the server has reset.
    if (over || answer.length > 0) break;
    if (!socket.write(piece)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed]);
  }
  socket.end();

  const timer = setTimeout(() => socket.destroy(), ANSWERS_WITHIN_MS);
  await closed;
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

/** One chunk of the chunked transfer coding. */
export function chunk(piece) {
  return Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]);
}
