/**
 * A load balancer in front of two processes of each kind: HAProxy, a package of Debian's. It takes out whoever does not live, and hands a request on whose
 * connection was refused; a request that somebody began is never sent twice.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const DEFAULTS = `
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
  timeout check 2s
  retries 3
  option redispatch 1
  option http-server-close
  retry-on conn-failure
`;

/** Starts it: `groups` has a name, the port to listen on and the ports of those behind it. */
export async function startBalancer(groups) {
  const folder = mkdtempSync(join(tmpdir(), 'spacey-e2e-balancer-'));
  const file = join(folder, 'haproxy.cfg');
  const listen = groups.map(({ name, port, behind }) => {
    const servers = behind.map((to) => `  server s${to} 127.0.0.1:${to} check inter 500ms fall 2 rise 1\n`);
    return `\nlisten ${name}\n  bind 127.0.0.1:${port}\n  balance roundrobin\n  option httpchk GET /health/live\n${servers.join('')}`;
  });
  writeFileSync(file, `${DEFAULTS}${listen.join('')}`);
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'ignore'] });
  await once(child, 'spawn');
  for (let attempt = 0; attempt < 200 && !(await answers(groups[0].port)); attempt += 1) await sleep(25);
  return async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true });
  };
}

async function answers(port) {
  const socket = connect(port, '127.0.0.1');
  const connected = await once(socket, 'connect').then(() => true, () => false);
  socket.destroy();
  return connected;
}
