/**
 * Images and sounds, through the clients that front ends use: `apollo-upload-client` and urql's own support for files send them, and a real
 * browser that is signed in by cookie shows and plays them; the same from one process on SQLite and from separate services on MongoDB.
 */
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { deflateSync } from 'node:zlib';

import { ApolloClient, InMemoryCache, gql } from '@apollo/client';
import { Client, fetchExchange } from '@urql/core';
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs';
import { chromium } from 'playwright-core';

import { BROWSER, openPage } from './browser.mjs';
import { post } from './client.mjs';
import { useServer, useServices } from './harness.mjs';

const MONGODB = process.env.SPACEY_TEST_MONGODB ?? '127.0.0.1:27117';
const PASSWORD = 'difference engine no. 2';
const UPLOAD = `mutation Upload($file: Upload!, $name: String) {
  uploadMedia(input: { file: $file, name: $name }) { media { id name sha256 contentType size url } }
}`;
const PREFLIGHTED = { 'apollo-require-preflight': 'true' };

const crcTable = Array.from({ length: 256 }, (_, n) => Array(8).fill().reduce((c) => (c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1), n));
const crc = (bytes) => (bytes.reduce((c, byte) => crcTable[(c ^ byte) & 255] ^ (c >>> 8), -1) ^ -1) >>> 0;

/** A PNG of one color. */
function png(width, height, color) {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const word = (value) => { const bytes = Buffer.alloc(4); bytes.writeUInt32BE(value); return bytes; };
    return Buffer.concat([word(data.length), body, word(crc(body))]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.concat([Buffer.from([0]), Buffer.concat(Array(width).fill(Buffer.from(color)))]);
  const rows = deflateSync(Buffer.concat(Array(height).fill(row)));
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', head), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
}

/** A second of silence. */
function wav(seconds = 1) {
  const data = Buffer.alloc(8_000 * seconds, 128);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0); head.writeUInt32LE(36 + data.length, 4); head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16); head.writeUInt16LE(1, 20); head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8_000, 24); head.writeUInt32LE(8_000, 28); head.writeUInt16LE(1, 32); head.writeUInt16LE(8, 34);
  head.write('data', 36); head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

async function signUp(origin, email) {
  const data = async (query, input) => {
    const { body } = await post(origin, { query, variables: { input } });
    assert.equal(body.errors, undefined, JSON.stringify(body.errors));
    return body.data;
  };
  await data('mutation ($input: SignUpInput!) { signUp(input: $input) { email } }', { email, name: 'Ada', password: PASSWORD });
  const { logIn } = await data('mutation ($input: LogInInput!) { logIn(input: $input) { accessToken } }', { email, password: PASSWORD });
  return logIn.accessToken;
}

