/**
 * Mail through a real SMTP server, over TLS that is checked and with a password; and the mailbox of development, in a browser's terms.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { SMTPServer } from 'smtp-server';

import { post } from './client.mjs';
import { useServer } from './harness.mjs';

const PASSWORD = 'difference engine no. 2';
const SIGN_UP = 'mutation ($input: SignUpInput!) { signUp(input: $input) { email } }';
const REQUEST_RESET = 'mutation ($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { email } }';
const VERIFY = 'mutation ($input: VerifyEmailInput!) { verifyEmail(input: $input) { email } }';
const RESET = 'mutation ($input: ResetPasswordInput!) { resetPassword(input: $input) { email } }';
const REQUEST_CHANGE = 'mutation ($input: RequestEmailChangeInput!) { requestEmailChange(input: $input) { email } }';
const CONFIRM_CHANGE = 'mutation ($input: ConfirmEmailChangeInput!) { confirmEmailChange(input: $input) { email } }';
const UNDO_CHANGE = 'mutation ($input: UndoEmailChangeInput!) { undoEmailChange(input: $input) { email } }';
const LOG_IN = 'mutation ($input: LogInInput!) { logIn(input: $input) { accessToken user { email emailVerified } } }';

async function ask(server, query, input, token) {
  return (await post(server.origin, { query, variables: { input } }, { token })).body;
}

async function data(server, query, input, token) {
  const body = await ask(server, query, input, token);
  assert.equal(body.errors, undefined, JSON.stringify(body.errors));
  return body.data;
}

async function eventually(what, look, withinMs = 10_000) {
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    const found = await look();
    if (found) return found;
    await sleep(50);
  }
  return assert.fail(`${what} did not happen within ${withinMs} ms`);
}

/** A key, and a certificate for `localhost` by an authority of its own, in a folder that is removed afterwards. */
function makeCertificate() {
  const folder = mkdtempSync(join(tmpdir(), 'spacey-smtp-'));
  const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=Test authority');
  openssl('req', ...newKey, '-keyout', 'key.pem', '-out', 'request.pem', '-subj', '/CN=localhost');
  writeFileSync(join(folder, 'extensions'), 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n');
  openssl(...'x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -days 2 -extfile extensions'.split(' '));
  const read = (name) => readFileSync(join(folder, name));
  return { key: read('key.pem'), cert: read('cert.pem'), authority: join(folder, 'ca.pem'), remove: () => rmSync(folder, { recursive: true }) };
}

/** An SMTP server that remembers what it was sent. `refuse(recipient)` may give the code of a refusal. */
async function startSmtp(options) {
  const mails = [];
  const refusals = new Map();
  const smtp = new SMTPServer({
    authMethods: ['PLAIN'],
    onAuth: ({ username, password }, session, done) =>
      username === 'spacey' && password === 'correct' ? done(null, { user: username }) : done(new Error('wrong password')),
    onRcptTo: ({ address }, session, done) => {
      const code = refusals.get(address)?.shift();
      done(code && Object.assign(new Error('not now'), { responseCode: code }));
    },
    onData: async (stream, session, done) => {
      let text = '';
      for await (const chunk of stream.setEncoding('utf8')) text += chunk;
      mails.push({ text, secure: session.secure, user: session.user, to: session.envelope.rcptTo.map(({ address }) => address) });
      done();
    },
    ...options,
  });
  smtp.on('error', () => {}); // A client that breaks off is a matter of the test.
  smtp.listen(0, '127.0.0.1');
  await once(smtp.server, 'listening');
  return { mails, refusals, port: smtp.server.address().port, stop: () => new Promise((done) => smtp.close(done)) };
}

/** The headers, and the two parts as text: mail is made of lines of at most 76 bytes, some bytes written as `=XX`. */
function read({ text }) {
  const [head, ...rest] = text.split('\r\n\r\n');
  const headers = new Map(head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n').map((line) => [line.split(':')[0].toLowerCase(), line.slice(line.indexOf(':') + 2)]));
  const body = rest.join('\r\n\r\n').replaceAll('=\r\n', '').replaceAll(/=([0-9A-F]{2})/g, (_, byte) => String.fromCharCode(parseInt(byte, 16)));
  return { headers, head, body, secret: body.match(/#token=([\w-]{43})/)?.[1] };
}

describe('mail through an SMTP server', () => {
  const certificate = makeCertificate();
  const settings = {
    SPACEY_SMTP_HOST: 'localhost',
    SPACEY_SMTP_USER: 'spacey',
    SPACEY_SMTP_PASSWORD: 'correct',
    SPACEY_MAIL_FROM: 'Spacey <noreply@spacey.example>',
    SPACEY_PUBLIC_URL: 'https://spacey.example/app',
    SSL_CERT_FILE: certificate.authority,
  };
  let smtp;
  before(async () => {
    smtp = await startSmtp({ key: certificate.key, cert: certificate.cert });
    settings.SPACEY_SMTP_PORT = String(smtp.port);
  });
  const server = useServer(settings);
  after(async () => {
    await smtp.stop();
    certificate.remove();
  });
  const mailTo = (address, subject) =>
    eventually(`a mail to ${address}`, () => smtp.mails.find((mail) => mail.to[0] === address && read(mail).headers.get('subject') === subject));

  test('a new account gets a mail, whose link confirms the address', async () => {
    await data(server, SIGN_UP, { email: 'Ada@Example.com', password: PASSWORD, name: 'Ada <b>Lovelace</b>' });
    const mail = await mailTo('ada@example.com', 'Confirm your e-mail address');
    assert.deepEqual({ secure: mail.secure, user: mail.user, to: mail.to }, { secure: true, user: 'spacey', to: ['ada@example.com'] });
    const { headers, body, secret } = read(mail);
    assert.match(headers.get('from'), /^"?Spacey"? <noreply@spacey\.example>$/);
    assert.equal(headers.get('to'), 'ada@example.com');
    assert.match(headers.get('message-id'), /^<[\w-]+@spacey\.example>$/);
    assert.match(headers.get('content-type'), /^multipart\/alternative/);
    assert.ok(body.includes('Hello Ada <b>Lovelace</b>,'), 'as plain text');
    assert.ok(body.includes('<p>Hello Ada &lt;b&gt;Lovelace&lt;/b&gt;,</p>'), 'and as HTML');
    assert.ok(body.includes(`href="https://spacey.example/app/verify-email#token=${secret}"`), body);

    await data(server, VERIFY, { token: secret });
    const { logIn } = await data(server, LOG_IN, { email: 'ada@example.com', password: PASSWORD });
    assert.equal(logIn.user.emailVerified, true);
  });

  test('a forgotten password is set anew by mail, and an unknown address gets none', async () => {
    await data(server, REQUEST_RESET, { email: 'nobody@example.com' });
    await data(server, REQUEST_RESET, { email: 'ada@example.com' });
    const { secret } = read(await mailTo('ada@example.com', 'Set a new password'));
    await data(server, RESET, { token: secret, newPassword: 'analytical engine' });
    await data(server, LOG_IN, { email: 'ada@example.com', password: 'analytical engine' });
    const again = await ask(server, RESET, { token: secret, newPassword: 'a third engine' });
    assert.equal(again.errors[0].extensions.code, 'WRONG_CREDENTIALS');
    await mailTo('ada@example.com', 'Your password was changed');
    assert.deepEqual(smtp.mails.filter((mail) => mail.to[0] !== 'ada@example.com'), []);
  });

  test('the request has no say in the link', async () => {
    const before = smtp.mails.length;
    await post(server.origin, { query: REQUEST_RESET, variables: { input: { email: 'ada@example.com' } } }, { headers: { 'x-forwarded-host': 'attacker.example', forwarded: 'host=attacker.example', origin: 'https://attacker.example' } });
    await eventually('the mail', () => smtp.mails.length > before);
    assert.ok(!smtp.mails.at(-1).text.includes('attacker'));
  });

  test('no name or address adds a header or a recipient', async () => {
    for (const email of ['eve@example.com\r\nBcc: all@example.com', 'eve@example.com,all@example.com', '<eve@example.com>', 'eve@example.com\u0000']) {
      const { errors } = await ask(server, SIGN_UP, { email, password: PASSWORD, name: 'Eve' });
      assert.equal(errors[0].extensions.code, 'BAD_USER_INPUT', email);
    }
    const { errors } = await ask(server, SIGN_UP, { email: 'eve@example.com', password: PASSWORD, name: 'Eve\r\nBcc: all@example.com' });
    assert.equal(errors[0].extensions.code, 'BAD_USER_INPUT');
    await data(server, SIGN_UP, { email: 'eve@example.com', password: PASSWORD, name: 'Bcc: all@example.com' });
    const mail = await mailTo('eve@example.com', 'Confirm your e-mail address');
    assert.deepEqual(mail.to, ['eve@example.com']);
    assert.ok(!/bcc/i.test(read(mail).head));
  });

  test('an address is changed by the mail to the new one, and changed back by the mail to the former one', async () => {
    const [former, next, free] = ['joe@example.com', 'joseph@example.com', 'ada@example.com'];
    await data(server, SIGN_UP, { email: former, password: PASSWORD, name: 'Joe' });
    await data(server, VERIFY, { token: read(await mailTo(former, 'Confirm your e-mail address')).secret });
    const logIn = async (email, password = PASSWORD) => (await data(server, LOG_IN, { email, password })).logIn;
    const { accessToken } = await logIn(former);
    const request = (newEmail) => ask(server, REQUEST_CHANGE, { currentPassword: PASSWORD, newEmail }, accessToken);
    for (const newEmail of [`${next}\r\nBcc: all@example.com`, `${next},all@example.com`]) {
      assert.equal((await request(newEmail)).errors[0].extensions.code, 'BAD_USER_INPUT', newEmail);
    }
    assert.deepEqual(await request(free), { data: { requestEmailChange: { email: free } } }, 'taken, which does not show');
    assert.equal(read(await mailTo(free, 'Your e-mail address was asked for')).secret, undefined);
    assert.deepEqual(await request(next), { data: { requestEmailChange: { email: next } } });
    await mailTo(former, 'Another e-mail address was asked for');
    const mail = read(await mailTo(next, 'Confirm your new e-mail address'));
    assert.ok(mail.body.includes(`href="https://spacey.example/app/confirm-email-change#token=${mail.secret}"`), mail.body);
    assert.equal((await logIn(former)).user.email, former, 'good until the other one is confirmed');
    await data(server, CONFIRM_CHANGE, { token: mail.secret });
    assert.equal((await logIn(next)).user.email, next);
    const undo = read(await mailTo(former, 'Your e-mail address was changed'));
    assert.ok(undo.body.includes(`href="https://spacey.example/app/undo-email-change#token=${undo.secret}"`), undo.body);
    await data(server, UNDO_CHANGE, { token: undo.secret, newPassword: 'analytical engine' });
    assert.deepEqual((await logIn(former, 'analytical engine')).user, { email: former, emailVerified: true });
  });

  test('a mail is tried again later when the server asks for that, not when it refuses for good, and is taken once', async () => {
    smtp.refusals.set('busy@example.com', [451]);
    smtp.refusals.set('gone@example.com', [550]);
    for (const email of ['busy@example.com', 'gone@example.com']) await data(server, SIGN_UP, { email, password: PASSWORD, name: 'P' });
    await eventually('both refusals', () => [...smtp.refusals.values()].every((codes) => codes.length === 0));
    const to = (address) => smtp.mails.filter((mail) => mail.to[0] === address).length;
    await eventually('the second try', () => to('busy@example.com') > 0, 60_000);
    await sleep(6_000); // Longer than it takes to look for mail again.
    assert.deepEqual([to('busy@example.com'), to('gone@example.com')], [1, 0]);
  });
});

describe('an SMTP server that cannot be trusted', () => {
  const settings = { SPACEY_SMTP_HOST: 'localhost', SPACEY_SMTP_USER: 'spacey', SPACEY_SMTP_PASSWORD: 'correct', SPACEY_MAIL_FROM: 'noreply@spacey.example' };
  let connections = 0;
  let smtp;
  before(async () => {
    const onConnect = (session, done) => {
      connections += 1;
      done();
    };
    // It offers no TLS, and takes passwords in the clear.
    smtp = await startSmtp({ hideSTARTTLS: true, allowInsecureAuth: true, onConnect });
    settings.SPACEY_SMTP_PORT = String(smtp.port);
  });
  const server = useServer(settings);
  after(() => smtp.stop());

  test('is told neither the password nor a mail', async () => {
    await data(server, SIGN_UP, { email: 'ada@example.com', password: PASSWORD, name: 'Ada' });
    await eventually('a connection', () => connections > 0);
    await sleep(500);
    assert.deepEqual(smtp.mails, []);
  });
});

describe('the mailbox of development', () => {
  const server = useServer({ SPACEY_MODE: 'development' });
  const get = async (path) => {
    const response = await fetch(`${server.origin}${path}`);
    return { status: response.status, policy: response.headers.get('content-security-policy'), body: await response.text() };
  };

  test('shows the mail, escaped, in pages that run nothing', async () => {
    await data(server, SIGN_UP, { email: 'ada@example.com', password: PASSWORD, name: '<script>alert(1)</script>' });
    const list = await eventually('the mail', async () => {
      const page = await get('/dev/mail');
      return page.body.includes('ada@example.com') && page;
    });
    assert.match(list.policy, /^default-src 'none';/);
    const path = list.body.match(/\/dev\/mail\/[\w-]{36}/)[0];
    const letter = await get(path);
    assert.ok(letter.body.includes('Hello &lt;script&gt;alert(1)&lt;/script&gt;,') && !letter.body.includes('<script'), letter.body);
    const html = await get(`${path}/html`);
    assert.match(html.policy, /^sandbox /);
    assert.ok(!html.body.includes('<script') && html.body.includes(`href="${server.origin}/verify-email#token=`), html.body);
  });
});

describe('production', () => {
  const server = useServer();

  test('has no page that shows mail', async () => {
    assert.equal((await fetch(`${server.origin}/dev/mail`)).status, 404);
  });
});
