/**
 * Requests that are made to hurt: each is refused with a code of its own or answered, takes the server 50 ms of CPU at most, leaves its
 * memory as it was, and the next honest request is answered.
 */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';

import { useServer } from './harness.mjs';

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const repeat = (count, make) => Array.from({ length: count }, (_, index) => make(index)).join(' ');
const nest = (count, open, middle, close) => open.repeat(count) + middle + close.repeat(count);
/** A document whose fragments spread the next one twice: 2^count fields if they were written out. */
const doubling = (count, on, leaf) => repeat(count, (i) => `fragment F${i} on ${on} { a${i}: __typename ${i + 1 < count ? `...F${i + 1} ...F${i + 1}` : leaf} }`);
const persisted = (hash, query) => ({ ...(query && { query }), extensions: { persistedQuery: { version: 1, sha256Hash: hash } } });
const graphql = (query, variables) => JSON.stringify({ query, variables });

const PARSE = 'GRAPHQL_PARSE_FAILED';
const INVALID = 'GRAPHQL_VALIDATION_FAILED';
const BAD = 'BAD_REQUEST';
const INPUT = 'BAD_USER_INPUT';
const LARGE = 'PAYLOAD_TOO_LARGE';
const TOKENS = 'TOO_MANY_TOKENS';
const DEEP = 'OPERATION_TOO_DEEP';
const ALIASES = 'TOO_MANY_ALIASES';
const ROOTS = 'TOO_MANY_ROOT_FIELDS';
const DIRECTIVES = 'TOO_MANY_DIRECTIVES';
const FRAGMENTS = 'TOO_MANY_FRAGMENTS';
const VARIABLES = 'VARIABLES_TOO_DEEP';
const BATCH = 'BATCH_NOT_ACCEPTED';
const COST = 'COST_ESTIMATED_TOO_EXPENSIVE';
/** An answer without errors. */
const ANSWERED = undefined;
/** What one of them may take, in milliseconds of the server's CPU time. */
const MOST_CPU = 50;

