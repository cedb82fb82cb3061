/**
 * Two gateways and two of each subgraph behind a load balancer, on a MongoDB replica set of three nodes, while people review their cards. Any process is killed, the
 * primary too, and each service is restarted: nothing acknowledged is lost, nothing is there twice, and hardly anybody notices.
 *
 * `SPACEY_REPLICA_KILLS` says how many kills there are (default 3, of which one is the primary's): `make replicas` does more.
 */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { startBalancer } from './balancer.mjs';
import { post } from './client.mjs';
import { Server, freePort, sharedSettings } from './harness.mjs';
import { useReplicaSet } from './mongodb.mjs';

const KILLS = Number(process.env.SPACEY_REPLICA_KILLS ?? 3);
const LEARNERS = 4;
const CARDS = 10;
/** How long load runs around each kill, in milliseconds: what the rate of errors is of. */
const AROUND_A_KILL_MS = 12_000;
const THINKS_MS = 20;
/** In the order in which they are started: each is told where those before it are. */
const SUBGRAPHS = ['learning', 'config', 'decks', 'generation', 'users'];

const mongodb = await useReplicaSet();

/** Somebody who reviews cards without end, and remembers what was acknowledged. */
class Learner {
  acknowledged = new Map();
  unacknowledged = new Map();
  requests = 0;
  errors = [];

  constructor(origin) {
    this.origin = origin;
  }

  async ask(query, variables) {
    const { status, body } = await post(this.origin, { query, variables }, { token: this.token });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.errors, undefined, JSON.stringify(body.errors));
    return body.data;
  }

  async begin() {
    const login = { email: `${randomBytes(6).toString('hex')}@example.com`, password: 'difference engine no. 2' };
    await this.ask('mutation ($input: SignUpInput!) { signUp(input: $input) { email } }', { input: { ...login, name: 'Ada' } });
    const { logIn } = await this.ask('mutation ($input: LogInInput!) { logIn(input: $input) { accessToken } }', { input: login });
    this.token = logIn.accessToken;
    const { createDeck } = await this.ask('mutation { createDeck(input: { name: "Verbes" }) { deck { id } } }');
    const cards = Array.from({ length: CARDS }, (_, number) => ({ question: `question ${number}`, answer: 'answer' }));
    const input = { deckId: createDeck.deck.id, cards };
    const made = await this.ask('mutation ($input: CreateCardsInput!) { createCards(input: $input) { cards { id } } }', { input });
    this.cards = made.createCards.cards.map(({ id }) => id);
  }

  /** One review; after an error the same is sent again, as a phone does, at the next occasion. */
  async #review() {
    const waiting = this.unacknowledged.entries().next().value;
    const [id, review] = waiting ?? [randomUUID(), undefined];
    const sent = review ?? { id, cardId: this.cards[this.requests % CARDS], rating: 'GOOD', reviewedAt: new Date().toISOString() };
    this.unacknowledged.set(id, sent);
    const query = 'mutation ($input: SubmitReviewsInput!) { submitReviews(input: $input) { results { id status reason } } }';
    const { submitReviews } = await this.ask(query, { input: { reviews: [sent] } });
    const [result] = submitReviews.results;
    assert.ok(['ACCEPTED', 'DUPLICATE'].includes(result.status), JSON.stringify(result));
    this.unacknowledged.delete(id);
    this.acknowledged.set(id, sent);
  }

  /** Reviews, and reads now and then, until `signal` says so. */
  async study(signal) {
    while (!signal.aborted) {
      this.requests += 1;
      try {
        if (this.requests % 5 === 0) {
          const { viewer } = await this.ask('{ viewer { name studyQueue(limit: 5) { card { question } } } }');
          assert.ok(viewer.studyQueue.every(({ card }) => card.question.startsWith('question ')));
        } else await this.#review();
      } catch (error) {
        this.errors.push(error);
      }
      await sleep(THINKS_MS);
    }
  }

  /** The ids in the logs of all cards. */
  async log() {
    const ids = [];
    for (const card of this.cards) {
      for (let after = null, more = true; more; ) {
        const query = 'query ($id: ID!, $after: String) { card(id: $id) { reviews(first: 500, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } } }';
        const { reviews } = (await this.ask(query, { id: card, after })).card;
        ids.push(...reviews.nodes.map(({ id }) => id));
        ({ hasNextPage: more, endCursor: after } = reviews.pageInfo);
      }
    }
    return ids;
  }
}

async function until(holds) {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (await holds().catch(() => false)) return;
    await sleep(100);
  }
  assert.fail('not after thirty seconds');
}