function itKeepsMedia(useIt) {
  const server = useIt();
  const image = png(7, 5, [200, 30, 60]);
  let token;
  let other;
  before(async () => {
    token = await signUp(server.origin, 'ada@example.com');
    other = await signUp(server.origin, 'eve@example.com');
  });
  const get = (url, headers = {}, as = token) => fetch(server.origin + url, { headers: { authorization: `Bearer ${as}`, ...headers } });

  test('apollo-upload-client sends a file', async () => {
    const headers = { authorization: `Bearer ${token}`, ...PREFLIGHTED };
    const client = new ApolloClient({ cache: new InMemoryCache(), link: new UploadHttpLink({ uri: `${server.origin}/graphql`, headers }) });
    const file = new File([image], 'Zürich (1).png', { type: 'image/png' });
    const { data } = await client.mutate({ mutation: gql(UPLOAD), variables: { file } });
    const { media } = data.uploadMedia;
    assert.deepEqual(
      [media.name, media.contentType, media.size, media.sha256],
      ['Zürich (1).png', 'image/png', image.length, createHash('sha256').update(image).digest('hex')],
    );
    const answer = await get(media.url);
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), image);
    assert.equal(answer.headers.get('content-type'), 'image/png');
    assert.equal((await get(media.url, {}, other)).status, 404);
    assert.equal((await fetch(server.origin + media.url)).status, 401);
    const known = await get(media.url, { 'if-none-match': answer.headers.get('etag') });
    assert.equal(known.status, 304);
    const part = await get(media.url, { range: 'bytes=1-3' });
    assert.deepEqual([part.status, await part.text()], [206, 'PNG']);
  });

  test('urql sends a file, and a large one', async () => {
    const fetchOptions = { headers: { authorization: `Bearer ${token}`, ...PREFLIGHTED } };
    const client = new Client({ url: `${server.origin}/graphql`, exchanges: [fetchExchange], fetchOptions, preferGetMethod: false });
    const sound = wav(600);
    for (const bytes of [wav(), sound]) {
      const file = new File([bytes], 'a.wav', { type: 'audio/wav' });
      const { data, error } = await client.mutation(UPLOAD, { file, name: `${bytes.length}.wav` }).toPromise();
      assert.equal(error, undefined, String(error));
      assert.deepEqual([data.uploadMedia.media.name, data.uploadMedia.media.size], [`${bytes.length}.wav`, bytes.length]);
      const answer = await get(data.uploadMedia.media.url);
      assert.deepEqual(Buffer.from(await answer.arrayBuffer()), bytes);
    }
    const script = new File(['<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'], 'a.svg', { type: 'image/svg+xml' });
    const { error } = await client.mutation(UPLOAD, { file: script }).toPromise();
    assert.equal(error.graphQLErrors[0].extensions.code, 'BAD_USER_INPUT');
  });

  test('what is too large is refused with the reason, and nothing is kept of it', async () => {
    const form = new FormData();
    form.append('operations', JSON.stringify({ query: UPLOAD, variables: { file: null } }));
    form.append('map', '{"0":["variables.file"]}');
    form.append('0', new Blob([png(1, 1, [1, 2, 3]), new Uint8Array(11 << 20)]), 'large.png');
    const headers = { authorization: `Bearer ${token}`, ...PREFLIGHTED };
    const answer = await fetch(`${server.origin}/graphql`, { method: 'POST', headers, body: form });
    const { errors } = await answer.json();
    assert.deepEqual([answer.status, errors[0].extensions.code], [413, 'UPLOAD_TOO_LARGE']);
    const { body } = await post(server.origin, { query: '{ viewer { mediaFiles(filter: { unused: true }) { totalCount nodes { name } } } }' }, { token });
    assert.ok(body.data.viewer.mediaFiles.nodes.every(({ name }) => name !== 'large.png'), JSON.stringify(body));
  });

  test('a browser that is signed in by cookie shows the image and plays the sound', async () => {
    const browser = await chromium.launch(BROWSER);
    try {
      const { page, complaints } = await openPage(browser, server.origin);
      await page.context().addCookies([{ name: 'spacey-access', value: token, url: server.origin, httpOnly: true, sameSite: 'Lax' }]);
      const { body } = await post(server.origin, { query: '{ viewer { mediaFiles { nodes { name url } } } }' }, { token });
      const url = (name) => server.origin + body.data.viewer.mediaFiles.nodes.find((file) => file.name === name).url;
      // A page of the front end's: the server's own have a policy that lets no image in.
      const html = '<!doctype html><title>app</title><body>';
      await page.route(`${server.origin}/app`, (route) => route.fulfill({ contentType: 'text/html', body: html }));
      await page.goto(`${server.origin}/app`);
      const size = await page.evaluate(async (src) => {
        const image = Object.assign(new Image(), { src });
        document.body.append(image);
        await image.decode();
        return [image.naturalWidth, image.naturalHeight];
      }, url('Zürich (1).png'));
      assert.deepEqual(size, [7, 5]);
      const seconds = await page.evaluate(
        (src) =>
          new Promise((resolve, reject) => {
            const audio = Object.assign(document.createElement('audio'), { src, preload: 'metadata' });
            audio.onloadedmetadata = () => resolve(audio.duration);
            audio.onerror = () => reject(new Error(audio.error.message));
            document.body.append(audio);
          }),
        url('4800044.wav'),
      );
      assert.equal(seconds, 600);
      assert.deepEqual(complaints, []);
      // Somebody else's page in the same browser shows nothing.
      const shown = await page.evaluate(async (src) => {
        const response = await fetch(src, { credentials: 'omit' });
        return response.status;
      }, url('Zürich (1).png'));
      assert.equal(shown, 401);
    } finally {
      await browser.close();
    }
  });
}

describe('one process on SQLite', () => itKeepsMedia(() => useServer()));

describe('separate services on MongoDB', () => {
  const folder = mkdtempSync(join(tmpdir(), 'spacey-keys-'));
  const keyFile = join(folder, 'access-token-ed25519.pem');
  const { privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  after(() => rmSync(folder, { recursive: true }));
  itKeepsMedia(() =>
    useServices({
      MONGO_DB_CONNECTION: `mongodb://${MONGODB}/?replicaSet=rs0`,
      DB_NAME: `e2e_${randomBytes(6).toString('hex')}`,
      SPACEY_SERVICE_SECRET: randomBytes(24).toString('hex'),
      SPACEY_JWT_KEY_FILE: keyFile,
    }),
  );
});