/** Each row: the attack, the body, and the code that answers it. */
const BODIES = [
  // One more than each limit, written out and hidden.
  ['aliases: 101', graphql(`{ viewer { ${repeat(101, (i) => `a${i}: id`)} } }`), ALIASES],
  ['aliases: 10 in a fragment that stands in 10 places', graphql(`{ ${repeat(10, (i) => `v${i}: viewer { ...F }`)} } fragment F on User { ${repeat(10, (i) => `a${i}: id`)} }`), ALIASES],
  ['aliases: 2^50 through fragments', graphql(`{ viewer { ...F0 } } ${doubling(50, 'User', 'x: id')}`), ALIASES],
  ['root fields: 51 logins in one mutation', graphql(`mutation { ${repeat(51, (i) => `a${i}: logIn(input: { email: "a@b.example", password: "guess number ${i}" }) { accessToken }`)} }`), ROOTS],
  ['root fields: 60 in a fragment', graphql(`{ ...F } fragment F on Query { ${repeat(60, (i) => `a${i}: __typename`)} }`), ROOTS],
  ['root fields: 60 in inline fragments', graphql(`{ ${repeat(60, (i) => `... { a${i}: __typename }`)} }`), ROOTS],
  ['directives: 301 conditions', graphql(`{ viewer { ${repeat(301, () => 'id @include(if: true)')} } }`), DIRECTIVES],
  ['directives: 301 on a fragment that nothing uses', graphql(`{ __typename } fragment F on User { ${repeat(301, () => 'id @skip(if: true)')} }`), DIRECTIVES],
  ['fragments: 201 that are used', graphql(`{ viewer { ${repeat(201, (i) => `...F${i}`)} } } ${repeat(201, (i) => `fragment F${i} on User { id }`)}`), FRAGMENTS],
  ['variables: 33 levels deep', graphql('{ __typename }', { a: JSON.parse(`${'['.repeat(33)}${']'.repeat(33)}`) }), VARIABLES],
  ['depth: 60 levels hidden in a fragment that nests 60 more', graphql(`{ viewer { decks { nodes { ${nest(60, 'parent { ', '...F', '}')} } } } } fragment F on Deck { ${nest(60, 'parent { ', 'id', '}')} }`), DEEP],
  ['tokens: 15,001', graphql(`{ ${'__typename '.repeat(14_999)} }`), TOKENS],
  // Documents that are large, deep, or many.
  ['aliases: 20,000 of one field', graphql(`{ ${repeat(20_000, (i) => `a${i}: __typename`)} }`), TOKENS],
  ['root fields: 5,000 reads', graphql(`{ ${repeat(5_000, (i) => `a${i}: viewer { id }`)} }`), TOKENS],
  ['root fields: 2,000 logins in one mutation', graphql(`mutation { ${repeat(2_000, (i) => `a${i}: logIn(input: { email: "a@b.example", password: "guess number ${i}" }) { accessToken }`)} }`), TOKENS],
  ['directives: 10,000 on one field', graphql(`{ viewer { id ${'@include(if: true) '.repeat(10_000)} } }`), TOKENS],
  ['directives: 10,000 unknown ones', graphql(`{ viewer { id ${repeat(10_000, (i) => `@x${i}`)} } }`), TOKENS],
  ['directives: 10,000 conditions over a field', graphql(`query ($a: Boolean = true) { ${nest(200, '... @include(if: $a) {', '__typename', '}')} }`), DEEP],
  ['fragments: 10,000 that nothing uses', graphql(`{ __typename } ${repeat(10_000, (i) => `fragment F${i} on User { id }`)}`), TOKENS],
  ['fragments: one that spreads itself', graphql('{ viewer { ...F } } fragment F on User { ...F }'), INVALID],
  ['fragments: 800 each of which spreads the next', graphql(`{ ...F0 } ${repeat(800, (i) => `fragment F${i} on Query { ${i < 799 ? `...F${i + 1}` : '__typename'} }`)}`), DEEP],
  ['fragments: a circle of three', graphql('{ viewer { ...A } } fragment A on User { ...B } fragment B on User { ...C } fragment C on User { ...A }'), INVALID],
  ['fragments: a circle through fields', graphql('{ viewer { ...F } } fragment F on User { decks { nodes { owner: id ...G } } } fragment G on Deck { cards { nodes { deck { ...G } } } }'), INVALID],
  ['fragments: 40 that spread the next one twice', graphql(`{ viewer { ...F0 } } ${doubling(40, 'User', 'id')}`), ALIASES],
  ['fragments: 20 that spread the next one twice under aliases', graphql(`{ viewer { ...F0 } } ${repeat(20, (i) => `fragment F${i} on User { ${i < 19 ? `x${i}: decks { nodes { parent { id } } } ...F${i + 1} ... { ...F${i + 1} }` : 'id'} }`)}`), ALIASES],
  ['inline fragments: 5,000 one in the other', graphql(`{ ${nest(5_000, '... {', '__typename', '}')} }`), TOKENS],
  ['depth: 10,000 selections', graphql(nest(10_000, '{a', '', '}')), TOKENS],
  ['depth: decks within decks, 100 times', graphql(`{ viewer { decks { nodes { ${nest(100, 'parent { ', 'id', '}')} } } } }`), DEEP],
  ['depth: introspection of types within types', graphql(`{ __schema { types { ${nest(12, 'fields { type { ', 'name', '} }')} } } }`), 'MAX_INTROSPECTION_DEPTH_EXCEEDED'],
  ['depth: lists within lists as a literal', graphql(`{ deck(id: ${nest(10_000, '[', '1', ']')}) { id } }`), TOKENS],
  ['depth: objects within objects as a literal', graphql(`{ deck(id: ${nest(10_000, '{a:', '1', '}')}) { id } }`), TOKENS],
  ['depth: a type of 10,000 lists', graphql(`query ($a: ${nest(10_000, '[', 'Int', ']')}) { __typename }`), TOKENS],
  ['introspection: all of it 500 times', graphql(`{ ${repeat(500, (i) => `a${i}: __schema { types { fields { args { type { name } } type { name } } } }`)} }`), TOKENS],
  ['tokens: a million commas', graphql(`{ __typename ${','.repeat(1_000_000)} }`), TOKENS],
  ['tokens: 300,000 brackets', graphql('['.repeat(300_000)), TOKENS],
  ['names: one of a million letters', graphql(`{ ${'a'.repeat(1_000_000)} }`), INVALID],
  ['tokens: a number of 500,000 digits', graphql(`{ viewer { studyQueue(limit: ${'9'.repeat(500_000)}) { __typename } } }`), INVALID],
  ['tokens: a text of a million quotation marks', graphql(`{ deck(id: "${'\\"'.repeat(250_000)}") { id } }`), INPUT],
  ['tokens: a text that never ends', graphql(`{ deck(id: "${'a'.repeat(500_000)}`), PARSE],
  ['tokens: a comment of a million characters', graphql(`{ __typename } #${'x'.repeat(1_000_000)}`), ANSWERED],
  ['names: 3,000 different mistakes', graphql(`{ ${repeat(3_000, (i) => `mistake${i}`)} }`), ROOTS],
  ['overlap: 1,000 fields that must be merged', graphql(`{ viewer { ${repeat(1_000, () => 'decks { nodes { id } }')} } }`), ANSWERED],
  ['overlap: 1,000 fields that cannot be merged', graphql(`{ viewer { ${repeat(1_000, (i) => `decks(first: ${i}) { nodes { id } }`)} } }`), TOKENS],
  ['overlap: fragments that must be compared with each other', graphql(`{ viewer { ${repeat(300, (i) => `...F${i}`)} } } ${repeat(300, (i) => `fragment F${i} on User { decks { nodes { id x: name } } }`)}`), ALIASES],
  ['variables: 10,000 that are defined', graphql(`query (${repeat(10_000, (i) => `$a${i}: Int`)}) { __typename }`), TOKENS],
  ['operations: 5,000 in a document', graphql(repeat(5_000, (i) => `query Q${i} { __typename }`)), TOKENS],
  // What it costs.
  ['cost: the largest pages within the largest pages', graphql('{ viewer { decks(first: 100) { nodes { cards(first: 100) { nodes { reviews(first: 100) { nodes { id } } } } } } } }'), COST],
  ['cost: hidden in fragments', graphql('{ viewer { ...A } } fragment A on User { decks(first: 100) { nodes { ...B } } } fragment B on Deck { cards(first: 100) { nodes { ...C } } } fragment C on Card { reviews(first: 100) { nodes { id } } }'), COST],
  ['cost: by variables', graphql('query ($n: Int!) { viewer { decks(first: $n) { nodes { cards(first: $n) { nodes { reviews(first: $n) { nodes { id } } } } } } } }', { n: 100 }), COST],
  ['cost: behind conditions that hold', graphql('query ($y: Boolean = true) { viewer { decks(first: 100) @include(if: $y) { nodes { cards(first: 100) @skip(if: false) { nodes { reviews(first: 100) { nodes { id } } } } } } } }'), COST],
  ['cost: negative sizes', graphql('{ viewer { decks(first: -100) { nodes { id } } } }'), INPUT],
  ['cost: null as a size', graphql('query ($n: Int) { viewer { decks(first: $n) { totalCount } } }', { n: null }), ANSWERED],
  ['cost: both directions at once', graphql('{ viewer { decks(first: 100, last: 100) { nodes { id } } } }'), INPUT],
  ['cost: 2^31 as a size', graphql('{ viewer { decks(first: 2147483647) { nodes { id } } } }'), COST],
  ['cost: more than an Int as a size', graphql('query ($n: Int) { viewer { decks(first: $n) { nodes { id } } } }', { n: 1e300 }), INPUT],
  // JSON.
  ['JSON: variables 100,000 deep', `{"query":"{ __typename }","variables":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`, VARIABLES],
  ['JSON: 200,000 members', `{"query":"{ __typename }","variables":{${repeat(60_000, (i) => `"a${i}":1`).replaceAll(' ', ',')}}}`, ANSWERED],
  ['JSON: a member twice', '{"query":"{ __typename }","query":"mutation { logOut { __typename } }"}', BAD],
  ['JSON: a member of variables twice', '{"query":"query ($n: Int = 0) { viewer { decks(first: $n) { totalCount } } }","variables":{"n":1,"n":"x"}}', INPUT],
  ['JSON: half a surrogate', '{"query":"{ deck(id: \\"\\ud800\\") { id } }"}', BAD],
  ['JSON: bytes that are no UTF-8', Buffer.from([...Buffer.from('{"query":"{ deck(id: \\"'), 0xc3, 0x28, ...Buffer.from('\\") { id } }"}')]), BAD],
  ['JSON: NUL in a text', '{"query":"{ deck(id: \\"a\\\\u0000b\\") { id } }"}', INPUT],
  ['JSON: a number of 500,000 digits', `{"query":"{ __typename }","variables":{"n":${'9'.repeat(500_000)}}}`, BAD],
  ['JSON: 1e999999', '{"query":"{ __typename }","variables":{"n":1e999999}}', BAD],
  ['JSON: __proto__ as a variable', '{"query":"{ __typename }","variables":{"__proto__":{"n":1},"constructor":1}}', ANSWERED],
  ['batch: 10,000 operations', `[${Array(10_000).fill('{"query":"{ __typename }"}').join(',')}]`, BATCH],
  ['batch: nested batches', '['.repeat(10_000), BATCH],
  ['body: 1 MiB and a byte', graphql('{ __typename }').padEnd(1_048_577), LARGE],
  // Operations by hash.
  ['persisted: another text under a known hash', JSON.stringify(persisted(sha256('{ __typename }'), '{ viewer { id } }')), BAD],
  ['persisted: a hash that is no hash', JSON.stringify(persisted('../../etc/passwd')), BAD],
  ['persisted: of another version', JSON.stringify({ extensions: { persistedQuery: { version: 2, sha256Hash: sha256('a') } } }), BAD],
  ['persisted: an operation that is not valid', JSON.stringify(persisted(sha256('{ nothing }'), '{ nothing }')), INVALID],
  ['documents: an id that is a path', JSON.stringify({ documentId: '../../../etc/passwd' }), 'PERSISTED_DOCUMENT_NOT_FOUND'],
  // Entry points that are not for clients.
  ['entities of the subgraphs', graphql('{ _entities(representations: [{ __typename: "User", id: "1" }]) { __typename } }'), INVALID],
  ['SDL of the subgraphs', graphql('{ _service { sdl } }'), INVALID],
  ['machinery of the supergraph', graphql('{ __type(name: "join__Graph") { name } }'), ANSWERED],
  ['what services read of config', graphql('{ serviceConfig { __typename } }'), INVALID],
];