describe('replicas', () => {
  const shared = sharedSettings('');
  const servers = new Map(); // of each name, the two
  let stopBalancer;
  let learners;

  before(async () => {
    const settings = { ...shared, MONGO_DB_CONNECTION: mongodb.url };
    const groups = [];
    for (const name of [...SUBGRAPHS, 'gateway']) {
      const port = await freePort();
      groups.push({ name, port, behind: [await freePort(), await freePort()] });
      if (name !== 'gateway') settings[`SPACEY_SUBGRAPH_${name.toUpperCase()}_URL`] = `http://127.0.0.1:${port}`;
    }
    stopBalancer = await startBalancer(groups);
    const { SPACEY_SUBGRAPH_DECKS_URL } = settings;
    const told = { ...shared, MONGO_DB_CONNECTION: mongodb.url, SPACEY_SUBGRAPH_DECKS_URL };
    for (const { name, behind } of groups) {
      const two = behind.map(() => new Server(name === 'gateway' ? ['gateway'] : ['subgraph', name]));
      servers.set(name, two);
      // The first one makes the indexes.
      for (const [number, server] of two.entries()) await server.start({ ...told }, behind[number]);
      if (name !== 'gateway') told[`SPACEY_SUBGRAPH_${name.toUpperCase()}_URL`] = settings[`SPACEY_SUBGRAPH_${name.toUpperCase()}_URL`];
    }
    const { port } = groups.at(-1);
    // The balancer looks every now and then who lives.
    await until(async () => (await fetch(`http://127.0.0.1:${port}/health/ready`)).ok);
    learners = Array.from({ length: LEARNERS }, () => new Learner(`http://127.0.0.1:${port}`));
    await Promise.all(learners.map((learner) => learner.begin()));
  });

  after(async () => {
    for (const server of [...servers.values()].flat().reverse()) await server.stop();
    await stopBalancer?.();
  });

  /** Lets everybody study while `happens` does, and `forMs` at least; says how many requests there were, and which failed. */
  async function underLoad(forMs, happens) {
    for (const learner of learners) [learner.requests, learner.errors] = [0, []];
    const end = new AbortController();
    const load = Promise.all(learners.map((learner) => learner.study(end.signal)));
    try {
      await Promise.all([sleep(forMs), sleep(500).then(happens)]);
    } finally {
      end.abort();
      await load;
    }
    const requests = learners.reduce((sum, learner) => sum + learner.requests, 0);
    return { requests, errors: learners.flatMap((learner) => learner.errors) };
  }

  /** Less than one in a hundred; on a machine so slow that this is less than what was on its way to a process at the moment when it was killed, no more than that. */
  function hardlyAny({ requests, errors }, what) {
    const most = Math.max(requests / 100, LEARNERS);
    const said = `${what}: ${errors.length} of ${requests} failed`;
    assert.ok(errors.length <= most, `${said}: ${errors.slice(0, 5).join('\n')}`);
    return said;
  }

  function none({ requests, errors }, what) {
    assert.deepEqual(errors.map(String), [], `${what}: ${errors.length} of ${requests} failed`);
    assert.ok(requests >= LEARNERS, `${what}: only ${requests} requests`);
  }

  test('any process may be killed, the primary of the database too', { timeout: KILLS * 60_000 + 60_000 }, async (t) => {
    const names = [...servers.keys()];
    for (let kill = 0; kill < KILLS; kill += 1) {
      if (kill === 0) {
        let killed;
        t.diagnostic(hardlyAny(await underLoad(AROUND_A_KILL_MS, async () => (killed = await mongodb.killPrimary())), 'the primary'));
        await mongodb.startAgain(killed);
      } else {
        const name = kill === 1 ? 'learning' : kill === 2 ? 'gateway' : names[Math.floor(Math.random() * names.length)];
        const killed = servers.get(name)[Math.floor(Math.random() * 2)];
        t.diagnostic(hardlyAny(await underLoad(AROUND_A_KILL_MS, () => killed.kill()), name));
        await killed.startAgain();
      }
      none(await underLoad(1_500, () => {}), 'after recovery');
    }
  });

  test('each service is restarted without a failed request', { timeout: 180_000 }, async () => {
    const restarted = await underLoad(0, async () => {
      for (const name of ['learning', 'decks', 'users', 'config', 'gateway']) {
        for (const server of servers.get(name)) {
          await server.stop('SIGTERM');
          await server.startAgain();
          await sleep(600); // until the balancer knows
        }
      }
    });
    none(restarted, 'rolling restart');
  });

  test('without a primary they live and are not ready, and are ready again with one', { timeout: 120_000 }, async () => {
    const health = async ({ origin }, which) => {
      const response = await fetch(`${origin}/health/${which}`, { signal: AbortSignal.timeout(10_000) });
      return [response.status, await response.text()];
    };
    const [gateway] = servers.get('gateway');
    const [learning] = servers.get('learning');
    assert.equal((await health(learning, 'ready'))[0], 200);
    const killed = await mongodb.killMost();
    await until(async () => (await health(learning, 'ready'))[0] === 503);
    assert.equal((await health(learning, 'live'))[0], 200);
    const [status, said] = await health(gateway, 'ready');
    assert.equal(status, 503);
    assert.equal(typeof JSON.parse(said).subgraphs.learning, 'string', said);
    assert.equal((await health(gateway, 'live'))[0], 200);
    // Whoever asks nevertheless is told so, by a code, and no value is made up.
    const { body } = await post(gateway.origin, { query: '{ viewer { studyQueue(limit: 5) { card { question } } } }' }, { token: learners[0].token });
    assert.ok(body.errors.length > 0, JSON.stringify(body));
    for (const { extensions } of body.errors) assert.match(extensions.code, /^(SUBREQUEST_|SERVICE_UNAVAILABLE|STORE_UNAVAILABLE|UNAVAILABLE)/, JSON.stringify(body));
    assert.equal(body.data?.viewer?.studyQueue, undefined);
    for (const node of killed) await mongodb.startAgain(node);
    await until(async () => (await health(gateway, 'ready'))[0] === 200);
    none(await underLoad(1_500, () => {}), 'after recovery');
  });

  test('the log has what was acknowledged, each once, and nothing that was not sent', async () => {
    for (const learner of learners) {
      const log = await learner.log();
      assert.equal(new Set(log).size, log.length, 'nothing is there twice');
      const there = new Set(log);
      const lost = [...learner.acknowledged.keys()].filter((id) => !there.has(id));
      assert.deepEqual(lost, [], 'nothing acknowledged is lost');
      const unknown = log.filter((id) => !learner.acknowledged.has(id) && !learner.unacknowledged.has(id));
      assert.deepEqual(unknown, [], 'nothing is there that nobody sent');
      assert.ok(learner.acknowledged.size > 100, `only ${learner.acknowledged.size} reviews`);
    }
  });
});