/** Each row: the attack, what is written to a connection that stays open for a while, and the status lines that may answer it. */
const CONNECTIONS = [
  ['a body that comes a byte at a time', (say) => slowly(say, head({ 'content-length': 1000 }), '{', 60), [408]],
  ['a body that never comes', (say) => say(head({ 'content-length': 1000 })), [408]],
  ['headers that never end', (say) => slowly(say, 'POST /graphql HTTP/1.1\r\nhost: a\r\n', 'x: y\r\n', 40), [400, 408, 431, undefined]],
  ['a hundred thousand headers', (say) => say(`POST /graphql HTTP/1.1\r\nhost: a\r\n${'x: y\r\n'.repeat(100_000)}\r\n`), [431, 400]],
  ['a header of a megabyte', (say) => say(`POST /graphql HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(1_000_000)}\r\n\r\n`), [431, 400]],
  ['an address of a megabyte', (say) => say(`GET /graphql?query=${'y'.repeat(1_000_000)} HTTP/1.1\r\nhost: a\r\n\r\n`), [414, 431, 400]],
  ['two lengths', (say) => say(`POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello`), [400]],
  ['a length and chunks at once', (say) => say('POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'), [400]],
  ['a chunk of 2^64 bytes', (say) => say('POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff1\r\n'), [400]],
  ['what is no HTTP', (say) => say('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'), [400, undefined]],
];

const head = (headers) =>
  `POST /graphql HTTP/1.1\r\n${Object.entries({ host: 'a', 'content-type': 'application/json', ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;

async function slowly(say, first, piece, times) {
  say(first);
  for (let i = 0; i < times; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (!say(piece)) return;
  }
}

/** The CPU time of a process so far, in milliseconds, and the memory it has, in MiB. */
function usage(pid) {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => {
    try {
      return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      return 0;
    }
  });
  const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1];
  return { cpu: threads.reduce((sum, time) => sum + time, 0) / 1e6, memory: Number(rss) / 1024 };
}

describe('abuse', () => {
  const server = useServer({ SPACEY_REQUEST_TIMEOUT_SECONDS: '2', SPACEY_COST_MAXIMUM_MODE: 'enforce' });
  const costs = [];
  let token;

  const send = (body, headers = {}) =>
    fetch(`${server.origin}/graphql`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
    });

  before(async () => {
    const { origin } = server;
    const post = (query) => fetch(`${origin}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: graphql(query) });
    await post('mutation { signUp(input: { email: "eve@example.com", password: "nothing to see here 42", name: "Eve" }) { email } }');
    const login = await post('mutation { logIn(input: { email: "eve@example.com", password: "nothing to see here 42" }) { accessToken } }');
    token = (await login.json()).data.logIn.accessToken;
  });

  after(() => {
    costs.sort((a, b) => b.cpu - a.cpu);
    for (const { name, cpu } of costs.slice(0, 8)) console.log(`# ${cpu.toFixed(1)} ms of CPU: ${name}`);
  });

  async function honest() {
    const response = await send(graphql('{ viewer { email decks { totalCount } } }'));
    assert.deepEqual(await response.json().then(({ data }) => data), { viewer: { email: 'eve@example.com', decks: { totalCount: 0 } } });
  }

  for (const [name, body, code] of BODIES) {
    test(name, async () => {
      let least = Infinity;
      // What else the server does meanwhile is not the attack's.
      for (let attempt = 0; attempt < 3 && least > MOST_CPU; attempt += 1) {
        const earlier = usage(server.pid).cpu;
        const response = await send(body);
        const answer = await response.json();
        least = Math.min(least, usage(server.pid).cpu - earlier);
        assert.ok(response.status < 500, JSON.stringify(answer));
        assert.equal(answer.errors?.[0]?.extensions?.code, code, `${response.status}: ${JSON.stringify(answer).slice(0, 300)}`);
      }
      costs.push({ name, cpu: least });
      assert.ok(least <= MOST_CPU, `${least} ms of CPU`);
      await honest();
    });
  }

  for (const [name, attack, statuses] of CONNECTIONS) {
    test(name, async () => {
      const { hostname, port } = new URL(server.origin);
      const socket = connect({ host: hostname, port: Number(port) });
      socket.on('error', () => {});
      let answer = '';
      socket.setEncoding('utf8').on('data', (text) => (answer += text));
      const closed = new Promise((resolve) => socket.once('close', resolve));
      const earlier = usage(server.pid).cpu;
      await attack((text) => socket.writable && socket.write(text));
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 6_000))]);
      socket.destroy();
      costs.push({ name, cpu: usage(server.pid).cpu - earlier });
      const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1];
      assert.ok(statuses.includes(status && Number(status)), `${answer.slice(0, 300)}`);
      await honest();
    });
  }

  for (const [encoding, compress] of [['gzip', gzipSync], ['br', brotliCompressSync]]) {
    test(`a ${encoding} bomb`, async () => {
      const response = await send(compress(Buffer.alloc(100 << 20, ' ')), { 'content-encoding': encoding });
      assert.equal(response.status, 415);
      await honest();
    });
  }

  test('10,000 operations that are all new fill no memory', async () => {
    const { memory } = usage(server.pid);
    for (let round = 0; round < 40; round += 1) {
      await Promise.all(Array.from({ length: 50 }, () => send(graphql(`query Q${randomUUID().replaceAll('-', '')} { viewer { id email name } }`)).then((response) => response.text())));
    }
    const grown = usage(server.pid).memory - memory;
    console.log(`# 2,000 new operations: ${grown.toFixed(0)} MiB more`);
    assert.ok(grown < 200, `${grown} MiB`);
    await honest();
  });

  test('all of it ten times more leaves the memory as it is', async () => {
    const all = async () => {
      for (const [, body] of BODIES) await send(body).then((response) => response.text());
    };
    await all();
    const { memory } = usage(server.pid);
    for (let round = 0; round < 10; round += 1) await all();
    const later = usage(server.pid).memory;
    console.log(`# memory: ${memory.toFixed(0)} MiB, ${later.toFixed(0)} MiB at the end`);
    assert.ok(later - memory < 64 && later < 600, `${memory} MiB, then ${later} MiB`);
  });
});
